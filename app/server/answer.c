/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - what answers of several routes have in common. */
#include "server/answer.h"

#include "server/problem.h"

#include <inttypes.h>

void answer_empty(struct request *r, int status)
{
	r->response.status = status;
	response_header(&r->response, "Cache-Control", "no-store");
}

void answer_json(struct request *r, int status)
{
	answer_empty(r, status);
	response_header(&r->response, "Content-Type", "application/json");
}

void answer_value(struct request *r, const struct store_entry *e)
{
	r->response.status = 200;
	response_etag(&r->response, e->version);
	response_header(&r->response, "Content-Type", "%s", e->content_type[0] != 0 ? e->content_type : "application/octet-stream");
	response_header(&r->response, "Content-Security-Policy", "sandbox");
	response_header(&r->response, "Cache-Control", "no-cache");
	if (e->expires_ms != 0)
		response_header(&r->response, "Silt-Expires-At", "%" PRIu64, e->expires_ms);
}

void answer_version(struct request *r, uint64_t version)
{
	response_header(&r->response, "Silt-Version", "%" PRIu64, version);
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
