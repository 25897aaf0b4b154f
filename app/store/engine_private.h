/* SPDX-License-Identifier: Apache-2.0 */
/* engine_private.h - what the rooms of the embedded engine as a store share; nobody else's. */
#ifndef STORE_ENGINE_PRIVATE_H
#define STORE_ENGINE_PRIVATE_H

#include "store/store.h"

#include <siltstone.h>
#include <stdatomic.h>

#define ENGINE_SLOTS 16

/* What one call works with; belongs to one thread at a time. */
struct engine_tools {
	silt_batch *batch;
};

struct store_engine {
	struct store store;                   /* first: a struct store * is a struct store_engine * */
	silt_db *db;
	char *dir;                            /* [c] absolute */
	uint64_t min_free_space;              /* [c] */
	void (*log)(void *ctx, int level, const char *message);      /* [c] */
	void *log_ctx;                        /* [c] */
	silt_watch *watch;                    /* engine_changes.c; NULL = none */
	void (*watch_fn)(void *ctx);
	void *watch_ctx;
	struct engine_tools *_Atomic slot[ENGINE_SLOTS];
};

static inline struct store_engine *engine_of(struct store *s)
{
	return (struct store_engine *)s;
}

static inline struct silt_slice engine_slice(struct span s)
{
	return (struct silt_slice){ .data = s.p, .len = s.len };
}

int engine_code(int silt_code);
void engine_entry(const struct silt_info *info, struct store_entry *out);
/* Tools for one call, to be put back; NULL = no memory. */
struct engine_tools *engine_take(struct store_engine *e);
void engine_put_back(struct store_engine *e, struct engine_tools *t);

/* engine_batch.c */
int engine_write_batch(struct store *s, const struct store_batch *b, unsigned flags, store_batch_done_fn *fn, void *ctx);
int engine_get_many(struct store *s, const struct span *keys, size_t n, store_got_fn *fn, void *ctx, uint64_t *version);

/* engine_admin.c */
int engine_verify(struct store *s, store_progress_fn *fn, void *ctx);
int engine_checkpoint(struct store *s, const char *name, uint64_t *version);
int engine_checkpoint_list(struct store *s, store_checkpoint_fn *fn, void *ctx);
int engine_checkpoint_remove(struct store *s, const char *name);
bool engine_checkpoint_path(struct store *s, const char *name, struct bytes *out);
/* engine_changes.c */
void engine_changes_reach(struct store *s, uint64_t *oldest, uint64_t *newest);
int engine_changes_open(struct store *s, uint64_t since, struct store_changes **out);
int engine_changes_next(struct store_changes *c, struct store_change *out);
uint64_t engine_changes_version(const struct store_changes *c);
void engine_changes_close(struct store_changes *c);
int engine_watch(struct store *s, void (*fn)(void *ctx), void *ctx);
void engine_watch_arm(struct store *s, uint64_t version);
void engine_unwatch(struct store *s);
/* engine_count.c */
int engine_count_change(struct store *s, const struct store_range *range, struct store_scan *scan, uint64_t before,
                        int64_t *change);
/* engine_scan.c */
int engine_scan_open(struct store *s, const struct store_range *range, bool reverse, uint64_t max_steps,
                     struct store_scan **out);
int engine_scan_next(struct store_scan *scan, struct store_item *item);
uint64_t engine_scan_version(const struct store_scan *scan);
void engine_scan_close(struct store_scan *scan);
/* Was the key live at the scan's version? 1, 0, or the engine's failure. The scan stands nowhere then. */
int engine_scan_has(struct store_scan *scan, struct silt_slice key);
/* The next live key at or after `from`, or behind the one before where from is {0}; SILT_END. Valid until the next call. */
int engine_scan_from(struct store_scan *scan, struct silt_slice from, struct silt_slice *key);

#endif
