/* SPDX-License-Identifier: Apache-2.0 */
/* target_http.c - a running server as a target: the v1 dialect, each key as ?key=, which can be any bytes. */
#include "ctl/target.h"

#include "ctl/http.h"
#include "ctl/input.h"
#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "store/store.h"
#include "util/decimal.h"
#include "util/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGET_HTTP_POLL_MS = 300 };
#define TARGET_HTTP_JSON "Content-Type: application/json"
#define TARGET_HTTP_NO_TYPE "application/octet-stream"       /* what a value without a type is said to be */

struct target_http {
	struct target target;         /* first */
	struct http *http;
	struct http_answer answer;
	struct bytes query, body;     /* of the request at hand */
};

static struct target_http *target_http_of(struct target *t)
{
	return (struct target_http *)t;
}

/* Asks, and takes nothing but a status below 300; what an absent key or a condition answers is said as of a local store. */
static int target_http_ask(struct target_http *h, const struct http_request *r)
{
	uint64_t current = 0;
	int status;

	if (h->query.bad || h->body.bad)
		return session_fail(h->target.name, SILT_E_NOMEM);
	status = http_ask_patiently(h->http, r, &h->answer);
	if (status != SESSION_OK || h->answer.status < 300)
		return status;
	if (h->answer.status == 404 && http_is(&h->answer, "no-such-key"))
		return target_absent();
	if (h->answer.status != 412)
		return http_odd(h->http, &h->answer);
	(void)http_number(&h->answer, "version", &current);
	return target_conflict(current);
}

static int target_http_odd(struct target_http *h)
{
	return http_odd(h->http, &h->answer);
}

static void target_http_key(struct target_http *h, struct span key)
{
	bytes_clear(&h->query);
	http_query(&h->query, "key", key);
}

static uint64_t target_http_version(const struct http_answer *a, const char *header)
{
	struct span s = http_header(a, header);
	uint64_t version = 0;

	if (s.len > 2 && s.p[0] == 'W')
		s = span_of(s.p + 2, s.len - 2);
	if (s.len > 2 && s.p[0] == '"')
		s = span_of(s.p + 1, s.len - 2);
	(void)decimal_parse(s, UINT64_MAX, &version);
	return version;
}

/* ---- one key ------------------------------------------------------------------------------------------------------------ */

static int target_http_get(struct target *t, struct span key, struct bytes *value, struct entry *info)
{
	struct target_http *h = target_http_of(t);
	struct span type;
	int status;

	target_http_key(h, key);
	status = target_http_ask(h, &(struct http_request){ .method = "GET", .path = "/v1/kv", .query = &h->query });
	if (status != SESSION_OK)
		return status;
	bytes_clear(value);
	*info = (struct entry){ .key = key, .version = target_http_version(&h->answer, "ETag") };
	if (info->version == 0)
		return target_http_odd(h);
	(void)decimal_parse(http_header(&h->answer, "Silt-Expires-At"), UINT64_MAX, &info->expires_ms);
	type = http_header(&h->answer, "Content-Type");
	if (!span_eq(type, TARGET_HTTP_NO_TYPE))
		info->meta = type;
	return bytes_add(value, h->answer.body.p, h->answer.body.len) ? SESSION_OK : session_fail(t->name, SILT_E_NOMEM);
}

/* "If-Match: "7"" and its like, NUL-ended behind each other in text; their places in header[]. */
static bool target_http_conds(const struct target_cond *conds, size_t n, struct bytes *text, size_t *at)
{
	for (size_t i = 0; i < n; i++) {
		at[i] = text->len;
		bytes_adds(text, conds[i].none_match ? "If-None-Match: " : "If-Match: ");
		if (conds[i].version)
			bytes_addf(text, "\"%" PRIu64 "\"", conds[i].version);
		else
			bytes_adds(text, "*");
		bytes_add(text, "", 1);
	}
	return !text->bad;
}

/* Under its conditions, with a type of its own where `type` is not empty. */
static int target_http_conditional(struct target_http *h, struct http_request *r, const struct target_cond *conds, size_t n,
                                   struct span type)
{
	const char *headers[4] = { NULL };
	struct bytes text = { 0 };
	size_t at[3], count = n < 2 ? n : 2;
	int status;

