/* SPDX-License-Identifier: Apache-2.0 */
/* segments.c - making segments ahead, recycling and dropping flushed ones. */
#include "db/segments.h"

#include "core/filename.h"
#include "log/segment.h"

static int segments_recycle(struct silt_db *db, uint64_t number, uint64_t old, const char *path, struct log_header *h,
                            struct os_file **file)
{
	char old_path[FILENAME_MAX_BYTES];
	int rc = filename_wal(db->dir, old, false, old_path);

	if (rc < 0)
		return rc;
	return segment_recycle(&db->env, LOG_WAL, old_path, path, number, db->env.opts.wal_segment_size, h, file);
}

static void segments_remove(struct silt_db *db, uint64_t number)
{
	char path[FILENAME_MAX_BYTES];
	int rc = filename_wal(db->dir, number, false, path);

	if (rc == 0)
		rc = db->env.os->unlink(db->env.os, path);
	if (rc < 0)
		report_note(&db->env.rep, SILT_LOG_WARNING, "%s: can't be removed: %s", path,
		            db->env.os->error_text(db->env.os));
}

int segments_make(struct silt_db *db, uint64_t number, uint64_t recycle, struct log_writer **out)
{
	char path[FILENAME_MAX_BYTES];
	struct os_file *file = NULL;
	struct log_header h;
	int rc = filename_wal(db->dir, number, false, path);

	if (rc < 0)
		return rc;
	rc = recycle ? segments_recycle(db, number, recycle, path, &h, &file) : SILT_E_BUSY;
	if (rc == SILT_E_BUSY || rc == SILT_NOTFOUND) {   /* linked elsewhere, of another size, or gone: a new one */
		if (recycle && recycle != number)
			segments_remove(db, recycle);
		rc = segment_create(&db->env, LOG_WAL, path, number, db->env.opts.wal_segment_size, &h, &file);
	}
	if (rc < 0)
		return rc;
	return log_writer_new(&db->env, path, &h, file, LOG_PAGE, LOG_PAGE, out);
}

typedef struct chain_segment *segments_pop_fn(struct chain *c, uint64_t needed, uint64_t keep_bytes);

/*
 * The number of a segment that is flushed and leaves the chain; 0: there is none. By chain_pop_spare it is too old to be kept and nobody reads
 * changes from it; by chain_pop_surplus there is too much, and readers that stand in it go on there, its file being open.
 */
static uint64_t segments_pop(struct silt_db *db, segments_pop_fn *pop)
{
	struct chain_segment *s;
	uint64_t number = 0;

	mutex_lock(&db->mu);
	s = pop(&db->chain, db->oldest_wal, db->env.opts.change_log_size);
	if (s)
		number = s->number;
	chain_unref(s);
	mutex_unlock(&db->mu);
	return number;
}

int segments_prepare(struct silt_db *db)
{
	struct log_writer *w = NULL;
	/* Not wal_number + 1: a leader that took next_wal has not said so there yet, and the one it took would be made again. */
	uint64_t number = db->newest_wal + 1;
	bool wanted;
	int rc;

	mutex_lock(&db->mu);
	wanted = !db->next_wal && !db->rotating && !db->stop && db_fault(db) == 0;
	mutex_unlock(&db->mu);
	if (!wanted)
		return 0;
	rc = segments_make(db, number, segments_pop(db, chain_pop_spare), &w);
	if (rc == 0)
		db->newest_wal = number;
	mutex_lock(&db->mu);
	db->next_wal = w;
	db->next_wal_error = rc;
	cond_broadcast(&db->changed);
	mutex_unlock(&db->mu);
	return rc;
}

void segments_trim(struct silt_db *db, uint64_t needed)
{
	uint64_t number;

	if (db_fault(db) != 0)
		return;
	mutex_lock(&db->mu);
	if (needed > db->oldest_wal)
		db->oldest_wal = needed;
	mutex_unlock(&db->mu);
	while ((number = segments_pop(db, chain_pop_surplus)) != 0)
		segments_remove(db, number);
}
