/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - storage as the server sees it: asynchronous, with conditions and versions. The embedded engine is one implementation
 * (store_engine.c), a distributed engine another. Keys and values are bytes; times are Unix milliseconds.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "util/bytes.h"

enum store_code {
	STORE_OK = 0,
	STORE_NOTFOUND = 1,
	STORE_CONFLICT = 2,
	STORE_WOULD_BLOCK = 3,        /* only where STORE_NO_WAIT was given: ask again from a thread that may wait, for the disk or for
	                                 a copy of megabytes */
	STORE_TRY_AGAIN = 4,          /* the evidence grew old: submit the same write again (blocking form) */
	STORE_OVERFLOW = 5,           /* STORE_ADD: the sum is no 64-bit integer */
	STORE_NO_COUNTER = 6,         /* STORE_ADD: the value is no integer in decimal */
	STORE_E_IO = -1, STORE_E_CORRUPT = -2, STORE_E_NOSPACE = -3, STORE_E_NOMEM = -4, STORE_E_BUSY = -5, STORE_E_TOOBIG = -6,
	STORE_E_FAULT = -7,           /* read-only after a disk fault */
	STORE_E_CLOSED = -8, STORE_E_INTERNAL = -9, STORE_E_UNSUPPORTED = -10,
	STORE_E_GONE = -11,           /* the feed does not reach there */
};
const char *store_strerror(int code);

#define STORE_INLINE_MAX (64u << 10)  /* bytes of a value that STORE_NO_WAIT copies */
enum store_flags { STORE_NO_WAIT = 1, STORE_ASYNC = 2 /* acknowledge before the sync */ };

struct store_entry {                  /* what is known of a value */
	uint64_t version;
	uint64_t expires_ms;          /* 0 = never */
	char content_type[256];       /* "" = none was given */
};

struct store_cond {                   /* If-Match (none_match false), If-None-Match (true); n == 0 means "*" */
	bool none_match;
	const uint64_t *versions;
	size_t n;
};

enum store_op { STORE_PUT, STORE_DELETE, STORE_ADD };
struct store_write {                  /* one operation on one key; borrowed until the call returns */
	enum store_op op;
	struct span key, value;
	int64_t delta;                /* of STORE_ADD, which needs no value and keeps expiry and type of a key that is there */
	uint64_t expires_ms;
	const char *content_type;     /* NULL or "" = none */
	const struct store_cond *conds;
	size_t cond_count;
	bool want_existed;            /* tell whether the key was there, and what is known of it: costs a lookup */
	bool want_old_value;          /* and its value; implies want_existed */
};

struct store_outcome {                /* borrowed inside the callback */
	int code;                     /* STORE_OK, _CONFLICT, _OVERFLOW, _NO_COUNTER, _TRY_AGAIN, or a failure; a failure after queueing = outcome unknown */
	uint64_t version;             /* on OK */
	uint64_t current;             /* on CONFLICT, OVERFLOW, NO_COUNTER: the version the key has; 0 = absent */
	size_t condition;             /* on CONFLICT: which */
	bool existed;                 /* on OK, if asked for: was the key there? */
	struct store_entry old;       /* on OK, if asked for and it was */
	struct span old_value;        /* the same */
	int64_t sum;                  /* on OK, of STORE_ADD */
};
typedef void store_done_fn(void *ctx, const struct store_outcome *o);   /* exactly once for each write that returned OK; any thread; brief */

struct store_batch_cond {
	struct span key;
	uint64_t version;             /* 0 = must be absent */
};

struct store_batch_op {
	enum store_op op;             /* PUT or DELETE */
	struct span key, value;
	uint64_t expires_ms;
	const char *content_type;     /* NULL or "" = none */
	bool want_old;                /* tell what the key held before the batch */
};

struct store_batch {                  /* many operations as one write; borrowed until the call returns */
	const struct store_batch_cond *conds;
	size_t cond_count;
	const struct store_batch_op *ops;     /* on one key the last one wins */
	size_t op_count;
};

