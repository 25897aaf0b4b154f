/* SPDX-License-Identifier: Apache-2.0 */
/* range_list.c - a list of a range being made. */
#include "server/range_list.h"

#include "server/item.h"
#include "server/problem.h"
#include "server/range_cursor.h"
#include "server/server.h"
#include "util/decimal.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

void range_list_end(struct range_list *list)
{
	list->store->ops->scan_close(list->scan);
	list->scan = NULL;
}

bool range_list_charge(struct range_list *list)
{
	struct server *s = list->server;
	uint64_t more = list->page.len - list->charged;

	list->charged += more;
	return atomic_fetch_add_explicit(&s->answer_bytes, more, memory_order_relaxed) + more <= s->limits.max_answer_bytes;
}

void range_list_discharge(struct range_list *list)
{
	atomic_fetch_sub_explicit(&list->server->answer_bytes, list->charged, memory_order_relaxed);
	list->charged = 0;
}

static void range_list_free(void *state)
{
	struct range_list *list = state;

	range_list_discharge(list);
	if (list->streaming)
		atomic_fetch_sub_explicit(&list->server->streams, 1, memory_order_relaxed);
	range_list_end(list);
	range_fini(&list->range);
	bytes_fini(&list->last);
	bytes_fini(&list->page);
	free(list);
}

static bool range_list_limit(struct request *r, const struct query *q, uint64_t *limit)
{
	uint64_t max = r->server->limits.max_page_entries;

	if (*limit == RANGE_LIST_DEFAULT && *limit > max)
		*limit = max;
	if (!query_has(q, QUERY_LIMIT))
		return true;
	if (decimal_parse(q->raw[QUERY_LIMIT], max, limit) && *limit > 0)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "limit is a number from 1 to %" PRIu64 ".", max);
	problem_number(r, "limit", max);
	return false;
}

/* A count is of all: what would make it one of a part is refused. */
static bool range_list_count_fits(struct request *r, const struct query *q)
{
	const unsigned parts = QUERY_BIT(QUERY_LIMIT) | QUERY_BIT(QUERY_CURSOR) | QUERY_BIT(QUERY_REVERSE) |
	                       QUERY_BIT(QUERY_KEYS_ONLY) | QUERY_BIT(QUERY_CONTENT_TYPE);

	if ((q->given & parts) == 0)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY,
	            "count_only counts the whole range: limit, cursor, reverse, keys_only and content_type mean nothing beside it.");
	return false;
}

bool range_list_new(struct request *r, const struct query *q, uint64_t limit, struct range_list **out)
{
	struct range_list *list = calloc(1, sizeof(*list));

	if (list == NULL) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	list->server = r->server;
	list->store = r->server->store;
	list->limit = limit;
	if (list->store->ops->scan_open == NULL) {
		free(list);
		problem_store(r, STORE_E_UNSUPPORTED, false);
		return false;
	}
	r->state = list;
	r->state_free = range_list_free;
	if (!range_read(r, q, &list->range) || !range_list_limit(r, q, &list->limit) ||
	    !range_switch(r, q, QUERY_COUNT_ONLY, &list->count_only) ||
	    (list->count_only && !range_list_count_fits(r, q)))
		return false;
	if (list->count_only)
		list->limit = UINT64_MAX;
	*out = list;
	return true;
}

/* Prints an entry, or finds that the list is full. */
static bool range_list_take(struct range_list *list, const struct store_item *item, struct bytes *out)
{
	size_t before = out->len;

	if (list->count == list->limit) {
		list->more = true;
		return false;
	}
	if (list->count > 0)
		bytes_adds(out, list->between);
	item_print(out, item->key, list->range.keys_only ? NULL : &item->value, item->version, item->expires_ms,
	           list->range.types ? item->content_type : span_of(NULL, 0));
	bytes_adds(out, list->behind);
	if (list->count > 0 && out->len > list->max_bytes) {
		out->len = before;
		list->more = true;
		return false;
	}
	bytes_clear(&list->last);
	bytes_add(&list->last, item->key.p, item->key.len);
	return true;
}

int range_list_turn(struct range_list *list, struct bytes *out)
{
	struct store_item item;
	size_t from = out->len;
	int code = STORE_OK;

	if (list->scan == NULL)
		code = range_open(&list->range, list->store, RANGE_LIST_STEPS, &list->scan);
	for (unsigned i = 0; code == STORE_OK; i++) {
		if (i == RANGE_LIST_ITEMS || out->len - from >= RANGE_LIST_BYTES)
			return STORE_TRY_AGAIN;
		code = range_next(&list->range, list->store, list->scan, &item);
		if (code != STORE_OK)
			break;
		if (!list->count_only && !range_list_take(list, &item, out))
			return STORE_NOTFOUND;
		list->count++;
		if (out->bad || list->last.bad)
			return STORE_E_NOMEM;
	}
	return code;
}

uint64_t range_list_version(const struct range_list *list)
{
	return list->scan != NULL ? list->store->ops->scan_version(list->scan) : 0;
}

void range_list_cursor(const struct range_list *list, struct bytes *out)
{
	if (!list->more)
		return;
	bytes_adds(out, ",\"cursor\":\"");
	range_cursor_encode(&list->range, span_of(list->last.p, list->last.len), out);
	bytes_adds(out, "\"");
}
