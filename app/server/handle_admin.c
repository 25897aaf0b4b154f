/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_admin.c - an operator's long work: compaction, verification, checkpoints. Each is a job; whoever asks waits for its end, but
 * not longer than ADMIN_WAIT_MS: then it is 202, with where to ask after it.
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/joblist.h"
#include "server/key.h"
#include "server/problem.h"
#include "server/server.h"
#include "util/json_text.h"
#include "util/percent.h"
#include "util/utf8.h"

#include <string.h>

#define ADMIN_WAIT_MS 2000u

static void admin_text(struct bytes *body, const char *name, const char *text)
{
	bytes_addf(body, ",\"%s\":", name);
	json_text_string(body, span_str(text));
}

static void admin_number(struct bytes *body, const char *name, uint64_t n)
{
	bytes_add(body, ",", 1);
	json_text_number(body, name, n);
}

/* Where a checkpoint is, on this machine: for who copies it. */
static void admin_path_of(struct request *r, const char *name)
{
	struct store *store = r->server->store;
	struct bytes path = { 0 };

	if (store->ops->checkpoint_path == NULL)
		return;
	if (!store->ops->checkpoint_path(store, name, &path)) {
		r->response.body.bad = true;
	} else if (utf8_valid(span_of(path.p, path.len))) {
		bytes_adds(&r->response.body, ",\"path\":");
		json_text_string(&r->response.body, span_of(path.p, path.len));
	}
	bytes_fini(&path);
}

/* {"id":"..","kind":"verify","state":"running","done":N,"total":N,"begun_at":MS,"ended_at":MS,"name":"..","path":"..","version":N,
   "error":".."} */
static void admin_print_job(struct request *r, const struct job *job)
{
	struct bytes *body = &r->response.body;

	bytes_addf(body, "{\"id\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\"", job->id, joblist_kind_name(job->kind), joblist_state_name(job));
	if (job->kind == JOB_VERIFY) {
		admin_number(body, "done", job->done);
		admin_number(body, "total", job->total);
	}
	if (job->begun_ms != 0)
		admin_number(body, "begun_at", job->begun_ms);
	if (job->ended_ms != 0)
		admin_number(body, "ended_at", job->ended_ms);
	if (job->kind == JOB_CHECKPOINT) {
		admin_text(body, "name", job->name);
		admin_path_of(r, job->name);
	}
	if (job->version != 0)
		admin_number(body, "version", job->version);
	if (job->state == JOB_DONE && job->code != STORE_OK)
		admin_text(body, "error", store_strerror(job->code));
	bytes_add(body, "}", 1);
}

/* What kept a job from being done. */
static void admin_failed(struct request *r, const struct job *job)
{
	if (job->kind == JOB_CHECKPOINT && job->code == STORE_CONFLICT) {
		problem_set(r, 409, PROBLEM_CHECKPOINT_EXISTS, "There is a checkpoint of this name.");
		problem_text(r, "name", job->name);
	} else if (job->kind == JOB_VERIFY && job->code == STORE_E_CORRUPT) {
		problem_set(r, 500, PROBLEM_DAMAGED, "Damage was found. The server's log names each file, offset and range of keys.");
	} else {
		problem_store(r, job->code, false);
	}
}

static void admin_stat(struct request *r, const struct store_stats *stats, const char *name)
{
	for (size_t i = 0; i < stats->n; i++)
		if (strcmp(stats->item[i].name, name) == 0)
			admin_number(&r->response.body, name, stats->item[i].value);
}

