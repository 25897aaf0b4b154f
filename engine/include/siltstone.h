/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siltstone.h - the public face of libsiltstone, an embedded, ordered, durable key-value store.
 *
 * Promises
 *   (1) Acknowledged means durable: silt_write() returns 0 after fdatasync, unless SILT_ASYNC was asked for. After any crash
 *       silt_open() gives back all that was acknowledged and a prefix of the commit order; a batch is whole or absent.
 *   (2) Never silently wrong: every byte handed out was checked (SHA-256 for tables, XXH3 for logs) since it was last read
 *       from the disk. Damage is SILT_E_CORRUPT and a log message that names file, offset and key range.
 *   (3) A failed write stops writes, not reads: after a failed log append, sync or manifest write every later write returns
 *       SILT_E_FAULT until the store is opened again; reads go on.
 *
 * Limits
 *   key 1..SILT_KEY_MAX bytes, any values, ordered by memcmp and then by length; value 0..SILT_VALUE_MAX bytes; metadata
 *   0..SILT_META_MAX bytes; versions below 2^53; a batch at most half of a log segment (silt_options.wal_segment_size).
 *   One process a directory (LOCK). Damage to the very last group before it was marked can't be told from a torn write.
 *   liburcu and OpenSSL allocate for themselves: a registration a thread, a digest context a table job.
 *
 * Errors
 *   0 is success; > 0 is an answer that is no failure; < 0 is a failure. The message of a failure goes to
 *   silt_options.log, once, from where it was detected. The library never prints, exits or aborts.
 *
 * Threads
 *   A silt_db may be used by any threads at once. Iterators and batches belong to one thread at a time.
 */
#ifndef SILTSTONE_H
#define SILTSTONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SILT_EXPORT __attribute__((visibility("default")))
#define SILT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SILT_EXPORT
#define SILT_MUST_CHECK
#endif

#define SILT_KEY_MAX   4096u              /* bytes */
#define SILT_VALUE_MAX (256u << 20)       /* bytes; in practice half of a log segment less the record's header */
#define SILT_META_MAX  255u               /* bytes */
#define SILT_VERSION_MAX ((UINT64_C(1) << 53) - 1)

enum silt_code {
	SILT_OK = 0,
	/* answers */
	SILT_NOTFOUND = 1,       /* absent, deleted or expired */
	SILT_CONFLICT = 2,       /* a condition did not hold; nothing was written */
	SILT_TRY_AGAIN = 3,      /* the evidence for a condition grew old before its turn; nothing was written: ask again */
	SILT_WOULD_BLOCK = 4,    /* SILT_CACHED_ONLY or SILT_NO_WAIT, and the answer is not in memory */
	SILT_END = 5,            /* an iterator is past the last entry */
	SILT_OVERFLOW = 6,       /* silt_batch_add(): the sum is no 64-bit integer; nothing was written */
	SILT_NO_COUNTER = 7,     /* silt_batch_add(): the key's value is no decimal integer of 64 bits; nothing was written */
	/* failures */
	SILT_E_IO = -1,          /* the operating system said no; the log message has its errno and the file */
	SILT_E_CORRUPT = -2,     /* bytes failed their check */
	SILT_E_NOSPACE = -3,     /* the disk is full; nothing was written; goes away by itself when there is room */
	SILT_E_NOMEM = -4,
	SILT_E_BUSY = -5,        /* locked by another process, queue full, or a write stall past its bound */
	SILT_E_MISUSE = -6,      /* arguments out of range; state unchanged */
	SILT_E_TOOBIG = -7,      /* key, value, metadata or batch over its limit */
	SILT_E_VERSION = -8,     /* the directory was written by a format this library does not know */
	SILT_E_EXPIRED = -9,     /* a snapshot or iterator past its age limit; changes older than the log */
	SILT_E_FAULT = -10,      /* an earlier write failed: writes are refused until the store is opened again */
	SILT_E_CLOSED = -11,     /* the store is closing */
};

/* The name of a code, for messages: "SILT_E_IO". Never NULL. */
SILT_EXPORT const char *silt_strerror(int code);

/* "1.2.3" of the library in use. */
SILT_EXPORT const char *silt_version(void);

/* A view of bytes that somebody else owns. */
struct silt_slice {
	const void *data;
	size_t len;
};

/* Bytes that the holder owns, reused and grown by the calls that fill it; start from {0}, end with silt_buf_free(). */
struct silt_buf {
	void *data;
	size_t len;
	size_t cap;
};
SILT_EXPORT void silt_buf_free(struct silt_buf *buf);

/* ---- options ------------------------------------------------------------------------------------------------------- */

enum silt_log_level { SILT_LOG_ERROR = 3, SILT_LOG_WARNING = 4, SILT_LOG_INFO = 6, SILT_LOG_DEBUG = 7 };   /* as syslog */
typedef void silt_log_fn(void *ctx, enum silt_log_level level, const char *message);   /* any thread; must not call back */

enum silt_compression { SILT_COMPRESS_NONE = 0, SILT_COMPRESS_LZ4 = 1, SILT_COMPRESS_ZSTD = 2 };

typedef struct silt_os silt_os;          /* the operating system's seam; NULL = POSIX (internal, for tests) */

/* Unit, default and range beside each field. silt_options_init() sets the defaults; silt_open() checks the ranges. */
typedef int silt_progress_fn(void *ctx, uint64_t done, uint64_t total);   /* bytes; anything but 0 ends the work */

