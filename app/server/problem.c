/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - every answer that says no, as problem details (RFC 9457). */
#include "server/problem.h"

#include "server/server.h"
#include "util/json_text.h"
#include "util/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct problem_kind {
	const char *type, *title;
	unsigned retry_after_s;               /* 0 = none */
};

static const struct problem_kind problem_kinds[] = {
	{ PROBLEM_NO_SUCH_KEY, "There is no such key", 0 },        /* first: the commonest */
	{ PROBLEM_CONDITION_FAILED, "A condition does not hold", 0 },
	{ PROBLEM_BAD_PATH, "The path is not one of ours", 0 },
	{ PROBLEM_BAD_KEY, "The key can't be one", 0 },
	{ PROBLEM_BAD_QUERY, "The query is malformed", 0 },
	{ PROBLEM_BAD_HEADER, "A header is malformed", 0 },
	{ PROBLEM_BAD_CONDITION, "A condition is malformed", 0 },
	{ PROBLEM_BAD_BODY, "The body is malformed", 0 },
	{ PROBLEM_BAD_JSON, "The body is not the JSON that is meant", 0 },
	{ PROBLEM_FORBIDDEN, "This client may not do that", 0 },
	{ PROBLEM_OUTSIDE_PREFIX, "This client may not touch that key", 0 },
	{ PROBLEM_CROSS_SITE, "Not on behalf of another site", 0 },
	{ PROBLEM_NO_SUCH_ROUTE, "There is no such route", 0 },
	{ PROBLEM_METHOD, "The route does not take this method", 0 },
	{ PROBLEM_NO_COUNTER, "The value is not a counter", 0 },
	{ PROBLEM_OVERFLOW, "The counter would overflow", 0 },
	{ PROBLEM_CHANGES_GONE, "The feed does not reach there", 0 },
	{ PROBLEM_NO_SUCH_CHECKPOINT, "There is no such checkpoint", 0 },
	{ PROBLEM_NO_SUCH_JOB, "There is no such job", 0 },
	{ PROBLEM_CHECKPOINT_EXISTS, "There is such a checkpoint", 0 },
	{ PROBLEM_TOO_MANY_JOBS, "Too many jobs are waiting", 5 },
	{ PROBLEM_TOO_LARGE, "Too large", 0 },
	{ PROBLEM_MEDIA_TYPE, "A body of this type is not understood", 0 },
	{ PROBLEM_WRONG_HOST, "This host is not served here", 0 },
	{ PROBLEM_INTERNAL, "A fault of ours", 0 },
	{ PROBLEM_MISCONFIGURED, "The web server in front is not configured for this", 0 },
	{ PROBLEM_DAMAGED, "Stored bytes failed their check", 0 },
	{ PROBLEM_IO, "The disk failed", 0 },
	{ PROBLEM_NOT_IMPLEMENTED, "Not offered by this server", 0 },
	{ PROBLEM_SHUTTING_DOWN, "Shutting down", 2 },
	{ PROBLEM_STALLED, "Writes wait for compaction", 1 },
	{ PROBLEM_TOO_MANY_PARKED, "Too many requests are waiting", 1 },
	{ PROBLEM_TOO_MANY_STREAMS, "Too many lists are on their way", 1 },
	{ PROBLEM_TOO_SLOW, "The list took too long to be read", 1 },
	{ PROBLEM_CONTENDED, "Others were faster, again and again", 1 },
	{ PROBLEM_READ_ONLY, "Read-only after a disk fault", 60 },
	{ PROBLEM_NO_MEMORY, "Out of memory", 1 },
	{ PROBLEM_DISK_FULL, "The disk is full", 0 },
};

static const struct problem_kind *problem_kind_of(const char *type)
{
	static const struct problem_kind other = { "about:blank", "Problem", 0 };

	for (size_t i = 0; i < sizeof(problem_kinds) / sizeof(problem_kinds[0]); i++)
		if (strcmp(problem_kinds[i].type, type) == 0)
			return &problem_kinds[i];
	return &other;
}

/* Text of ours, with perhaps a little of the client's in it, cut at the buffer's end: make it UTF-8
   whatever happened. */
static struct span problem_clean(char *text)
{
	struct span s = span_str(text);

	if (!utf8_valid(s))
		for (char *p = text; *p != 0; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	return s;
}

/* Members go before the closing brace. */
static struct bytes *problem_reopen(struct request *r)
{
	struct bytes *body = &r->response.body;

