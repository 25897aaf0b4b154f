/* SPDX-License-Identifier: Apache-2.0 */
/* backup_source.c - a checkpoint made, found, held and removed: by the engine, or by a server. */
#include "ctl/backup_source.h"

#include "ctl/backup_set.h"
#include "ctl/look.h"
#include "ctl/owner.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "util/percent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BACKUP_SOURCE_PREFIX "siltctl-"

enum { BACKUP_SOURCE_POLL_MS = 250, BACKUP_SOURCE_ORPHAN_S = 600 };

/* ---- of a stopped store ------------------------------------------------------------------------------------------------------ */

static int backup_source_checkpoint(struct backup_source *s)
{
	struct session session;
	int status = session_open_to_write(&session, s->a), rc;

	if (status != SESSION_OK)
		return status;
	rc = silt_checkpoint(session.db, s->name, &s->version);
	if (rc != 0)
		status = session_fail(s->a->dir, rc);
	session_close(&session);
	return status;
}

static int backup_source_of_store(struct backup_source *s)
{
	int status;

	if (!owner_enter(s->a->dir))
		return SESSION_UNREADABLE;
	status = backup_source_checkpoint(s);
	owner_leave();
	s->made = status == SESSION_OK;
	if (status == SESSION_OK && !bytes_addf(&s->path, "%s/checkpoints/%s", s->a->dir, s->name))
		status = session_fail(s->a->dir, SILT_E_NOMEM);
	return status;
}

/* ---- of a server ------------------------------------------------------------------------------------------------------------- */

/* How the job stands, from the object that tells of it. *over: it is done, and s is filled; or it failed, which was said. */
static int backup_source_job(struct backup_source *s, struct span job, bool *over)
{
	struct bytes state = { 0 }, error = { 0 };
	int status = SESSION_OK;

	*over = true;
	if (!look_text(job, "state", &state)) {
		(void)fprintf(stderr, "siltctl: %s: an answer that says nothing of the checkpoint\n", http_url(s->http));
		status = SESSION_FAILED;
	} else if (span_eq(span_of(state.p, state.len), "failed")) {
		(void)look_text(job, "error", &error);
		(void)fprintf(stderr, "siltctl: %s: the checkpoint could not be made: ", http_url(s->http));
		text_show(stderr, span_of(error.p, error.len));
		(void)fputc('\n', stderr);
		status = SESSION_FAILED;
	} else if (!span_eq(span_of(state.p, state.len), "done")) {
		*over = false;
	} else if (!look_number(job, "version", &s->version) || !look_text(job, "path", &s->path) || !bytes_add(&s->path, "", 1)) {
		(void)fprintf(stderr, "siltctl: %s: the server does not say where its checkpoint is: is it of an earlier version?\n",
		              http_url(s->http));
		status = SESSION_FAILED;
	}
	bytes_fini(&state);
	bytes_fini(&error);
	return status;
}

/* Asked after until it is over. */
static int backup_source_wait(struct backup_source *s, const char *id, struct http_answer *answer)
{
	struct bytes path = { 0 };
	struct span job;
	bool over = false, terminal = isatty(STDERR_FILENO);
	time_t begun = time(NULL);
	int status = SESSION_OK;

	bytes_addf(&path, "/v1/admin/jobs/%s", id);
	while (status == SESSION_OK && !over) {
		if (terminal)
			(void)fprintf(stderr, "\rwaiting for the server's checkpoint, %ld s\x1b[K", (long)(time(NULL) - begun));
		(void)stop_sleep(BACKUP_SOURCE_POLL_MS);
		if (terminal)
			(void)fputs("\r\x1b[K", stderr);
		status = path.bad ? session_fail(s->name, SILT_E_NOMEM)
		                  : http_ask_patiently(s->http, &(struct http_request){ .method = "GET", .path = path.p }, answer);
		if (status == SESSION_OK && answer->status != 200)
			status = http_odd(s->http, answer);
		else if (status == SESSION_OK && !look_object(span_of(answer->body.p, answer->body.len), &job))
			status = http_odd(s->http, answer);
		else if (status == SESSION_OK)
			status = backup_source_job(s, job, &over);
	}
	bytes_fini(&path);
	return status;
}

