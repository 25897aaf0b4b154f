/* SPDX-License-Identifier: Apache-2.0 */
/* response.h - an answer being put together: status, a few headers, a body in memory. Printed in CGI form by response_head(). */
#ifndef SERVER_RESPONSE_H
#define SERVER_RESPONSE_H

#include "util/bytes.h"

struct response {
	int status;                   /* 0 = not filled */
	struct bytes headers;         /* "Name: value\r\n"*, without Status and Content-Length */
	struct bytes body;
	bool head_only;               /* HEAD: Content-Length says what GET would send; set by route_dispatch() before all else */
	bool written;                 /* it says what a write has done: it leaves, whatever memory it takes */
	bool streamed;                /* its length is not known: no Content-Length */
	const char *problem;          /* the type of the problem that it is; static; NULL = none */
	bool split;                   /* a header value held CR, LF or NUL: no such answer leaves */
};

void response_reset(struct response *r);                  /* for use again; keeps the memory */
void response_fini(struct response *r);
/* Header values are ours or were checked: a CR, LF or NUL in one makes the answer a 500 instead (nothing is split). */
void response_header(struct response *r, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void response_header_number(struct response *r, const char *name, uint64_t n);     /* without printf's cost */
void response_etag(struct response *r, uint64_t version); /* ETag: "N" */
/* "Status: 200 OK\r\n" headers, the headers on every answer (X-Content-Type-Options, Cross-Origin-Resource-Policy: added here;
   Cache-Control and Content-Security-Policy are the handler's, who knows whether it is a value), Content-Length (not with 204 and
   304), blank line. False, with nothing to send, where the response is not filled, was poisoned, or memory was short:
   response_fallback() then. */
bool response_head(const struct response *r, struct bytes *out);
/* The whole answer, head and body in CGI form, that needs no memory: 500 with an unknown outcome. */
struct span response_fallback(void);
const char *response_reason(int status);

#endif
