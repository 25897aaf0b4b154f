/* SPDX-License-Identifier: Apache-2.0 */
/* engine_scan.c - the engine's iterators as walks that know their way, and a walk over nothing for ranges that hold nothing. */
#include "store/engine_private.h"

#include <stdlib.h>
#include <string.h>

struct store_scan {
	silt_iter *iter;
	bool reverse;
	bool moved;                           /* the iterator stands somewhere */
	struct silt_info info;                /* of where it stands */
};

int engine_scan_open(struct store *s, const struct store_range *range, bool reverse, uint64_t max_steps,
                     struct store_scan **out)
{
	struct silt_iter_options options = {
		.lower = engine_slice(range->lower), .upper = engine_slice(range->upper), .max_steps = max_steps,
	};
	struct store_scan *scan = calloc(1, sizeof(*scan));
	int rc;

	if (scan == NULL)
		return STORE_E_NOMEM;
	scan->reverse = reverse;
	rc = silt_iter_new(engine_of(s)->db, &options, &scan->iter);
	if (rc != 0) {
		free(scan);
		return engine_code(rc);
	}
	*out = scan;
	return STORE_OK;
}

static int engine_scan_move(struct store_scan *scan)
{
	if (scan->moved)
		return scan->reverse ? silt_iter_prev(scan->iter) : silt_iter_next(scan->iter);
	scan->moved = true;
	return scan->reverse ? silt_iter_last(scan->iter) : silt_iter_first(scan->iter);
}

int engine_scan_next(struct store_scan *scan, struct store_item *item)
{
	int rc = engine_scan_move(scan);
	struct silt_slice key, value;

	if (rc == SILT_END)
		return STORE_NOTFOUND;
	if (rc != 0)
		return engine_code(rc);
	key = silt_iter_key(scan->iter);
	value = silt_iter_value(scan->iter);
	silt_iter_info(scan->iter, &scan->info);
	item->key = span_of(key.data, key.len);
	item->value = span_of(value.data, value.len);
	item->version = scan->info.version;
	item->expires_ms = scan->info.expires_ms;
	item->content_type = span_of(scan->info.meta, scan->info.meta_len);
	return STORE_OK;
}

uint64_t engine_scan_version(const struct store_scan *scan)
{
	return silt_iter_version(scan->iter);
}

void engine_scan_close(struct store_scan *scan)
{
	if (scan == NULL)
		return;
	silt_iter_close(scan->iter);
	free(scan);
}

/* A move whose step budget was spent goes on. */
static int engine_scan_settle(struct store_scan *scan, int rc)
{
	while (rc == SILT_TRY_AGAIN)
		rc = silt_iter_next(scan->iter);
	return rc;
}

int engine_scan_has(struct store_scan *scan, struct silt_slice key)
{
	int rc = engine_scan_settle(scan, silt_iter_seek(scan->iter, key));
	struct silt_slice at;

	if (rc == SILT_END)
		return 0;
	if (rc != 0)
		return rc;
	at = silt_iter_key(scan->iter);
	return at.len == key.len && memcmp(at.data, key.data, key.len) == 0;
}

int engine_scan_from(struct store_scan *scan, struct silt_slice from, struct silt_slice *key)
{
	int rc = engine_scan_settle(scan, from.data != NULL ? silt_iter_seek(scan->iter, from) : silt_iter_next(scan->iter));

	if (rc == 0)
		*key = silt_iter_key(scan->iter);
	return rc;
}
