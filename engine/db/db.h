/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h - the store's own state, shared by the rooms of db/ and nobody else. What protects a field stands beside it:
 *
 *   [c] constant after open   [m] db->mu   [q] db->queue_mu   [w] the commit leader alone   [i] the holder of the install baton
 *   [r] RCU: published under mu, read in a read section   [a] atomic, the order said
 *
 * Lock order   queue_mu, mu and feed.mu are never held together; below mu only the table cache's and the block cache's own locks.
 *              No lock is held across I/O: the leader, the flush thread and the compaction thread own what they write.
 * Threads      callers; the commit thread (leads for async writers); the flush thread (segments, flushes, reaping, deleting);
 *              the compaction thread.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/gate.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "base/thread.h"
#include "base/wake.h"
#include "core/env.h"
#include "db/chain.h"
#include "db/view.h"
#include "db/watch.h"
#include "log/writer.h"
#include "version/manifest.h"

enum {
	DB_STRIPES = 64,
	DB_DAMAGED_MAX = 64,              /* damaged tables remembered; beyond that compaction stops */
};
#define DB_VERSION_JUMP (UINT64_C(1) << 22)       /* after an unclean end (recover.h, step 5) */

struct commit_request;

struct silt_snapshot {
	struct silt_db *db;
	uint64_t version;
	uint64_t since_ns;                /* mono */
	struct silt_snapshot *next, *prev;/* linked by silt_db::snapshots, oldest first */
};

struct db_manual {                        /* one compaction asked by hand, on the asker's stack until it is done */
	struct silt_slice lower, upper;   /* [lower, upper); empty = no bound */
	bool covered;                     /* [m] by the running one, which began later and has no bounds */
	bool done;                        /* [m] */
	int rc;                           /* [m] */
	struct db_manual *next;           /* linked by silt_db::manual */
};

struct db_running {                       /* a compaction under way, on its thread's stack or heap */
	const struct pick *pick;
	struct db_running *next;          /* linked by silt_db::running */
};

/*
 * Counters of the hot path, a cache line a stripe, relaxed, by db_bump(). Threads beyond DB_STRIPES share stripes: two that do at one
 * moment may lose a count.
 */
struct db_stripe {
	_Alignas(64) _Atomic uint64_t gets, hits, filter_checks, filter_negatives, filter_false, searches, async_writes;
};

struct db_counters {                      /* relaxed; written by the one thread that does the work, or rarely */
	_Atomic uint64_t writes, write_bytes, groups, syncs, sync_ns_total, sync_ns_max, conflicts, try_agains;
	_Atomic uint64_t flushes, flush_bytes, compactions, compaction_read, compaction_write;
	_Atomic uint64_t stalls, stall_ns, expired, dropped, wal_write;
	_Atomic uint64_t stalls_by[SILT_STALLS], stall_ns_by[SILT_STALLS];
	_Atomic uint64_t level_compactions[SILT_LEVELS], level_read[SILT_LEVELS], level_write[SILT_LEVELS];
};

struct silt_db {
	struct env env;                   /* [c] */
	char *dir;                        /* [c] */
	struct os_lock *lock;             /* [c] */
	uint64_t open_ns;                 /* [c] mono */
	uint64_t recovered_entries, recovery_ms;   /* [c] */
	struct block_cache *blocks;       /* [c] */
	struct table_cache *tables;       /* [c] */

	/* reading */
	struct view *view;                /* [r] */
	_Atomic uint64_t published;       /* [a] newest visible version: released by the leader, acquired by readers */
	_Atomic uint64_t durable;         /* [a] newest version known synced */
	_Atomic uint64_t floor;           /* [a] highest version that has left memory; stored before the view that lost it */
	_Atomic uint64_t clock_ms;        /* [a] largest wall time seen */
	_Atomic int fault;                /* [a] first fatal code; 0 while healthy; never cleared */

	/* the commit queue */
	struct mutex queue_mu;
	struct commit_request *queue_head, **queue_tail;   /* [q] */
	uint64_t queue_count;             /* [q] */
	uint64_t queue_bytes;             /* [q] of asynchronous writes */
	uint64_t queue_turn;              /* [q] times that the queue was taken whole: by its parity, */
	struct gate queue_gates[2];       /* who is queued waits at one, and who comes after at the other */
	bool leading;                     /* [q] somebody leads, or was asked to */
	bool commit_lead;                 /* [q] the commit thread was chosen */
	bool commit_stop;                 /* [q] */
	bool closed;                      /* [q] no new requests */
	struct wake commit_wake;          /* the commit thread waits here to lead */
	pthread_t commit_thread;

