/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cell.c - see cell.h.
 *
 *   parent   makes the directory (empty, or a copy of the loaded store), syncs the file system, forks, reads the result from a pipe
 *   child    opens, warms up (a whole scan; then the workload itself for a while), runs, closes, looks at /proc/self
 */
#include "cell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double cell_first_seconds = 0.5;            /* an engine that has just made its store prepares its next log meanwhile */

enum { CELL_PATH = 4096, CELL_LIMIT_SECONDS = 3600, CELL_KILL_US = 400000 };

extern char **environ;

/* ---- directories -------------------------------------------------------------------------------------------------------------- */

static void cell_path(const struct cell_plan *p, const char *what, char *out)
{
	snprintf(out, CELL_PATH, "%s/%s%s%s", p->dir, what, what[0] == 'b' ? "-" : "", what[0] == 'b' ? p->row->name : "");
}

static int cell_command(const char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status == 0 ? 0 : -1;
}

static void cell_remove(const char *path)
{
	const char *const argv[] = { "rm", "-rf", "--", path, NULL };

	(void)cell_command(argv);
}

static int cell_copy(const char *from, const char *to)
{
	const char *const argv[] = { "cp", "-a", "--", from, to, NULL };

	return cell_command(argv);
}

/* What was written before must not be paid for while the clock runs. */
static void cell_quiet(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)syncfs(fd);
		close(fd);
	}
}

static int cell_prepare(const struct cell_plan *p, char *path)
{
	char base[CELL_PATH];

	cell_path(p, "base", base);
	cell_path(p, "cell", path);
	cell_remove(path);
	if (p->work->flags & WORK_FRESH) {
		if (mkdir(path, 0700) < 0)
			return -1;
	} else if (p->work->flags & WORK_CHANGES) {
		if (cell_copy(base, path) < 0)
			return -1;
	} else {
		memcpy(path, base, CELL_PATH);
	}
	cell_quiet(p->dir);
	return 0;
}

static uint64_t cell_space(const char *path)
{
	struct dirent *d;
	DIR *dir = opendir(path);
	uint64_t bytes = 0;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char name[CELL_PATH + sizeof(d->d_name) + 1];
		struct stat st;

		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		if (d->d_name[0] == '.' || lstat(name, &st) < 0)
			continue;
		bytes += S_ISDIR(st.st_mode) ? cell_space(name) : (uint64_t)st.st_blocks * 512;
	}
	if (dir != NULL)
		closedir(dir);
	return bytes;
}

/* ---- the child ------------------------------------------------------------------------------------------------------------------ */

static uint64_t cell_proc(const char *path, const char *field)
{
	FILE *f = fopen(path, "re");
	char line[256];
	uint64_t n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			n = strtoull(line + strlen(field), NULL, 10);
	if (f != NULL)
		fclose(f);
	return n;
}

static double cell_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

struct cell_mark {
	double cpu;
	uint64_t written, dirtied;
};

static void cell_begun(void *ctx)
{
	struct cell_mark *m = ctx;

	m->cpu = cell_cpu();
	m->written = cell_proc("/proc/self/io", "wchar:");
	m->dirtied = cell_proc("/proc/self/io", "write_bytes:");
}

static int cell_open(const struct cell_plan *p, const char *path, struct work_run *run)
{
	struct bench_setup s = p->setup;

	s.dir = path;
	s.tuned = p->row->tuned;
	s.sync = (p->work->flags & WORK_SYNC) != 0;
	*run = (struct work_run){ .work = p->work, .engine = p->row->engine, .keys = p->keys };
	run->seconds_ns = (uint64_t)(p->seconds * 1e9);
	run->warm_ns = (uint64_t)(p->warm_seconds * 1e9);
	if (p->work->flags & WORK_FRESH && p->warm_seconds < cell_first_seconds)
		run->warm_ns = (uint64_t)(cell_first_seconds * 1e9);
	return p->row->engine->open(&s, &run->store);
}

/* Everything through the cache once; then nine keys of ten away, where that is the work. */
static int cell_warm(const struct cell_plan *p, struct work_run *run)
{
	struct bench_bytes none = { NULL, 0 };
	struct bench_seen seen = { 0 };
	struct keys_hand hand;
	void *session;
	int rc;

	if (keys_take(&hand, p->keys, 0) < 0 || run->engine->enter(run->store, &session) < 0)
		return -1;
	rc = run->engine->scan(session, none, UINT64_MAX, false, &seen);
	if (rc == 0 && seen.values != p->keys->count) {
		fprintf(stderr, "%s: %llu entries were loaded, %llu are there\n", p->row->name,
			(unsigned long long)p->keys->count, (unsigned long long)seen.values);
		rc = -1;
	}
	for (uint64_t i = 0; rc == 0 && p->work->flags & WORK_THINNED && i < p->keys->count; i++)
		if (i % 10 != 0)
			rc = run->engine->del(session, keys_key(&hand, i * 2));
	run->engine->leave(session);
	keys_drop(&hand);
	return rc;
}

static int cell_measure(const struct cell_plan *p, const char *path, struct cell_result *out)
{
	struct work_run run;
	struct cell_mark mark;

	if (cell_open(p, path, &run) < 0)
		return -1;
	if (!(p->work->flags & WORK_FRESH) && cell_warm(p, &run) < 0)
		return -1;
	if (work_go(&run, cell_begun, &mark) < 0)
		return -1;
	out->cpu_seconds = cell_cpu() - mark.cpu;
	out->resident_bytes = (double)cell_proc("/proc/self/status", "VmHWM:") * 1024;
	if (p->tell && run.engine->tell != NULL)
		run.engine->tell(run.store, stderr);
	if (run.engine->close(run.store) < 0)
		return -1;
	out->written_bytes = (double)(cell_proc("/proc/self/io", "wchar:") - mark.written);
	out->dirtied_bytes = (double)(cell_proc("/proc/self/io", "write_bytes:") - mark.dirtied);
	out->space_bytes = (double)cell_space(path);
	out->ops = run.ops;
	out->wrong = run.wrong;
	out->seconds = (double)run.elapsed_ns * 1e-9;
	out->ops_per_second = (double)run.ops / out->seconds;
	out->hist = run.hist;
	return 0;
}

