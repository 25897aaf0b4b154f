/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - a stopped store opened to be looked at, what the engine says meanwhile, and what the shell is told at the end. */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H

#include "ctl/args.h"
#include "ctl/progress.h"

#include <siltstone.h>
#include <stdatomic.h>

enum session_status {                 /* the exit status; --help says the same */
	SESSION_OK = 0,
	SESSION_ABSENT = 1,           /* the key is not there */
	SESSION_USAGE = 2,
	SESSION_DAMAGED = 3,
	SESSION_UNREADABLE = 4,       /* no such store, file or server, no permission, I/O error, full disk, output that can't be written */
	SESSION_IN_USE = 5,           /* by another process; or the server has no time */
	SESSION_FAILED = 6,           /* no memory, a format of a later version, what the server does not take */
	SESSION_CONDITION = 7,        /* --if-match or --if-none-match does not hold */
	SESSION_UNKNOWN = 8,          /* whether a write was done */
	SESSION_UNWANTED = 141,       /* 128 + SIGPIPE: who read the output reads no more; nothing is said */
};                                    /* and 128 + N: ended by signal N (stop.h) */

struct session {
	silt_db *db;
	struct progress progress;     /* begun with the session */
	_Atomic uint64_t findings;    /* errors that the engine reported */
};

/* Begins a session: what the engine says, and how far it is, goes through it. For what opens the store itself. */
void session_options(struct session *s, const struct args *a, struct silt_options *o);
/* A silt_progress_fn of a session: shows how far it is, and ends the work where a signal asks for that (stop.h). */
int session_progress(void *ctx, uint64_t done, uint64_t total);
/* For writing: the log of a process that was killed is recovered first. Else as session_open(). */
int session_open_to_write(struct session *s, const struct args *a);
/* Read-only: the store is not changed. 0, or an exit status, and stderr says why. End with session_close(). */
int session_open(struct session *s, const struct args *a);
void session_close(struct session *s);
/* The exit status for what the engine returned. */
int session_status(int code);
/* The same, said on stderr: "siltctl: what: reason". */
int session_fail(const char *what, int code);
/* To stdout. What it does not take is said, and not tried again: SESSION_UNREADABLE, SESSION_UNWANTED, or the signal's that came meanwhile. */
int session_print(struct span s);
/* `status`; or as session_print() where stdout did not take all that was printed by any means. */
int session_flush(int status);

#endif
