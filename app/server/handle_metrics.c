/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle_metrics.c - /metrics: the server's counters, the process's, the store's, in Prometheus' text form. No label holds anything
 * that a client sent: routes and methods are those of the table, statuses those that we answer.
 */
#include "server/handlers.h"

#include "server/answer.h"
#include "server/feed.h"
#include "server/key.h"
#include "server/route.h"
#include "server/server.h"
#include "server/traffic.h"
#include "util/prometheus.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NAME(name) "siltstone_" name
#define GAUGE(name, help, value) prometheus_one(out, NAME(name), PROMETHEUS_GAUGE, help, value)

/* ---- requests ---------------------------------------------------------------------------------------------------------------- */

typedef void metrics_slot_fn(struct bytes *out, const char *name, const char *labels, const struct traffic_sum *sum);

/* One family: fn() for each route and method that was ever asked for. */
static void metrics_each_slot(struct bytes *out, const struct server *s, const char *name, enum prometheus_type type,
                              const char *help, metrics_slot_fn *fn)
{
	struct traffic_sum sum;
	const char *route, *method;
	char labels[128];

	prometheus_family(out, name, type, help);
	for (size_t slot = 0; slot < route_slots(); slot++) {
		if (!route_slot(slot, &route, &method))
			continue;
		traffic_sum(s->traffic, s->traffic_count, slot, &sum);
		if (sum.answers == 0)
			continue;
		snprintf(labels, sizeof(labels), "route=\"%s\",method=\"%s\"", route, method);
		fn(out, name, labels, &sum);
	}
}

static void metrics_statuses(struct bytes *out, const char *name, const char *labels, const struct traffic_sum *sum)
{
	char with_code[160];

	for (size_t i = 0; i < TRAFFIC_CODES; i++) {
		if (sum->status[i] == 0)
			continue;
		if (traffic_code(i) == 0)
			snprintf(with_code, sizeof(with_code), "%s,code=\"other\"", labels);
		else
			snprintf(with_code, sizeof(with_code), "%s,code=\"%d\"", labels, traffic_code(i));
		prometheus_sample(out, name, with_code, sum->status[i]);
	}
}

static void metrics_times(struct bytes *out, const char *name, const char *labels, const struct traffic_sum *sum)
{
	prometheus_histogram(out, name, labels, &(struct prometheus_times){
		.n = TRAFFIC_BUCKETS, .bounds_ns = traffic_bounds_ns, .counts = sum->bucket, .sum_ns = sum->ns });
}

static void metrics_request_bytes(struct bytes *out, const char *name, const char *labels, const struct traffic_sum *sum)
{
	prometheus_sample(out, name, labels, sum->request_bytes);
}

static void metrics_response_bytes(struct bytes *out, const char *name, const char *labels, const struct traffic_sum *sum)
{
	prometheus_sample(out, name, labels, sum->response_bytes);
}

static void metrics_requests(struct bytes *out, const struct server *s)
{
	metrics_each_slot(out, s, NAME("http_requests_total"), PROMETHEUS_COUNTER, "Requests answered.", metrics_statuses);
	metrics_each_slot(out, s, NAME("http_request_duration_seconds"), PROMETHEUS_HISTOGRAM,
	                  "From a request being whole to the last byte of its answer leaving.", metrics_times);
	metrics_each_slot(out, s, NAME("http_request_bytes_total"), PROMETHEUS_COUNTER, "Bytes of requests' bodies.",
	                  metrics_request_bytes);
	metrics_each_slot(out, s, NAME("http_response_bytes_total"), PROMETHEUS_COUNTER, "Bytes of answers, as they left.",
	                  metrics_response_bytes);
}

/* ---- the server -------------------------------------------------------------------------------------------------------------- */

static void metrics_faults(struct bytes *out, const struct server *s)
{
	char label[32];

	prometheus_family(out, NAME("fastcgi_errors_total"), PROMETHEUS_COUNTER, "Connections ended before their time.");
	for (int i = 0; i < TRAFFIC_FAULTS; i++) {
		uint64_t n = 0;

		for (size_t k = 0; k < s->traffic_count; k++)
			n += atomic_load_explicit(&s->traffic[k].fault[i], memory_order_relaxed);
		snprintf(label, sizeof(label), "kind=\"%s\"", traffic_fault_name((enum traffic_fault)i));
		prometheus_sample(out, NAME("fastcgi_errors_total"), label, n);
	}
}

