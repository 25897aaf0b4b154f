/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storekit.h - the engine behind store.h in a directory of its own, small, and writes that are waited for. Header only; failures abort the test.
 */
#ifndef TESTS_STOREKIT_H
#define TESTS_STOREKIT_H

#include "lib/test.h"

#include "store/store.h"

#include <pthread.h>

struct storekit {
	char *dir;
	struct store_engine_options opts;
	struct store *store;
	_Atomic int logged;                   /* messages */
	pthread_mutex_t mu;
	pthread_cond_t changed;
	int done;                             /* [mu] outcomes come in */
	struct store_outcome last;            /* [mu] */
	char old_value[64];                   /* [mu] of the last one, as far as it fits */
};

/* What is not said is as the engine has it. */
static inline struct store_engine_options storekit_small(const char *dir)
{
	return (struct store_engine_options){ .dir = dir,
		                              .filter_bits_per_key = -1,
		                              .compression = -1,
		                              .compression_bottom = -1,
		                              .memory = 16u << 20,
		                              .memtable_size = 1u << 20,
		                              .wal_segment_size = 4u << 20 };
}

static inline void storekit_log(void *ctx, int level, const char *message)
{
	struct storekit *k = ctx;

	(void)level;
	assert_non_null(message);
	k->logged++;
}

/* Not open yet. */
static inline struct storekit *storekit_new(void)
{
	struct storekit *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->dir = test_mkdir();
	k->opts = storekit_small(k->dir);
	k->opts.log = storekit_log;
	k->opts.log_ctx = k;
	pthread_mutex_init(&k->mu, NULL);
	pthread_cond_init(&k->changed, NULL);
	return k;
}

static inline void storekit_open(struct storekit *k)
{
	assert_int_equal(store_engine_open(&k->opts, &k->store), STORE_OK);
}

static inline void storekit_close(struct storekit *k)
{
	assert_int_equal(k->store->ops->close(k->store), STORE_OK);
}

static inline int storekit_setup(void **state)
{
	struct storekit *k = storekit_new();

	storekit_open(k);
	*state = k;
	return 0;
}

static inline int storekit_teardown(void **state)
{
	struct storekit *k = *state;

	storekit_close(k);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->mu);
	test_rmdir(k->dir);
	free(k);
	return 0;
}

/* A store_done_fn, whose context is the kit. */
static inline void storekit_note(void *ctx, const struct store_outcome *o)
{
	struct storekit *k = ctx;

	pthread_mutex_lock(&k->mu);
	k->last = *o;
	snprintf(k->old_value, sizeof(k->old_value), "%.*s", (int)o->old_value.len, o->old_value.p != NULL ? o->old_value.p : "");
	k->done++;
	pthread_cond_signal(&k->changed);
	pthread_mutex_unlock(&k->mu);
}

/* Until n outcomes have come in, which are forgotten; the last one's code. */
static inline int storekit_wait(struct storekit *k, int n)
{
	int code;

	pthread_mutex_lock(&k->mu);
	while (k->done < n)
		pthread_cond_wait(&k->changed, &k->mu);
	k->done = 0;
	code = k->last.code;
	pthread_mutex_unlock(&k->mu);
	return code;
}

/* Writes and waits; the outcome's code. */
static inline int storekit_write(struct storekit *k, const struct store_write *w, unsigned flags)
{
	assert_int_equal(k->store->ops->write(k->store, w, flags, storekit_note, k), STORE_OK);
	return storekit_wait(k, 1);
}

#endif
