/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - the bar goes to stderr, and the lines to stdout: nobody looks at both. */
#include "ctl/progress.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_BAR = 30, PROGRESS_REDRAW_MS = 100, PROGRESS_LINE_MS = 10000 };

static uint64_t progress_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .start_ms = progress_now_ms(), .terminal = isatty(STDERR_FILENO) };
	p->said_ms = p->start_ms;
}

uint64_t progress_ms(const struct progress *p)
{
	return progress_now_ms() - p->start_ms;
}

static const char *progress_amount(const struct progress *p, uint64_t n, char *out)
{
	if (p->unit == PROGRESS_BYTES)
		return text_size(n, out);
	(void)snprintf(out, TEXT_SIZE, "%" PRIu64, n);
	return out;
}

static void progress_draw_bar(const struct progress *p, uint64_t a_second)
{
	char bar[PROGRESS_BAR + 1], done[TEXT_SIZE], total[TEXT_SIZE], rate[TEXT_SIZE];
	uint64_t left_s = a_second ? (p->total - p->done) / a_second : 0;
	size_t full = (size_t)((double)p->done / (double)p->total * PROGRESS_BAR);

	for (size_t i = 0; i < PROGRESS_BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[PROGRESS_BAR] = '\0';
	(void)fprintf(stderr, "\r[%s] %s of %s, %s/s, %" PRIu64 ":%02" PRIu64 " left \x1b[K", bar, progress_amount(p, p->done, done),
	              progress_amount(p, p->total, total), progress_amount(p, a_second, rate), left_s / 60, left_s % 60);
}

static void progress_draw(const struct progress *p, uint64_t took_ms)
{
	uint64_t a_second = took_ms ? (uint64_t)((double)p->done * 1000 / (double)took_ms) : 0;
	char done[TEXT_SIZE], rate[TEXT_SIZE];

	if (p->total)
		progress_draw_bar(p, a_second);
	else
		(void)fprintf(stderr, "\r%s, %s/s \x1b[K", progress_amount(p, p->done, done), progress_amount(p, a_second, rate));
}

static void progress_say(struct progress *p, uint64_t now_ms)
{
	unsigned tenths = p->total ? (unsigned)((double)p->done * 10 / (double)p->total) : 0;
	char done[TEXT_SIZE], total[TEXT_SIZE];

	if (p->total ? tenths <= p->tenths : now_ms - p->said_ms < PROGRESS_LINE_MS)
		return;
	(void)progress_amount(p, p->done, done);
	(void)progress_amount(p, p->total, total);
	if (p->done < p->total && strcmp(done, total) == 0)
		return;                                  /* the end will say the same */
	p->tenths = tenths;
	p->said_ms = now_ms;
	(void)printf("%s: %s", p->what, done);
	if (p->total)
		(void)printf(" of %s", total);
	(void)printf(p->unit == PROGRESS_ENTRIES ? " entries\n" : "\n");
	(void)fflush(stdout);
}

int progress_tell(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;
	uint64_t now_ms = progress_now_ms();

	p->done = total && done > total ? total : done;
	p->total = total;
	if (!p->terminal) {
		if (!p->silent)
			progress_say(p, now_ms);
	} else if (now_ms - p->drawn_ms >= PROGRESS_REDRAW_MS) {
		p->drawn_ms = now_ms;
		progress_draw(p, now_ms - p->start_ms);
	}
	return 0;
}

void progress_clear(struct progress *p)
{
	if (p->terminal && p->drawn_ms)
		(void)fputs("\r\x1b[K", stderr);
	p->drawn_ms = 0;
}
