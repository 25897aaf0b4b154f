/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_changes.c - GET /v1/changes: what was written after a version, at once or as soon as there is something; and the same
 * without an end, as server-sent events.
 *
 * Poll      parsed (reactor) -> read (worker) -> answered: there are changes, or no time is left
 *                  \                ^  \
 *                   \-> parked -----+   +-> parked (feed.h), woken by a change or by its deadline, and read again
 * Events    the same for ever: each part of the stream is what one look found; parked, a heartbeat is the deadline.
 * Turns     a look ends after CHANGES_TURN of changes that the filter hid, and goes on in another: no worker is held.
 * Filter    prefix; a range delete that reaches beyond it is cut to it, so that nobody learns of other keys.
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/feed.h"
#include "server/key.h"
#include "server/media_type.h"
#include "server/problem.h"
#include "server/range.h"
#include "server/server.h"
#include "util/decimal.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_TYPE_EVENTS   "text/event-stream"
#define CHANGES_LIMIT         100u
#define CHANGES_LIMIT_MAX     10000u
#define CHANGES_TIMEOUT_MAX   50u             /* seconds: below fastcgi_read_timeout */
#define CHANGES_HEARTBEAT_MS  15000u
#define CHANGES_TURN          20000u          /* changes a look may pass over */
#define CHANGES_PART          (64u << 10)     /* bytes after which a part of a stream is sent */
#define CHANGES_VERSION_MAX   ((UINT64_C(1) << 53) - 1)

struct changes {
	struct feed_wait wait;        /* first; its version is where the next look begins */
	struct range range;
	uint64_t limit;
	bool events;
};

static struct changes *changes_of(struct request *r)
{
	return r->state;
}

static void changes_free(void *state)
{
	struct changes *c = state;

	range_fini(&c->range);
	free(c);
}

/* ---- what is asked for ------------------------------------------------------------------------------------------------------- */

static bool changes_number(struct request *r, const struct query *q, enum query_name name, const char *words, uint64_t least,
                           uint64_t most, uint64_t *out)
{
	if (!query_has(q, name))
		return true;
	if (decimal_parse(q->raw[name], most, out) && *out >= least)
		return true;
	problem_set(r, 400, PROBLEM_BAD_QUERY, "%s is %" PRIu64 " to %" PRIu64 ".", words, least, most);
	return false;
}

/* Last-Event-ID is what the browser itself saw last; since is where the page once began. */
static bool changes_since(struct request *r, const struct query *q, uint64_t *since)
{
	r->server->store->ops->changes_reach(r->server->store, NULL, since);
	if (!changes_number(r, q, QUERY_SINCE, "since", 0, CHANGES_VERSION_MAX, since))
		return false;
	if (r->last_event_id == NULL)
		return true;
	if (decimal_parse(span_str(r->last_event_id), CHANGES_VERSION_MAX, since))
		return true;
	problem_set(r, 400, PROBLEM_BAD_HEADER, "Last-Event-ID is the id of an event of ours: a version.");
	return false;
}

static void changes_woken_poll(struct feed_wait *w)
{
	request_retry(w->r);
}

/* What the stream's reader is to get now: nothing, for the next look finds it, or a sign of life. */
static void changes_woken_events(struct feed_wait *w)
{
	bytes_clear(&w->r->response.body);
	if (!w->in_time)
		bytes_adds(&w->r->response.body, ":\n\n");
	request_complete(w->r);
}

static void changes_left(struct request *r)
{
	feed_left(r->server->feed, &changes_of(r)->wait);
}

static bool changes_parse(struct request *r, struct changes *c)
{
	uint64_t timeout_s = 0;
	struct query q;

	if (!key_query(r, QUERY_BIT(QUERY_SINCE) | QUERY_BIT(QUERY_PREFIX) | QUERY_BIT(QUERY_LIMIT) | QUERY_BIT(QUERY_TIMEOUT), &q))
		return false;
	c->limit = CHANGES_LIMIT;
	c->events = media_type_quality(r->accept, CHANGES_TYPE_EVENTS) > 0 &&
	            media_type_quality(r->accept, CHANGES_TYPE_EVENTS) >= media_type_quality(r->accept, "application/json");
	if (!changes_number(r, &q, QUERY_LIMIT, "limit", 1, CHANGES_LIMIT_MAX, &c->limit) ||
	    !changes_number(r, &q, QUERY_TIMEOUT, "timeout, in seconds,", 0, CHANGES_TIMEOUT_MAX, &timeout_s) ||
	    !changes_since(r, &q, &c->wait.version) || !range_read(r, &q, &c->range))
		return false;
	c->wait.r = r;
	c->wait.lower = span_of(c->range.lower.p, c->range.lower.len);
	c->wait.upper = span_of(c->range.upper.p, c->range.upper.len);
	c->wait.wake = changes_woken_poll;
	c->wait.deadline_ms = feed_now_ms() + timeout_s * 1000;
	return true;
}