struct silt_options {
	bool create;                  /* make the directory's store where there is none; default true */
	bool read_only;               /* replay in memory, change nothing on disk; SILT_E_BUSY beside a writer, who meets it in turn; default false */
	uint64_t memory;              /* bytes for memtables, cache, indexes, filters; default 256 MiB; 8 MiB.. */
	uint64_t memtable_size;       /* bytes of a memtable before it is flushed; default 32 MiB; 64 KiB..1 GiB; a quarter of `memory`
	                                 where that is less */
	uint64_t wal_segment_size;    /* bytes of one log segment; default 40 MiB; 256 KiB..4 GiB */
	uint64_t flush_interval_ms;   /* flush a memtable this old; 0 = never; default 0; ..30 days */
	uint32_t filter_bits_per_key; /* bits of bloom filter a key; 0 = none; default 10; 0..32 */
	uint32_t block_size;          /* bytes of a data block before compression; default 4096; 1024..65536 */
	uint64_t table_size;          /* bytes of a table made by compaction; default 64 MiB; 64 KiB..2 GiB */
	uint32_t compaction_trigger;  /* tables in level 0 that start a compaction; default 4; 2..64. Twice as many where level 0 holds
	                               * less than twice what the level that it goes to does */
	uint64_t compaction_interval_ms; /* look for work at least this often; default 30 s; 1 s..1 day */
	uint64_t level_base_size;     /* bytes of the first leveled level; default 256 MiB; 256 KiB.. */
	uint32_t level_ratio;         /* each further level is this many times larger; default 10; 2..100 */
	enum silt_compression compression;        /* of the upper levels; default LZ4 */
	enum silt_compression compression_bottom; /* of the last level; default ZSTD */
	uint64_t sync_interval_ms;    /* async writes are synced at least this often; default 1000; 1..60000 */
	uint64_t snapshot_max_age_ms; /* older snapshots and iterators end with SILT_E_EXPIRED; 0 = never; default 0 */
	uint64_t max_queue;           /* writes waiting in the commit queue before SILT_E_BUSY, which also comes where asynchronous ones
	                                 hold an eighth of `memory`; default 65536; 1.. */
	uint64_t min_free_space;      /* bytes of free disk below which writes are refused; default 64 MiB; 0.. */
	uint64_t change_log_size;     /* bytes of log files kept for silt_changes_new() beyond what is there anyway, in whole segments;
	                                 0 = none: who reads no changes pays nothing; default 0; 0..1 TiB */
	uint64_t first_version;       /* the next write has at least this version, and changes before it are told no more: for a copy that is
	                                 older than the store it was made of, so that no version is given twice; default 0; ..SILT_VERSION_MAX */
	silt_log_fn *log;             /* NULL = silent */
	void *log_ctx;
	silt_os *os;                  /* NULL = POSIX */
	silt_progress_fn *progress;   /* called now and then by silt_repair(), and by silt_checkpoint_to() where it copies; NULL = silent */
	void *progress_ctx;
};
SILT_EXPORT void silt_options_init(struct silt_options *opts);

/* ---- open and close -------------------------------------------------------------------------------------------------- */

typedef struct silt_db silt_db;

/*
 * silt_open - open or create the store in a directory, recovering it first.
 * dir      borrowed; made (one level) where absent and create is set.
 * opts     borrowed; NULL = defaults.
 * out      the handle, returned owned: end it with silt_close(). Untouched on failure.
 * returns  0; SILT_NOTFOUND (no store there, and create is not set); SILT_E_BUSY (another process has it), _CORRUPT, _IO, _NOSPACE,
 *          _VERSION, _MISUSE, _NOMEM.
 * threads  any.
 * cost     in proportion to the log that is not flushed yet, not to the data.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_open(const char *dir, const struct silt_options *opts, silt_db **out);

/*
 * silt_close - complete what is queued, sync the log, end the threads, free everything. No other call may be in progress or
 * follow; iterators and snapshots must be gone. NULL is fine.
 * returns  0, or the failure that keeps the last writes from being durable (they were not acknowledged, or were SILT_ASYNC).
 */
SILT_EXPORT int silt_close(silt_db *db);

/* ---- reading --------------------------------------------------------------------------------------------------------- */

typedef struct silt_snapshot silt_snapshot;

enum silt_flags {
	SILT_CACHED_ONLY = 1u << 0,   /* reads: answer SILT_WOULD_BLOCK instead of touching the disk */
	SILT_ASYNC = 1u << 1,         /* writes: acknowledge before the sync; survives the process, not the machine */
	SILT_NO_FILL = 1u << 2,       /* reads: do not put what was read into the cache */
	SILT_NO_WAIT = 1u << 3,       /* reads: as SILT_CACHED_ONLY, but blocks that the kernel has in memory are read and unpacked, up to
	                                 32 KiB of them each: a system call and some 20 us a block */
};

/* What is known of an entry beside its value. */
struct silt_info {
	uint64_t version;             /* the commit that wrote it */
	uint64_t expires_ms;          /* Unix milliseconds; 0 = never */
	uint8_t meta[SILT_META_MAX];  /* application metadata */
	uint8_t meta_len;
};

/*
 * silt_get - look up one key.
 * key      borrowed until return; 1..SILT_KEY_MAX bytes, any values.
 * snap     borrowed; NULL = the newest published version.
 * flags    SILT_CACHED_ONLY, SILT_NO_FILL, SILT_NO_WAIT.
 * value    the caller's buffer, reused and grown as needed; on anything but 0 its length is 0. NULL = not wanted.
 * info     filled on 0; NULL = not wanted.
 * returns  0 found; SILT_NOTFOUND absent, deleted or expired; SILT_WOULD_BLOCK; SILT_E_IO, _CORRUPT, _NOMEM, _EXPIRED, _MISUSE.
 * threads  any, between open and close; never waits for a writer's I/O.
 * cost     at most one block read per level, none when cached; cached: no lock, no allocation.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_get(silt_db *db, struct silt_slice key, const silt_snapshot *snap, unsigned flags,
                                         struct silt_buf *value, struct silt_info *info);

/*
 * silt_get_pinned - look up one key without copying a large value.
 * pin      the caller's; starts from {0}; what it held before is released first. On 0 pin->value is valid until silt_pin_release(): it
 *          lies in the pin itself (at most SILT_PIN_SMALL bytes: so never copy the struct), or in a cached block or memtable, which is
 *          kept for it beyond the memory budget. On anything but 0 the pin is empty.
 * returns  as silt_get(); the rest too.
 * cost     as silt_get(), without the copy; never allocates.
 */
#define SILT_PIN_SMALL 512u               /* bytes: values up to this are copied into the pin, larger ones are pinned */
struct silt_pin {
	struct silt_slice value;
	void *block, *memtable;       /* private: what is kept */
	unsigned char small[SILT_PIN_SMALL];
};
SILT_EXPORT SILT_MUST_CHECK int silt_get_pinned(silt_db *db, struct silt_slice key, const silt_snapshot *snap, unsigned flags,
                                                struct silt_pin *pin, struct silt_info *info);
