/* SPDX-License-Identifier: Apache-2.0 */
/* unpackers.c - a few slots. */
#include "table/unpackers.h"

#include <stdatomic.h>
#include <zstd.h>

void *unpackers_take(struct unpackers *u)
{
	void *context = NULL;

	for (int i = 0; u && i < UNPACKERS && !context; i++)
		if (atomic_load_explicit(&u->idle[i], memory_order_relaxed))
			context = atomic_exchange_explicit(&u->idle[i], NULL, memory_order_acquire);
	return context ? context : ZSTD_createDCtx();
}

void unpackers_give(struct unpackers *u, void *context)
{
	for (int i = 0; u && i < UNPACKERS && context; i++) {
		void *none = NULL;

		if (atomic_compare_exchange_strong_explicit(&u->idle[i], &none, context, memory_order_release, memory_order_relaxed))
			context = NULL;
	}
	ZSTD_freeDCtx(context);                   /* NULL is fine there */
}

void unpackers_fini(struct unpackers *u)
{
	for (int i = 0; i < UNPACKERS; i++)
		ZSTD_freeDCtx(atomic_exchange_explicit(&u->idle[i], NULL, memory_order_acquire));
}
