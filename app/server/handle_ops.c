/* SPDX-License-Identifier: Apache-2.0 */
/* handle_ops.c - what an operator asks for: numbers, a flush, the end. */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"
#include "util/json_text.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

static uint64_t ops_uptime_s(const struct server *server)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - server->start_mono_ms) / 1000;
}

static uint64_t ops_stat(const struct store_stats *stats, const char *name)
{
	for (size_t i = 0; i < stats->n; i++)
		if (strcmp(stats->item[i].name, name) == 0)
			return stats->item[i].value;
	return 0;
}

static void ops_number(struct bytes *body, const char *name, uint64_t n)
{
	bytes_add(body, ",", 1);
	json_text_number(body, name, n);
}

static void ops_text(struct bytes *body, const char *name, const char *text)
{
	bytes_addf(body, ",\"%s\":", name);
	json_text_string(body, span_str(text));
}

static void ops_capabilities(struct bytes *body, const char *const *names)
{
	bytes_adds(body, "{\"capabilities\":[");
	for (size_t i = 0; names[i] != NULL; i++) {
		if (i > 0)
			bytes_add(body, ",", 1);
		json_text_string(body, span_str(names[i]));
	}
	bytes_add(body, "]", 1);
}

enum route_result handle_ops_stats(struct request *r)
{
	struct server *server = r->server;
	struct bytes *body = &r->response.body;
	struct store_stats stats = {0};
	struct query q;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	server->store->ops->stats(server->store, &stats);
	answer_json(r, 200);
	ops_capabilities(body, server->store->ops->capabilities);
	ops_number(body, "uptime_s", ops_uptime_s(server));
	ops_number(body, "requests", atomic_load_explicit(&server->requests, memory_order_relaxed));
	ops_number(body, "parked", atomic_load_explicit(&server->parked, memory_order_relaxed));
	ops_number(body, "max_parked", server->limits.max_parked);
	ops_number(body, "streams", atomic_load_explicit(&server->streams, memory_order_relaxed));
	ops_number(body, "max_value_size", server->limits.max_value_size);
	ops_number(body, "max_request_size", server->limits.max_request_size);
	for (size_t i = 0; i < stats.n; i++)
		ops_number(body, stats.item[i].name, stats.item[i].value);
	ops_text(body, "stall_reason", stats.stall_reason);
	ops_text(body, "fault", stats.fault);
	bytes_add(body, "}", 1);
	answer_finish(r, false);
	return ROUTE_DONE;
}

/* What a flush has left behind: more members of an object that ops_message() began and ops_finish() ends. */
static void ops_state(struct request *r, uint64_t flushed)
{
	struct store *store = r->server->store;
	struct bytes *body = &r->response.body;
	struct store_stats stats = {0};

	store->ops->stats(store, &stats);
	ops_number(body, "flushed_entries", flushed);
	ops_number(body, "tables", ops_stat(&stats, "tables"));
	ops_number(body, "wal_bytes", ops_stat(&stats, "wal_bytes"));
}

static void ops_message(struct request *r, const char *message)
{
	answer_json(r, 200);
	bytes_adds(&r->response.body, "{\"message\":");
	json_text_string(&r->response.body, span_str(message));
}

static enum route_result ops_finish(struct request *r)
{
	bytes_add(&r->response.body, "}", 1);
	answer_finish(r, false);
	return ROUTE_DONE;
}

enum route_result handle_ops_flush(struct request *r)
{
	struct store *store = r->server->store;
	uint64_t flushed = 0;
	struct query q;
	int code;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	if (!r->may_block)
		return ROUTE_BLOCK;
	code = store->ops->flush(store, &flushed);
	if (code != STORE_OK) {
		problem_store(r, code, false);
		return ROUTE_DONE;
	}
	ops_message(r, "Flushed.");
	ops_state(r, flushed);
	return ops_finish(r);
}

static const char ops_goodbye[] = "All is written. The server ends now.";
static const char ops_goodbye_socket[] =
	"All is written. The server ends now; systemd's socket starts it again at the next request: stop "
	"siltstone.socket to stop it for good.";

/* The flag goes up before the flush, so that no request comes in behind it, and down again where the flush
   fails. */
enum route_result handle_ops_shutdown(struct request *r)
{
	struct server *server = r->server;
	uint64_t flushed = 0;
	struct query q;
	int code;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	if (!r->may_block)
		return ROUTE_BLOCK;
	if (atomic_exchange(&server->flushing_last, true)) {
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "Another request has begun the shutdown.");
		return ROUTE_DONE;
	}
	code = server->store->ops->flush(server->store, &flushed);
	if (code != STORE_OK) {
		atomic_store(&server->flushing_last, false);
		problem_store(r, code, false);
		return ROUTE_DONE;
	}
	ops_message(r, server->socket_activated ? ops_goodbye_socket : ops_goodbye);
	ops_state(r, flushed);
	ops_number(&r->response.body, "uptime_s", ops_uptime_s(server));
	ops_number(&r->response.body, "requests",
	           atomic_load_explicit(&server->requests, memory_order_relaxed));
	ops_finish(r);
	server->stop(server);
	return ROUTE_DONE;
}