struct store_old {                    /* what a key held, of an operation that asked */
	size_t op;                    /* its index */
	bool found;
	struct store_entry entry;     /* the rest if found */
	struct span value;
};

struct store_batch_outcome {          /* borrowed inside the callback; code, version, current and condition as in store_outcome */
	int code;
	uint64_t version, current;
	size_t condition;
	size_t old_count;
	const struct store_old *old;
};
typedef void store_batch_done_fn(void *ctx, const struct store_batch_outcome *o);

/* One key of get_many: OK with what is there, borrowed until it returns, or NOTFOUND. False ends the walk. */
typedef bool store_got_fn(void *ctx, size_t index, int code, struct span value, const struct store_entry *e);

struct store_range {                  /* borrowed until the call returns */
	struct span lower, upper;     /* inclusive, exclusive; p NULL = no bound */
};

struct store_item {                   /* an entry met by a scan; borrowed until its next step */
	struct span key, value;
	uint64_t version;
	uint64_t expires_ms;          /* 0 = never */
	struct span content_type;     /* empty = none was given */
};

enum store_change_op { STORE_CHANGE_PUT, STORE_CHANGE_DELETE, STORE_CHANGE_DELETE_RANGE };
struct store_change {                 /* one operation met in the feed; borrowed until its reader's next step */
	uint64_t version;
	enum store_change_op op;
	bool last;                    /* of its version */
	struct span key, end;         /* a range delete's bounds, end exclusive and empty = to the last key; else end is empty */
	struct span value;            /* of a put */
	uint64_t expires_ms;          /* of a put; 0 = never */
};

/* How far it is, in bytes; false = stop. */
typedef bool store_progress_fn(void *ctx, uint64_t done, uint64_t total);

struct store_checkpoint {             /* borrowed inside the function */
	const char *name;
	uint64_t version, tables, bytes;
	bool damaged;
};
typedef void store_checkpoint_fn(void *ctx, const struct store_checkpoint *c);

struct store_stats {                  /* numbers for /v1/stats: names as they are printed there */
	size_t n;
	struct { char name[48]; uint64_t value; } item[128];
	char stall_reason[64];
	char fault[64];               /* "" = healthy */
};

