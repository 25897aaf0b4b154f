/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top.c - a running server, watched: on a terminal a picture every --interval seconds, elsewhere a line; --once: one picture, as lines.
 *
 * A server that answers late, wrongly or not at all is shown so, with how old the numbers are; it is asked again each time.
 */
#include "ctl/commands.h"
#include "ctl/http.h"
#include "ctl/screen.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/top_frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TOP_INTERVAL_S = 2, TOP_SILENCE_S = 3, TOP_HEADS_EVERY = 20, TOP_TICK_MS = 200 };
#define TOP_SLOW_S 1.0

struct top {
	const struct args *a;
	struct http *http;
	struct http_answer answer;
	struct metrics old, new;      /* the last two that came */
	unsigned readings;            /* that came, since the server began */
	double took_s;                /* the last answer */
	unsigned lines;
	struct screen screen;
	struct bytes said, out;
};

static double top_now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *top_clock(const char *format, char out[32])
{
	time_t now = time(NULL);
	struct tm tm;

	(void)localtime_r(&now, &tm);
	(void)strftime(out, 32, format, &tm);
	return out;
}

/* ---- a reading ------------------------------------------------------------------------------------------------------------------ */

/* A server that began anew has no past to compare with. */
static bool top_is_another(const struct metrics *old, const struct metrics *new)
{
	return metrics_value(old, "process_start_time_seconds", "") != metrics_value(new, "process_start_time_seconds", "");
}

static int top_keep(struct top *t)
{
	struct metrics oldest = t->old;

	t->old = t->new;
	t->new = oldest;
	bytes_clear(&t->new.text);
	if (!bytes_add(&t->new.text, t->answer.body.p, t->answer.body.len))
		return session_fail("top", SILT_E_NOMEM);
	t->new.at_s = top_now_s();
	if (!metrics_parse(&t->new) || metrics_value(&t->new, "siltstone_build_info", "") == 0) {
		t->readings = 0;
		return http_odd(t->http, &t->answer);
	}
	t->readings = t->readings == 0 || top_is_another(&t->old, &t->new) ? 1 : 2;
	return SESSION_OK;
}

static int top_read(struct top *t)
{
	uint64_t silence_s = t->a->given & ARGS_TIMEOUT ? t->a->timeout_s : TOP_SILENCE_S;
	double begun_s = top_now_s();
	int status = http_ask(t->http, &(struct http_request){ .method = "GET", .path = "/metrics", .silence_s = silence_s }, &t->answer);

	t->took_s = top_now_s() - begun_s;
	if (status == SESSION_OK && t->answer.status != 200)
		status = http_odd(t->http, &t->answer);
	return status == SESSION_OK ? top_keep(t) : status;
}

/* ---- a picture ------------------------------------------------------------------------------------------------------------------ */

static void top_title(struct top *t, struct bytes *out, int status, bool colour)
{
	double up_s = (double)time(NULL) - metrics_value(&t->new, "process_start_time_seconds", "");
	uint64_t minutes = up_s > 0 ? (uint64_t)(up_s / 60) : 0;
	char clock[32];

	bytes_addf(out, "%sSiltstone at %s%s, %s", colour ? "\x1b[1m" : "", http_url(t->http), colour ? "\x1b[m" : "", top_clock("%H:%M:%S", clock));
	if (status == SESSION_OK)
		bytes_addf(out, ", up %" PRIu64 " d %02u:%02u", minutes / 1440, (unsigned)(minutes / 60 % 24), (unsigned)(minutes % 60));
	if (status == SESSION_OK && t->took_s >= TOP_SLOW_S)
		bytes_addf(out, "%s  SLOW: it took %.1f s to answer%s", colour ? "\x1b[33m" : "", t->took_s, colour ? "\x1b[m" : "");
	bytes_adds(out, "\n");
}

/* What is wrong, and of when the numbers are. */
static void top_trouble(struct top *t, struct bytes *out)
{
	const char *words = "siltctl: ";
	size_t skip = t->said.len > strlen(words) && memcmp(t->said.p, words, strlen(words)) == 0 ? strlen(words) : 0;

	bytes_adds(out, "\x1b[31mNO ANSWER\x1b[m ");
	if (t->said.len)
		bytes_add(out, t->said.p + skip, t->said.len - skip);
	if (t->readings > 0)
		bytes_addf(out, "\nwhat follows is of %.0f s ago\n", top_now_s() - t->new.at_s);
	else
		bytes_adds(out, "\n");
}