/* Any thread; before silt_close(); NULL and an empty one are fine. */
SILT_EXPORT void silt_pin_release(struct silt_pin *pin);

/*
 * silt_multi_get - look up many keys at one version.
 * snap     borrowed; NULL = the newest published version, the same for all.
 * flags    SILT_CACHED_ONLY, SILT_NO_FILL.
 * items    n keys with their answers; in any order, also the same key twice. Keys in order are cheaper: neighbours lie in one block.
 * returns  0: each item has its code; SILT_E_EXPIRED, _MISUSE: nothing was looked up.
 * threads  any; never waits for a writer's I/O.
 * cost     less a key than silt_get().
 */
struct silt_lookup {
	struct silt_slice key;        /* in; borrowed until return */
	struct silt_buf *value;       /* in; the caller's, as in silt_get(), one for each item; NULL = not wanted */
	struct silt_info *info;       /* in; NULL = not wanted */
	int code;                     /* out: what silt_get() would have returned */
};
SILT_EXPORT SILT_MUST_CHECK int silt_multi_get(silt_db *db, const silt_snapshot *snap, unsigned flags, struct silt_lookup *items,
                                               size_t n);

/*
 * silt_snapshot_new - hold the newest published version for reading.
 * out      returned owned: end it with silt_snapshot_free(), before the store is closed.
 * returns  0; SILT_E_NOMEM, _MISUSE. Reads at one older than silt_options.snapshot_max_age_ms are SILT_E_EXPIRED; it is freed all the same.
 * threads  any; many may read at one snapshot at once.
 * cost     a short lock; while it lives, what it can still see is not merged away: disk space.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_snapshot_new(silt_db *db, silt_snapshot **out);
SILT_EXPORT void silt_snapshot_free(silt_snapshot *snap);
SILT_EXPORT uint64_t silt_snapshot_version(const silt_snapshot *snap);

/* ---- iterators ------------------------------------------------------------------------------------------------------- */

typedef struct silt_iter silt_iter;

struct silt_iter_options {
	struct silt_slice lower;      /* inclusive; {NULL,0} = from the first key; copied */
	struct silt_slice upper;      /* exclusive; {NULL,0} = to the last key; copied */
	const silt_snapshot *snapshot;/* NULL = the newest published version, held for the iterator's life */
	unsigned flags;               /* SILT_NO_FILL */
	uint64_t max_steps;           /* entries looked at (also dead ones) in one call before SILT_TRY_AGAIN; 0 = no bound */
};

/*
 * silt_iter_new - a cursor over the live entries between the bounds, in key order. It stands nowhere until moved.
 * opts     borrowed until return; NULL = everything, at the newest published version.
 * out      returned owned: end it with silt_iter_close(), before the store is closed.
 * returns  0; SILT_E_EXPIRED (the snapshot), _NOMEM, _IO, _CORRUPT, _MISUSE.
 *          All moves: 0 (stands on an entry), SILT_END (none left in the bounds: it stands nowhere), SILT_TRY_AGAIN (step budget spent:
 *          silt_iter_next/prev goes on), SILT_E_CORRUPT or _IO (this part can't be read; a seek past it may), _EXPIRED, _NOMEM.
 *          Seeks beyond a bound go to the bound. Key, value and info are borrowed until the next move or close.
 * threads  an iterator belongs to one thread at a time; any number may be open.
 * cost     new: a few allocations. A seek: a search a sorted run (memtables, level 0's tables, levels). A step: some hundred instructions;
 *          either way nearly the same. While it lives it holds its version, as a snapshot does, and memtables for some moments more.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_iter_new(silt_db *db, const struct silt_iter_options *opts, silt_iter **out);
SILT_EXPORT SILT_MUST_CHECK int silt_iter_first(silt_iter *it);
SILT_EXPORT SILT_MUST_CHECK int silt_iter_last(silt_iter *it);
SILT_EXPORT SILT_MUST_CHECK int silt_iter_seek(silt_iter *it, struct silt_slice key);       /* first entry at or after key */
SILT_EXPORT SILT_MUST_CHECK int silt_iter_seek_prev(silt_iter *it, struct silt_slice key);  /* last entry at or before key */
SILT_EXPORT SILT_MUST_CHECK int silt_iter_next(silt_iter *it);
SILT_EXPORT SILT_MUST_CHECK int silt_iter_prev(silt_iter *it);
SILT_EXPORT struct silt_slice silt_iter_key(const silt_iter *it);
SILT_EXPORT struct silt_slice silt_iter_value(const silt_iter *it);
SILT_EXPORT void silt_iter_info(const silt_iter *it, struct silt_info *out);
SILT_EXPORT uint64_t silt_iter_version(const silt_iter *it);      /* the version the whole iterator reads at */
SILT_EXPORT void silt_iter_close(silt_iter *it);

/* ---- writing --------------------------------------------------------------------------------------------------------- */

typedef struct silt_batch silt_batch;

SILT_EXPORT SILT_MUST_CHECK int silt_batch_new(silt_batch **out);
SILT_EXPORT void silt_batch_free(silt_batch *b);
SILT_EXPORT void silt_batch_clear(silt_batch *b);
SILT_EXPORT size_t silt_batch_count(const silt_batch *b);         /* operations, conditions not counted */
SILT_EXPORT size_t silt_batch_bytes(const silt_batch *b);         /* what it will take in the log */

struct silt_put_options {
	uint64_t expires_ms;          /* Unix milliseconds after which it is absent; 0 = never */
	struct silt_slice meta;       /* application metadata, at most SILT_META_MAX bytes */
};

enum silt_op_flags {
	SILT_OP_REPORT = 1u << 0,     /* tell in the result whether the key was there, its version, expiry and metadata */
	SILT_OP_REPORT_VALUE = 1u << 1, /* and its value (implies SILT_OP_REPORT) */
};

