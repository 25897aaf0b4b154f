/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - what answers of several routes have in common. */
#include "server/answer.h"

#include "server/problem.h"

/* Whole header lines that need no checking: on the way of every cached get, where printf would be a good
   part of the time. */
static void answer_lines(struct request *r, const char *lines)
{
	bytes_adds(&r->response.headers, lines);
}

void answer_empty(struct request *r, int status)
{
	r->response.status = status;
	answer_lines(r, "Cache-Control: no-store\r\n");
}

void answer_json(struct request *r, int status)
{
	r->response.status = status;
	answer_lines(r, "Content-Type: application/json\r\nCache-Control: no-store\r\n");
}

void answer_value(struct request *r, const struct store_entry *e)
{
	r->response.status = 200;
	response_etag(&r->response, e->version);
	answer_lines(r, "Content-Security-Policy: sandbox\r\nCache-Control: no-cache\r\n");
	if (e->content_type[0] == 0)
		answer_lines(r, "Content-Type: application/octet-stream\r\n");
	else
		response_header(&r->response, "Content-Type", "%s", e->content_type);
	if (e->expires_ms != 0)
		response_header_number(&r->response, "Silt-Expires-At", e->expires_ms);
}

void answer_version(struct request *r, uint64_t version)
{
	response_header_number(&r->response, "Silt-Version", version);
	r->response.written = true;
}

void answer_finish(struct request *r, bool written)
{
	if (!r->response.body.bad && !r->response.headers.bad)
		return;
	if (!written) {
		problem_store(r, STORE_E_NOMEM, false);
		return;
	}
	problem_set(r, 500, PROBLEM_INTERNAL, "There was no memory to print the answer.");
	problem_text(r, "outcome", "unknown");
}
