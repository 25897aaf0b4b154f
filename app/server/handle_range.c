/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_range.c - GET /v1/kv of many keys: a page, a count, or lines of any number.
 *
 * Page      {"items":[...],"version":V,"cursor":C?}                  Count     {"count":N,"version":V}
 * Lines     an item a line, and as the last one
 *           {"end":true,"count":N,"version":V,"cursor":C?}           or {"error":{problem}}
 * All of it is a worker's work: the reactor only says no.
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/feed.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/range_list.h"
#include "server/server.h"
#include "util/json_text.h"

#include <inttypes.h>

#define RANGE_LINES_TYPE "application/x-ndjson"

static bool range_wants_lines(const struct request *r)
{
	unsigned lines = media_type_quality(r->accept, RANGE_LINES_TYPE);

	return lines > 0 && lines >= media_type_quality(r->accept, "application/json");
}

/* A condition is about one key. */
static bool range_unconditional(struct request *r)
{
	if (r->if_match == NULL && r->if_none_match == NULL)
		return true;
	problem_set(r, 400, PROBLEM_BAD_CONDITION, "If-Match and If-None-Match are about one key, and this is a range.");
	return false;
}

/* Nobody waits for it any more, or nobody may: true = go on. Where another goes on with the connections a page is still finished; what may
   take for ever, a count or lines, has its first turn. */
static bool range_is_wanted(struct request *r, const struct range_list *list)
{
	bool endless = (list->lines || list->count_only) && list->scan != NULL;

	if (!atomic_load_explicit(&r->gone, memory_order_relaxed) && !server_refuses(r->server) &&
	    !(endless && atomic_load_explicit(&r->server->stopping, memory_order_relaxed)))
		return true;
	problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The server is shutting down.");
	return false;
}

/* ---- pages and counts -------------------------------------------------------------------------------------------------- */

static void range_page_answer(struct request *r, struct range_list *list)
{
	struct bytes *body = &r->response.body;
	uint64_t version = range_list_version(list);

	answer_json(r, 200);
	response_header(&r->response, "Vary", "Accept");
	if (list->count_only) {
		bytes_adds(body, "{");
		json_text_number(body, "count", list->count);
	} else {
		struct bytes page = list->page;

		list->page = *body;
		*body = page;
		range_list_discharge(list);
		bytes_adds(body, "]");
	}
	bytes_adds(body, ",");
	json_text_number(body, "version", version);
	range_list_cursor(list, body);
	bytes_adds(body, "}");
	range_list_end(list);
	answer_finish(r, false);
}

static enum route_result range_page_turn(struct request *r)
{
	struct range_list *list = r->state;
	int code;

	if (!range_is_wanted(r, list))
		return ROUTE_DONE;
	code = range_list_turn(list, &list->page);
	if (code == STORE_TRY_AGAIN && !range_list_charge(list)) {
		problem_set(r, 503, PROBLEM_NO_MEMORY, "The answers on their way hold all the memory they may.");
		return ROUTE_DONE;
	}
	if (code == STORE_TRY_AGAIN) {
		request_retry(r);
		return ROUTE_PARKED;                       /* r is another worker's */
	}
	if (code == STORE_NOTFOUND)
		range_page_answer(r, list);
	else
		problem_store(r, code, false);
	return ROUTE_DONE;
}

