/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - the bar goes to stderr, and the lines to stdout: nobody looks at both. */
#include "ctl/progress.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PROGRESS_BAR = 30, PROGRESS_REDRAW_MS = 100 };

static uint64_t progress_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .start_ms = progress_now_ms(), .terminal = isatty(STDERR_FILENO) };
}

uint64_t progress_ms(const struct progress *p)
{
	return progress_now_ms() - p->start_ms;
}

static void progress_draw(const struct progress *p, uint64_t took_ms)
{
	char bar[PROGRESS_BAR + 1], done[TEXT_SIZE], total[TEXT_SIZE], rate[TEXT_SIZE];
	uint64_t a_second = took_ms ? p->done * 1000 / took_ms : 0;
	uint64_t left_s = a_second ? (p->total - p->done) / a_second : 0;
	size_t full = p->total ? (size_t)(p->done * PROGRESS_BAR / p->total) : PROGRESS_BAR;

	for (size_t i = 0; i < PROGRESS_BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[PROGRESS_BAR] = '\0';
	(void)fprintf(stderr, "\r[%s] %s of %s, %s/s, %" PRIu64 ":%02" PRIu64 " left \x1b[K", bar, text_size(p->done, done),
	              text_size(p->total, total), text_size(a_second, rate), left_s / 60, left_s % 60);
}

static void progress_say(struct progress *p)
{
	unsigned tenths = p->total ? (unsigned)(p->done * 10 / p->total) : 10;
	char done[TEXT_SIZE], total[TEXT_SIZE];

	if (tenths <= p->tenths)
		return;
	p->tenths = tenths;
	(void)printf("%s: %s of %s\n", p->what, text_size(p->done, done), text_size(p->total, total));
	(void)fflush(stdout);
}

int progress_tell(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *p = ctx;
	uint64_t now_ms = progress_now_ms();

	p->done = done < total ? done : total;
	p->total = total;
	if (!p->terminal) {
		progress_say(p);
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