static bool top_draw(struct top *t, int status)
{
	struct bytes *out = &t->screen.picture;

	bytes_clear(out);
	top_title(t, out, status, true);
	if (status != SESSION_OK)
		top_trouble(t, out);
	bytes_adds(out, "\n");
	if (t->readings == 2)
		top_frame_print(out, &t->old, &t->new, true);
	else if (status == SESSION_OK)
		bytes_adds(out, "looking for a moment: all of this is by the second\n");
	bytes_adds(out, "\nq ends\n");
	return screen_show(&t->screen);
}

/* Until the next reading is due, or the end: false. */
static bool top_linger(struct top *t, int status, double until_s)
{
	while (top_now_s() < until_s) {
		int key = screen_key(&t->screen, TOP_TICK_MS);

		if (key == 'q' || key == 'Q' || stop_asked())
			return false;
		if (key == -1 && !top_draw(t, status))
			return false;
	}
	return true;
}

static int top_live(struct top *t, double interval_s)
{
	int status;

	do {
		status = top_read(t);
		if (status != SESSION_OK && stop_asked())
			break;
		if (status != SESSION_OK)
			screen_said(&t->screen, &t->said);
	} while (top_draw(t, status) && top_linger(t, status, top_now_s() + (t->readings == 1 && interval_s > 1 ? 1 : interval_s)));
	return stop_asked() ? stop_status() : SESSION_OK;
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------------- */

static int top_print(struct top *t)
{
	char clock[32];

	bytes_clear(&t->out);
	if (t->a->given & ARGS_JSON) {
		top_frame_json(&t->out, &t->old, &t->new, top_clock("%Y-%m-%dT%H:%M:%S%z", clock));
	} else if (t->a->given & ARGS_ONCE) {
		top_title(t, &t->out, SESSION_OK, false);
		top_frame_print(&t->out, &t->old, &t->new, false);
	} else {
		if (t->lines++ % TOP_HEADS_EVERY == 0)
			top_frame_heads(&t->out);
		top_frame_line(&t->out, &t->old, &t->new, top_clock("%H:%M:%S", clock));
	}
	if (t->out.bad)
		return session_fail("top", SILT_E_NOMEM);
	return session_flush(session_print(span_of(t->out.p, t->out.len)));
}

/* With --once the first failure is the end; else it is said, and the list goes on. */
static int top_list(struct top *t, double interval_s)
{
	bool once = t->a->given & ARGS_ONCE;
	int status;

	do {
		status = top_read(t);
		if (status == SESSION_OK && t->readings == 2) {
			status = top_print(t);
			if (status != SESSION_OK || once)
				return status;
		} else if (status != SESSION_OK && once) {
			return status;
		}
	} while (stop_sleep((uint64_t)(interval_s * 1000)));
	return stop_status();
}

int top_command(const struct args *a)
{
	struct top t = { .a = a };
	double interval_s = a->given & ARGS_INTERVAL ? (double)a->interval_s : TOP_INTERVAL_S;
	int status = SESSION_USAGE;

	if (!args_allow(a, (ARGS_TARGET & ~ARGS_DB) | ARGS_JSON | ARGS_ONCE | ARGS_INTERVAL, 0))
		return status;
	if (!a->url) {
		(void)fprintf(stderr, "siltctl top: --url says which server\n");
		return status;
	}
	stop_begin();
	status = http_open(a, &t.http);
	if (status == SESSION_OK && !(a->given & (ARGS_ONCE | ARGS_JSON)) && screen_take(&t.screen)) {
		status = top_live(&t, interval_s);
		screen_give_back(&t.screen);
	} else if (status == SESSION_OK) {
		status = top_list(&t, interval_s);
	}
	http_close(t.http);
	http_answer_fini(&t.answer);
	metrics_fini(&t.old);
	metrics_fini(&t.new);
	bytes_fini(&t.said);
	bytes_fini(&t.out);
	return status;
}
