/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response.c - an answer being put together.
 *
 * Rule      nginx acts on header names (X-Accel-Redirect and its like), and a CR or LF would begin a header of somebody else's
 *           choice: names come from our code only, and a value with such a byte poisons the whole answer.
 */
#include "server/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int status;
	const char *reason;
} response_reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 409, "Conflict" },
	{ 410, "Gone" }, { 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" },
	{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
	{ 421, "Misdirected Request" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" }, { 507, "Insufficient Storage" },
};

/* nginx sends no reason phrase of its own for a status that it does not know, so every one has a phrase. */
const char *response_reason(int status)
{
	for (size_t i = 0; i < sizeof(response_reasons) / sizeof(response_reasons[0]); i++) {
		if (response_reasons[i].status == status)
			return response_reasons[i].reason;
	}
	return "Unknown";
}

void response_reset(struct response *r)
{
	r->status = 0;
	r->head_only = false;
	r->written = false;
	r->streamed = false;
	r->split = false;
	r->problem = NULL;
	bytes_clear(&r->headers);
	bytes_clear(&r->body);
}

void response_fini(struct response *r)
{
	bytes_fini(&r->headers);
	bytes_fini(&r->body);
	*r = (struct response){ 0 };
}

static bool response_value_splits(const char *p, size_t n)
{
	return memchr(p, '\r', n) != NULL || memchr(p, '\n', n) != NULL;
}

void response_header(struct response *r, const char *name, const char *format, ...)
{
	struct bytes *h = &r->headers;
	size_t value_at;
	va_list args;
	int n;

	if (!bytes_adds(h, name) || !bytes_add(h, ": ", 2))
		return;
	value_at = h->len;
	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !bytes_reserve(h, (size_t)n + 1)) {
		h->bad = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(h->p + value_at, (size_t)n + 1, format, args);
	va_end(args);
	h->len += (size_t)n;
	/* a %c of NUL is the only way for one to get here; it shows as a string shorter than was printed */
	if (response_value_splits(h->p + value_at, (size_t)n) || memchr(h->p + value_at, 0, (size_t)n) != NULL)
		r->split = true;
	(void)bytes_add(h, "\r\n", 2);
}

/* A number by hand: on the way of every cached get, where printf's machinery would be a good part of the time. */
static bool response_number(struct bytes *out, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return bytes_add(out, digits + i, sizeof(digits) - i);
}

void response_header_number(struct response *r, const char *name, uint64_t n)
{
	struct bytes *h = &r->headers;

	(void)(bytes_adds(h, name) && bytes_add(h, ": ", 2) && response_number(h, n) && bytes_add(h, "\r\n", 2));
}

void response_etag(struct response *r, uint64_t version)
{
	struct bytes *h = &r->headers;

	(void)(bytes_adds(h, "ETag: \"") && response_number(h, version) && bytes_adds(h, "\"\r\n"));
}

static bool response_has_length(int status)
{
	return status != 204 && status != 304 && status >= 200;
}

bool response_head(const struct response *r, struct bytes *out)
{
	if (r->status < 100 || r->status > 999 || r->split || r->headers.bad || r->body.bad)
		return false;
	if (!bytes_reserve(out, r->headers.len + 256))
		return false;
	(void)bytes_adds(out, "Status: ");
	(void)response_number(out, (uint64_t)r->status);
	(void)bytes_add(out, " ", 1);
	(void)bytes_adds(out, response_reason(r->status));
	(void)bytes_adds(out, "\r\n");
	(void)bytes_add(out, r->headers.p, r->headers.len);
	(void)bytes_adds(out, "X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n");
	if (response_has_length(r->status) && !r->streamed) {
		(void)bytes_adds(out, "Content-Length: ");
		(void)response_number(out, r->body.len);
		(void)bytes_adds(out, "\r\n");
	}
	(void)bytes_adds(out, "\r\n");
	return !out->bad;
}

struct span response_fallback(void)
{
	static const char answer[] =
		"Status: 500 Internal Server Error\r\n"
		"Content-Type: application/problem+json\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Cross-Origin-Resource-Policy: same-origin\r\n\r\n"
		"{\"type\":\"urn:siltstone:problem:internal\",\"title\":\"A fault of ours\",\"status\":500,"
		"\"detail\":\"the answer could not be put together\",\"outcome\":\"unknown\"}";

	return span_of(answer, sizeof(answer) - 1);
}