/*
 * Operations are copied. The last one on a key wins; all share one version. Conditions and reports look at the state before
 * the batch, in commit order: they are atomic with it.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_batch_put(silt_batch *b, struct silt_slice key, struct silt_slice value,
                                               const struct silt_put_options *opts, unsigned op_flags);
SILT_EXPORT SILT_MUST_CHECK int silt_batch_delete(silt_batch *b, struct silt_slice key, unsigned op_flags);

/*
 * silt_batch_delete_range - delete every key in [lower, upper), as one small record, whatever is there.
 * lower    inclusive, copied; {NULL,0} = from the first key.
 * upper    exclusive, copied; {NULL,0} = to the last key. (Empty but not NULL is the empty key, as in silt_iter_options: nothing is
 *          below it.) Where lower is upper there is nothing to delete: 0, and the batch is as it was.
 *          Operations of the batch that were added before it and lie in the range are removed; later ones stay. There is no report of it.
 * returns  0; SILT_E_MISUSE (lower above upper), _TOOBIG (a bound over SILT_KEY_MAX), _NOMEM.
 * cost     of the call a walk over the batch's operations; of the write that of a small put. Reads of the range then look at the range
 *          delete, scans pass over what it hides; compaction gives the space back, tables that lie in the range unread.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_batch_delete_range(silt_batch *b, struct silt_slice lower, struct silt_slice upper);

/*
 * silt_batch_add - add to the integer that a key's value is. The sum is computed at the batch's place in the commit order, so that
 * concurrent adds lose nothing; what is stored and logged is the sum, as a value like any other.
 * key      its value is decimal text, -?(0|[1-9][0-9]*) in 64 bits. An absent, deleted or expired key counts as 0 and is made.
 * opts     expiry and metadata of a key that is made; one that is there keeps its own. NULL = none.
 * returns  0; SILT_OVERFLOW (several adds to one key in a batch are one add of their sum, which has to be in 64 bits);
 *          SILT_E_MISUSE (also where the batch has a put or delete of the key already, or a range delete over it: an add looks at the
 *          state before the batch; what follows replaces the add), _TOOBIG, _NOMEM. On anything but 0 the batch is as it was.
 * writing  silt_write() answers SILT_OVERFLOW or SILT_NO_COUNTER where there is no sum, with the operation's index and the key's version in
 *          silt_result; nothing of the batch was written then. The report of an add tells the sum too.
 * cost     as a reporting operation: a read of the key before the write is queued.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_batch_add(silt_batch *b, struct silt_slice key, int64_t delta,
                                               const struct silt_put_options *opts, unsigned op_flags);

enum silt_cond {
	SILT_COND_MATCH = 0,          /* the key's version is one of the list; an empty list: the key is there */
	SILT_COND_NONE_MATCH = 1,     /* the key's version is none of the list; an empty list: the key is not there */
};
SILT_EXPORT SILT_MUST_CHECK int silt_batch_require(silt_batch *b, struct silt_slice key, enum silt_cond cond,
                                                   const uint64_t *versions, size_t n);

/* What a key held just before a write, for each operation that asked with SILT_OP_REPORT. */
struct silt_report {
	size_t op;                    /* index of the operation, in the order they were added */
	bool found;
	struct silt_info info;        /* if found */
	struct silt_slice value;      /* if found and asked for */
	int64_t sum;                  /* of an add: what the key holds after the batch; 0 for one that a later put or delete replaced */
};

/* The outcome of one write. Borrowed inside a callback; elsewhere end it with silt_result_fini(). Start from {0}. */
struct silt_result {
	int code;                     /* what silt_write() returned */
	uint64_t version;             /* of the batch, on 0 */
	size_t condition;             /* on SILT_CONFLICT: index of the first condition that failed; on SILT_OVERFLOW and SILT_NO_COUNTER:
	                               * of the operation ... */
	uint64_t current;             /* ... and the version its key has; 0 = absent */
	size_t report_count;
	const struct silt_report *reports;
	void *owned;                  /* private: what reports and values live in */
};
SILT_EXPORT void silt_result_fini(struct silt_result *r);

/*
 * silt_write - commit a batch: whole, in one place of the commit order, durable when it returns 0 (unless SILT_ASYNC).
 * b        borrowed until return; unchanged. An empty batch with conditions only checks them.
 * res      filled on 0, SILT_CONFLICT, _OVERFLOW, _NO_COUNTER; NULL = not wanted.
 * returns  0; SILT_CONFLICT; SILT_OVERFLOW and SILT_NO_COUNTER (silt_batch_add); SILT_E_FAULT, _NOSPACE, _BUSY (stall bound), _TOOBIG, _NOMEM, _MISUSE, _CLOSED; where conditions or
 *          reports need a read: what silt_get() returns.
 * threads  any; writers waiting at once share one sync.
 * cost     one fdatasync shared by the group; a read where the batch has conditions or reports.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_write(silt_db *db, const silt_batch *b, unsigned flags, struct silt_result *res);

/* Called exactly once for every silt_write_async() that returned 0, also at close; from the engine's threads or from inside
 * the call (a condition that fails against the published state is answered at once), with r borrowed.
 * It may call silt_write_async() and silt_get(SILT_CACHED_ONLY), nothing else, and must be brief. */
typedef void silt_write_fn(void *ctx, const struct silt_result *r);

/*
 * silt_write_async - queue a batch, copied, and return at once.
 * flags    SILT_ASYNC; with SILT_CACHED_ONLY or SILT_NO_WAIT: SILT_WOULD_BLOCK where conditions or reports need the disk (nothing was
 *          queued).
 * returns  0 queued: fn will be called, with code as silt_write() would return or SILT_TRY_AGAIN; else nothing was queued.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_write_async(silt_db *db, const silt_batch *b, unsigned flags, silt_write_fn *fn, void *ctx);

/* One-operation conveniences over silt_write(); version may be NULL. */
SILT_EXPORT SILT_MUST_CHECK int silt_put(silt_db *db, struct silt_slice key, struct silt_slice value, uint64_t *version);
SILT_EXPORT SILT_MUST_CHECK int silt_delete(silt_db *db, struct silt_slice key, uint64_t *version);
SILT_EXPORT SILT_MUST_CHECK int silt_delete_range(silt_db *db, struct silt_slice lower, struct silt_slice upper, uint64_t *version);