	if (body->len > 0)
		body->len--;
	bytes_add(body, ",", 1);
	return body;
}

void problem_text(struct request *r, const char *name, const char *text)
{
	struct bytes *body = problem_reopen(r);

	json_text_bytes(body, name, "encoding", span_str(text));
	bytes_add(body, "}", 1);
}

void problem_number(struct request *r, const char *name, uint64_t n)
{
	struct bytes *body = problem_reopen(r);

	json_text_number(body, name, n);
	bytes_add(body, "}", 1);
}

void problem_key(struct request *r, struct span key)
{
	struct bytes *body = problem_reopen(r);

	json_text_bytes(body, "key", "key_encoding", key);
	bytes_add(body, "}", 1);
}

void problem_set(struct request *r, int status, const char *type, const char *detail_format, ...)
{
	const struct problem_kind *kind = problem_kind_of(type);
	bool head_only = r->response.head_only;
	struct bytes *body = &r->response.body;
	char detail[512];
	va_list args;

	va_start(args, detail_format);
	vsnprintf(detail, sizeof(detail), detail_format, args);
	va_end(args);
	response_reset(&r->response);
	r->response.head_only = head_only;
	r->response.status = status;
	r->response.problem = kind->type;
	response_header(&r->response, "Content-Type", "application/problem+json");
	response_header(&r->response, "Cache-Control", "no-store");
	if (kind->retry_after_s > 0)
		response_header(&r->response, "Retry-After", "%u", kind->retry_after_s);
	bytes_addf(body, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d,\"detail\":", kind->type,
	           kind->title, status);
	json_text_string(body, problem_clean(detail));
	bytes_add(body, "}", 1);
	if (r->id != NULL && r->id[0] != 0)
		problem_text(r, "id", r->id);
}

struct span problem_detail(const struct request *r)
{
	static const char name[] = "\"detail\":\"";
	const struct bytes *body = &r->response.body;
	const char *from = r->response.problem == NULL ? NULL : memmem(body->p, body->len, name, sizeof(name) - 1);
	const char *end = body->p + body->len, *to;

	if (from == NULL)
		return span_of("", 0);
	from += sizeof(name) - 1;
	for (to = from; to < end && *to != '"'; to++)
		to += *to == '\\' && to + 1 < end;
	return span_of(from, (size_t)(to - from));
}

/* A queued write that met a full disk in the log itself, and not at its door, has failed like any other: for good, and who knows how far. */
static bool problem_in_log(const struct request *r)
{
	const struct store *store = r->server != NULL ? r->server->store : NULL;

	return store != NULL && store->ops->ready != NULL && store->ops->ready(r->server->store) == STORE_E_FAULT;
}

void problem_store(struct request *r, int store_code, bool queued)
{
	if (queued && store_code == STORE_E_NOSPACE && problem_in_log(r))
		store_code = STORE_E_IO;
	switch (store_code) {
	case STORE_E_NOSPACE:
		problem_set(r, 507, PROBLEM_DISK_FULL,
		            "The disk is full: nothing was written. It goes away by itself when there is "
		            "room.");
		break;
	case STORE_E_BUSY:
		problem_set(r, 503, PROBLEM_STALLED,
		            "Writes come in faster than they can be settled: nothing was written. "
		            "/v1/stats has the reason.");
		break;
	case STORE_E_FAULT:
		problem_set(r, 503, PROBLEM_READ_ONLY,
		            "A write failed on the disk, so writes are refused until the store is opened "
		            "again. Reads go on. The server's log has the reason.");
		break;
	case STORE_E_CLOSED:
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The store is closing.");
		break;
	case STORE_E_NOMEM:
		problem_set(r, 503, PROBLEM_NO_MEMORY, "There is no memory for this now: nothing was written.");
		break;
	case STORE_E_TOOBIG:
		problem_set(r, 413, PROBLEM_TOO_LARGE,
		            "What is to be written is larger than the store's log takes in one piece: half of "
		            "wal_segment_size.");
		break;
	case STORE_E_UNSUPPORTED:
		problem_set(r, 501, PROBLEM_NOT_IMPLEMENTED, "The store beneath can't do this.");
		break;
	case STORE_E_CORRUPT:
		problem_set(r, 500, PROBLEM_DAMAGED,
		            "What is stored here failed its check. The server's log names file and offset.");
		break;
	case STORE_E_IO:
		problem_set(r, 500, PROBLEM_IO,
		            "The operating system failed to read or write. The server's log has the reason.");
		break;
	default:
		problem_set(r, 500, PROBLEM_INTERNAL, "The store said: %s.", store_strerror(store_code));
		break;
	}
	if (queued && r->response.status == 500)
		problem_text(r, "outcome", "unknown");
}
