/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c - the changes of a running server as they come, a line each.
 *
 * Polls     GET /v1/changes waits at the server until there is something, and says where the next one begins; so nothing is missed
 *           between two, nor while the server is away.
 * Away      it is asked again after half a second, then after twice as long each time, at most half a minute. A server that was never
 *           reached, or refuses, ends the command.
 * History   410 to --since ends it. Later it means that the feed was faster, or that the server began anew: what was missed is said, and it
 *           goes on from now.
 */
#include "ctl/commands.h"
#include "ctl/http.h"
#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "util/json_walk.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { WATCH_POLL_S = 25, WATCH_LIMIT = 1000, WATCH_WAIT_MS = 500, WATCH_WAIT_MOST_MS = 30000 };

struct watch {
	const struct args *a;
	struct http *http;
	struct http_answer answer;
	struct bytes query, line;
	uint64_t since;
	bool reached;                 /* since is known: the server has answered */
	uint64_t left;                /* changes to show */
	unsigned wait_ms;             /* before it is asked again */
};

/* ---- one change ---------------------------------------------------------------------------------------------------------------- */

static bool watch_field(struct watch *w, struct span change, const char *name, const char *encoding)
{
	struct bytes bytes = { 0 };
	struct json_member m;
	bool ok = true;

	if (look_member(change, name, &m)) {
		ok = look_bytes(change, name, encoding, &bytes) && bytes_adds(&w->line, "\t");
		text_escape(span_of(bytes.p, bytes.len), &w->line);
	}
	bytes_fini(&bytes);
	return ok && !w->line.bad;
}

/* 48213 TAB put TAB key TAB value; 48214 TAB delete TAB key; 48215 TAB delete_range TAB key TAB end, without end to the last key */
static bool watch_line(struct watch *w, struct span change)
{
	uint64_t version;

	bytes_clear(&w->line);
	if (w->a->given & ARGS_JSON) {
		bytes_add(&w->line, change.p, change.len);
	} else if (!look_number(change, "version", &version) || !bytes_addf(&w->line, "%" PRIu64 "\t", version) ||
	           !look_text(change, "op", &w->line) || !watch_field(w, change, "key", "key_encoding") ||
	           !watch_field(w, change, "end", "end_encoding") || !watch_field(w, change, "value", "encoding")) {
		return false;
	}
	return bytes_adds(&w->line, "\n") && !w->line.bad;
}

static int watch_changes(struct watch *w, struct span list)
{
	struct json_walk walk = json_walk_of(list);
	struct json_member m;

	int status = SESSION_OK;

	while (status == SESSION_OK && w->left > 0 && json_walk_next(&walk, &m)) {
		if (m.kind != JSON_OBJECT || !watch_line(w, m.value))
			return http_odd(w->http, &w->answer);
		status = session_print(span_of(w->line.p, w->line.len));
		w->left--;
	}
	return session_flush(status);
}

/* ---- one answer ---------------------------------------------------------------------------------------------------------------- */

static int watch_answered(struct watch *w)
{
	struct span whole;
	struct json_member list;
	uint64_t next;
	int status;

	if (!look_object(span_of(w->answer.body.p, w->answer.body.len), &whole) || !look_number(whole, "next", &next) ||
	    !look_member(whole, "changes", &list) || list.kind != JSON_ARRAY)
		return http_odd(w->http, &w->answer);
	if (!w->reached && !(w->a->given & ARGS_JSON))
		(void)fprintf(stderr, "siltctl: %s: changes after version %" PRIu64 "\n", http_url(w->http),
		              w->a->given & ARGS_SINCE ? w->since : next);
	w->reached = true;
	status = watch_changes(w, list.value);
	w->since = next;
	return status;
}

static int watch_lost(struct watch *w)
{
	uint64_t newest = 0;

	if (!w->reached || !http_number(&w->answer, "newest", &newest))
		return http_fail(w->http, &w->answer);
	(void)fprintf(stderr, "siltctl: %s: what was written after version %" PRIu64 " can't be had any more (410): some changes were missed; "
	              "going on after version %" PRIu64 "\n", http_url(w->http), w->since, newest);
	if (w->a->given & ARGS_JSON)
		(void)printf("{\"missed\":{\"after\":%" PRIu64 ",\"before\":%" PRIu64 "}}\n", w->since, newest);
	w->since = newest;
	return SESSION_OK;
}