static void admin_done(struct request *r, const struct job *job)
{
	static const char *const messages[] = {
		[JOB_COMPACT] = "Compacted.", [JOB_VERIFY] = "Every table was read, and nothing is wrong.",
		[JOB_CHECKPOINT] = "The checkpoint is made.",
	};
	struct bytes *body = &r->response.body;
	struct store_stats stats = { 0 };

	answer_json(r, 200);
	bytes_adds(body, "{\"message\":");
	json_text_string(body, span_str(messages[job->kind]));
	if (job->kind == JOB_COMPACT) {
		r->server->store->ops->stats(r->server->store, &stats);
		admin_stat(r, &stats, "tables");
		admin_stat(r, &stats, "table_bytes");
		admin_stat(r, &stats, "table_entries");
	}
	if (job->kind == JOB_VERIFY)
		admin_number(body, "bytes", job->total);
	if (job->kind == JOB_CHECKPOINT) {
		admin_text(body, "name", job->name);
		admin_path_of(r, job->name);
		admin_number(body, "version", job->version);
	}
	bytes_adds(body, ",\"job\":");
	admin_print_job(r, job);
	bytes_add(body, "}", 1);
}

/* In a worker. */
static enum route_result admin_do(struct request *r, const struct job *wanted)
{
	struct job job;
	bool taken = joblist_do(r->server->jobs, wanted, ADMIN_WAIT_MS, &job);

	if (taken && job.state == JOB_DONE && job.code == STORE_OK) {
		admin_done(r, &job);
	} else if (taken && job.state == JOB_DONE) {
		admin_failed(r, &job);
	} else if (atomic_load_explicit(&r->server->stopping, memory_order_relaxed)) {     /* and its list of jobs with it */
		problem_set(r, 503, PROBLEM_SHUTTING_DOWN, "The server is shutting down: ask for it again.");
	} else if (!taken) {
		problem_set(r, 503, PROBLEM_TOO_MANY_JOBS, "%u jobs are waiting already.", JOBLIST_QUEUE_MAX);
	} else {
		answer_json(r, 202);
		response_header(&r->response, "Location", "/v1/admin/jobs/%s", job.id);
		bytes_adds(&r->response.body, "{\"message\":\"It takes longer: ask for the job.\",\"job\":");
		admin_print_job(r, &job);
		bytes_add(&r->response.body, "}", 1);
	}
	answer_finish(r, false);
	return ROUTE_DONE;
}

static enum route_result admin_simple(struct request *r, enum job_kind kind)
{
	struct query q;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	return r->may_block ? admin_do(r, &(struct job){ .kind = kind }) : ROUTE_BLOCK;
}

enum route_result handle_admin_compact(struct request *r)
{
	return admin_simple(r, JOB_COMPACT);
}

enum route_result handle_admin_verify(struct request *r)
{
	return admin_simple(r, JOB_VERIFY);
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------------------- */

static bool admin_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != 0 && strchr("._-", c) != NULL);
}

/* The engine's rule for names, said before it is asked. False: answered. */
static bool admin_name(struct request *r, const struct bytes *text, char *out)
{
	bool ok = text->len >= 1 && text->len <= JOBLIST_NAME_MAX && text->p[0] != '.';

	for (size_t i = 0; ok && i < text->len; i++)
		ok = admin_name_char(text->p[i]);
	if (ok && text->len >= 4 && memcmp(text->p + text->len - 4, ".tmp", 4) == 0)
		ok = false;
	if (!ok) {
		problem_set(r, 400, PROBLEM_BAD_QUERY,
		            "A checkpoint's name is 1 to %u of A-Z a-z 0-9 . _ -, begins with no dot and does not end in .tmp.", JOBLIST_NAME_MAX);
		return false;
	}
	memcpy(out, text->p, text->len);
	out[text->len] = 0;
	return true;
}

enum route_result handle_admin_checkpoint(struct request *r)
{
	struct job wanted = { .kind = JOB_CHECKPOINT };
	struct query q;
	size_t bad_at;

	if (!key_query(r, QUERY_BIT(QUERY_NAME), &q))
		return ROUTE_DONE;
	if (query_has(&q, QUERY_NAME) && !query_decode(&q, QUERY_NAME, &r->scratch, &bad_at) && r->scratch.bad) {
		problem_store(r, STORE_E_NOMEM, false);
		return ROUTE_DONE;
	}
	if (!admin_name(r, &r->scratch, wanted.name))
		return ROUTE_DONE;
	return r->may_block ? admin_do(r, &wanted) : ROUTE_BLOCK;
}