	(void)target_http_conds(conds, count, &text, at);
	if (type.len) {
		at[count++] = text.len;
		bytes_adds(&text, "Content-Type: ");
		bytes_add(&text, type.p, type.len);
		bytes_add(&text, "", 1);
	}
	for (size_t i = 0; i < count && !text.bad; i++)
		headers[i] = text.p + at[i];
	r->headers = headers;
	status = text.bad ? session_fail(h->target.name, SILT_E_NOMEM) : target_http_ask(h, r);
	bytes_fini(&text);
	return status;
}

static int target_http_no_type(const struct target_http *h)
{
	(void)fprintf(stderr, "siltctl: %s: a server takes no metadata but a content type: at most 255 visible ASCII characters\n",
	              h->target.name);
	return SESSION_FAILED;
}

static int target_http_put(struct target *t, const struct entry *e, const struct target_cond *conds, size_t n, uint64_t *version)
{
	struct target_http *h = target_http_of(t);
	struct http_request r = { .method = "PUT", .path = "/v1/kv", .query = &h->query, .body = e->value };
	int status;

	if (!entry_is_type(e->meta))
		return target_http_no_type(h);
	target_http_key(h, e->key);
	if (e->ttl_s)
		bytes_addf(&h->query, "&ttl=%" PRIu64, e->ttl_s);
	else if (e->expires_ms)
		bytes_addf(&h->query, "&expires_at=%" PRIu64, e->expires_ms);
	if (!r.body.p)
		r.body.p = "";
	status = target_http_conditional(h, &r, conds, n, e->meta);
	*version = target_http_version(&h->answer, "Silt-Version");
	return status == SESSION_OK && *version == 0 ? target_http_odd(h) : status;
}

static int target_http_remove(struct target *t, struct span key, const struct target_cond *conds, size_t n, uint64_t *version)
{
	struct target_http *h = target_http_of(t);
	struct http_request r = { .method = "DELETE", .path = "/v1/kv", .query = &h->query };
	int status;

	target_http_key(h, key);
	status = target_http_conditional(h, &r, conds, n, span_of("", 0));
	*version = target_http_version(&h->answer, "Silt-Version");
	return status == SESSION_OK && *version == 0 ? target_http_odd(h) : status;
}

/* ---- batches ------------------------------------------------------------------------------------------------------------ */

static void target_http_print_op(struct bytes *out, const struct target_op *op)
{
	bytes_adds(out, op->remove ? "{\"delete\":{" : "{\"put\":{");
	json_text_bytes(out, "key", "key_encoding", op->entry.key);
	if (!op->remove) {
		bytes_adds(out, ",");
		json_text_bytes(out, "value", "encoding", op->entry.value);
	}
	if (op->entry.expires_ms && !op->remove) {
		bytes_adds(out, ",");
		json_text_number(out, "expires_at", op->entry.expires_ms);
	}
	if (op->entry.meta.len && !op->remove) {
		bytes_adds(out, ",");
		json_text_bytes(out, "content_type", "", op->entry.meta);
	}
	bytes_adds(out, "}}");
}

