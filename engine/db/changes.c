/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.c - readers of changes: the log's own records, in order, beside the writer.
 *
 *           base        at      given               bound
 *      | 9  |  records, walked  | records, to give  | not published, or not synced |
 *           |                   `given`: the user has, or does not want, all up to here
 *           `at`: all up to it stands before the place where the reader is; at <= given
 *
 * Rules     (1) no record is asked for unless given < bound: then one is there, whole, with a version above `at`, so that bytes
 *           which are none are damage.
 *           (2) no byte is read behind chain_segment::end: the writer never changes what is before it.
 *           (3) a segment is read under a reference, so it is not recycled; it may lose its name, which its open file survives.
 *           (4) at SILT_END nothing is held: a reader that rests pins no segment and no memory.
 */
#include <inttypes.h>

#include "core/batch_reader.h"
#include "core/filename.h"
#include "db/db.h"
#include "log/reader.h"
#include "log/segment.h"

struct silt_changes {
	struct silt_db *db;
	uint64_t given, at, bound;
	uint64_t number, offset;          /* where `at` is when nothing is held; number 0 = look for it by `given` */
	struct chain_segment *segment;    /* what is held: referenced; NULL = nothing */
	struct os_file *file;
	struct log_reader *reader;
	bool in_batch;
	uint64_t batch_version;
	struct batch_reader batch;        /* borrows the reader's record */
	int failed;                       /* SILT_E_CORRUPT, or what comes next is in no log: for good */
};

/* ---- holding a segment -------------------------------------------------------------------------------------------------- */

static void changes_let_go(struct silt_changes *c)
{
	if (!c->segment)
		return;
	log_reader_free(c->reader);
	if (c->file)
		(void)c->db->env.os->close(c->db->env.os, c->file);
	mutex_lock(&c->db->mu);
	chain_unref(c->segment);
	mutex_unlock(&c->db->mu);
	c->segment = NULL;
	c->reader = NULL;
	c->file = NULL;
}

static void changes_rest(struct silt_changes *c)
{
	if (!c->segment)
		return;
	c->number = c->segment->number;
	c->offset = log_reader_offset(c->reader);
	changes_let_go(c);
}

/* Where `given` is, or close before it. */
static struct chain_segment *changes_look(struct silt_changes *c) REQUIRES(c->db->mu)
{
	struct chain_segment *s = chain_find(&c->db->chain, c->given);
	struct chain_place place;

	if (!s)
		return NULL;
	place = chain_place_of(s, c->given);
	c->number = s->number;
	c->offset = place.offset;
	c->at = place.version;
	return s;
}

/* Rule 3. Where it rested, or, that being gone, wherever what comes next is. */
static int changes_find(struct silt_changes *c)
{
	struct chain_segment *s;

	mutex_lock(&c->db->mu);
	s = chain_get(&c->db->chain, c->number);
	if (!s)
		s = changes_look(c);
	if (s)
		s->refs++;
	mutex_unlock(&c->db->mu);
	c->segment = s;
	return s ? 0 : SILT_E_EXPIRED;
}

/* A segment that is not there: trimmed since it was found, or lost. */
static int changes_missing(struct silt_changes *c, const char *path)
{
	bool trimmed;

	mutex_lock(&c->db->mu);
	trimmed = c->segment->number < c->db->chain.oldest->number;
	if (!trimmed)
		chain_break(&c->db->chain, c->segment->number);
	mutex_unlock(&c->db->mu);
	if (trimmed)
		return SILT_E_EXPIRED;
	c->failed = SILT_E_CORRUPT;
	return report(&c->db->env.rep, SILT_E_CORRUPT, "%s: missing; changes begin after it", path);
}

static int changes_damaged(struct silt_changes *c, const char *what)
{
	struct silt_db *db = c->db;

	mutex_lock(&db->mu);
	chain_break(&db->chain, c->segment->number);
	mutex_unlock(&db->mu);
	c->failed = SILT_E_CORRUPT;
	return report(&db->env.rep, SILT_E_CORRUPT, "%s/%06" PRIu64 ".wal: offset %" PRIu64 ": %s; changes begin after this segment",
	              db->dir, c->segment->number, c->reader ? log_reader_offset(c->reader) : 0, what);
}

static int changes_open_file(struct silt_changes *c, struct log_header *h)
{
	char path[FILENAME_MAX_BYTES];
	int rc = filename_wal(c->db->dir, c->segment->number, false, path);

	if (rc < 0)
		return rc;
	rc = segment_open(&c->db->env, LOG_WAL, path, false, h, &c->file);
	if (rc == SILT_NOTFOUND)
		return changes_missing(c, path);
	if (rc == SILT_E_CORRUPT || rc == SILT_E_VERSION || (rc == 0 && h->number != c->segment->number))
		return changes_damaged(c, "the segment's header is not its own");
	return rc < 0 ? rc : log_reader_new(&c->db->env, path, h, c->file, &c->reader);
}