/*
 * silt_add - silt_batch_add() of one key; sum and version may be NULL and are set on 0 alone.
 * silt_take - delete a key and get what it held: value and info as in silt_get(), of the very entry that this delete removed.
 *          SILT_NOTFOUND: it was not there, and nothing was written.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_add(silt_db *db, struct silt_slice key, int64_t delta, int64_t *sum, uint64_t *version);
SILT_EXPORT SILT_MUST_CHECK int silt_take(silt_db *db, struct silt_slice key, struct silt_buf *value, struct silt_info *info,
                                          uint64_t *version);

/*
 * silt_sync - make every write acknowledged so far durable: those with SILT_ASYNC.
 * returns  0; SILT_E_FAULT, _IO, _BUSY (the queue is full), _CLOSED, _MISUSE.
 * threads  any; waits for a sync, one for all that wait.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_sync(silt_db *db);

/* ---- operations ------------------------------------------------------------------------------------------------------ */

/*
 * silt_approximate - how much lies in a range of keys, without reading it.
 * lower    inclusive, borrowed until return; {NULL,0} = from the first key.
 * upper    exclusive; {NULL,0} = to the last key.
 * out      filled on 0. entries counts what is stored: each version that was not merged away yet, deletes and expired entries too,
 *          and what a range delete hides; after silt_compact() that is about the number of keys. disk_bytes are those of the tables,
 *          with their share of indexes and filters.
 *          _low and _high are true bounds of both at the moment of the call, if no write comes between. Between them, entries is in
 *          proportion to bytes: off by at most two blocks a table where entries are of one size, by more where sizes differ
 *          within a table; in a memtable it is exact, up to 1024 always, above as long as no write comes between.
 * returns  0; SILT_E_CORRUPT (an index that is needed), _IO, _NOMEM, _MISUSE.
 * threads  any.
 * cost     two index partitions a table that lies across a bound; nothing for the others; at most 1024 entries of each memtable.
 */
struct silt_estimate {
	uint64_t entries, entries_low, entries_high;
	uint64_t disk_bytes, disk_bytes_low, disk_bytes_high;
	uint64_t memory_bytes;        /* of memtables, in proportion to entries */
};
SILT_EXPORT SILT_MUST_CHECK int silt_approximate(silt_db *db, struct silt_slice lower, struct silt_slice upper,
                                                 struct silt_estimate *out);

/*
 * silt_clock_ms - the time by which entries expire, in Unix milliseconds: the wall clock, and where that was set back the latest that this
 * store has seen of it. What is to live for some time from now gets its expires_ms from this one: by the wall clock alone it might be
 * over when it is written.
 * threads  any. NULL is 0.
 */
SILT_EXPORT uint64_t silt_clock_ms(silt_db *db);

/*
 * silt_flush - write the memtables of now to tables and wait for it. A memtable without entries makes none.
 * returns  0; SILT_E_FAULT, _NOSPACE, _IO, _NOMEM, _BUSY, _CLOSED, _MISUSE (also of a read-only store).
 * threads  any; reads and writes go on.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_flush(silt_db *db);

/* silt_compact - flush, then merge everything to the bottom, and wait for it: silt_compact_range() of all keys. Long; beside anything. */
SILT_EXPORT SILT_MUST_CHECK int silt_compact(silt_db *db);

/*
 * silt_compact_range - the same for the tables that may hold keys of a range, whole tables: keys beside it may be moved with it.
 * lower    inclusive, borrowed until return; {NULL,0} = from the first key.
 * upper    exclusive; {NULL,0} = to the last key. lower >= upper is an empty range: only the flush.
 * returns  0; SILT_END (silt_compact_cancel()); SILT_E_CORRUPT (a damaged table, anywhere, stayed where it was), _FAULT, _NOSPACE, _IO, _NOMEM, _CLOSED, _MISUSE.
 * threads  any; requests are done one after the other; one for all keys answers those that wait behind it too.
 * cost     reads and writes each of these tables once a level, the last level's too.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_compact_range(silt_db *db, struct silt_slice lower, struct silt_slice upper);

/*
 * silt_compact_cancel - for who must end soon: all that wait in the two above return SILT_END, at once or when the compaction in hand has
 * noticed (milliseconds). What was merged stays so, and nothing is lost. What asks later is not concerned.
 * threads  any. NULL is fine.
 */
SILT_EXPORT void silt_compact_cancel(silt_db *db);

/*
 * silt_verify - read every table from the disk and check every digest, order and count; reads and writes go on.
 * progress called now and then with bytes done and in all; returns non-zero to stop. May be NULL.
 * returns  0; SILT_E_CORRUPT when anything was found (each finding was logged); SILT_END when stopped; SILT_E_IO, _NOMEM.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_verify(silt_db *db, silt_progress_fn *progress, void *ctx);

/* ---- ingest ------------------------------------------------------------------------------------------------------------ */

/*
 * Many entries that are sorted already, written straight into tables: no log, no memtable, and mostly no compaction after.
 * They become visible together, at one version, when silt_ingest_commit() returns 0; before, and after a crash that comes before,
 * there is nothing of them. Written entries of these keys that are older are replaced, as by puts.
 *
 *   silt_ingest_begin; silt_ingest_add for each entry, keys strictly ascending; silt_ingest_commit; silt_ingest_end
 *
 * Threads   an ingest belongs to one thread at a time; any number may be under way. All must be ended before silt_close().
 */
typedef struct silt_ingest silt_ingest;

/* silt_ingest_begin - returns owned in out: end it with silt_ingest_end(). 0; SILT_E_FAULT (also of a read-only store), _NOMEM, _MISUSE. */
SILT_EXPORT SILT_MUST_CHECK int silt_ingest_begin(silt_db *db, silt_ingest **out);