static bool watch_is_passing(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static int watch_wait(struct watch *w)
{
	w->wait_ms = w->wait_ms == 0 ? WATCH_WAIT_MS : w->wait_ms * 2 < WATCH_WAIT_MOST_MS ? w->wait_ms * 2 : WATCH_WAIT_MOST_MS;
	(void)fprintf(stderr, "siltctl: %s: asking again in %u.%u s, for what comes after version %" PRIu64 "\n", http_url(w->http),
	              w->wait_ms / 1000, w->wait_ms % 1000 / 100, w->since);
	return stop_sleep(w->wait_ms) ? SESSION_OK : stop_status();
}

/* ---- asking -------------------------------------------------------------------------------------------------------------------- */

/* Below what the connection may be silent; but never 0, or it would be asked without a pause. */
static uint64_t watch_poll_s(const struct watch *w)
{
	uint64_t half = w->a->given & ARGS_TIMEOUT ? w->a->timeout_s / 2 : WATCH_POLL_S;

	return half == 0 ? 1 : half < WATCH_POLL_S ? half : WATCH_POLL_S;
}

static uint64_t watch_silence_s(const struct watch *w)
{
	return w->a->given & ARGS_TIMEOUT && w->a->timeout_s <= watch_poll_s(w) ? watch_poll_s(w) + 1 : 0;
}

static bool watch_query(struct watch *w)
{
	bytes_clear(&w->query);
	if (w->reached || (w->a->given & ARGS_SINCE))
		bytes_addf(&w->query, "since=%" PRIu64 "&", w->since);
	bytes_addf(&w->query, "limit=%u&timeout=%" PRIu64, WATCH_LIMIT, w->reached ? watch_poll_s(w) : 0);
	if (w->a->prefix.len)
		http_query(&w->query, "prefix", span_of(w->a->prefix.p, w->a->prefix.len));
	return !w->query.bad;
}

/* A pipe's reader that has ended would be found out with the next change only. */
static int watch_is_read(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	return poll(&p, 1, 0) <= 0 || !(p.revents & POLLERR) ? SESSION_OK : SESSION_UNWANTED;
}

static int watch_once(struct watch *w)
{
	int status = watch_query(w) ? http_ask(w->http, &(struct http_request){
		.method = "GET", .path = "/v1/changes", .query = &w->query, .silence_s = watch_silence_s(w) }, &w->answer) : session_fail("watch", SILT_E_NOMEM);

	if (stop_asked())
		return stop_status();
	if (status != SESSION_OK)
		return w->reached ? watch_wait(w) : status;
	if (w->answer.status == 410)
		return watch_lost(w);
	if (w->answer.status == 200) {
		w->wait_ms = 0;
		return watch_answered(w);
	}
	status = http_odd(w->http, &w->answer);
	return w->reached && watch_is_passing(w->answer.status) ? watch_wait(w) : status;
}

int watch_command(const struct args *a)
{
	struct watch w = { .a = a, .since = a->since, .left = a->given & ARGS_LIMIT ? a->limit : UINT64_MAX };
	int status = SESSION_USAGE;

	if (!args_allow(a, (ARGS_TARGET & ~ARGS_DB) | ARGS_JSON | ARGS_ESCAPED | ARGS_PREFIX | ARGS_SINCE | ARGS_LIMIT, 0))
		return status;
	if (!a->url) {
		(void)fprintf(stderr, "siltctl watch: --url says which server\n");
		return status;
	}
	stop_begin();
	status = http_open(a, &w.http);
	while (status == SESSION_OK && w.left > 0) {
		status = watch_once(&w);
		if (status == SESSION_OK && w.left > 0)
			status = watch_is_read();
	}
	http_close(w.http);
	http_answer_fini(&w.answer);
	bytes_fini(&w.query);
	bytes_fini(&w.line);
	return status;
}