	/* the leader's */
	struct memtable *active;          /* [w] a reference; also in the view */
	struct chain_segment *wal_link;   /* [w] of `wal`, in the chain */
	struct log_writer *wal;           /* [w] */
	uint64_t last_version;            /* [w] newest given */
	uint64_t pace_owed_ns;            /* [w] what writers still have to sleep (stall.h) */
	bool wal_unmarked;                /* [w] DATA was synced that no MARK attests */
	_Atomic uint64_t wal_unsynced_ns; /* [a] mono time of the oldest append that no sync covered; 0 = none */
	_Atomic uint64_t wal_number, wal_end;   /* [a] of the active segment, for stats */

	/* the rest */
	struct mutex mu;
	struct cond changed;              /* [m] something below changed: rooms wait for their condition */
	struct view *retired;             /* [m] waiting for readers, then for view_unref */
	struct tableset *live_sets;       /* [m] */
	struct silt_snapshot *snapshots, *snapshots_tail;  /* [m] oldest first */
	uint64_t snapshot_count;          /* [m] iterators' own among them */
	_Atomic uint64_t iterators;       /* [a] relaxed */
	uint64_t next_file;               /* [m] next number of a table */
	struct version *version;          /* [m] newest installed; written with the baton */
	bool installing;                  /* [m] the install baton is taken */
	struct manifest *manifest;        /* [i] */

	struct log_writer *next_wal;      /* [m] segment newest_wal, whole and empty; taken by the leader */
	bool rotating;                    /* [m] the leader took next_wal, and wal_number does not say so yet */
	int next_wal_error;               /* [m] why there is none: SILT_E_NOSPACE, SILT_E_IO */
	uint64_t newest_wal;              /* [k] flush thread: the highest number made so far, next_wal's or the active one's */
	uint64_t oldest_wal;              /* [m] the oldest segment still needed */
	struct chain chain;               /* [m] the segments that are there: to recycle one, to read changes from */
	struct watch_list feed;           /* the newest version that may be read as a change, and who waits for it */
	uint64_t *obsolete;               /* [m] numbers of tables no version holds any more */
	size_t obsolete_count, obsolete_cap;

	struct db_running *running;       /* [m] compactions from their start until they are installed or given up */
	bool ingesting;                   /* [m] tables are being placed: no compaction begins */
	uint64_t ingests;                 /* [m] how often: a pick that was made before one is made again */
	bool checkpointing;               /* [m] one is being made or removed */
	bool stop;                        /* [m] closing: background threads end */
	bool threads_started;             /* [c] */
	pthread_t flush_thread, compact_thread;
	bool compact_asked;               /* [m] */
	struct db_manual *manual;         /* [m] what was asked by hand, oldest first; that one runs where manual_before is set */
	bool manual_cancelled;            /* [m] all of them are to end; the compaction in hand too */
	uint64_t manual_before, manual_version;   /* [m] of the running one: what it covers (job/pick.h); 0 = none runs */
	uint64_t damaged[DB_DAMAGED_MAX]; /* [m] tables that are no compaction input */
	size_t damaged_count;
	bool compaction_off;              /* the compaction thread's: it gave up (compactor.c) */
	_Atomic unsigned flush_share;     /* [a] relaxed: how much of the oldest sealed memtable is written, 0..STALL_FLUSHED */
	int flush_error;                  /* [m] of the last try; 0 after a success */
	uint64_t active_since_ns;         /* [m] when the active memtable was made */
	uint64_t free_bytes;              /* [m] of the disk, at the last look */
	char stall_reason[64];            /* [m] "" = none */
	_Atomic bool low_space;           /* [a] free_bytes below min_free_space: writes are refused */
	uint64_t debt;                    /* [m] bytes that compaction owes, of `version` (levels_debt) */

	struct db_counters count;
	struct db_stripe stripes[DB_STRIPES];
	struct histogram get_times[DB_STRIPES];           /* measure.h; as the stripes */
	struct histogram write_times, async_times, sync_times, stall_times;
};

/* Unix milliseconds that never go back in this process. */
uint64_t db_now_ms(struct silt_db *db);
/* The first fatal code stops writes for good; says why; returns code. */
int db_set_fault(struct silt_db *db, int code, const char *what);
static inline int db_fault(struct silt_db *db)
{
	return __atomic_load_n((int *)&db->fault, __ATOMIC_ACQUIRE);
}
static inline void db_count(_Atomic uint64_t *c, uint64_t n)
{
	__atomic_fetch_add((uint64_t *)c, n, __ATOMIC_RELAXED);
}
static inline void db_bump(_Atomic uint64_t *c, uint64_t n)       /* no read-modify-write: one thread's */
{
	__atomic_store_n((uint64_t *)c, __atomic_load_n((uint64_t *)c, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}
struct db_stripe *db_stripe(struct silt_db *db);          /* of this thread */

#endif