/*
 * silt_ingest_add - one put.
 * key, value, opts   as of silt_batch_put(); copied. A value may have SILT_VALUE_MAX bytes, whatever the log's segment size.
 * returns  0; SILT_E_MISUSE (the key is not above the one before, or arguments out of range), _TOOBIG, _NOSPACE when the disk is
 *          nearly full: not added, and the ingest can go on; other failures stay: only silt_ingest_end() can follow.
 * cost     the writing of the table, from time to time its sync and its reading back.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_ingest_add(silt_ingest *in, struct silt_slice key, struct silt_slice value,
                                                const struct silt_put_options *opts);

/*
 * silt_ingest_commit - make all that was added durable and visible, at one place of the commit order.
 * version  of all entries; NULL = not wanted. An ingest without entries gives the newest published one.
 * returns  0; SILT_E_FAULT, _NOSPACE, _IO, _NOMEM, _BUSY, _CLOSED: nothing is visible; after _NOSPACE, _BUSY and _NOMEM it may be
 *          called again. SILT_E_MISUSE (committed already).
 * cost     a flush, and one sync of the manifest. Writers wait while what came in during that flush is flushed: tens of milliseconds.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_ingest_commit(silt_ingest *in, uint64_t *version);

/* silt_ingest_end - frees it; one that was not committed is abandoned, its files removed. NULL is fine. */
SILT_EXPORT void silt_ingest_end(silt_ingest *in);

/* ---- checkpoints ----------------------------------------------------------------------------------------------------- */

/*
 * silt_checkpoint - the store as it is now, in DIR/checkpoints/NAME, while reads and writes go on. It opens as a store of its own.
 * name     borrowed; 1..SILT_CHECKPOINT_NAME_MAX of A-Z a-z 0-9 . _ -, no leading dot, not ending in ".tmp".
 * version  the newest write that is in it: at least all that was acknowledged before the call; NULL = not wanted. Untouched on failure.
 * returns  0: it is there, whole and durable; SILT_CONFLICT (there is one of that name); SILT_E_FAULT, _NOSPACE, _IO, _NOMEM,
 *          _BUSY, _CLOSED, _MISUSE (a name, or a read-only store). On failure nothing of that name is there.
 * threads  any; one at a time, others wait.
 * cost     a flush, then a hard link a table and two small files: nothing is copied. What compaction drops later is kept on
 *          the disk for as long as the checkpoint is. A link shares its table's bytes: it is no second copy against a bad disk.
 */
#define SILT_CHECKPOINT_NAME_MAX 200u
SILT_EXPORT SILT_MUST_CHECK int silt_checkpoint(silt_db *db, const char *name, uint64_t *version);

/*
 * silt_checkpoint_to - the same in a directory of the caller's choice, which must not be there, in one that is.
 * dir      borrowed. "<dir>.tmp" is used while it is made; one that is left there by a crash is SILT_E_MISUSE, to be removed by hand.
 * flags    SILT_CHECKPOINT_COPY: tables that can't be linked (another file system) are copied, synced, read back and checked;
 *          without it they are SILT_E_IO.
 * returns  as silt_checkpoint(); SILT_END where silt_options.progress ended the copying: nothing is left of it.
 */
enum silt_checkpoint_flags { SILT_CHECKPOINT_COPY = 1u << 0 };
SILT_EXPORT SILT_MUST_CHECK int silt_checkpoint_to(silt_db *db, const char *dir, unsigned flags, uint64_t *version);

struct silt_checkpoint_info {
	const char *name;             /* borrowed until the function returns */
	uint64_t version;             /* the newest write in it */
	uint64_t tables, bytes;       /* bytes that its tables hold, shared with the store or not */
	int damage;                   /* 0, or SILT_E_CORRUPT, _VERSION: its manifest can't be read (which was logged) */
};
typedef int silt_checkpoint_fn(void *ctx, const struct silt_checkpoint_info *info);   /* non-zero ends the listing */
/* silt_checkpoint_list - those in DIR/checkpoints, in no order. 0; SILT_END (fn ended it); SILT_E_IO, _NOMEM, _MISUSE. Also of a read-only store. */
SILT_EXPORT SILT_MUST_CHECK int silt_checkpoint_list(silt_db *db, silt_checkpoint_fn *fn, void *ctx);
/* silt_checkpoint_remove - 0: it is gone; SILT_NOTFOUND; SILT_E_IO (what is left of it goes at the next open), _NOMEM, _MISUSE. */
SILT_EXPORT SILT_MUST_CHECK int silt_checkpoint_remove(silt_db *db, const char *name);

/* ---- repair -------------------------------------------------------------------------------------------------------------- */

/*
 * A store that does not open, or whose tables are damaged: what is lost, said before anything is done, and then the doing. A table with
 * damaged blocks is written anew from the sound ones; a damaged log ends where its last sound write stood, and what could be
 * read of it becomes tables. Damaged files go to quarantine/; nothing is deleted. What was deleted or replaced by lost entries may
 * be seen again in its older form: the findings say for which keys. A damaged or missing manifest is beyond repair (restore a checkpoint).
 */
enum silt_finding_kind {
	SILT_FOUND_RANGE = 1,         /* part of a table: entries with keys from lower to upper can't be read; its table's own finding follows */
	SILT_FOUND_TABLE = 2,         /* a damaged table: entries_saved of its entries can be read, entries_lost can't */
	SILT_FOUND_TABLE_GONE = 3,    /* a missing one, or one that can't be read at all */
	SILT_FOUND_LOG = 4,           /* the log is damaged at offset of file: all writes from there on are lost */
	SILT_FOUND_SEGMENT = 5,       /* a log segment behind that: what it holds is lost with it */
};
struct silt_finding {                 /* borrowed until the function returns; fields that say nothing of the kind are zero */
	enum silt_finding_kind kind;
	const char *file;             /* its name in the directory */
	int level;                    /* of a table */
	uint64_t offset;
	uint64_t entries_saved, entries_lost;
	uint64_t writes_lost;         /* batches that can still be read and are lost all the same, for they are no prefix any more */
	uint64_t first_version, last_version;     /* lost; last_version 0 = not known */
	struct silt_slice lower, upper;           /* both inclusive */
	const char *text;             /* all of it as one line */
};
typedef void silt_repair_fn(void *ctx, const struct silt_finding *finding);