static int target_http_write(struct target *t, const struct target_op *ops, size_t n, uint64_t *version)
{
	static const char *const headers[] = { TARGET_HTTP_JSON, NULL };
	struct target_http *h = target_http_of(t);
	int status;

	if (n == 1 && !ops[0].remove)
		return target_http_put(t, &ops[0].entry, NULL, 0, version);      /* as it is: JSON would make it larger */
	bytes_clear(&h->query);
	bytes_clear(&h->body);
	bytes_adds(&h->body, "{\"ops\":[");
	for (size_t i = 0; i < n; i++) {
		if (!entry_is_type(ops[i].entry.meta))
			return target_http_no_type(h);
		bytes_adds(&h->body, i ? "," : "");
		target_http_print_op(&h->body, &ops[i]);
	}
	bytes_adds(&h->body, "]}");
	status = target_http_ask(h, &(struct http_request){ .method = "POST", .path = "/v1/batch", .headers = headers,
	                                                     .body = span_of(h->body.p, h->body.len) });
	if (status == SESSION_OK && !http_number(&h->answer, "version", version))
		return target_http_odd(h);
	return status;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------------- */

static void target_http_range(struct target_http *h, const struct target_range *range)
{
	bytes_clear(&h->query);
	if (range->lower.len)
		http_query(&h->query, "start", range->lower);
	if (range->upper.len)
		http_query(&h->query, "end", range->upper);
}

static int target_http_remove_range(struct target *t, const struct target_range *range, uint64_t *deleted, bool *more, uint64_t *version)
{
	struct target_http *h = target_http_of(t);
	struct span object;
	struct json_member m;
	int status;

	*deleted = *version = 0;
	*more = false;
	if (range->nothing)
		return SESSION_OK;
	target_http_range(h, range);
	if (!range->lower.len && !range->upper.len)
		http_query_text(&h->query, "all", "true");
	status = target_http_ask(h, &(struct http_request){ .method = "DELETE", .path = "/v1/kv", .query = &h->query });
	if (status != SESSION_OK)
		return status;
	if (!look_object(span_of(h->answer.body.p, h->answer.body.len), &object) || !look_number(object, "deleted", deleted) ||
	    !look_number(object, "version", version) || !look_member(object, "more", &m))
		return target_http_odd(h);
	*more = span_eq(m.value, "true");
	return SESSION_OK;
}

struct target_http_scan {             /* a list on its way */
	struct target_http *h;
	target_entry_fn *fn;
	void *ctx;
	uint64_t limit;
	struct target_scanned *out;
	struct entry_reading reading;
	struct bytes line;            /* the beginning of one whose end is not here yet */
	bool whole;                   /* its last line was seen */
	int status;                   /* not SESSION_OK: why it was ended */
};

static int target_http_scan_broken(struct target_http_scan *s, const char *why, struct span more)
{
	(void)fprintf(stderr, "siltctl: %s: the list broke off after %" PRIu64 " entries: %s", s->h->target.name, s->out->count, why);
	text_show(stderr, more);
	(void)fputc('\n', stderr);
	return SESSION_UNREADABLE;
}

/* The problem that ended it, with the status that it would have had as an answer. */
static int target_http_scan_error(struct target_http_scan *s)
{
	struct bytes text = { 0 }, type = { 0 };
	uint64_t code = 504;
	struct span object;
	int status;

	if (look_object(s->reading.error, &object)) {
		(void)look_text(object, "type", &type);
		(void)look_number(object, "status", &code);
		(void)look_text(object, "title", &text);
		bytes_adds(&text, ": ");
		(void)look_text(object, "detail", &text);
	}
	(void)target_http_scan_broken(s, "", span_of(text.p, text.len));
	status = http_exit_status((long)(code < 600 ? code : 504), span_of(type.p, type.len));
	bytes_fini(&text);
	bytes_fini(&type);
	return status;
}

static int target_http_scan_line(struct target_http_scan *s, struct span line)
{
	if (s->whole)
		return target_http_scan_broken(s, "something stands behind its last line", span_of("", 0));
	switch (entry_read(line, &s->reading)) {
	case ENTRY_ITEM:
		s->out->count++;
		return s->fn(s->ctx, &s->reading.entry);
	case ENTRY_LAST:
		s->whole = true;
		s->out->version = s->reading.version;
		if (s->reading.count == s->out->count)
			return SESSION_OK;
		return target_http_scan_broken(s, "its last line counts others", span_of("", 0));
	case ENTRY_ERROR:
		return target_http_scan_error(s);
	case ENTRY_BAD:
		return target_http_scan_broken(s, "a line that no Siltstone sends: ", span_str(s->reading.fault));
	default:
		return session_fail(s->h->target.name, SILT_E_NOMEM);
	}
}

/* Lines whole in the piece are read where they are. */
static bool target_http_scan_take(void *ctx, const char *p, size_t n)
{
	struct target_http_scan *s = ctx;
	const char *end = p + n, *eol;

	while (s->status == SESSION_OK && p < end && (eol = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		struct span line = span_of(p, (size_t)(eol - p));

		if (s->line.len) {
			bytes_add(&s->line, p, line.len);
			line = span_of(s->line.p, s->line.len);
		}
		s->status = s->line.bad ? session_fail(s->h->target.name, SILT_E_NOMEM) : target_http_scan_line(s, line);
		bytes_clear(&s->line);
		p = eol + 1;
		if (s->out->count == s->limit)
			return false;
	}
	if (s->status == SESSION_OK && s->line.len + (size_t)(end - p) > INPUT_MAX)
		s->status = target_http_scan_broken(s, "a line is longer than any entry", span_of("", 0));
	else if (s->status == SESSION_OK && !bytes_add(&s->line, p, (size_t)(end - p)))
		s->status = session_fail(s->h->target.name, SILT_E_NOMEM);
	return s->status == SESSION_OK;
}

static int target_http_scan(struct target *t, const struct target_range *range, target_entry_fn *fn, void *ctx,
                            struct target_scanned *out)
{
	static const char *const headers[] = { "Accept: application/x-ndjson", NULL };
	struct target_http *h = target_http_of(t);
	struct target_http_scan s = { .h = h, .fn = fn, .ctx = ctx, .limit = range->limit, .out = out };
	struct http_request r = { .method = "GET", .path = "/v1/kv", .query = &h->query, .headers = headers,
		                  .sink = target_http_scan_take, .ctx = &s };
	int status;

	*out = (struct target_scanned){ 0 };
	if (range->nothing || range->limit == 0)
		return SESSION_OK;
	s.reading.keys_only = range->keys_only;
	target_http_range(h, range);
	if (range->reverse)
		http_query_text(&h->query, "reverse", "true");
	if (range->keys_only)
		http_query_text(&h->query, "keys_only", "true");
	http_query_text(&h->query, "content_type", "true");
	status = target_http_ask(h, &r);
	if (s.status != SESSION_OK)
		status = s.status;
	else if (status != SESSION_OK && out->count && status != stop_status())
		(void)target_http_scan_broken(&s, "the connection ended", span_of("", 0));
	else if (status == SESSION_OK && !s.whole && out->count == 0)
		status = target_http_odd(h);
	else if (status == SESSION_OK && !s.whole && out->count < s.limit)
		status = target_http_scan_broken(&s, "it has no last line", span_of("", 0));
	bytes_fini(&s.line);
	bytes_fini(&s.reading.text);
	return status;
}

static int target_http_count(struct target *t, const struct target_range *range, struct target_scanned *out)
{
	struct target_http *h = target_http_of(t);
	int status;

	*out = (struct target_scanned){ 0 };
	if (range->nothing)
		return SESSION_OK;
	target_http_range(h, range);
	http_query_text(&h->query, "count_only", "true");
	status = target_http_ask(h, &(struct http_request){ .method = "GET", .path = "/v1/kv", .query = &h->query });
	if (status == SESSION_OK && (!http_number(&h->answer, "count", &out->count) || !http_number(&h->answer, "version", &out->version)))
		return target_http_odd(h);
	return status;
}

/* Of all keys; deletes and old versions that are not merged away count, too. */
static uint64_t target_http_estimate(struct target *t, const struct target_range *range)
{
	struct target_http *h = target_http_of(t);
	uint64_t tables = 0, memory = 0;

	if (range->lower.len || range->upper.len ||
	    http_ask(h->http, &(struct http_request){ .method = "GET", .path = "/v1/stats", .quiet = true }, &h->answer) != SESSION_OK)
		return 0;
	(void)http_number(&h->answer, "table_entries", &tables);
	(void)http_number(&h->answer, "memtable_entries", &memory);
	return tables + memory;
}

/* ---- operations --------------------------------------------------------------------------------------------------------- */

static int target_http_stats(struct target *t, struct bytes *out)
{
	struct target_http *h = target_http_of(t);
	int status = target_http_ask(h, &(struct http_request){ .method = "GET", .path = "/v1/stats" });

	if (status != SESSION_OK)
		return status;
	bytes_add(out, h->answer.body.p, h->answer.body.len);
	return bytes_add(out, "\n", 1) ? SESSION_OK : session_fail(t->name, SILT_E_NOMEM);
}

static int target_http_flush(struct target *t)
{
	struct http_request r = { .method = "POST", .path = "/v1/admin/flush", .silence_s = HTTP_WAIT_FOR_EVER };

	return target_http_ask(target_http_of(t), &r);
}

/* The answer's job as it is now. */
static bool target_http_job(struct target_http *h, struct span *job)
{
	struct span object;

	if (!look_object(span_of(h->answer.body.p, h->answer.body.len), &object))
		return false;
	*job = object;
	(void)look_in(object, "job", job);
	return true;
}

static int target_http_job_failed(struct target_http *h, struct span job)
{
	struct bytes text = { 0 };
	int status;

	(void)look_text(job, "error", &text);
	status = span_eq(span_of(text.p, text.len), store_strerror(STORE_E_CORRUPT)) ? SESSION_DAMAGED : SESSION_FAILED;
	(void)fprintf(stderr, "siltctl: %s: ", h->target.name);
	text_show(stderr, span_of(text.p, text.len));
	(void)fputs("; the server's log says more\n", stderr);
	bytes_fini(&text);
	return status;
}

/* Looks after a job until it is done. The answer to the request that began it is at hand. */
static int target_http_follow(struct target_http *h, struct progress *p)
{
	struct bytes state = { 0 }, path = { 0 };
	uint64_t done, total;
	struct span job;
	int status = SESSION_OK;

	bytes_adds(&path, "/v1/admin/jobs/");
	if (!target_http_job(h, &job) || !look_text(job, "id", &path) || !bytes_add(&path, "", 1))
		status = target_http_odd(h);
	while (status == SESSION_OK) {
		bytes_clear(&state);
		if (!target_http_job(h, &job) || !look_text(job, "state", &state)) {
			status = target_http_odd(h);
			break;
		}
		if (p && look_number(job, "done", &done) && look_number(job, "total", &total))
			(void)progress_tell(p, done, total);
		if (span_eq(span_of(state.p, state.len), "done"))
			break;
		if (span_eq(span_of(state.p, state.len), "failed")) {
			status = target_http_job_failed(h, job);
			break;
		}
		if (!stop_sleep(TARGET_HTTP_POLL_MS)) {
			(void)fprintf(stderr, "siltctl: %s: the server goes on with it: %s", h->target.name, h->target.name);
			text_show(stderr, span_str(path.p));
			(void)fputc('\n', stderr);
			status = stop_status();
			break;
		}
		status = target_http_ask(h, &(struct http_request){ .method = "GET", .path = path.p });
	}
	if (p)
		progress_clear(p);
	bytes_fini(&state);
	bytes_fini(&path);
	return status;
}

static int target_http_compact(struct target *t)
{
	struct target_http *h = target_http_of(t);
	int status = target_http_ask(h, &(struct http_request){ .method = "POST", .path = "/v1/admin/compact" });

	return status == SESSION_OK ? target_http_follow(h, NULL) : status;
}

static int target_http_verify(struct target *t, struct progress *p, struct target_verified *out)
{
	struct target_http *h = target_http_of(t);
	int status = target_http_ask(h, &(struct http_request){ .method = "POST", .path = "/v1/admin/verify" }), stats;

	*out = (struct target_verified){ 0 };
	if (status == SESSION_OK)
		status = target_http_follow(h, p);
	if (status == SESSION_DAMAGED)
		out->findings = 1;
	if (status != SESSION_OK && status != SESSION_DAMAGED)
		return status;
	stats = target_http_ask(h, &(struct http_request){ .method = "GET", .path = "/v1/stats" });
	(void)http_number(&h->answer, "tables", &out->tables);
	(void)http_number(&h->answer, "table_bytes", &out->bytes);
	(void)http_number(&h->answer, "table_entries", &out->entries);
	(void)http_number(&h->answer, "memtable_entries", &out->log_entries);
	return status == SESSION_OK ? stats : status;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static void target_http_close(struct target *t)
{
	struct target_http *h = target_http_of(t);

	http_close(h->http);
	http_answer_fini(&h->answer);
	bytes_fini(&h->query);
	bytes_fini(&h->body);
	free(h);
}

static const struct target_ops target_http_ops = {
	.get = target_http_get, .put = target_http_put, .remove = target_http_remove, .write = target_http_write,
	.remove_range = target_http_remove_range, .scan = target_http_scan, .count = target_http_count, .estimate = target_http_estimate,
	.stats = target_http_stats, .flush = target_http_flush, .compact = target_http_compact, .verify = target_http_verify,
	.close = target_http_close,
};

int target_http_open(const struct args *a, struct target **out)
{
	struct target_http *h = calloc(1, sizeof(*h));
	int status = h ? http_open(a, &h->http) : session_fail(a->url, SILT_E_NOMEM);

	if (status != SESSION_OK) {
		free(h);
		return status;
	}
	h->target = (struct target){ .ops = &target_http_ops, .name = http_url(h->http) };
	*out = &h->target;
	return SESSION_OK;
}
