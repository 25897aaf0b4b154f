/* SPDX-License-Identifier: Apache-2.0 */
/* handle_health.c - what a supervisor asks for: is the process alive (the store is not asked), can it take
   writes. */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"

static enum route_result health_ok(struct request *r, const char *status)
{
	answer_json(r, 200);
	bytes_addf(&r->response.body, "{\"status\":\"%s\"}", status);
	answer_finish(r, false);
	return ROUTE_DONE;
}

enum route_result handle_health_alive(struct request *r)
{
	struct query q;

	return key_query(r, 0, &q) ? health_ok(r, "alive") : ROUTE_DONE;
}

enum route_result handle_health_ready(struct request *r)
{
	struct store *store = r->server->store;
	struct query q;
	int code;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	code = store->ops->ready(store);
	if (code == STORE_OK)
		return health_ok(r, "ready");
	if (code == STORE_E_FAULT || code == STORE_E_BUSY || code == STORE_E_CLOSED) {
		problem_store(r, code, false);
		return ROUTE_DONE;
	}
	problem_set(r, 503, code == STORE_E_NOSPACE ? PROBLEM_DISK_FULL : PROBLEM_INTERNAL,
	            "The store can't take writes: %s.", store_strerror(code));
	response_header(&r->response, "Retry-After", "5");
	return ROUTE_DONE;
}