static void metrics_gauges(struct bytes *out, struct server *s)
{
	struct server_gauges g = { 0 };

	if (s->gauges != NULL)
		s->gauges(s, &g);
	GAUGE("http_connections", "Connections that the web server holds open.", g.connections);
	GAUGE("http_requests_parked", "Requests that wait for a write, a worker or a change.",
	      atomic_load_explicit(&s->parked, memory_order_relaxed));
	GAUGE("http_streams", "Lists on their way as lines.", atomic_load_explicit(&s->streams, memory_order_relaxed));
	GAUGE("http_streams_max", "The configured bound, max_streams.", s->limits.max_streams);
	GAUGE("http_answer_bytes", "Large answers held for those who read them.",
	      atomic_load_explicit(&s->answer_bytes, memory_order_relaxed));
	if (s->feed != NULL)
		GAUGE("changes_waiting", "Polls and streams that wait for changes.", feed_parked(s->feed));
	GAUGE("http_requests_parked_max", "The configured bound, max_parked.", s->limits.max_parked);
	GAUGE("http_bodies_bytes", "Memory of large bodies in flight.", atomic_load_explicit(&s->body_bytes, memory_order_relaxed));
	GAUGE("reactor_threads", "Threads that serve connections.", s->traffic_count);
	GAUGE("worker_threads", "Threads that may wait for the disk.", g.workers);
	GAUGE("worker_queue_length", "Requests that wait for such a thread.", g.queued);
}

/* ---- the process: names that every exporter shares ----------------------------------------------------------------------------- */

static uint64_t metrics_resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t metrics_open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0;                                  /* ".", ".." and the directory itself */
}

static uint64_t metrics_cpu_ns(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec : 0;
}

static uint64_t metrics_start_ns(const struct server *s)
{
	struct timespec mono, wall;
	uint64_t up_ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	up_ms = (uint64_t)mono.tv_sec * 1000 + (uint64_t)mono.tv_nsec / 1000000 - s->start_mono_ms;
	return ((uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000 - up_ms) * 1000000;
}

static void metrics_process(struct bytes *out, const struct server *s)
{
	struct rlimit files = { 0 };

	prometheus_family(out, "process_cpu_seconds_total", PROMETHEUS_COUNTER, "CPU time, user and system.");
	prometheus_sample_ns(out, "process_cpu_seconds_total", NULL, metrics_cpu_ns());
	prometheus_one(out, "process_resident_memory_bytes", PROMETHEUS_GAUGE, "Resident memory.", metrics_resident_bytes());
	prometheus_one(out, "process_open_fds", PROMETHEUS_GAUGE, "Open file descriptors.", metrics_open_files());
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		prometheus_one(out, "process_max_fds", PROMETHEUS_GAUGE, "Their limit.", (uint64_t)files.rlim_cur);
	prometheus_family(out, "process_start_time_seconds", PROMETHEUS_GAUGE, "Unix time of the start.");
	prometheus_sample_ns(out, "process_start_time_seconds", NULL, metrics_start_ns(s));
	prometheus_family(out, NAME("build_info"), PROMETHEUS_GAUGE, "Always 1.");
	prometheus_sample(out, NAME("build_info"), "version=\"" PACKAGE_VERSION "\"", 1);
}

/* In a worker: it reads /proc, where ten thousand descriptors take a while. */
enum route_result handle_metrics(struct request *r)
{
	struct server *server = r->server;
	struct bytes *out = &r->response.body;
	struct query q;

	if (!key_query(r, 0, &q))
		return ROUTE_DONE;
	if (!r->may_block)
		return ROUTE_BLOCK;
	answer_empty(r, 200);
	response_header(&r->response, "Content-Type", "%s", PROMETHEUS_TYPE);
	metrics_requests(out, server);
	metrics_faults(out, server);
	metrics_gauges(out, server);
	metrics_process(out, server);
	if (server->store->ops->metrics != NULL)
		server->store->ops->metrics(server->store, out);
	answer_finish(r, false);
	return ROUTE_DONE;
}