static int backup_source_answered(struct backup_source *s, struct http_answer *answer)
{
	struct span whole, job;
	struct bytes id = { 0 };
	bool over;
	int status;

	if ((answer->status != 200 && answer->status != 202) || !look_object(span_of(answer->body.p, answer->body.len), &whole) ||
	    !look_in(whole, "job", &job) || !look_text(job, "id", &id) || !bytes_add(&id, "", 1)) {
		bytes_fini(&id);
		return http_odd(s->http, answer);
	}
	status = backup_source_job(s, job, &over);
	if (status == SESSION_OK && !over)
		status = backup_source_wait(s, id.p, answer);
	bytes_fini(&id);
	return status;
}

static int backup_source_of_server(struct backup_source *s)
{
	struct http_answer answer = { 0 };
	struct bytes query = { 0 };
	int status = http_open(s->a, &s->http);

	if (status != SESSION_OK)
		return status;
	http_query_text(&query, "name", s->name);
	status = query.bad ? session_fail(s->name, SILT_E_NOMEM)
	                   : http_ask_patiently(s->http, &(struct http_request){
				.method = "POST", .path = "/v1/admin/checkpoint", .query = &query }, &answer);
	s->made = status == SESSION_OK ? answer.status < 300 : status == SESSION_UNKNOWN || stop_asked();    /* or perhaps */
	if (status == SESSION_OK)
		status = backup_source_answered(s, &answer);
	http_answer_fini(&answer);
	bytes_fini(&query);
	return status;
}

/* ---- the directory ----------------------------------------------------------------------------------------------------------- */

static int backup_source_unreadable(const struct backup_source *s, int error)
{
	(void)fputs("siltctl: ", stderr);
	text_show(stderr, span_str(s->path.p));
	(void)fprintf(stderr, ": %s\n", strerror(error));
	if (s->http && error == ENOENT)
		(void)fprintf(stderr, "siltctl: that is where the server made its checkpoint, and it is not on this machine: run the backup on "
		              "the server's own\n");
	else if (error == EACCES)
		(void)fprintf(stderr, "siltctl: run the backup as root, or as the user whom the store belongs to\n");
	return SESSION_UNREADABLE;
}

