/* SPDX-License-Identifier: Apache-2.0 */
/* open.c - a store's beginning and end. */
#include <inttypes.h>

#include "core/filename.h"
#include "core/options.h"
#include "db/checkpoint.h"
#include "db/commit.h"
#include "db/feed.h"
#include "db/gc.h"
#include "db/install.h"
#include "db/publish.h"
#include "db/recover.h"
#include "db/segments.h"
#include "db/stall.h"
#include "db/worker.h"

/* ---- pieces ------------------------------------------------------------------------------------------------------------------ */

/* The cache gets what the memtables leave, but at least an eighth. */
static uint64_t open_cache_bytes(const struct silt_options *o)
{
	uint64_t memtables = stall_memtables(o) * o->memtable_size;
	uint64_t least = o->memory / 8;

	return o->memory > memtables + least ? o->memory - memtables : least;
}

static int open_init(struct silt_db *db, const char *dir, const struct silt_options *opts)
{
	int rc;

	db->env.opts = *opts;
	db->env.os = opts->os ? opts->os : os_posix();
	db->env.rep = (struct reporter){ opts->log, opts->log_ctx };
	rc = mutex_init(&db->mu);
	if (rc == 0)
		rc = cond_init(&db->changed);
	if (rc == 0)
		rc = commit_init(db);
	if (rc == 0)
		rc = watch_list_init(&db->feed);
	if (rc < 0)
		return rc;
	rc = options_check(opts, &db->env.rep);
	if (rc < 0)
		return rc;
	options_fit(&db->env.opts);
	db->dir = mem_strdup(dir);
	if (!db->dir)
		return SILT_E_NOMEM;
	db->env.dir = db->dir;
	db->open_ns = db->env.os->mono_ns(db->env.os);
	rc = block_cache_new(open_cache_bytes(&db->env.opts), &db->blocks);
	return rc < 0 ? rc : table_cache_new(&db->env, db->blocks, &db->tables);
}

/*
 * A store that begins is only as durable as its directory's own name. A directory that was there before us (an earlier
 * creation that was cut short, or a packager's) may have a parent that only its maker is allowed to sync.
 */
static int open_sync_parent(struct silt_db *db, bool made)
{
	char parent[FILENAME_MAX_BYTES];
	silt_os *os = db->env.os;
	int rc = filename_parent(db->dir, parent);

	if (rc == 0)
		rc = os->dirsync(os, parent);
	if (rc != 0 && made)
		return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: can't be synced: %s", parent, os->error_text(os));
	return 0;
}

static int open_make_directory(struct silt_db *db)
{
	silt_os *os = db->env.os;
	int rc = os->mkdir(os, db->dir);

	if (rc < 0 || rc == SILT_NOTFOUND)
		return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: can't be made: %s", db->dir, os->error_text(os));
	rc = open_sync_parent(db, true);
	if (rc < 0)
		(void)os->rmdir(os, db->dir);     /* after a failed sync no second one makes this name durable: it is made anew */
	return rc;
}

static int open_old_directory(struct silt_db *db)
{
	char manifest[FILENAME_MAX_BYTES];
	struct os_stat st;
	int rc = filename_in(db->dir, "MANIFEST", manifest);

	if (rc < 0 || db->env.opts.read_only)
		return rc;
	rc = db->env.os->stat(db->env.os, manifest, &st);
	if (rc < 0)
		return report(&db->env.rep, rc, "%s: %s", manifest, db->env.os->error_text(db->env.os));
	return rc == SILT_NOTFOUND ? open_sync_parent(db, false) : 0;
}

static int open_directory(struct silt_db *db)
{
	silt_os *os = db->env.os;
	struct os_stat st;
	int rc = os->stat(os, db->dir, &st);

	if (rc == SILT_NOTFOUND && db->env.opts.create && !db->env.opts.read_only)
		return open_make_directory(db);
	if (rc == SILT_NOTFOUND)
		return report(&db->env.rep, SILT_NOTFOUND, "%s: no such directory", db->dir);
	if (rc < 0)
		return report(&db->env.rep, rc, "%s: %s", db->dir, os->error_text(os));
	if (!st.is_dir)
		return report(&db->env.rep, SILT_E_MISUSE, "%s: not a directory", db->dir);
	return open_old_directory(db);
}

/* A read-only open must not meet a live writer, but a disk that can't be written needs no lock. */
static int open_lock(struct silt_db *db)
{
	char path[FILENAME_MAX_BYTES];
	struct os_stat st;
	int rc = filename_in(db->dir, "LOCK", path);

	if (rc < 0)
		return rc;
	if (db->env.opts.read_only && db->env.os->stat(db->env.os, path, &st) == SILT_NOTFOUND)
		return 0;
	rc = db->env.os->lock(db->env.os, path, &db->lock);
	if (rc == SILT_E_BUSY)
		return report(&db->env.rep, rc, "%s: in use: another process has the store open", db->dir);
	if (rc != 0 && db->env.opts.read_only)
		return 0;
	if (rc != 0)
		return report(&db->env.rep, rc < 0 ? rc : SILT_E_IO, "%s: %s", path, db->env.os->error_text(db->env.os));
	return 0;
}