struct silt_repair_result {
	uint64_t findings;
	uint64_t tables_damaged, entries_saved, entries_lost;     /* saved from damaged tables; lost with them */
	uint64_t writes_lost;         /* batches, those known of */
	bool repaired;
};

/*
 * silt_repair - look for damage in a stopped store, and with SILT_REPAIR_APPLY repair it.
 * dir      borrowed. Nothing in it is changed without SILT_REPAIR_APPLY.
 * opts     borrowed; NULL = defaults. The store's sizes, and where messages go: each piece of damage is logged as it is met.
 * fn       called for each finding, from inside; NULL = not wanted.
 * result   filled whenever findings were complete; NULL = not wanted.
 * returns  0: sound, or repaired; SILT_E_CORRUPT: there are findings, and nothing was changed; or it is beyond repair, and no finding says
 *          so (the log message does); SILT_END (opts->progress ended it, and nothing was changed); SILT_NOTFOUND (no store); SILT_E_BUSY (in use), _NOSPACE, _IO, _NOMEM, _VERSION, _MISUSE. A repair that
 *          failed or was cut short by a crash left the store as it was, or repaired.
 * threads  any; it holds the store's lock.
 * cost     reads every table; writes the damaged ones anew.
 */
enum silt_repair_flags { SILT_REPAIR_APPLY = 1u << 0 };
SILT_EXPORT SILT_MUST_CHECK int silt_repair(const char *dir, const struct silt_options *opts, unsigned flags, silt_repair_fn *fn,
                                            void *ctx, struct silt_repair_result *result);

/* ---- changes --------------------------------------------------------------------------------------------------------- */

/*
 * What was written after a version, in commit order, read from the log while it is there: silt_options.change_log_size says how much
 * is kept, and without it at least what the memtables hold. Only what is published and synced is given, so that no crash takes
 * back what was given once; a write with SILT_ASYNC comes when it has been synced. Expiry is no change.
 *
 *      silt_changes_reach(db, NULL, &since);                   from now on
 *      silt_changes_new(db, since, &c);
 *      while ((rc = silt_changes_next(c, &ch)) == 0) ...       until SILT_END: that was all for now
 *      silt_changes_wait(db, silt_changes_version(c), 1000);   and again silt_changes_next()
 */
typedef struct silt_changes silt_changes;

enum silt_change_op { SILT_CHANGE_PUT = 1, SILT_CHANGE_DELETE = 2, SILT_CHANGE_DELETE_RANGE = 3 };

struct silt_change {
	uint64_t version;             /* of the batch */
	enum silt_change_op op;
	bool last;                    /* of its batch: the next change has a higher version */
	struct silt_slice key;        /* DELETE_RANGE: inclusive */
	struct silt_slice end;        /* DELETE_RANGE: exclusive; empty = to the last key. Else empty */
	struct silt_slice value;      /* PUT */
	struct silt_slice meta;       /* PUT */
	uint64_t expires_ms;          /* PUT: Unix milliseconds; 0 = never */
};

/*
 * silt_changes_reach - the lowest and the newest version that silt_changes_new() can begin after. Either may be NULL.
 * threads  any. A lock for `oldest`, none for `newest`.
 */
SILT_EXPORT void silt_changes_reach(silt_db *db, uint64_t *oldest, uint64_t *newest);

/*
 * silt_changes_new - a reader of the changes after version `since`.
 * out      returned owned: end it with silt_changes_close(), before the store is closed.
 * returns  0; SILT_E_EXPIRED: the log no longer reaches back to `since` (silt_changes_reach() says how far it does): read the data
 *          itself, a snapshot's version is where to go on; SILT_E_MISUSE: `since` is above the newest published version; SILT_E_NOMEM.
 * threads  any; the reader belongs to one thread at a time.
 * cost     a lock; nothing is read yet.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_changes_new(silt_db *db, uint64_t since, silt_changes **out);

/*
 * silt_changes_next - the next operation of the next batch.
 * out      filled on 0; its slices are borrowed until the next call on this reader.
 * returns  0; SILT_END: all was given, more may come; SILT_E_EXPIRED, for good: what comes next is in no log: gone, the reader was so
 *          slow, or it never was, being ingested (silt_ingest_commit()); SILT_E_CORRUPT, for good: the log is damaged here, its message
 *          says where, and no reader begins before that segment's end any more; SILT_E_IO, _NOMEM: ask again.
 * cost     reads ahead, at most 256 KiB or one batch; holds that much memory and one open segment (which can't be recycled meanwhile),
 *          neither after SILT_END. A reader that begins in a segment of an earlier opening reads that from its start.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_changes_next(silt_changes *c, struct silt_change *out);

/* All changes up to this version were given, whole batches only: where another reader goes on. After SILT_END it is as far as there
 * was anything to read, at least `since`. */
SILT_EXPORT uint64_t silt_changes_version(const silt_changes *c);
SILT_EXPORT void silt_changes_close(silt_changes *c);         /* NULL is fine */

/*
 * silt_changes_wait - sleep until there are changes after `version`, at most timeout_ms.
 * returns  0 there are; SILT_TRY_AGAIN the time is over; SILT_E_MISUSE.
 * threads  any; none may be in here when the store is closed. Who waits costs a writer one comparison.
 */
SILT_EXPORT SILT_MUST_CHECK int silt_changes_wait(silt_db *db, uint64_t version, uint64_t timeout_ms);

/*
 * The same without a thread: a watch is armed with a version, and its function is called once as soon as there are changes after
 * it, with the newest version; then it must be armed again. Any number of parked requests may stand behind one watch, armed with the
 * lowest version among theirs: a write then costs one comparison until it fires, and it fires once.
 * The function runs in the thread that published or in that of silt_watch_arm(), under a lock: it must be brief and call nothing of
 * this library. An eventfd, a semaphore.
 */
typedef struct silt_watch silt_watch;
typedef void silt_publish_fn(void *ctx, uint64_t version);

SILT_EXPORT SILT_MUST_CHECK int silt_watch_new(silt_db *db, silt_publish_fn *fn, void *ctx, silt_watch **out);
SILT_EXPORT void silt_watch_arm(silt_watch *w, uint64_t version);        /* replaces what it was armed with */
SILT_EXPORT void silt_watch_free(silt_watch *w);              /* before the store is closed; the function does not run any more; NULL is fine */

