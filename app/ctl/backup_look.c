/* SPDX-License-Identifier: Apache-2.0 */
/* backup_look.c - what a directory of backups holds, and whether it still does. */
#include "ctl/backup_look.h"

#include "ctl/backup_check.h"
#include "ctl/backup_set.h"
#include "ctl/backup_sums.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "util/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- one is chosen ------------------------------------------------------------------------------------------------------------- */

static bool backup_look_is_whole(int fd)
{
	return faccessat(fd, BACKUP_SUMS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int backup_look_newest(const char *where, struct bytes *path)
{
	struct backup_set set;
	int status = backup_set_open(&set, where);

	if (status == SESSION_OK && set.whole_count == 0) {
		(void)fprintf(stderr, "siltctl: %s: no backup, and none in it%s\n", where,
		              set.unfinished_count ? " but one that was not finished" : "");
		status = SESSION_UNREADABLE;
	}
	if (status == SESSION_OK && !bytes_addf(path, "%s/%s", where, set.whole[set.whole_count - 1].text))
		status = session_fail(where, SILT_E_NOMEM);
	backup_set_close(&set);
	return status;
}

int backup_look_choose(const char *where, struct bytes *path, struct filecopy_dir *out)
{
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = SESSION_OK;

	out->fd = -1;
	if (fd < 0) {
		(void)fprintf(stderr, "siltctl: %s: %s\n", where, strerror(errno));
		return SESSION_UNREADABLE;
	}
	bytes_clear(path);
	if (!backup_look_is_whole(fd))
		status = backup_look_newest(where, path);
	else if (!bytes_adds(path, where) || !bytes_add(path, "", 1))
		status = session_fail(where, SILT_E_NOMEM);
	(void)close(fd);
	if (status != SESSION_OK)
		return status;
	out->path = path->p;
	out->fd = open(path->p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd >= 0)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: %s: %s\n", path->p, strerror(errno));
	return SESSION_UNREADABLE;
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------ */

static void backup_look_print(const struct args *a, const char *name, const struct backup_list *l)
{
	char size[TEXT_SIZE];

	if (a->given & ARGS_JSON)
		(void)printf("{\"name\":\"%s\",\"made\":\"%s\",\"version\":%" PRIu64 ",\"files\":%zu,\"bytes\":%" PRIu64 "}\n", name, l->made,
		             l->version, l->n, backup_list_bytes(l));
	else
		(void)printf("%s\tversion %" PRIu64 "\t%zu files\t%s\n", name, l->version, l->n, text_size(backup_list_bytes(l), size));
}

static int backup_look_one(const struct args *a, const struct backup_set *set, const char *name)
{
	struct bytes path = { 0 };
	struct backup_list list = { 0 };
	struct filecopy_dir dir;
	int status = backup_set_enter(&set->dir, name, &path, &dir);

	if (status == SESSION_OK)
		status = backup_sums_read(&list, &dir);
	if (status == SESSION_OK)
		backup_look_print(a, name, &list);
	else if (a->given & ARGS_JSON)
		(void)printf("{\"name\":\"%s\",\"damaged\":true}\n", name);
	else
		(void)printf("%s\tDAMAGED\n", name);
	backup_list_fini(&list);
	backup_set_leave(&dir);
	bytes_fini(&path);
	return status == SESSION_OK ? SESSION_OK : SESSION_DAMAGED;
}

int backup_look_list(const struct args *a)
{
	struct backup_set set;
	int status = backup_set_open(&set, a->operand[0]), worst = SESSION_OK;

	for (size_t i = 0; status == SESSION_OK && i < set.whole_count; i++)
		if (backup_look_one(a, &set, set.whole[i].text) != SESSION_OK)
			worst = SESSION_DAMAGED;
	for (size_t i = 0; status == SESSION_OK && i < set.unfinished_count; i++) {
		if (a->given & ARGS_JSON)
			(void)printf("{\"name\":\"%s\",\"finished\":false}\n", set.unfinished[i].text);
		else
			(void)printf("%s\tno backup: the next one goes on from it\n", set.unfinished[i].text);
	}
	backup_set_close(&set);
	return status != SESSION_OK ? status : worst;
}

/* ---- verified ------------------------------------------------------------------------------------------------------------------- */

static int backup_look_say(const struct args *a, const struct filecopy_dir *dir, int status, uint64_t version)
{
	struct bytes out = { 0 };
	int printed;

	if (!(a->given & ARGS_JSON)) {
		if (status == SESSION_OK)
			(void)printf("verify: %s: sound, version %" PRIu64 "\n", dir->path, version);
		else
			(void)printf("verify: %s: DAMAGED\n", dir->path);
		return session_flush(status);
	}
	bytes_adds(&out, "{");
	json_text_bytes(&out, "path", "path_encoding", span_str(dir->path));
	bytes_adds(&out, status == SESSION_OK ? ",\"sound\":true" : ",\"sound\":false");
	if (status == SESSION_OK)
		bytes_addf(&out, ",\"version\":%" PRIu64, version);
	bytes_adds(&out, "}\n");
	printed = out.bad ? session_fail(dir->path, SILT_E_NOMEM) : session_flush(session_print(span_of(out.p, out.len)));
	bytes_fini(&out);
	return printed == SESSION_OK ? status : printed;
}

/* Digests first: they say which file it is; then the engine, which knows what the files mean together. */
static int backup_look_check(const struct args *a, const struct filecopy_dir *dir)
{
	struct progress progress;
	struct filecopy copy = { .progress = &progress };
	struct backup_list list = { 0 };
	uint64_t version = 0;
	int status, deep;

	progress_begin(&progress, "digests");
	progress.silent = a->given & ARGS_JSON;
	status = backup_sums_read(&list, dir);
	copy.total = backup_list_bytes(&list);
	if (status == SESSION_OK)
		status = backup_check_files(&copy, dir, &list, true);
	progress_clear(&progress);
	if (status == SESSION_OK || status == SESSION_DAMAGED) {
		deep = backup_check_store(a, dir->path, true, a->given & ARGS_JSON, &version);
		status = status == SESSION_OK ? deep : status;
	}
	if (status == SESSION_OK || status == SESSION_DAMAGED)
		status = backup_look_say(a, dir, status, version);
	backup_list_fini(&list);
	return status;
}

static int backup_look_check_all(const struct args *a, const char *where)
{
	struct backup_set set;
	int status = backup_set_open(&set, where), worst = SESSION_OK;

	if (status == SESSION_OK && set.whole_count == 0) {
		(void)fprintf(stderr, "siltctl: %s: no backup, and none in it\n", where);
		status = SESSION_UNREADABLE;
	}
	for (size_t i = 0; status == SESSION_OK && !stop_asked() && i < set.whole_count; i++) {
		struct bytes path = { 0 };
		struct filecopy_dir dir;
		int one = backup_set_enter(&set.dir, set.whole[i].text, &path, &dir);

		if (one == SESSION_OK)
			one = backup_look_check(a, &dir);
		if (one != SESSION_OK && worst != SESSION_DAMAGED)
			worst = one;
		backup_set_leave(&dir);
		bytes_fini(&path);
	}
	backup_set_close(&set);
	return stop_asked() ? stop_status() : status != SESSION_OK ? status : worst;
}

int backup_look_verify(const struct args *a)
{
	const char *where = a->operand[0];
	struct filecopy_dir dir = { .fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .path = where };
	int status;

	stop_begin();
	if (dir.fd < 0) {
		(void)fprintf(stderr, "siltctl: %s: %s\n", where, strerror(errno));
		return SESSION_UNREADABLE;
	}
	status = backup_look_is_whole(dir.fd) ? backup_look_check(a, &dir) : backup_look_check_all(a, where);
	backup_set_leave(&dir);
	return status;
}