static int backup_source_enter(struct backup_source *s)
{
	s->dir.fd = open(s->path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->dir.path = s->path.p;
	if (s->dir.fd < 0)
		return backup_source_unreadable(s, errno);
	if (faccessat(s->dir.fd, "MANIFEST", R_OK, AT_EACCESS) != 0)
		return backup_source_unreadable(s, errno);
	(void)flock(s->dir.fd, LOCK_EX | LOCK_NB);        /* nobody else has reason to */
	return SESSION_OK;
}

/* Names what is removed as the engine does, which sweeps it should we be cut short. */
static int backup_source_erase(const struct filecopy_dir *parent, const char *name)
{
	char away[128];

	(void)snprintf(away, sizeof(away), "%.100s.tmp", name);
	if (renameat(parent->fd, name, parent->fd, away) == 0)
		return backup_set_erase(parent, away);
	if (errno == ENOENT)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: %s/%s: can't be removed: %s\n", parent->path, name, strerror(errno));
	return SESSION_UNREADABLE;
}

static int backup_source_ask_to_remove(struct backup_source *s, const char *name)
{
	struct http_answer answer = { 0 };
	struct bytes path = { 0 };
	int status;

	bytes_addf(&path, "/v1/admin/checkpoints/%s", name);
	status = path.bad ? session_fail(name, SILT_E_NOMEM)
	                  : http_ask_patiently(s->http, &(struct http_request){ .method = "DELETE", .path = path.p }, &answer);
	if (status == SESSION_OK && answer.status != 204 && answer.status != 404)
		status = http_odd(s->http, &answer);
	bytes_fini(&path);
	http_answer_fini(&answer);
	return status;
}

static int backup_source_remove(struct backup_source *s, const struct filecopy_dir *parent, const char *name)
{
	return s->http ? backup_source_ask_to_remove(s, name) : backup_source_erase(parent, name);
}

/* One of ours, made long ago, that nobody holds: its maker was killed. */
static bool backup_source_is_orphan(const struct filecopy_dir *parent, const char *name)
{
	int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool is;

	if (fd < 0)
		return false;
	is = fstat(fd, &st) == 0 && st.st_mtime < time(NULL) - BACKUP_SOURCE_ORPHAN_S && flock(fd, LOCK_EX | LOCK_NB) == 0;
	(void)close(fd);
	return is;
}

static void backup_source_sweep(struct backup_source *s)
{
	struct filecopy_dir parent = { .fd = openat(s->dir.fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .path = "checkpoints" };
	DIR *d = parent.fd >= 0 ? fdopendir(parent.fd) : NULL;
	const struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (strncmp(e->d_name, BACKUP_SOURCE_PREFIX, sizeof(BACKUP_SOURCE_PREFIX) - 1) != 0 || strcmp(e->d_name, s->name) == 0 ||
		    (n > 4 && strcmp(e->d_name + n - 4, ".tmp") == 0) || !backup_source_is_orphan(&parent, e->d_name))
			continue;
		(void)fprintf(stderr, "siltctl: removing checkpoint %s, left by a backup that was killed\n", e->d_name);
		(void)backup_source_remove(s, &parent, e->d_name);
	}
	if (d)
		(void)closedir(d);
	else if (parent.fd >= 0)
		(void)close(parent.fd);
}

/* ---- both -------------------------------------------------------------------------------------------------------------------- */

int backup_source_take(struct backup_source *s, const struct args *a, const char *stamp)
{
	int status;

	*s = (struct backup_source){ .a = a, .dir = { .fd = -1 } };
	(void)snprintf(s->name, sizeof(s->name), BACKUP_SOURCE_PREFIX "%.30s-%ld", stamp, (long)getpid());
	status = a->url ? backup_source_of_server(s) : backup_source_of_store(s);
	if (status == SESSION_OK)
		status = backup_source_enter(s);
	if (status == SESSION_OK)
		backup_source_sweep(s);
	return status;
}

/* By our own hands, as the engine would: a checkpoint is links alone, which the open store does not know of. */
static int backup_source_undo_here(struct backup_source *s)
{
	struct filecopy_dir parent = { .fd = -1 };
	struct bytes path = { 0 };
	int status = SESSION_UNREADABLE;

	if (!s->http)
		bytes_addf(&path, "%s/checkpoints", s->a->dir);
	else if (s->path.len)
		bytes_addf(&path, "%s/..", s->path.p);
	parent.path = path.p;
	parent.fd = path.bad || !path.len ? -1 : open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent.fd >= 0)
		status = backup_source_erase(&parent, s->name);
	backup_set_leave(&parent);
	bytes_fini(&path);
	return status;
}

/* A server that has gone away can't be asked. */
static int backup_source_undo(struct backup_source *s)
{
	if (s->http && backup_source_ask_to_remove(s, s->name) == SESSION_OK)
		return SESSION_OK;
	return backup_source_undo_here(s);
}

int backup_source_drop(struct backup_source *s)
{
	int undone = SESSION_OK;

	backup_set_leave(&s->dir);
	if (s->made) {
		stop_hold_off(true);          /* Ctrl-C ended the copying, not this */
		undone = backup_source_undo(s);
		stop_hold_off(false);
	}
	if (undone != SESSION_OK)
		(void)fprintf(stderr, "siltctl: checkpoint %s may be there still, and keep disk space: a backup made in %d minutes or later removes it\n",
		              s->name, BACKUP_SOURCE_ORPHAN_S / 60);
	http_close(s->http);
	bytes_fini(&s->path);
	*s = (struct backup_source){ .dir = { .fd = -1 } };
	return undone;
}
