/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - the chain of segments at open, and the leader's side of it. */
#include "db/feed.h"

#include <inttypes.h>

#include "core/filename.h"
#include "log/reader.h"
#include "log/segment.h"

/* ---- the leader's ------------------------------------------------------------------------------------------------------- */

/* It may not be synced yet: who looks for a place to begin stands before what is. */
void feed_note(struct silt_db *db)
{
	chain_note(db->wal_link, db->last_version, log_writer_end(db->wal));
}

/* Everything appended is visible here, so what is synced of the segment is what may be read of it (rule 1). */
void feed_advance(struct silt_db *db)
{
	uint64_t version = atomic_load_explicit(&db->durable, memory_order_relaxed);

	chain_advance(db->wal_link, log_writer_synced_to(db->wal));
	watch_list_advance(&db->feed, version);
}

void feed_cut(struct silt_db *db, uint64_t version)
{
	mutex_lock(&db->mu);
	chain_break(&db->chain, db->wal_link->number - 1);
	db->wal_link->base = version;
	mutex_unlock(&db->mu);
	feed_advance(db);
}

struct chain_segment *feed_prepare(struct silt_db *db, const struct log_writer *next)
{
	return chain_segment_new(log_writer_number(next), db->last_version, log_writer_capacity(next), true);
}

void feed_switch(struct silt_db *db, struct chain_segment *next)
{
	chain_append(&db->chain, next);
	db->wal_link = next;
}

/* ---- at open ------------------------------------------------------------------------------------------------------------ */

struct feed_probe {
	struct env env;
	uint64_t number, next_base;       /* of the segment behind it */
	bool may_be_bare;                 /* a log may end so: without a SEAL, and without any record */
	uint64_t base, size;              /* found */
	bool cut;                         /* found: nothing before it is of use */
};

/*
 * What stands before the first DATA says what stands before the segment: DATA has the version before it + 1; after a SKIP nothing is
 * known of what was skipped, and none goes past one whose version is not logged. A segment without any of them holds no change
 * at all: its base is the next one's.
 */
static int feed_walk(struct feed_probe *p, struct log_reader *reader)
{
	struct log_record rec = { 0 };
	bool any = false;
	int rc;

	p->base = p->next_base;
	while ((rc = log_reader_next(reader, &rec)) == 0 && rec.kind != LOG_SEAL) {
		if (rec.kind == LOG_SKIP && (!any || (rec.flags & LOG_SKIP_UNLOGGED))) {
			p->base = rec.version;
			p->cut |= rec.flags & LOG_SKIP_UNLOGGED;
			any = true;
		}
		if (rec.kind != LOG_DATA)
			continue;
		if (!any)
			p->base = rec.version - 1;
		break;
	}
	return rc;
}

static int feed_read_base(struct feed_probe *p, const char *path, const struct log_header *h, struct os_file *file)
{
	struct log_reader *reader;
	int rc = log_reader_new(&p->env, path, h, file, &reader);

	if (rc < 0)
		return rc;
	rc = feed_walk(p, reader);
	log_reader_free(reader);
	if (rc < 0)
		return rc;
	p->size = h->capacity;
	if (h->number != p->number || p->base > p->next_base || (rc == SILT_END && !p->may_be_bare))
		return report(&p->env.rep, SILT_E_CORRUPT, "%s: not the segment that was there", path);
	return 0;
}

static int feed_probe(struct feed_probe *p)
{
	char path[FILENAME_MAX_BYTES];
	struct os_file *file;
	struct log_header h;
	int rc = filename_wal(p->env.dir, p->number, false, path);

	if (rc == 0)
		rc = segment_open(&p->env, LOG_WAL, path, false, &h, &file);
	if (rc != 0)
		return rc;
	rc = feed_read_base(p, path, &h, file);
	(void)p->env.os->close(p->env.os, file);
	return rc;
}

/* One that is there for changes alone (rule 2): where it can't be read, nothing is wrong but that. 0, SILT_END, SILT_E_NOMEM. */
static int feed_probe_kept(struct silt_db *db, struct feed_probe *p)
{
	int rc;

	p->env.rep = (struct reporter){ 0 };
	rc = feed_probe(p);
	if (rc == 0 || rc == SILT_E_NOMEM)
		return rc;
	if (rc != SILT_NOTFOUND)
		report_note(&db->env.rep, SILT_LOG_WARNING, "%s/%06" PRIu64 ".wal: can't be read (%s): changes begin after it",
		            db->dir, p->number, silt_strerror(rc));
	return SILT_END;
}

/* One more at the old end. SILT_END: the reach ends. */
static int feed_reach_back(struct silt_db *db, const struct recovered *r, uint64_t number)
{
	struct feed_probe p = {
		.env = db->env,
		.number = number,
		.next_base = db->chain.oldest ? db->chain.oldest->base : r->last_version,
		.may_be_bare = number == r->end.number && !r->end.sealed,
	};
	struct chain_segment *s;
	int rc = number < r->oldest_wal ? feed_probe_kept(db, &p) : feed_probe(&p);

	if (rc == SILT_NOTFOUND)
		return report(&db->env.rep, SILT_E_CORRUPT, "%s/%06" PRIu64 ".wal: missing, but it was replayed", db->dir, number);
	if (rc != 0)
		return rc;
	s = chain_segment_new(number, p.base, p.size, false);
	if (!s)
		return report(&db->env.rep, SILT_E_NOMEM, "%s: no memory", db->dir);
	chain_prepend(&db->chain, s);
	if (p.cut)
		chain_break(&db->chain, number - 1);
	return db->chain.broken && number <= r->oldest_wal ? SILT_END : 0;
}

int feed_load(struct silt_db *db, const struct recovered *r)
{
	uint64_t limit = db->env.opts.read_only ? UINT64_MAX : db->env.opts.change_log_size;
	int rc = 0;

	for (uint64_t n = r->fresh ? 0 : r->end.number; rc == 0 && n > 0; n--) {
		if (n < r->oldest_wal && chain_kept_bytes(&db->chain, r->oldest_wal) > limit)
			break;
		rc = feed_reach_back(db, r, n);
	}
	return rc == SILT_END ? 0 : rc;
}

int feed_begin(struct silt_db *db, const struct recovered *r)
{
	struct chain_segment *s;

	if (!db->wal) {
		atomic_store(&db->feed.version, r->last_version);
		return 0;
	}
	s = chain_segment_new(r->next_wal, r->last_version, log_writer_capacity(db->wal), true);
	if (!s)
		return report(&db->env.rep, SILT_E_NOMEM, "%s: no memory", db->dir);
	mutex_lock(&db->mu);
	feed_switch(db, s);
	if (r->raised)
		chain_break(&db->chain, r->next_wal - 1);
	while ((s = chain_pop_surplus(&db->chain, r->oldest_wal, db->env.opts.change_log_size)))
		chain_unref(s);           /* the sweep comes yet */
	mutex_unlock(&db->mu);
	chain_advance(db->wal_link, log_writer_synced_to(db->wal));
	watch_list_advance(&db->feed, db->last_version);
	return 0;
}

uint64_t feed_oldest_wal(const struct silt_db *db, const struct recovered *r)
{
	const struct chain_segment *s = db->chain.oldest;

	return s && s->number < r->oldest_wal ? s->number : r->oldest_wal;
}