/* Once for each request, in its reactor. False: answered. */
static bool changes_begin(struct request *r)
{
	struct changes *c;

	if (r->server->store->ops->changes_open == NULL) {
		problem_store(r, STORE_E_UNSUPPORTED, false);
		return false;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		problem_store(r, STORE_E_NOMEM, false);
		return false;
	}
	if (!changes_parse(r, c)) {
		changes_free(c);
		return false;
	}
	r->state = c;
	r->state_free = changes_free;
	r->left = r->server->feed != NULL ? changes_left : NULL;
	return true;
}

/* ---- printing ---------------------------------------------------------------------------------------------------------------- */

/* The part of a range delete that lies in the range that was asked for. */
static void changes_clip(const struct feed_wait *w, struct store_change *c)
{
	size_t n = c->key.len < w->lower.len ? c->key.len : w->lower.len;
	int order;

	if (c->op != STORE_CHANGE_DELETE_RANGE)
		return;
	order = n > 0 ? memcmp(c->key.p, w->lower.p, n) : 0;
	if (order < 0 || (order == 0 && c->key.len < w->lower.len))
		c->key = w->lower;
	if (w->upper.len == 0)
		return;
	n = c->end.len < w->upper.len ? c->end.len : w->upper.len;
	order = n > 0 ? memcmp(c->end.p, w->upper.p, n) : 0;
	if (c->end.len == 0 || order > 0 || (order == 0 && c->end.len > w->upper.len))
		c->end = w->upper;
}

static void changes_print(struct bytes *out, const struct store_change *c)
{
	static const char *const ops[] = {
		[STORE_CHANGE_PUT] = "put", [STORE_CHANGE_DELETE] = "delete", [STORE_CHANGE_DELETE_RANGE] = "delete_range",
	};

	bytes_add(out, "{", 1);
	json_text_bytes(out, "key", "key_encoding", c->key);
	bytes_add(out, ",", 1);
	json_text_number(out, "version", c->version);
	bytes_addf(out, ",\"op\":\"%s\"", ops[c->op]);
	if (c->op == STORE_CHANGE_DELETE_RANGE && c->end.len > 0) {
		bytes_add(out, ",", 1);
		json_text_bytes(out, "end", "end_encoding", c->end);
	}
	if (c->op == STORE_CHANGE_PUT) {
		bytes_add(out, ",", 1);
		json_text_bytes(out, "value", "encoding", c->value);
	}
	if (c->op == STORE_CHANGE_PUT && c->expires_ms != 0) {
		bytes_add(out, ",", 1);
		json_text_number(out, "expires_at", c->expires_ms);
	}
	bytes_add(out, "}", 1);
}

/* An event is ended by the one that follows it in its version, or by changes_print_id(). */
static void changes_print_one(struct bytes *out, const struct changes *c, const struct store_change *change, bool first)
{
	if (c->events) {
		bytes_adds(out, first ? "data: " : "\n\ndata: ");
	} else if (!first) {
		bytes_add(out, ",", 1);
	}
	changes_print(out, change);
}

static void changes_print_id(struct bytes *out, uint64_t version)
{
	bytes_addf(out, "\nid: %" PRIu64 "\n\n", version);
}

/* ---- one look at the log ------------------------------------------------------------------------------------------------------ */

struct changes_look {
	uint64_t found, passed;
	bool all;                     /* up to the newest there is */
};

/* Prints what is new after c->wait.version into out, whole versions only, and moves it on. The store's codes. */
static int changes_look(struct changes *c, struct server *s, struct bytes *out, struct changes_look *look)
{
	const struct store_ops *ops = s->store->ops;
	uint64_t size = c->events ? CHANGES_PART : s->limits.max_page_size;
	struct store_changes *reader;
	struct store_change change;
	bool in_version = false;              /* something of the version in hand was printed */
	uint64_t whole = 0;                   /* found, and how far printed, of versions that are whole */
	size_t whole_at = out->len;
	int code = ops->changes_open(s->store, c->wait.version, &reader);

	if (code != STORE_OK)
		return code;
	while ((code = ops->changes_next(reader, &change)) == STORE_OK) {
		look->passed++;
		if (feed_concerns(&change, c->wait.lower, c->wait.upper)) {
			changes_clip(&c->wait, &change);
			changes_print_one(out, c, &change, c->events ? !in_version : look->found == 0);
			look->found++;
			in_version = true;
		}
		if (!change.last)
			continue;
		if (in_version && c->events)
			changes_print_id(out, change.version);
		in_version = false;
		c->wait.version = change.version;
		whole = look->found;
		whole_at = out->len;
		if (look->found >= c->limit || out->len >= size || look->passed >= CHANGES_TURN || out->bad)
			break;
	}
	if (code != STORE_OK && code != STORE_NOTFOUND) {     /* in the middle of a version: it would be told twice */
		look->found = whole;
		out->len = whole_at;
	}
	look->all = code == STORE_NOTFOUND;
	if (look->all && ops->changes_version(reader) > c->wait.version)
		c->wait.version = ops->changes_version(reader);
	ops->changes_close(reader);
	return code == STORE_NOTFOUND ? STORE_OK : code;
}

