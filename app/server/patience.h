/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patience.h - while the main thread is busy with something long (a log to recover, memtables to write out), a thread that tells
 * systemd what it is, and asks for more time as long as there is progress. Without somebody who listens it does nothing.
 *
 * Progress  the process used the processor, or its blocks went to and from the disk, since the last look. One that hangs on a dead disk
 *           does neither, asks for nothing, and is ended when its time is over.
 * Threads   begin and end: one. The notify is only read meanwhile.
 */
#ifndef SERVER_PATIENCE_H
#define SERVER_PATIENCE_H

#include "server/notify.h"

#include <pthread.h>

#define PATIENCE_EVERY_MS  5000u      /* the daemon's */
#define PATIENCE_EXTEND_MS 30000u     /* is asked for each time: so much may a step without progress take */

struct patience {
	pthread_mutex_t mutex;
	pthread_cond_t end;
	bool ending;                  /* under mutex */
	bool started;
	pthread_t thread;
	const struct notify *notify;  /* [c] */
	const char *what, *where;     /* [c] "Opening", "/var/lib/siltstone" */
	unsigned every_ms;            /* [c] */
};

struct patience_mark {                /* what a process has done so far */
	uint64_t cpu_us, blocks;
};

/* Says "what where" at once, and looks every so many ms. Borrows all but itself until the end. Where no thread can be made, no more
 * time is asked for. */
void patience_begin(struct patience *p, const struct notify *notify, const char *what, const char *where, unsigned every_ms);
/* Also of one that was never begun, all zeros. */
void patience_end(struct patience *p);
/* Whether that was progress: more than what looking costs. */
bool patience_progress(const struct patience_mark *before, const struct patience_mark *now);

#endif
