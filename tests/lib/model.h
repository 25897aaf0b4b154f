/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - the naive twin of a store: an array with one slot a key, and a history that can be undone.
 *
 * Keys are made once from a seed and sorted; values are made from a slot's (seed, length), so that nothing is stored twice.
 * Each commit remembers what it overwrote. After a crash the store must equal the twin at some point of the history not
 * before the last acknowledged commit: model_settle() finds that point and undoes what came after it.
 * Threads   none. A mistake ends the test with the reason (model_fail).
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <siltstone.h>

enum { MODEL_HISTORY = 8192, MODEL_VALUE_MAX = 60 << 10 };

struct model_slot {
	bool there;
	uint8_t meta_len;
	uint32_t value_len, seed;     /* of value and metadata bytes */
	bool counts;                  /* the value is the text of `number` */
	int64_t number;
	uint64_t version, expires_ms;
};

struct model_op {                 /* one step of a commit; `to.version` is filled in by model_commit */
	size_t key;
	struct model_slot to;         /* there false: a delete */
};

struct model {
	size_t n;                     /* keys */
	struct silt_slice *keys;      /* [n], ascending */
	struct model_slot *slots;     /* [n] */
	struct model_past *history;   /* ring of MODEL_HISTORY */
	uint64_t commits;             /* ever made and not undone; the last one is history[(commits - 1) % MODEL_HISTORY] */
	uint64_t base;                /* commits up to here can't be undone */
	uint64_t last_version;
	uint8_t *scratch;
};

struct model *model_new(size_t keys, uint64_t seed);
void model_free(struct model *m);

/* Prints the reason, as printf, and exits with 1; model_context is printed before it. */
void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void model_ok(int rc, const char *what);  /* fails unless rc is 0 */
extern char model_context[256];
extern void (*model_on_fail)(void);      /* called before that exit; NULL */

bool model_live(const struct model_slot *s, uint64_t now_ms);
size_t model_find(const struct model *m, struct silt_slice key);         /* first key at or after it: 0..n */
struct silt_slice model_value(const struct model_slot *s, uint8_t *out); /* fills out[value_len] */
struct silt_slice model_meta(const struct model_slot *s, uint8_t out[SILT_META_MAX]);
/* A value of random size: mostly small, now and then thousands of bytes. */
struct model_slot model_random_put(uint64_t *seed, uint64_t expires_ms);

/* The batch that was acknowledged, or may be there. Versions must ascend. */
void model_commit(struct model *m, uint64_t version, const struct model_op *ops, size_t n);
/* What an add makes of a slot: 0 and *to, or the answer that a store gives. */
int model_add(const struct model_slot *s, int64_t delta, uint64_t now_ms, struct model_slot *to);

/* What a get gave for key i, against slots (the present ones, or a copy that stands for a snapshot). */
void model_check_get(const struct model *m, const struct model_slot *slots, size_t i, uint64_t now_ms, int rc,
                     struct silt_slice value, const struct silt_info *info);
/* Where an iterator stands: it must be key i as slots say. */
void model_check_entry(const struct model *m, const struct model_slot *slots, size_t i, const silt_iter *it);
/* The next live key from i on (exclusive end), or back from i on (i itself included; SIZE_MAX = none). */
size_t model_next_live(const struct model_slot *slots, size_t i, size_t end, uint64_t now_ms);
size_t model_prev_live(const struct model_slot *slots, size_t i, size_t begin, uint64_t now_ms);
/* All of the store, forward and backward, against slots. */
void model_check_all(const struct model *m, const struct model_slot *slots, silt_db *db, const silt_snapshot *snap, uint64_t now_ms);
/*
 * After a crash: the point of the history that the store equals, which must hold every commit up to version `acked`.
 * Undoes the rest and returns how many commits were undone.
 */
uint64_t model_settle(struct model *m, silt_db *db, uint64_t acked, uint64_t now_ms);
/*
 * The changes after *since against the history: each commit whole and in its place, none missing up to where the feed ends. Moves
 * *since there. Returns 0, or SILT_E_EXPIRED: *since is older than the reach, or what follows was ingested.
 */
int model_check_changes(const struct model *m, silt_db *db, uint64_t *since, uint64_t now_ms);

#endif
