/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_count.c - by how much the writes between two versions changed the number of live keys in a range: from the log, which has the
 * writes, and a reader of the first version, which has what was there before.
 *
 * Touched   a key with a put or a delete of its own: what the last one left, or a range delete after it, against what the reader has
 * Cut       the rest of a range delete's span: what the reader has there is gone, each key once
 *
 * Example   the reader sees a b c; then put d, delete a, delete range [b, z), put y:
 *           touched a: -1, d: 0, y: +1; cut b c: -2                               the change is -2
 */
#include "store/engine_private.h"

#include "util/array.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_EVENTS_MAX 1000000u     /* writes between the two, beyond which nobody wants to know any more, */
#define COUNT_CUTS_MAX 64u            /* and range deletes among them: each key is held against each of those */

struct count_event {
	size_t key_at, key_len;       /* in text */
	size_t end_at, end_len;       /* of a range delete; end_len 0 = to the last key */
	bool range, live;
};

struct count_log {
	struct bytes text;
	struct count_event *event;    /* in commit order */
	size_t n, cap;
	size_t *touched;              /* indexes of the last event of each key that has one of its own, in order of keys */
	size_t touched_n;
	size_t *cut;                  /* of range deletes, in order of their lower ends */
	size_t cut_n;
	const struct store_range *range;
	uint64_t now_ms;              /* by which entries expire */
};

static struct span count_key(const struct count_log *l, size_t i)
{
	return span_of(l->text.p + l->event[i].key_at, l->event[i].key_len);
}

static struct span count_end(const struct count_log *l, size_t i)
{
	return span_of(l->text.p + l->event[i].end_at, l->event[i].end_len);
}

/* ---- reading the log --------------------------------------------------------------------------------------------------- */

static bool count_below_upper(const struct count_log *l, struct span key)
{
	return l->range->upper.p == NULL || span_order(key, l->range->upper) < 0;
}

/* Does the change lie in the range, at least in part? */
static bool count_concerns(const struct count_log *l, const struct silt_change *c)
{
	struct span key = span_of(c->key.data, c->key.len), end = span_of(c->end.data, c->end.len);

	if (!count_below_upper(l, key))
		return false;
	if (c->op != SILT_CHANGE_DELETE_RANGE)
		return l->range->lower.p == NULL || span_order(key, l->range->lower) >= 0;
	return end.len == 0 || l->range->lower.p == NULL || span_order(end, l->range->lower) > 0;
}

static int count_note(struct count_log *l, const struct silt_change *c)
{
	struct count_event *e;

	if (!count_concerns(l, c))
		return STORE_OK;
	if (l->n == COUNT_EVENTS_MAX || (c->op == SILT_CHANGE_DELETE_RANGE && l->cut_n == COUNT_CUTS_MAX))
		return STORE_TRY_AGAIN;
	e = array_grow(l->event, l->n, &l->cap, sizeof(*e));
	if (e == NULL)
		return STORE_E_NOMEM;
	l->event = e;
	e = &l->event[l->n++];
	*e = (struct count_event){
		.range = c->op == SILT_CHANGE_DELETE_RANGE,
		.live = c->op == SILT_CHANGE_PUT && (c->expires_ms == 0 || c->expires_ms > l->now_ms),
	};
	l->cut_n += e->range;
	e->key_at = l->text.len;
	e->key_len = c->key.len;
	bytes_add(&l->text, c->key.data, c->key.len);
	e->end_at = l->text.len;
	e->end_len = c->end.len;
	bytes_add(&l->text, c->end.data, c->end.len);
	return l->text.bad ? STORE_E_NOMEM : STORE_OK;
}

/* All changes below `before`: those of async writes are in the log only once they were synced. */
static int count_read(struct count_log *l, silt_db *db, silt_changes *c, uint64_t before)
{
	bool synced = false;

	for (;;) {
		struct silt_change change;
		int rc = silt_changes_next(c, &change);

		if (rc == 0 && change.version >= before)
			return STORE_OK;
		if (rc == 0)
			rc = count_note(l, &change);
		else if (rc == SILT_END && silt_changes_version(c) + 1 >= before)
			return STORE_OK;
		else if (rc == SILT_END && !synced && silt_sync(db) == 0)
			rc = 0, synced = true;
		else
			rc = STORE_TRY_AGAIN;
		if (rc != 0)
			return rc;
	}
}

/* ---- sorting ----------------------------------------------------------------------------------------------------------- */

