/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c - reading one key under the request's conditions, for both dialects. */
#include "server/lookup.h"

#include "server/answer.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"

static bool conditions_one(struct request *r, const char *name, const char *header, struct condition *out)
{
	if (condition_parse(header, out))
		return true;
	problem_set(r, 400, PROBLEM_BAD_CONDITION,
	            "%s must be * or a list of at most %d entity tags in double quotes, like \"7\".", name,
	            CONDITION_TAGS_MAX);
	return false;
}

bool conditions_read(struct request *r, struct conditions *out)
{
	return conditions_one(r, "If-Match", r->if_match, &out->match) &&
	       conditions_one(r, "If-None-Match", r->if_none_match, &out->none_match);
}

void conditions_failed(struct request *r, uint64_t current)
{
	if (current == 0)
		problem_set(r, 412, PROBLEM_CONDITION_FAILED,
		            "The key is absent, so the condition does not hold.");
	else
		problem_set(r, 412, PROBLEM_CONDITION_FAILED,
		            "The key has another version than the condition wants.");
	problem_key(r, key_span(r));
	problem_number(r, "version", current);
	if (current != 0)
		response_etag(&r->response, current);
}

/* RFC 9110 13.2.2: If-Match first. */
static bool lookup_conditions(struct request *r, const struct conditions *c, uint64_t version)
{
	if (c->match.given && !condition_matches(&c->match, version)) {
		conditions_failed(r, version);
		return false;
	}
	if (c->none_match.given && condition_matches(&c->none_match, version)) {
		r->response.status = 304;
		response_etag(&r->response, version);
		response_header(&r->response, "Cache-Control", "no-cache");
		return false;
	}
	return true;
}

bool lookup_entry(struct request *r, struct bytes *value, struct store_entry *e, enum route_result *result)
{
	struct store *store = r->server->store;
	struct conditions conditions;
	int code;

	*result = ROUTE_DONE;
	if (!conditions_read(r, &conditions))
		return false;
	code = store->ops->get(store, key_span(r), r->may_block ? 0 : STORE_NO_WAIT, value, e);
	if (code == STORE_OK) {
		if (lookup_conditions(r, &conditions, e->version))
			return true;
		if (r->response.status == 304)
			bytes_clear(&r->response.body);          /* it may hold the value */
		return false;
	}
	if (code == STORE_WOULD_BLOCK && !r->may_block) {
		*result = ROUTE_BLOCK;
	} else if (code == STORE_NOTFOUND) {
		problem_set(r, 404, PROBLEM_NO_SUCH_KEY, "There is no such key.");
		problem_key(r, key_span(r));
	} else {
		problem_store(r, code, false);
	}
	return false;
}
