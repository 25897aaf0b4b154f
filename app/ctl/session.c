/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - the engine opened: read-only, which replays its log in memory and takes the lock so that no writer can begin; or to write. */
#include "ctl/session.h"

#include "ctl/fd.h"
#include "ctl/stop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

static void session_log(void *ctx, enum silt_log_level level, const char *message)
{
	struct session *s = ctx;

	if (level > SILT_LOG_WARNING)
		return;
	if (level <= SILT_LOG_ERROR)
		atomic_fetch_add(&s->findings, 1);
	progress_clear(&s->progress);
	(void)fprintf(stderr, "siltctl: %s\n", message);
}

int session_status(int code)
{
	switch (code) {
	case SILT_OK:
		return SESSION_OK;
	case SILT_E_CORRUPT:
		return SESSION_DAMAGED;
	case SILT_NOTFOUND:
	case SILT_E_IO:
	case SILT_E_NOSPACE:
	case SILT_E_FAULT:
	case SILT_E_MISUSE:
		return SESSION_UNREADABLE;
	case SILT_E_BUSY:
		return SESSION_IN_USE;
	default:
		return SESSION_FAILED;
	}
}

static const char *session_reason(int code)
{
	switch (code) {
	case SILT_E_BUSY: return "in use by another process: stop it first, or ask it with --url";
	case SILT_E_CORRUPT: return "damaged";
	case SILT_NOTFOUND: case SILT_E_MISUSE: return "can't be read";
	case SILT_E_IO: return "can't be read or written";
	case SILT_E_NOSPACE: return "the disk is full: nothing of this was written; make room, and try again";
	case SILT_E_FAULT: return "a write failed before: the store takes none until it is opened again";
	case SILT_E_TOOBIG: return "too big: a key has at most 4096 bytes, a value 256 MiB, a content type 255 bytes";
	case SILT_E_VERSION: return "in the format of a later version";
	case SILT_E_NOMEM: return "there is no memory for this";
	default: return silt_strerror(code);
	}
}

int session_fail(const char *what, int code)
{
	(void)fprintf(stderr, "siltctl: %s: %s\n", what, session_reason(code));
	return session_status(code);
}

int session_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct session *s = ctx;

	(void)progress_tell(&s->progress, done, total);
	return stop_asked();
}

void session_options(struct session *s, const struct args *a, struct silt_options *o)
{
	*s = (struct session){ 0 };
	progress_begin(&s->progress, a->command);
	silt_options_init(o);
	o->log = session_log;
	o->log_ctx = s;
	o->progress = session_progress;
	o->progress_ctx = s;
}

static int session_begin(struct session *s, const struct args *a, bool read_only)
{
	struct silt_options o;
	int rc;

	session_options(s, a, &o);
	o.create = !read_only && (a->given & ARGS_CREATE);
	o.read_only = read_only;
	rc = silt_open(a->dir, &o, &s->db);
	if (rc == SILT_NOTFOUND) {
		(void)fprintf(stderr, "siltctl: %s: there is no store; --db says where one is%s\n", a->dir,
		              read_only ? "" : ", and put and import make one with --create");
		return SESSION_UNREADABLE;
	}
	return rc == 0 ? SESSION_OK : session_fail(a->dir, rc);
}

int session_open(struct session *s, const struct args *a)
{
	return session_begin(s, a, true);
}

int session_open_to_write(struct session *s, const struct args *a)
{
	return session_begin(s, a, false);
}

void session_close(struct session *s)
{
	(void)silt_close(s->db);              /* what was written is durable already */
	s->db = NULL;
}

/* What is left in the buffer is let go: to write it would wait, or fail, and be said, once more. */
static int session_unprinted(int error)
{
	__fpurge(stdout);
	clearerr(stdout);
	if (stop_asked())
		return stop_status();
	if (error == EPIPE)
		return SESSION_UNWANTED;
	(void)fprintf(stderr, "siltctl: stdout: %s\n", strerror(error));
	return SESSION_UNREADABLE;
}

/* What is larger than a pipe takes at once goes past the buffer, which would not see a signal that cuts it short. */
int session_print(struct span s)
{
	bool ok = s.len <= PIPE_BUF ? fwrite(s.p, 1, s.len, stdout) == s.len : fflush(stdout) == 0 && fd_write(STDOUT_FILENO, s);

	return ok ? SESSION_OK : session_unprinted(errno);
}

int session_flush(int status)
{
	bool failed = ferror(stdout) != 0;

	if (failed && stop_asked())
		return session_unprinted(EINTR);
	return fflush(stdout) == 0 && !failed ? status : session_unprinted(errno);
}