static int count_compare(const void *a, const void *b, void *log)
{
	const struct count_log *l = log;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int order = span_order(count_key(l, i), count_key(l, j));

	return order != 0 ? order : (i > j) - (i < j);
}

static int count_sort(struct count_log *l)
{
	size_t n = 0, cuts = 0;

	l->touched = calloc(l->n + 1, sizeof(*l->touched));
	l->cut = calloc(l->cut_n + 1, sizeof(*l->cut));
	if (l->touched == NULL || l->cut == NULL)
		return STORE_E_NOMEM;
	for (size_t i = 0; i < l->n; i++) {
		if (l->event[i].range)
			l->cut[cuts++] = i;
		else
			l->touched[l->touched_n++] = i;
	}
	qsort_r(l->cut, l->cut_n, sizeof(*l->cut), count_compare, l);
	qsort_r(l->touched, l->touched_n, sizeof(*l->touched), count_compare, l);
	for (size_t i = 0; i < l->touched_n; i++) {       /* of a key's events the last one stays */
		if (i + 1 == l->touched_n ||
		    span_order(count_key(l, l->touched[i]), count_key(l, l->touched[i + 1])) != 0)
			l->touched[n++] = l->touched[i];
	}
	l->touched_n = n;
	return STORE_OK;
}

/* ---- counting ---------------------------------------------------------------------------------------------------------- */

static bool count_covers(const struct count_log *l, size_t cut, struct span key)
{
	struct span end = count_end(l, cut);

	return span_order(key, count_key(l, cut)) >= 0 && (end.len == 0 || span_order(key, end) < 0);
}

static bool count_lives_on(const struct count_log *l, size_t event)
{
	bool live = l->event[event].live;

	for (size_t i = 0; i < l->cut_n && live; i++)
		live = l->cut[i] < event || !count_covers(l, l->cut[i], count_key(l, event));
	return live;
}

static int count_touched(const struct count_log *l, struct store_scan *scan, int64_t *change)
{
	for (size_t i = 0; i < l->touched_n; i++) {
		struct span key = count_key(l, l->touched[i]);
		int was = engine_scan_has(scan, engine_slice(key));

		if (was < 0)
			return engine_code(was);
		*change += (int)count_lives_on(l, l->touched[i]) - was;
	}
	return STORE_OK;
}

static bool count_is_touched(const struct count_log *l, struct span key)
{
	size_t low = 0, high = l->touched_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_order(count_key(l, l->touched[middle]), key);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* A key that the reader has: is it gone, and by none of its own events? */
static bool count_is_cut(const struct count_log *l, struct span key)
{
	for (size_t i = 0; i < l->cut_n; i++)
		if (count_covers(l, l->cut[i], key))
			return !count_is_touched(l, key);
	return false;
}

/* Walks the reader from the least key that is cut; what lies between two cuts is passed over key by key, which is no more than it was
   to count the range. */
static int count_cut(const struct count_log *l, struct store_scan *scan, int64_t *change)
{
	struct silt_slice at;
	int rc;

	if (l->cut_n == 0)
		return STORE_OK;
	rc = engine_scan_from(scan, engine_slice(count_key(l, l->cut[0])), &at);
	while (rc == 0) {
		*change -= count_is_cut(l, span_of(at.data, at.len));
		rc = engine_scan_from(scan, (struct silt_slice){0}, &at);
	}
	return rc == SILT_END ? STORE_OK : engine_code(rc);
}

static void count_log_fini(struct count_log *l)
{
	bytes_fini(&l->text);
	free(l->event);
	free(l->touched);
	free(l->cut);
}

int engine_count_change(struct store *s, const struct store_range *range, struct store_scan *scan, uint64_t before,
                        int64_t *change)
{
	silt_db *db = engine_of(s)->db;
	struct count_log l = { .range = range, .now_ms = silt_clock_ms(db) };
	silt_changes *c = NULL;
	int64_t sum = 0;
	int rc = engine_code(silt_changes_new(db, engine_scan_version(scan), &c));

	if (rc != STORE_OK)
		return STORE_TRY_AGAIN;
	rc = count_read(&l, db, c, before);
	if (rc == STORE_OK)
		rc = count_sort(&l);
	if (rc == STORE_OK)
		rc = count_touched(&l, scan, &sum);
	if (rc == STORE_OK)
		rc = count_cut(&l, scan, &sum);
	if (rc == STORE_OK)
		*change = sum;
	silt_changes_close(c);
	count_log_fini(&l);
	return rc;
}
