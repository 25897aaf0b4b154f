/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - a version that only the leader moves, and those who wait for it to pass one they name.
 *
 * Each advance costs one store and one comparison, however many watches there are: `lowest` is the lowest version that an armed one
 * waits to see passed. Only an advance past it takes the lock, and each watch it fires is armed no longer.
 * Proof that none sleeps through   the leader stores `version`, then loads `lowest`; who arms stores `lowest`, then loads `version`; all
 *             four are seq_cst, so that one of both sees the other's store.
 */
#ifndef DB_WATCH_H
#define DB_WATCH_H

#include <stdatomic.h>

#include "base/thread.h"

struct watch_list {
	_Atomic uint64_t version;         /* [a] newest that is visible and synced; moved by the leader */
	_Atomic uint64_t lowest;          /* [a] UINT64_MAX: no watch is armed; written under mu */
	struct mutex mu;                  /* below no other lock; held while a watch's function runs */
	struct silt_watch *first;         /* [mu] */
};

struct silt_watch {
	struct watch_list *list;          /* [c] */
	silt_publish_fn *fn;              /* [c] */
	void *ctx;                        /* [c] */
	uint64_t version;                 /* [mu] armed for what is above it; UINT64_MAX: not armed */
	struct silt_watch *next, *prev;   /* [mu] linked by the list */
};

int watch_list_init(struct watch_list *l) SILT_MUST_CHECK;
void watch_list_fini(struct watch_list *l);
void watch_list_advance(struct watch_list *l, uint64_t version);          /* the leader's; never back */
uint64_t watch_list_version(struct watch_list *l);

void watch_init(struct silt_watch *w, struct watch_list *l, silt_publish_fn *fn, void *ctx);
void watch_fini(struct silt_watch *w);                    /* its function does not run any more */
void watch_arm(struct silt_watch *w, uint64_t version);

#endif