/* What is loaded: every key in random order, then settled. */
static int cell_fill(const struct cell_plan *p, const char *path, struct cell_result *out)
{
	struct cell_plan load = *p;
	struct cell_mark mark;
	struct work_run run;

	(void)out;
	load.work = work_find("fillrandom");
	if (cell_open(&load, path, &run) < 0 || work_go(&run, cell_begun, &mark) < 0)
		return -1;
	if (run.engine->settle != NULL && run.engine->settle(run.store) < 0)
		return -1;
	return run.engine->close(run.store);
}

/* ---- the parent ------------------------------------------------------------------------------------------------------------------ */

typedef int cell_fn(const struct cell_plan *p, const char *path, struct cell_result *out);

static void cell_child(cell_fn *fn, const struct cell_plan *p, const char *path, int to)
{
	static struct cell_result result;                /* too large for a stack, and the process is this cell's */

	alarm(CELL_LIMIT_SECONDS);
	result.ok = fn(p, path, &result) == 0;
	for (size_t at = 0; at < sizeof(result);) {
		ssize_t n = write(to, (const char *)&result + at, sizeof(result) - at);

		if (n < 0)
			break;
		at += (size_t)n;
	}
	_exit(result.ok ? 0 : 1);
}

static int cell_fork(cell_fn *fn, const struct cell_plan *p, const char *path, struct cell_result *out)
{
	size_t at = 0;
	ssize_t n;
	int pipes[2];
	pid_t pid;

	out->ok = false;
	fflush(NULL);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		cell_child(fn, p, path, pipes[1]);
	close(pipes[1]);
	while (pid > 0 && at < sizeof(*out) && (n = read(pipes[0], (char *)out + at, sizeof(*out) - at)) != 0)
		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			break;
	close(pipes[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	out->ok = out->ok && at == sizeof(*out);
	return out->ok ? 0 : -1;
}

int cell_load(const struct cell_plan *p)
{
	struct cell_result *r = calloc(1, sizeof(*r));
	char path[CELL_PATH];
	int rc;

	cell_path(p, "base", path);
	cell_remove(path);
	if (r == NULL || mkdir(path, 0700) < 0) {
		free(r);
		return -1;
	}
	rc = cell_fork(cell_fill, p, path, r);
	free(r);
	return rc;
}

void cell_unload(const struct cell_plan *p)
{
	char path[CELL_PATH];

	cell_path(p, "base", path);
	cell_remove(path);
}

void cell_run(const struct cell_plan *p, struct cell_result *out)
{
	char path[CELL_PATH];

	memset(out, 0, sizeof(*out));
	if (cell_prepare(p, path) == 0)
		(void)cell_fork(cell_measure, p, path, out);
	cell_path(p, "cell", path);
	cell_remove(path);
}

/* ---- kill -9 ------------------------------------------------------------------------------------------------------------------------ */

static _Atomic uint64_t *cell_acks;                      /* shared with the child that is going to be killed */

static int cell_write_until_killed(const struct cell_plan *p, const char *path, struct cell_result *out)
{
	struct work_run run;
	struct keys_hand hand;
	void *session;

	(void)out;
	if (cell_open(p, path, &run) < 0 || keys_take(&hand, p->keys, 1) < 0 || run.engine->enter(run.store, &session) < 0)
		return -1;
	for (uint64_t i = 0; run.engine->put(session, keys_key(&hand, i * 2), keys_value(&hand, i)) == 0; i++)
		atomic_store(cell_acks, i + 1);
	return -1;
}

static int cell_count_found(const struct cell_plan *p, const char *path, struct cell_result *out)
{
	struct work_run run;
	struct keys_hand hand;
	struct bench_seen seen = { 0 };
	void *session;

	if (cell_open(p, path, &run) < 0 || keys_take(&hand, p->keys, 1) < 0 || run.engine->enter(run.store, &session) < 0)
		return -1;
	for (uint64_t i = 0; i < atomic_load(cell_acks); i++)
		out->ops += run.engine->get(session, keys_key(&hand, i * 2), &seen) == 1;
	run.engine->leave(session);
	return run.engine->close(run.store);
}

static pid_t cell_victim(const struct cell_plan *p, const char *path)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct cell_result none;

		_exit(cell_write_until_killed(p, path, &none) == 0 ? 0 : 1);
	}
	return pid;
}

int cell_prove_kill(const struct cell_plan *p, uint64_t *acknowledged, uint64_t *found)
{
	struct cell_result *r = calloc(1, sizeof(*r));
	char path[CELL_PATH];
	pid_t pid;
	int rc = -1;

	cell_acks = mmap(NULL, sizeof(*cell_acks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r != NULL && cell_acks != MAP_FAILED && cell_prepare(p, path) == 0 && (pid = cell_victim(p, path)) > 0) {
		while (atomic_load(cell_acks) == 0 && waitpid(pid, NULL, WNOHANG) == 0)
			usleep(1000);
		usleep(CELL_KILL_US);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		rc = cell_fork(cell_count_found, p, path, r);
		*acknowledged = atomic_load(cell_acks);
		*found = r->ops;
		cell_remove(path);
	}
	free(r);
	return rc == 0 && *acknowledged > 0 && *found == *acknowledged ? 0 : -1;
}
