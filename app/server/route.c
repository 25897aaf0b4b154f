/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.c - from (SCRIPT_NAME, method) to a handler, after the checks that hold for every route.
 *
 * Order     configured at all -> Host -> route -> stopping -> method (OPTIONS, 405) -> path form -> role ->
 *           site -> body's size -> handler
 * Form      an exact route ("/get") needs the raw path to equal it, a key route ("/get/") to begin with it:
 *           nginx matched its normalised form, and normalisation must never turn one route into another.
 */
#include "server/route.h"

#include "server/answer.h"
#include "server/handlers.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/traffic.h"
#include "server/trust.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#define ROUTE_METHODS_MAX 5

struct route_method {
	const char *name;
	enum request_role role;               /* above ROLE_READ: also held to the rules for other sites */
	handler_fn *handle;
};

struct route {
	const char *name;
	bool while_stopping;                  /* answers also then */
	struct route_method method[ROUTE_METHODS_MAX];
};

#define ROUTE_GET    { "GET", ROLE_READ, handle_classic_get }, { "HEAD", ROLE_READ, handle_classic_get }
#define ROUTE_SET    { "POST", ROLE_WRITE, handle_classic_set }, { "PUT", ROLE_WRITE, handle_classic_set }
#define ROUTE_DELETE { "DELETE", ROLE_WRITE, handle_classic_delete }
#define ROUTE_KV     { "GET", ROLE_READ, handle_kv_get }, { "HEAD", ROLE_READ, handle_kv_get }, \
                     { "PUT", ROLE_WRITE, handle_kv_put }, { "POST", ROLE_WRITE, handle_kv_post }, \
                     { "DELETE", ROLE_WRITE, handle_kv_delete }
#define ROUTE_READ(handler)  { "GET", ROLE_READ, handler }, { "HEAD", ROLE_READ, handler }
#define ROUTE_ADMIN_READ(handler) { "GET", ROLE_ADMIN, handler }, { "HEAD", ROLE_ADMIN, handler }
#define ROUTE_ADMIN(handler) { "POST", ROLE_ADMIN, handler }
#define ROUTE_SHUTDOWN { "GET", ROLE_ADMIN, handle_ops_shutdown }, { "POST", ROLE_ADMIN, handle_ops_shutdown }

static const struct route routes[] = {
	{ "/get", false, { ROUTE_GET } },
	{ "/get/", false, { ROUTE_GET } },
	{ "/v1/kv/", false, { ROUTE_KV } },
	{ "/v1/kv", false, { ROUTE_KV } },
	{ "/set", false, { ROUTE_SET } },
	{ "/put", false, { ROUTE_SET } },
	{ "/del", false, { ROUTE_DELETE } },
	{ "/del/", false, { ROUTE_DELETE } },
	{ "/delete", false, { ROUTE_DELETE } },
	{ "/delete/", false, { ROUTE_DELETE } },
	{ "/healthz", true, { ROUTE_READ(handle_health_alive) } },
	{ "/readyz", false, { ROUTE_READ(handle_health_ready) } },
	{ "/metrics", false, { ROUTE_READ(handle_metrics) } },
	{ "/v1/batch", false, { { "POST", ROLE_READ, handle_batch } } },      /* one that writes needs more: it says so itself */
	{ "/v1/changes", false, { ROUTE_READ(handle_changes) } },
	{ "/v1/stats", false, { ROUTE_READ(handle_ops_stats) } },
	{ "/v1/admin/flush", false, { ROUTE_ADMIN(handle_ops_flush) } },
	{ "/v1/admin/compact", false, { ROUTE_ADMIN(handle_admin_compact) } },
	{ "/v1/admin/verify", false, { ROUTE_ADMIN(handle_admin_verify) } },
	{ "/v1/admin/checkpoint", false, { ROUTE_ADMIN(handle_admin_checkpoint) } },
	{ "/v1/admin/checkpoints", false, { ROUTE_ADMIN_READ(handle_admin_checkpoints) } },
	{ "/v1/admin/checkpoints/", false, { { "DELETE", ROLE_ADMIN, handle_admin_checkpoint_remove } } },
	{ "/v1/admin/jobs", false, { ROUTE_ADMIN_READ(handle_admin_jobs) } },
	{ "/v1/admin/jobs/", false, { ROUTE_ADMIN_READ(handle_admin_job) } },
	{ "/shutdown", false, { ROUTE_SHUTDOWN } },
};

size_t route_slots(void)
{
	return 1 + sizeof(routes) / sizeof(routes[0]) * ROUTE_METHODS_MAX;
}

bool route_slot(size_t slot, const char **route, const char **method)
{
	const struct route *at;

	if (slot >= route_slots())
		return false;
	*route = slot == 0 ? "" : (at = &routes[(slot - 1) / ROUTE_METHODS_MAX])->name;
	*method = slot == 0 ? "other" : at->method[(slot - 1) % ROUTE_METHODS_MAX].name;
	return *method != NULL;
}