/* The first view: what was replayed, and the tables. */
static int open_first_view(struct silt_db *db, struct recovered *r)
{
	struct memtable *sealed[VIEW_SEALED_MAX];
	struct tableset *set = NULL;
	struct view *v = view_new();
	int rc = v ? tableset_new(db, r->version, &set) : SILT_E_NOMEM;

	if (rc < 0) {
		mem_free(v);
		return rc;
	}
	for (size_t i = 0; i < r->count; i++)
		sealed[i] = r->memtables[r->count - 1 - i];
	view_fill(v, db->active, sealed, r->count, set);
	tableset_unref(set);
	mutex_lock(&db->mu);
	db->version = version_ref(r->version);
	install_reckon(db);
	publish_view(db, v);
	mutex_unlock(&db->mu);
	return 0;
}

static void open_set_counters(struct silt_db *db, const struct recovered *r)
{
	silt_os *os = db->env.os;
	uint64_t last = db->env.opts.read_only ? r->last_version : db->last_version;

	atomic_store(&db->published, last);
	atomic_store(&db->durable, last);
	atomic_store(&db->floor, r->version->last_version);
	db->next_file = r->next_file;
	db->oldest_wal = r->oldest_wal;
	db->active_since_ns = os->mono_ns(os);
	db->recovered_entries = r->entries;
	db->recovery_ms = (os->mono_ns(os) - db->open_ns) / 1000000;
	if (db->wal) {
		db->newest_wal = log_writer_number(db->wal);
		atomic_store(&db->wal_number, db->newest_wal);
		atomic_store(&db->wal_end, log_writer_end(db->wal));
	}
}

static int open_threads(struct silt_db *db)
{
	int rc;

	worker_look_at_disk(db);
	rc = commit_start(db);
	if (rc < 0)
		return rc;
	rc = worker_start(db);
	if (rc < 0) {
		commit_end(db);
		return rc;
	}
	db->threads_started = true;
	return 0;
}

static int open_recover(struct silt_db *db)
{
	struct recovered r;
	int rc = recover_read(db, &r);

	if (rc == 0)
		rc = feed_load(db, &r);
	if (rc == 0 && !db->env.opts.read_only && r.manifest_torn)
		rc = gc_set_aside(db, r.version, feed_oldest_wal(db, &r), r.next_wal);
	if (rc == 0 && !db->env.opts.read_only)
		rc = recover_install(db, &r);
	if (rc == 0)
		rc = feed_begin(db, &r);
	if (rc == 0) {
		open_set_counters(db, &r);
		rc = open_first_view(db, &r);
	}
	if (rc == 0 && !db->env.opts.read_only)
		rc = gc_sweep(db, r.version, feed_oldest_wal(db, &r), r.next_wal);
	if (rc == 0 && !db->env.opts.read_only)
		checkpoint_sweep(db);
	if (rc == 0 && r.entries)
		report_note(&db->env.rep, SILT_LOG_INFO, "%s: recovered %" PRIu64 " entries from the log in %" PRIu64 " ms",
		            db->dir, r.entries, db->recovery_ms);
	recover_fini(&r);
	return rc;
}

/* ---- open and close ----------------------------------------------------------------------------------------------------------- */

/* Frees a store whose threads are gone or never were. */
static void open_free(struct silt_db *db)
{
	if (db->view) {
		mutex_lock(&db->mu);
		db->view->next_retired = db->retired;
		db->retired = db->view;
		rcu_store(db->view, NULL);
		mutex_unlock(&db->mu);
		publish_reap(db);
	}
	log_writer_free(db->wal);
	log_writer_free(db->next_wal);
	memtable_unref(db->active);
	manifest_close(db->manifest);
	version_unref(db->version);
	table_cache_free(db->tables);
	block_cache_free(db->blocks);
	if (db->lock)
		db->env.os->unlock(db->env.os, db->lock);
	mem_free(db->obsolete);
	mem_free(db->dir);
	chain_fini(&db->chain);
	watch_list_fini(&db->feed);
	commit_fini(db);
	cond_fini(&db->changed);
	mutex_fini(&db->mu);
	mem_free(db);
}

int silt_open(const char *dir, const struct silt_options *opts, silt_db **out)
{
	struct silt_options defaults;
	struct silt_db *db;
	int rc;

	if (!dir || !*dir || !out)
		return SILT_E_MISUSE;
	if (!opts) {
		silt_options_init(&defaults);
		opts = &defaults;
	}
	db = mem_alloc_aligned(64, sizeof(*db));
	if (!db)
		return SILT_E_NOMEM;
	memset(db, 0, sizeof(*db));
	rc = open_init(db, dir, opts);
	if (rc == 0)
		rc = open_directory(db);
	if (rc == 0)
		rc = open_lock(db);
	if (rc == 0)
		rc = open_recover(db);
	if (rc == 0 && !opts->read_only)
		rc = open_threads(db);
	if (rc != 0) {
		open_free(db);
		return rc;
	}
	*out = db;
	return 0;
}

/* Everything is appended and nobody leads any more: the orderly end of the log. */
static int open_seal_log(struct silt_db *db)
{
	int rc;

	if (db_fault(db) != 0)
		return SILT_E_FAULT;
	rc = log_writer_seal(db->wal, db->last_version, LOG_SEAL_CLEAN);
	return rc < 0 ? db_set_fault(db, rc, "sealing the log") : 0;
}

int silt_close(silt_db *db)
{
	int rc = 0;

	if (!db)
		return 0;
	if (db->threads_started) {
		commit_end(db);
		worker_end(db);
		rc = open_seal_log(db);
	}
	open_free(db);
	return rc;
}