struct store;
struct store_changes;                 /* a reader of the feed; belongs to one thread at a time */
struct store_scan;                    /* a walk over one snapshot of a range; belongs to one thread at a time */
struct store_ops {
	const char *const *capabilities;      /* what HTTP can ask of it, NULL-ended: printed by /v1/stats */
	/* value is cleared first; NULL = not wanted */
	int (*get)(struct store *s, struct span key, unsigned flags, struct bytes *value, struct store_entry *e);
	/* OK: queued, fn will be called (perhaps before this returns). Else nothing was queued, and fn is not called; never CONFLICT */
	int (*write)(struct store *s, const struct store_write *w, unsigned flags, store_done_fn *fn, void *ctx);
	/* As write(), for many operations at once. */
	int (*write_batch)(struct store *s, const struct store_batch *b, unsigned flags, store_batch_done_fn *fn, void *ctx);
	/* Calls fn with each of n keys, in their order, as of one version. Blocking. OK also where fn ended it. */
	int (*get_many)(struct store *s, const struct span *keys, size_t n, store_got_fn *fn, void *ctx, uint64_t *version);
	/* Deletes every key of a range as one write; as write(). A range that holds no key can be one, bounds that are equal are none. */
	int (*delete_range)(struct store *s, const struct store_range *range, unsigned flags, store_done_fn *fn, void *ctx);
	/*
	 * By how much the writes after a scan's version and before version `before` changed the number of live keys in a range that the
	 * scan lies in. The scan stands nowhere then. Blocking. TRY_AGAIN: nobody can tell any more.
	 */
	int (*count_change)(struct store *s, const struct store_range *range, struct store_scan *scan, uint64_t before,
	                    int64_t *change);
	/*
	 * A walk over the live entries of a range, in the order of keys or backwards, as of one version. All of it may block.
	 * next: OK, *item stands; NOTFOUND, the end; TRY_AGAIN, max_steps entries (also dead ones) were looked at: call it again. An
	 * empty range is a walk that ends at once. Close before the store is closed; NULL is fine.
	 */
	int (*scan_open)(struct store *s, const struct store_range *range, bool reverse, uint64_t max_steps, struct store_scan **out);
	int (*scan_next)(struct store_scan *scan, struct store_item *item);
	uint64_t (*scan_version)(const struct store_scan *scan);
	void (*scan_close)(struct store_scan *scan);
	/*
	 * What was written after a version, in order, whole versions, only what no crash takes back. open, next: OK; NOTFOUND, that was all
	 * for now; E_GONE, the log does not reach there (older than it, or newer than the store). version: all up to it was given. May block.
	 * watch: fn is called, from any thread and briefly, once after each watch_arm(), as soon as something is newer than its
	 * version; one watch a store. NULL, all of them = no feed.
	 */
	void (*changes_reach)(struct store *s, uint64_t *oldest, uint64_t *newest);      /* either may be NULL; never blocks */
	int (*changes_open)(struct store *s, uint64_t since, struct store_changes **out);
	int (*changes_next)(struct store_changes *c, struct store_change *out);
	uint64_t (*changes_version)(const struct store_changes *c);
	void (*changes_close)(struct store_changes *c);
	int (*watch)(struct store *s, void (*fn)(void *ctx), void *ctx);
	void (*watch_arm)(struct store *s, uint64_t version);
	void (*unwatch)(struct store *s);
	uint64_t (*clock_ms)(struct store *s);                    /* by which entries expire: Unix ms that never go back; NULL = the wall clock */
	int (*flush)(struct store *s, uint64_t *entries);         /* blocking */
	int (*compact)(struct store *s);                          /* blocking, long; E_CLOSED: cancelled */
	void (*compact_cancel)(struct store *s);                  /* those who wait in it return soon; NULL = they can't */
	/* Blocking, long; each may be NULL. */
	int (*verify)(struct store *s, store_progress_fn *fn, void *ctx);        /* E_CORRUPT: each finding was logged; E_CLOSED: stopped */
	int (*checkpoint)(struct store *s, const char *name, uint64_t *version); /* CONFLICT: there is one of that name */
	int (*checkpoint_list)(struct store *s, store_checkpoint_fn *fn, void *ctx);
	int (*checkpoint_remove)(struct store *s, const char *name);
	bool (*checkpoint_path)(struct store *s, const char *name, struct bytes *out);     /* appends where it is, or would be; false: no memory */
	int (*ready)(struct store *s);                            /* OK, or why it can't take writes; never blocks */
	void (*stats)(struct store *s, struct store_stats *out);
	void (*metrics)(struct store *s, struct bytes *out);      /* Prometheus' text form, families of its own; NULL = none */
	int (*close)(struct store *s);                            /* syncs; frees s */
};
struct store {
	const struct store_ops *ops;
};

/* The embedded engine. */
struct store_engine_options {         /* 0 / -1 where said = the engine's default */
	const char *dir;
	uint64_t memory, memtable_size, wal_segment_size, flush_interval_ms, table_size, compaction_interval_ms, sync_interval_ms,
	         level_base_size, min_free_space, change_log_size;
	int filter_bits_per_key;      /* -1 = default */
	uint32_t block_size, compaction_trigger;
	int compression, compression_bottom;     /* -1 = default; else 0 none, 1 lz4, 2 zstd */
	void (*log)(void *ctx, int level, const char *message);
	void *log_ctx;
};
int store_engine_open(const struct store_engine_options *o, struct store **out);

#endif
