/* SPDX-License-Identifier: Apache-2.0 */
/* bench.c - durable puts, then gets, for so many seconds each: operations a second, and how long they took. */
#include "ctl/bench.h"

#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { BENCH_CONNECTIONS = 16, BENCH_SECONDS = 5, BENCH_VALUE = 100 };

void bench_key(const struct bench *b, uint64_t number, char out[BENCH_KEY])
{
	(void)snprintf(out, BENCH_KEY, "%s%012" PRIu64, b->prefix, number);
}

/* xorshift64: quick, and even enough to choose keys. */
uint64_t bench_random(uint64_t *seed, uint64_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return below ? *seed % below : 0;
}

static const char *bench_time(uint64_t ns, char out[32])
{
	if (ns < 1000)
		(void)snprintf(out, 32, "%.0f ns", (double)ns);
	else if (ns < 1000000)
		(void)snprintf(out, 32, ns < 10000 ? "%.1f us" : "%.0f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		(void)snprintf(out, 32, "%.2f ms", (double)ns / 1e6);
	else
		(void)snprintf(out, 32, "%.2f s", (double)ns / 1e9);
	return out;
}

static void bench_print(const struct bench *b, enum bench_operation op, const struct bench_result *r)
{
	static const double shares[] = { 0.5, 0.9, 0.99, 0.999 };
	const char *name = op == BENCH_PUT ? "put" : "get";
	double seconds = (double)r->ns / 1e9, rate = seconds > 0 ? (double)r->latency.count / seconds : 0;
	char text[32];

	if (b->a->given & ARGS_JSON) {
		(void)printf("{\"operation\":\"%s\",\"connections\":%u,\"value_bytes\":%zu,\"seconds\":%.3f,\"count\":%" PRIu64 ",\"per_second\":%.1f",
		             name, b->connections, b->value.len, seconds, r->latency.count, rate);
		for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
			(void)printf(",\"p%g_us\":%.1f", shares[i] * 100, (double)latency_quantile(&r->latency, shares[i]) / 1e3);
		(void)printf(",\"max_us\":%.1f,\"refused\":%" PRIu64 "}\n", (double)r->latency.most_ns / 1e3, r->refused);
	} else {
		(void)printf("%s: %" PRIu64 " in %.1f s, %.0f a second;", name, r->latency.count, seconds, rate);
		for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
			(void)printf(" p%g %s,", shares[i] * 100, bench_time(latency_quantile(&r->latency, shares[i]), text));
		(void)printf(" most %s", bench_time(r->latency.most_ns, text));
		if (r->refused)
			(void)printf("; %" PRIu64 " times the server had no time (429, 503)", r->refused);
		(void)printf("\n");
	}
	(void)fflush(stdout);
}

static int bench_run(const struct bench *b, const struct bench_place *place, void *at)
{
	struct bench_result *r = malloc(sizeof(*r));
	int status = r ? SESSION_OK : session_fail("bench", SILT_E_NOMEM);

	for (enum bench_operation op = BENCH_PUT; status == SESSION_OK && op <= BENCH_GET; op++) {
		*r = (struct bench_result){ 0 };
		status = place->run(at, op, r);
		if (status == SESSION_OK || r->latency.count > 0)
			bench_print(b, op, r);
		if (status == SESSION_OK && stop_asked())
			status = stop_status();
	}
	free(r);
	return status;
}

/* A name that nobody else has, and bytes that no compression makes less of. */
static bool bench_make(struct bench *b, struct bytes *value, size_t size)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed) || !bytes_reserve(value, size + 8))
		return false;
	seed |= 1;
	(void)snprintf(b->prefix, sizeof(b->prefix), "siltctl-bench/%ld-%08" PRIx32 "/", (long)getpid(), (uint32_t)(seed >> 32));
	while (value->len < size) {
		uint64_t word = bench_random(&seed, UINT64_MAX);

		bytes_add(value, &word, sizeof(word));
	}
	b->value = span_of(value->p, size);
	return !value->bad;
}

int bench_command(const struct args *a)
{
	struct bench b = { .a = a, .connections = BENCH_CONNECTIONS, .seconds = BENCH_SECONDS };
	const struct bench_place *place = a->url ? &bench_http : &bench_local;
	struct bytes value = { 0 };
	void *at = NULL;
	int status = SESSION_USAGE, ended;

	if (!args_allow(a, ARGS_TARGET | ARGS_JSON | ARGS_CONNECTIONS | ARGS_SECONDS | ARGS_SIZE, 0))
		return status;
	if (!a->url && !(a->given & ARGS_DB)) {
		(void)fprintf(stderr, "siltctl bench: --url says which server, or --db in which directory a scratch store is made\n");
		return status;
	}
	b.connections = a->given & ARGS_CONNECTIONS ? (unsigned)a->connections : b.connections;
	b.seconds = a->given & ARGS_SECONDS ? a->seconds : b.seconds;
	stop_begin();
	status = bench_make(&b, &value, a->given & ARGS_SIZE ? (size_t)a->size : BENCH_VALUE) ? place->begin(&b, &at)
	                                                                                     : session_fail("bench", SILT_E_NOMEM);
	if (status == SESSION_OK)
		status = bench_run(&b, place, at);
	if (at) {
		stop_hold_off(true);          /* what was put goes, whatever ended it */
		ended = place->end(at);
		stop_hold_off(false);
		status = status == SESSION_OK ? ended : status;
	}
	bytes_fini(&value);
	return status;
}
