/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpackers.h - zstd's contexts for unpacking, lent to whoever reads a block.
 *
 * Cost      a context has 95 KiB, and making one for each block takes 7.6 of 11.7 us that a block of 4 KiB costs then (measured). At most
 *           UNPACKERS are kept; where more threads read at once, the others make their own.
 * Threads   any, but for unpackers_fini(). No lock: a slot is emptied and filled by one exchange.
 */
#ifndef TABLE_UNPACKERS_H
#define TABLE_UNPACKERS_H

#include <siltstone.h>

enum { UNPACKERS = 8 };

struct unpackers {                        /* zeros to begin with */
	_Atomic(void *) idle[UNPACKERS];  /* ZSTD_DCtx; released by who gives it back */
};

/* A ZSTD_DCtx, the caller's until given back; NULL = no memory. Without a set to take from it is made, and freed when given back. */
void *unpackers_take(struct unpackers *u);
void unpackers_give(struct unpackers *u, void *context);          /* NULL as context is fine */
void unpackers_fini(struct unpackers *u);

#endif