static enum route_result range_page(struct request *r, struct range_list *list)
{
	list->between = ",";
	list->behind = "";
	list->max_bytes = r->server->limits.max_page_size;
	if (!list->count_only)
		bytes_adds(&list->page, "{\"items\":[");
	return range_page_turn(r);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

static void range_lines_end(struct request *r, struct range_list *list)
{
	struct bytes *body = &r->response.body;

	bytes_adds(body, "{\"end\":true,");
	json_text_number(body, "count", list->count);
	bytes_adds(body, ",");
	json_text_number(body, "version", range_list_version(list));
	range_list_cursor(list, body);
	bytes_adds(body, "}\n");
	range_list_end(list);
}

/* The problem is in the response, as if it were the answer: it becomes the last line behind what was printed. */
static void range_lines_fail(struct request *r, struct response *answer)
{
	struct response problem = r->response;

	r->response = *answer;
	bytes_adds(&r->response.body, "{\"error\":");
	bytes_add(&r->response.body, problem.body.p, problem.body.len);
	bytes_adds(&r->response.body, "}\n");
	if (problem.body.bad)
		r->response.body.bad = true;
	response_fini(&problem);
}

/* A snapshot keeps what was deleted since on the disk: who takes a byte now and then must not hold one for ever. */
static bool range_lines_in_time(struct request *r, const struct range_list *list)
{
	if (feed_now_ms() < list->until_ms)
		return true;
	problem_set(r, 503, PROBLEM_TOO_SLOW, "This list took longer than max_stream_time, %" PRIu64 " s: go on behind its last key.",
	            r->server->limits.max_stream_ms / 1000);
	return false;
}

static enum stream_step range_lines_more(struct request *r)
{
	struct range_list *list = r->state;
	struct response answer = r->response;
	int code = STORE_OK;

	r->response = (struct response){ .head_only = answer.head_only };
	if (range_is_wanted(r, list) && range_lines_in_time(r, list)) {
		code = range_list_turn(list, &answer.body);
		if (code < STORE_OK)
			problem_store(r, code, false);
	}
	if (r->response.status != 0) {
		range_list_end(list);
		range_lines_fail(r, &answer);
		return STREAM_END;
	}
	r->response = answer;
	if (code == STORE_TRY_AGAIN)
		return STREAM_MORE;
	range_lines_end(r, list);
	return STREAM_END;
}

/* One of the lists that may be on their way as lines at once is this one's. False: answered. */
static bool range_lines_admit(struct request *r)
{
	struct server *s = r->server;

	if (atomic_fetch_add_explicit(&s->streams, 1, memory_order_relaxed) < s->limits.max_streams)
		return true;
	atomic_fetch_sub_explicit(&s->streams, 1, memory_order_relaxed);
	problem_set(r, 503, PROBLEM_TOO_MANY_STREAMS, "%" PRIu64 " lists are on their way as lines already: ask for pages, or later.",
	            s->limits.max_streams);
	problem_number(r, "limit", s->limits.max_streams);
	return false;
}

static enum route_result range_lines(struct request *r, struct range_list *list)
{
	int code;

	if (!range_lines_admit(r))
		return ROUTE_DONE;
	list->streaming = true;
	list->until_ms = r->server->limits.max_stream_ms == 0 ? UINT64_MAX : feed_now_ms() + r->server->limits.max_stream_ms;
	list->between = "";
	list->behind = "\n";
	list->max_bytes = SIZE_MAX;
	answer_empty(r, 200);
	response_header(&r->response, "Content-Type", RANGE_LINES_TYPE);
	response_header(&r->response, "Vary", "Accept");
	r->response.streamed = true;
	if (r->response.head_only)
		return ROUTE_DONE;
	code = range_list_turn(list, &r->response.body);
	if (code < STORE_OK)
		problem_store(r, code, false);             /* nothing has left yet: it is an answer of its own */
	else if (code == STORE_TRY_AGAIN)
		r->stream = range_lines_more;
	else
		range_lines_end(r, list);
	answer_finish(r, false);
	return ROUTE_DONE;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------- */

enum route_result handle_range_list(struct request *r, const struct query *q)
{
	struct range_list *list = r->state;

	if (list == NULL) {
		bool lines = range_wants_lines(r);

		if (!range_unconditional(r) || !range_list_new(r, q, lines ? UINT64_MAX : RANGE_LIST_DEFAULT, &list))
			return ROUTE_DONE;
		list->lines = lines;
	}
	if (!r->may_block)
		return ROUTE_BLOCK;
	if (list->behind != NULL)
		return range_page_turn(r);                 /* its next turn */
	return list->lines ? range_lines(r, list) : range_page(r, list);
}
