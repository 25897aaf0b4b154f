/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c - the whole store read and checked. Opening reads the manifest and the log, silt_verify() the tables.
 * On a terminal a bar moves with rate and time left; elsewhere a line comes for each tenth.
 */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { VERIFY_BAR = 30, VERIFY_REDRAW_MS = 100 };

struct verify {
	uint64_t start_ms, drawn_ms;
	uint64_t done, total;
	unsigned tenths;                      /* said so far */
	bool terminal;
};

static uint64_t verify_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void verify_draw(const struct verify *v, uint64_t took_ms)
{
	char bar[VERIFY_BAR + 1], done[TEXT_SIZE], total[TEXT_SIZE], rate[TEXT_SIZE];
	uint64_t a_second = took_ms ? v->done * 1000 / took_ms : 0;
	uint64_t left_s = a_second ? (v->total - v->done) / a_second : 0;
	size_t full = v->total ? (size_t)(v->done * VERIFY_BAR / v->total) : VERIFY_BAR;

	for (size_t i = 0; i < VERIFY_BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[VERIFY_BAR] = '\0';
	(void)fprintf(stderr, "\r[%s] %s of %s, %s/s, %" PRIu64 ":%02" PRIu64 " left \x1b[K", bar, text_size(v->done, done),
	              text_size(v->total, total), text_size(a_second, rate), left_s / 60, left_s % 60);
}

static void verify_say(struct verify *v)
{
	unsigned tenths = v->total ? (unsigned)(v->done * 10 / v->total) : 10;
	char done[TEXT_SIZE], total[TEXT_SIZE];

	if (tenths <= v->tenths)
		return;
	v->tenths = tenths;
	(void)printf("verify: %s of %s\n", text_size(v->done, done), text_size(v->total, total));
	(void)fflush(stdout);
}

static int verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct verify *v = ctx;
	uint64_t now_ms = verify_now_ms();

	v->done = done < total ? done : total;
	v->total = total;
	if (!v->terminal) {
		verify_say(v);
	} else if (now_ms - v->drawn_ms >= VERIFY_REDRAW_MS) {
		v->drawn_ms = now_ms;
		verify_draw(v, now_ms - v->start_ms);
	}
	return 0;
}

static void verify_sum_up(struct session *s, const struct verify *v)
{
	uint64_t took_ms = verify_now_ms() - v->start_ms, tables = 0, entries = 0, bytes = 0;
	uint64_t findings = atomic_load(&s->findings);
	struct silt_stats stats;
	char size[TEXT_SIZE];

	silt_stats(s->db, &stats);
	for (int i = 0; i < SILT_LEVELS; i++) {
		tables += stats.tables[i];
		entries += stats.table_entries[i];
		bytes += stats.table_bytes[i];
	}
	(void)printf("verify: %" PRIu64 " tables of %s with %" PRIu64 " entries, %" PRIu64 " entries in the log, %" PRIu64 ".%01" PRIu64
	             " s: ", tables, text_size(bytes, size), entries, stats.recovered_entries, took_ms / 1000, took_ms % 1000 / 100);
	if (findings)
		(void)printf("DAMAGED, %" PRIu64 " findings\n", findings);
	else
		(void)printf("sound\n");
}

int verify_command(const struct args *a)
{
	struct verify v = { .start_ms = verify_now_ms(), .terminal = isatty(STDERR_FILENO) };
	struct session s;
	int status, rc;

	if (!args_allow(a, ARGS_DB, 0))
		return SESSION_USAGE;
	status = session_open(&s, a);
	if (status == SESSION_DAMAGED)
		(void)printf("verify: DAMAGED: the store does not open\n");
	if (status != SESSION_OK)
		return status;
	rc = silt_verify(s.db, verify_progress, &v);
	if (v.terminal && v.drawn_ms)
		(void)fputs("\r\x1b[K", stderr);
	if (rc != 0)
		status = session_fail(a->dir, rc);
	if (rc == 0 || rc == SILT_E_CORRUPT)
		verify_sum_up(&s, &v);
	session_close(&s);
	return status;
}