static unsigned route_slot_of(const struct route *route, const struct route_method *m)
{
	return (unsigned)(1 + (size_t)(route - routes) * ROUTE_METHODS_MAX + (size_t)(m - route->method));
}

_Static_assert(1 + sizeof(routes) / sizeof(routes[0]) * ROUTE_METHODS_MAX <= TRAFFIC_SLOTS, "each slot is counted");

static bool route_given(const char *param)
{
	return param != NULL && param[0] != 0;
}

static bool route_is_configured(struct request *r)
{
	if (route_given(r->route) && route_given(r->method) && route_given(r->uri))
		return true;
	problem_set(r, 500, PROBLEM_MISCONFIGURED,
	            "The web server in front must set SCRIPT_NAME, REQUEST_METHOD and REQUEST_URI; one is "
	            "missing. See nginx/siltstone.conf.");
	return false;
}

static const struct route *route_find(struct request *r)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(routes[i].name, r->route) == 0)
			return &routes[i];
	problem_set(r, 404, PROBLEM_NO_SUCH_ROUTE, "There is no such route.");
	return NULL;
}

static bool route_is_running(struct request *r, const struct route *route)
{
	const struct server *server = r->server;

	if (route->while_stopping || r->state != NULL ||      /* begun before: its handler knows best how to end it */
	    atomic_load_explicit(&server->handing_over, memory_order_relaxed) ||
	    (!server_refuses(server) && !atomic_load_explicit(&server->flushing_last, memory_order_acquire)))
		return true;
	problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The server is shutting down.");
	return false;
}

static const struct route_method *route_end(const struct route *route)
{
	const struct route_method *m = route->method;

	while (m < route->method + ROUTE_METHODS_MAX && m->name != NULL)
		m++;
	return m;
}

static void route_allow(struct request *r, const struct route *route)
{
	const struct route_method *end = route_end(route);
	char allow[64] = "";

	for (const struct route_method *m = route->method; m < end; m++) {
		strcat(allow, m->name);          /* at most "GET, HEAD, PUT, POST, DELETE, OPTIONS" */
		strcat(allow, ", ");
	}
	response_header(&r->response, "Allow", "%sOPTIONS", allow);
}

static const struct route_method *route_method_find(struct request *r, const struct route *route)
{
	const struct route_method *end = route_end(route);

	for (const struct route_method *m = route->method; m < end; m++)
		if (strcmp(m->name, r->method) == 0)
			return m;
	if (strcmp(r->method, "OPTIONS") == 0)
		answer_empty(r, 204);
	else
		problem_set(r, 405, PROBLEM_METHOD, "The header Allow lists the methods of %s.", route->name);
	route_allow(r, route);
	return NULL;
}

static bool route_path_fits(struct request *r)
{
	size_t n = strlen(r->route);
	bool begins = r->path.len >= n && memcmp(r->path.p, r->route, n) == 0;

	if (strchr(r->uri, '#') != NULL) {
		problem_set(r, 400, PROBLEM_BAD_PATH,
		            "A raw # begins a fragment, which no request has: send it as %%23, or give the key as ?key=, "
		            "with %%23 there as well.");
		return false;
	}
	if (begins && (key_in_path(r) || r->path.len == n))
		return true;
	problem_set(r, 400, PROBLEM_BAD_PATH,
	            "The path is another spelling of %s: send it plainly, and a key that looks like a part of the path "
	            "as ?key=.", r->route);
	return false;
}

static bool route_body_fits(struct request *r)
{
	uint64_t limit = r->server->limits.max_request_size;

	if (!r->body_too_large)
		return true;
	problem_set(r, 413, PROBLEM_TOO_LARGE, "The body is larger than max_request_size, %" PRIu64 " bytes.",
	            limit);
	problem_number(r, "limit", limit);
	return false;
}

enum route_result route_dispatch(struct request *r)
{
	const struct route_method *method;
	const struct route *route;

	response_reset(&r->response);
	bytes_clear(&r->key);
	bytes_clear(&r->scratch);
	r->slot = 0;
	r->response.head_only = r->method != NULL && strcmp(r->method, "HEAD") == 0;
	if (!route_is_configured(r) || !trust_host(r))
		return ROUTE_DONE;
	route = route_find(r);
	if (route == NULL || !route_is_running(r, route))
		return ROUTE_DONE;
	method = route_method_find(r, route);
	if (method == NULL)
		return ROUTE_DONE;
	r->slot = route_slot_of(route, method);
	if (!route_path_fits(r) || !trust_role(r, method->role))
		return ROUTE_DONE;
	if ((method->role > ROLE_READ && !trust_site(r)) || !route_body_fits(r))
		return ROUTE_DONE;
	return method->handle(r);
}