static int changes_enter(struct silt_changes *c)
{
	struct log_header h;
	int rc = changes_find(c);

	if (rc < 0)
		return rc;
	rc = changes_open_file(c, &h);
	if (rc < 0)
		changes_let_go(c);
	else
		log_reader_seek(c->reader, c->offset);
	return rc;
}

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static int changes_take_data(struct silt_changes *c, const struct log_record *rec)
{
	if (rec->version != c->at + 1)
		return changes_damaged(c, "a version is missing before it");
	if (rec->version <= c->given) {
		c->at = rec->version;
		return 0;
	}
	if (batch_reader_init(&c->batch, rec->payload) != 0 || c->batch.left == 0)
		return changes_damaged(c, "the record's batch does not parse");
	c->batch_version = rec->version;
	c->in_batch = true;
	return 0;
}

static int changes_take_skip(struct silt_changes *c, const struct log_record *rec)
{
	if (rec->version <= c->at)
		return 0;                 /* before the segment's base, where that was raised (feed_cut) */
	if ((rec->flags & LOG_SKIP_UNLOGGED) && rec->version > c->given)
		return c->failed = SILT_E_EXPIRED;        /* tables came as they are: who follows must read the data */
	c->at = rec->version;
	if (c->given < c->at)
		c->given = c->at;
	return 0;
}

/* The next one goes on from `at`: nothing may be missing in between. */
static int changes_take_seal(struct silt_changes *c)
{
	uint64_t next = c->segment->number + 1;

	changes_let_go(c);
	c->number = next;
	c->offset = LOG_PAGE;
	return 0;
}

static int changes_step(struct silt_changes *c)
{
	struct log_record rec;
	int rc = c->segment ? 0 : changes_enter(c);

	if (rc < 0)
		return rc;
	log_reader_limit(c->reader, atomic_load_explicit(&c->segment->end, memory_order_acquire));   /* rule 2 */
	rc = log_reader_next(c->reader, &rec);
	if (rc < 0)
		return rc;
	if (rc == SILT_END)
		return changes_damaged(c, "no record, where one was written");       /* rule 1 */
	switch (rec.kind) {
	case LOG_DATA:
		return changes_take_data(c, &rec);
	case LOG_SKIP:
		return changes_take_skip(c, &rec);
	case LOG_SEAL:
		return changes_take_seal(c);
	default:
		return 0;
	}
}

static int changes_give(struct silt_changes *c, struct silt_change *out)
{
	struct entry e;

	if (batch_reader_next(&c->batch, &e) != 0)
		return changes_damaged(c, "the record's batch does not parse");
	*out = (struct silt_change){ .version = c->batch_version, .last = c->batch.left == 0, .key = e.key };
	switch (e.kind) {
	case ENTRY_PUT:
		out->op = SILT_CHANGE_PUT;
		out->value = e.value;
		out->meta = e.meta;
		out->expires_ms = e.expires_ms;
		break;
	case ENTRY_DELETE:
		out->op = SILT_CHANGE_DELETE;
		break;
	case ENTRY_RANGE_DELETE:
		out->op = SILT_CHANGE_DELETE_RANGE;
		out->end = e.value;
		break;
	}
	if (out->last) {
		c->in_batch = false;
		c->at = c->given = c->batch_version;
	}
	return 0;
}

/* ---- the public face ---------------------------------------------------------------------------------------------------- */

void silt_changes_reach(silt_db *db, uint64_t *oldest, uint64_t *newest)
{
	if (oldest) {
		mutex_lock(&db->mu);
		*oldest = chain_reach(&db->chain);
		mutex_unlock(&db->mu);
	}
	if (newest)
		*newest = watch_list_version(&db->feed);  /* behind the other: never below it */
}

int silt_changes_new(silt_db *db, uint64_t since, silt_changes **out)
{
	struct silt_changes *c;
	bool there;

	if (!db || !out || since > atomic_load_explicit(&db->published, memory_order_acquire))
		return SILT_E_MISUSE;
	mutex_lock(&db->mu);
	there = chain_find(&db->chain, since) != NULL;
	mutex_unlock(&db->mu);
	if (!there)
		return SILT_E_EXPIRED;
	c = mem_calloc(1, sizeof(*c));
	if (!c)
		return SILT_E_NOMEM;
	c->db = db;
	c->given = since;
	*out = c;
	return 0;
}

int silt_changes_next(silt_changes *c, struct silt_change *out)
{
	int rc = c->failed;

	while (rc == 0) {
		if (c->in_batch)
			return changes_give(c, out);
		if (c->given >= c->bound)
			c->bound = watch_list_version(&c->db->feed);
		if (c->given >= c->bound) {
			changes_rest(c);          /* rule 4 */
			return SILT_END;
		}
		rc = changes_step(c);
	}
	if (c->failed)
		changes_let_go(c);
	return rc;
}

uint64_t silt_changes_version(const silt_changes *c)
{
	return c->given;
}

void silt_changes_close(silt_changes *c)
{
	if (!c)
		return;
	changes_let_go(c);
	mem_free(c);
}