static void changes_problem(struct request *r, int code)
{
	uint64_t oldest, newest;

	if (code != STORE_E_GONE) {
		problem_store(r, code, false);
		return;
	}
	r->server->store->ops->changes_reach(r->server->store, &oldest, &newest);
	problem_set(r, 410, PROBLEM_CHANGES_GONE,
	            "The feed reaches from version %" PRIu64 " to %" PRIu64 ": what lies before is no longer in the log, what lies above was "
	            "never written here. Read the data itself, and go on from the version of that reading.", oldest, newest);
	problem_number(r, "oldest", oldest);
	problem_number(r, "newest", newest);
}

static bool changes_is_over(const struct request *r)
{
	return atomic_load_explicit(&r->gone, memory_order_relaxed) || atomic_load_explicit(&r->server->stopping, memory_order_relaxed);
}

/* Polls and streams take at most three quarters of what may be parked, so that writes have room. */
static bool changes_may_park(const struct request *r)
{
	const struct server *s = r->server;
	uint64_t max = s->limits.max_parked - s->limits.max_parked / 4;

	return s->feed != NULL && feed_parked(s->feed) < max;
}

static enum route_result changes_refuse(struct request *r)
{
	problem_set(r, 503, PROBLEM_TOO_MANY_PARKED, "%" PRIu64 " requests may wait, a quarter of them for writes alone: ask without timeout, or later.",
	            r->server->limits.max_parked);
	return ROUTE_DONE;
}

/* ---- polls --------------------------------------------------------------------------------------------------------------------- */

static enum route_result changes_answer(struct request *r)
{
	struct bytes *body = &r->response.body;

	answer_json(r, 200);
	response_header(&r->response, "Vary", "Accept");
	bytes_adds(body, "{\"changes\":[");
	bytes_add(body, r->scratch.p, r->scratch.len);
	bytes_adds(body, "],");
	json_text_number(body, "next", changes_of(r)->wait.version);
	bytes_adds(body, "}");
	body->bad |= r->scratch.bad;
	answer_finish(r, false);
	return ROUTE_DONE;
}

static enum route_result changes_poll(struct request *r)
{
	struct changes *c = changes_of(r);
	struct changes_look look = { 0 };
	int code = changes_look(c, r->server, &r->scratch, &look);

	if (code != STORE_OK && look.found == 0) {
		changes_problem(r, code);
		return ROUTE_DONE;
	}
	if (look.found > 0 || changes_is_over(r) || (look.all && feed_now_ms() >= c->wait.deadline_ms) || r->server->feed == NULL)
		return changes_answer(r);
	if (look.all && !changes_may_park(r))
		return changes_refuse(r);
	if (!look.all || !feed_park(r->server->feed, &c->wait))
		request_retry(r);                  /* another turn */
	return ROUTE_PARKED;
}

/* ---- events -------------------------------------------------------------------------------------------------------------------- */

static enum stream_step changes_more(struct request *r)
{
	struct changes *c = changes_of(r);
	struct changes_look look = { 0 };
	int code = changes_is_over(r) ? STORE_E_CLOSED : changes_look(c, r->server, &r->response.body, &look);

	if (code != STORE_OK || r->response.body.bad)
		return STREAM_END;                         /* its client comes again with Last-Event-ID, and is told why */
	if (look.found > 0 || !look.all)
		return STREAM_MORE;
	c->wait.deadline_ms = feed_now_ms() + CHANGES_HEARTBEAT_MS;
	return feed_park(r->server->feed, &c->wait) ? STREAM_PARKED : STREAM_MORE;
}

/* The first look tells whether there can be a stream at all: behind its first byte there is no 410 any more. */
static enum route_result changes_stream(struct request *r)
{
	struct changes *c = changes_of(r);
	struct changes_look look = { 0 };
	int code;

	if (!changes_may_park(r))
		return changes_refuse(r);
	bytes_adds(&r->scratch, "retry: 1000\n\n");
	code = changes_look(c, r->server, &r->scratch, &look);
	if (code != STORE_OK) {
		changes_problem(r, code);
		return ROUTE_DONE;
	}
	answer_empty(r, 200);
	response_header(&r->response, "Content-Type", "%s", CHANGES_TYPE_EVENTS);
	response_header(&r->response, "Vary", "Accept");
	response_header(&r->response, "X-Accel-Buffering", "no");      /* nginx hands each part on as it comes */
	r->response.streamed = true;
	if (r->response.head_only)
		return ROUTE_DONE;
	bytes_add(&r->response.body, r->scratch.p, r->scratch.len);
	r->response.body.bad |= r->scratch.bad;
	c->wait.wake = changes_woken_events;
	r->stream = changes_more;
	answer_finish(r, false);
	return ROUTE_DONE;
}

enum route_result handle_changes(struct request *r)
{
	struct changes *c;

	if (r->state == NULL && !changes_begin(r))
		return ROUTE_DONE;
	c = changes_of(r);
	if (!r->may_block)
		return ROUTE_BLOCK;
	bytes_clear(&r->scratch);
	return c->events ? changes_stream(r) : changes_poll(r);
}
