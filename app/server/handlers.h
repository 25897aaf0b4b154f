/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handlers.h - one function for each (route, method) of route.c's table. Called with host, role, site and
 * path form checked, r->key and r->scratch empty, the response reset. Each fills r->response, or says who
 * goes on.
 */
#ifndef SERVER_HANDLERS_H
#define SERVER_HANDLERS_H

#include "server/request.h"

typedef enum route_result handler_fn(struct request *r);

/* handle_classic.c: JSON in, JSON out */
handler_fn handle_classic_get, handle_classic_set, handle_classic_delete;
/* handle_kv.c: bytes in, bytes out */
handler_fn handle_kv_get, handle_kv_put, handle_kv_delete, handle_kv_post;
/* handle_batch.c: many operations, all or nothing */
handler_fn handle_batch;
/* handle_range.c, handle_range_delete.c: what handle_kv_get and handle_kv_delete hand on where no key is given, the query parsed */
struct query;
enum route_result handle_range_list(struct request *r, const struct query *q);
enum route_result handle_range_delete(struct request *r, const struct query *q);
/* handle_ops.c: what an operator asks for */
handler_fn handle_ops_stats, handle_ops_flush, handle_ops_shutdown;
/* handle_changes.c: what was written */
handler_fn handle_changes;
/* handle_admin.c: what he asks for and waits for */
handler_fn handle_admin_compact, handle_admin_verify, handle_admin_checkpoint, handle_admin_checkpoints;
handler_fn handle_admin_checkpoint_remove, handle_admin_jobs, handle_admin_job;
/* handle_metrics.c: what Prometheus asks for */
handler_fn handle_metrics;
/* handle_health.c: what a supervisor asks for */
handler_fn handle_health_alive, handle_health_ready;

#endif