static void admin_print_checkpoint(void *ctx, const struct store_checkpoint *c)
{
	struct bytes *body = ctx;

	if (body->len > 0 && body->p[body->len - 1] == '}')
		bytes_add(body, ",", 1);
	bytes_adds(body, "{\"name\":");
	json_text_string(body, span_str(c->name));
	admin_number(body, "version", c->version);
	admin_number(body, "tables", c->tables);
	admin_number(body, "bytes", c->bytes);
	bytes_adds(body, c->damaged ? ",\"damaged\":true}" : ",\"damaged\":false}");
}

enum route_result handle_admin_checkpoints(struct request *r)
{
	struct store *store = r->server->store;
	struct query q;
	int code;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	if (!r->may_block)
		return ROUTE_BLOCK;
	answer_json(r, 200);
	bytes_adds(&r->response.body, "{\"checkpoints\":[");
	code = store->ops->checkpoint_list == NULL ? STORE_E_UNSUPPORTED :
	       store->ops->checkpoint_list(store, admin_print_checkpoint, &r->response.body);
	bytes_adds(&r->response.body, "]}");
	if (code != STORE_OK)
		problem_store(r, code, false);
	else
		answer_finish(r, false);
	return ROUTE_DONE;
}

/* What stands in the path behind the route, decoded into r->scratch. False: answered. */
static bool admin_path(struct request *r)
{
	size_t n = strlen(r->route), bad_at;

	if (percent_decode(span_of(r->path.p + n, r->path.len - n), PERCENT_PATH, &r->scratch, &bad_at))
		return true;
	problem_set(r, 400, PROBLEM_BAD_PATH, "Malformed percent-encoding in the path.");
	return false;
}

enum route_result handle_admin_checkpoint_remove(struct request *r)
{
	struct store *store = r->server->store;
	char name[JOBLIST_NAME_MAX + 1];
	struct query q;
	int code;

	if (!key_query(r, 0, &q) || !admin_path(r) || !admin_name(r, &r->scratch, name))
		return ROUTE_DONE;
	if (!r->may_block)
		return ROUTE_BLOCK;
	code = store->ops->checkpoint_remove == NULL ? STORE_E_UNSUPPORTED : store->ops->checkpoint_remove(store, name);
	if (code == STORE_OK) {
		answer_empty(r, 204);
	} else if (code == STORE_NOTFOUND) {
		problem_set(r, 404, PROBLEM_NO_SUCH_CHECKPOINT, "There is no such checkpoint.");
		problem_text(r, "name", name);
	} else {
		problem_store(r, code, false);
	}
	return ROUTE_DONE;
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------------------- */

enum route_result handle_admin_jobs(struct request *r)
{
	struct job all[JOBLIST_KEPT];
	struct query q;
	size_t n;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	n = joblist_list(r->server->jobs, all);
	answer_json(r, 200);
	bytes_adds(&r->response.body, "{\"jobs\":[");
	for (size_t i = 0; i < n; i++) {
		bytes_add(&r->response.body, ",", i > 0);
		admin_print_job(r, &all[i]);
	}
	bytes_adds(&r->response.body, "]}");
	answer_finish(r, false);
	return ROUTE_DONE;
}

enum route_result handle_admin_job(struct request *r)
{
	struct query q;
	struct job job;

	if (!key_query(r, 0, &q) || !admin_path(r))
		return ROUTE_DONE;
	if (!joblist_find(r->server->jobs, span_of(r->scratch.p, r->scratch.len), &job)) {
		problem_set(r, 404, PROBLEM_NO_SUCH_JOB, "There is no such job, or not any more: the latest %u are known.", JOBLIST_KEPT);
		return ROUTE_DONE;
	}
	answer_json(r, 200);
	admin_print_job(r, &job);
	answer_finish(r, false);
	return ROUTE_DONE;
}