/* ---- statistics, looking at files -------------------------------------------------------------------------------------- */

/* What writes wait for. silt_stall_name: "pace", "memtable", ... Never NULL. */
enum silt_stall {
	SILT_STALL_PACE = 0,          /* a short delay, because compaction is behind */
	SILT_STALL_MEMTABLE = 1,      /* too many memtables wait for their flush */
	SILT_STALL_LEVEL0 = 2,        /* too many tables in level 0 */
	SILT_STALL_DEBT = 3,          /* compaction is too far behind */
	SILT_STALL_SEGMENT = 4,       /* the next log segment is not made yet */
};
#define SILT_STALLS 5
SILT_EXPORT const char *silt_stall_name(enum silt_stall why);

/*
 * silt_histogram - how long things took, since the open: nanoseconds in buckets, each at most 1/8 wide.
 * out      filled on 0.
 * returns  0; SILT_E_MISUSE.
 * cost     of asking: a walk over 2.5 KiB, of gets over 64 times that. Of measuring: below 1 % of a cached get.
 */
enum silt_histogram_kind {
	SILT_HISTOGRAM_GET = 0,       /* silt_get(), silt_get_pinned(): one in 128 of each thread's */
	SILT_HISTOGRAM_WRITE = 1,     /* from the call to its durable end, silt_write_async() too */
	SILT_HISTOGRAM_WRITE_ASYNC = 2, /* the same with SILT_ASYNC: one in 16 of each thread's */
	SILT_HISTOGRAM_SYNC = 3,      /* of the log, as the device took them */
	SILT_HISTOGRAM_STALL = 4,     /* a group's wait before it began: silt_stats has the reasons */
};
#define SILT_HISTOGRAM_BUCKETS 304    /* the last one begins at 17 minutes, and takes all that is above */
struct silt_histogram {
	uint64_t count, sum, max;     /* of what was measured */
	uint64_t buckets[SILT_HISTOGRAM_BUCKETS];
};
SILT_EXPORT SILT_MUST_CHECK int silt_histogram(silt_db *db, enum silt_histogram_kind kind, struct silt_histogram *out);
/* The least value of a bucket; of SILT_HISTOGRAM_BUCKETS: UINT64_MAX. */
SILT_EXPORT uint64_t silt_histogram_bound(size_t bucket);
/* What a share q (0..1) of the measured did not exceed, rounded up to the end of its bucket; 0 where nothing was measured. */
SILT_EXPORT uint64_t silt_histogram_quantile(const struct silt_histogram *h, double q);

#define SILT_LEVELS 7
struct silt_stats {
	uint64_t version;             /* newest published */
	uint64_t durable_version;     /* newest known to be on disk */
	uint64_t uptime_ms;
	int fault;                    /* 0, or the code that stopped writes */
	uint64_t memtable_bytes, memtable_entries;          /* active and sealed */
	uint64_t sealed_memtables;
	uint64_t wal_segments, wal_bytes;                   /* on disk; bytes in use of the active segment */
	uint64_t tables[SILT_LEVELS], table_bytes[SILT_LEVELS], table_entries[SILT_LEVELS];
	uint64_t tombstones;                                /* in tables */
	uint64_t cache_bytes, cache_capacity, cache_hits, cache_misses, cache_evictions;
	uint64_t filter_checks, filter_negatives;           /* probes, and those that saved a block */
	uint64_t gets, get_hits, writes, write_bytes, groups, syncs;
	uint64_t sync_ns_total, sync_ns_max;
	uint64_t conflicts, try_agains;
	uint64_t flushes, flush_bytes, compactions, compaction_read_bytes, compaction_write_bytes;
	uint64_t stalls, stall_ns;
	char stall_reason[64];                              /* "" when none now */
	uint64_t snapshots, oldest_snapshot_ms, iterators;
	uint64_t entries_expired, entries_dropped;          /* by flush and compaction */
	uint64_t disk_free_bytes;
	uint64_t recovered_entries, recovery_ms;            /* what this open replayed */
	uint64_t memtable_range_deletes;                    /* of memtable_entries */
	uint64_t range_tombstones;                          /* in tables: range deletes, by the pieces they were cut into */
	uint64_t wal_write_bytes;                           /* appended to logs since the open */
	uint64_t level_tombstones[SILT_LEVELS];
	uint64_t level_compactions[SILT_LEVELS];            /* by the level they wrote to; level 0: flushes */
	uint64_t level_read_bytes[SILT_LEVELS], level_write_bytes[SILT_LEVELS];
	uint64_t searches, filter_false;                    /* tables whose blocks a get looked into; those in vain after a filter's "maybe" */
	uint64_t snapshot_max_age_ms;                       /* the limit: silt_options'; 0 = none */
	uint64_t snapshots_expired;                         /* held, but past the limit: they only answer SILT_E_EXPIRED */
	uint64_t stalls_by[SILT_STALLS], stall_ns_by[SILT_STALLS];   /* by enum silt_stall: the reason a wait began with */
	/* 0 while nothing was written or read to divide by. Since the open: log, flushes and compactions over what was written; tables
	 * looked into over gets. Now: bytes of all tables over those of the last level that has any. */
	double write_amplification, read_amplification, space_amplification;
	uint64_t changes_oldest, changes_newest;            /* silt_changes_reach() */
	uint64_t changes_bytes;                             /* of log files kept beyond what recovery needs */
};
SILT_EXPORT void silt_stats(silt_db *db, struct silt_stats *out);

/*
 * silt_dump - print one table, log segment or manifest, alone and without its store, line by line; also a damaged one: then the
 * last line says where it stops being readable and why. Changes nothing.
 * fn       gets each line without its newline, borrowed.
 * returns  0 read to its end; SILT_NOTFOUND; SILT_E_CORRUPT damaged; SILT_E_VERSION, _IO, _NOMEM, _MISUSE (no file of ours).
 */
typedef void silt_dump_line_fn(void *ctx, const char *line);
SILT_EXPORT SILT_MUST_CHECK int silt_dump(const char *path, silt_dump_line_fn *fn, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
