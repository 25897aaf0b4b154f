/* SPDX-License-Identifier: Apache-2.0 */
/* http_answer.c - an answer looked into: header lines, numbers, problem documents; and said, with the exit status that it means. */
#include "ctl/http.h"

#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- looking ------------------------------------------------------------------------------------------------------------ */

struct span http_header(const struct http_answer *a, const char *name)
{
	const char *p = a->head.p, *end = p + a->head.len, *eol;
	size_t n = strlen(name);

	for (; p && p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			break;
		if ((size_t)(eol - p) > n && p[n] == ':' && strncasecmp(p, name, n) == 0) {
			const char *from = p + n + 1, *to = eol;

			while (from < to && (*from == ' ' || *from == '\t'))
				from++;
			while (to > from && (to[-1] == '\r' || to[-1] == ' '))
				to--;
			return span_of(from, (size_t)(to - from));
		}
	}
	return span_of("", 0);
}

bool http_number(const struct http_answer *a, const char *name, uint64_t *out)
{
	struct span object;

	return look_object(span_of(a->body.p, a->body.len), &object) && look_number(object, name, out);
}

void http_answer_fini(struct http_answer *a)
{
	bytes_fini(&a->head);
	bytes_fini(&a->body);
}

/* ---- problems ----------------------------------------------------------------------------------------------------------- */

/* Its type, and "title: detail"; nothing of a body that is no problem document. */
static void http_problem(const struct http_answer *a, struct bytes *type, struct bytes *text)
{
	struct bytes detail = { 0 };
	struct span problem;

	if (!look_object(span_of(a->body.p, a->body.len), &problem))
		return;
	(void)look_text(problem, "type", type);
	(void)look_text(problem, "title", text);
	if (look_text(problem, "detail", &detail) && detail.len) {
		bytes_adds(text, text->len ? ": " : "");
		bytes_add(text, detail.p, detail.len);
	}
	bytes_fini(&detail);
}

/* Which key it is about. */
static void http_problem_key(const struct http_answer *a, struct bytes *text)
{
	struct bytes key = { 0 };
	struct span problem;

	if (look_object(span_of(a->body.p, a->body.len), &problem) && look_text(problem, "key", &key)) {
		bytes_adds(text, " Key ");
		bytes_add(text, key.p, key.len);
	}
	bytes_fini(&key);
}

static bool http_ends(struct span type, const char *slug)
{
	size_t n = strlen(slug);

	return type.len > n && memcmp(type.p + type.len - n, slug, n) == 0 && type.p[type.len - n - 1] == ':';
}

bool http_is(const struct http_answer *a, const char *slug)
{
	struct bytes type = { 0 }, text = { 0 };
	bool is;

	http_problem(a, &type, &text);
	is = http_ends(span_of(type.p, type.len), slug);
	bytes_fini(&type);
	bytes_fini(&text);
	return is;
}

int http_exit_status(long status, struct span type)
{
	if (status == 404 && http_ends(type, "no-such-key"))
		return SESSION_ABSENT;
	if (status == 412)
		return SESSION_CONDITION;
	if (http_ends(type, "damaged"))
		return SESSION_DAMAGED;
	if (http_ends(type, "outside-prefix"))
		return SESSION_FAILED;                   /* this key alone, others may be taken */
	if (status == 401 || status == 403 || status == 421 || status == 507 || http_ends(type, "io-error") || http_ends(type, "read-only") ||
	    status == 502 || status == 504)
		return SESSION_UNREADABLE;
	if (status == 503 || status == 429)
		return SESSION_IN_USE;
	return SESSION_FAILED;
}

/* What to do, where the answer does not say it itself. */
static const char *http_advice(long status)
{
	switch (status) {
	case 401: return ": --user NAME logs in";
	case 403: return ": ask as who may, or from the server's own machine";
	case 405: return ": is this the URL of a Siltstone?";
	case 429: return ": go slower, or wait";
	case 502: return ": nginx is there, but not the server behind it";
	case 504: return ": the server behind nginx took too long: look whether it is overloaded";
	case 503: return ": try again later";
	default: return "";
	}
}

static void http_say(const struct http *h, long status, struct span text, const char *advice)
{
	(void)fprintf(stderr, "siltctl: %s: %ld ", http_url(h), status);
	text_show(stderr, text);
	(void)fprintf(stderr, "%s\n", advice);
}

/* Where a write failed on its way, it may have been done. */
static bool http_is_doubtful(const struct http_answer *a)
{
	struct bytes outcome = { 0 };
	struct span problem;
	bool unknown = a->status == 502 || a->status == 504;

	if (a->to_write && look_object(span_of(a->body.p, a->body.len), &problem) && look_text(problem, "outcome", &outcome))
		unknown = span_eq(span_of(outcome.p, outcome.len), "unknown");
	bytes_fini(&outcome);
	return a->to_write && unknown;
}

int http_fail(const struct http *h, const struct http_answer *a)
{
	struct bytes type = { 0 }, text = { 0 };
	const char *advice;
	int status;

	http_problem(a, &type, &text);
	http_problem_key(a, &text);
	if (http_is_doubtful(a)) {
		advice = "; whether it was done is not known: look, and ask again";
		status = SESSION_UNKNOWN;
	} else {
		advice = a->status == 404 && !text.len ? ": is this the URL of a Siltstone?" : http_advice(a->status);
		status = http_exit_status(a->status, span_of(type.p, type.len));
	}
	if (text.len)
		http_say(h, a->status, span_of(text.p, text.len), advice);
	else
		(void)fprintf(stderr, "siltctl: %s: it answers with %ld%s\n", http_url(h), a->status, advice);
	bytes_fini(&type);
	bytes_fini(&text);
	return status;
}

int http_odd(const struct http *h, const struct http_answer *a)
{
	struct span to = http_header(a, "Location");

	if (a->status >= 400)
		return http_fail(h, a);
	if (a->status >= 300 && to.len)
		http_say(h, a->status, to, ": it is elsewhere: give that as --url");
	else
		(void)fprintf(stderr, "siltctl: %s: an answer (%ld) that no Siltstone gives: look at --url\n", http_url(h), a->status);
	return SESSION_FAILED;
}
