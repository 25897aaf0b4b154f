/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - which form of a target is meant, and what the command line says of keys, ranges and conditions. */
#include "ctl/target.h"

#include "ctl/session.h"
#include "ctl/stop.h"
#include "util/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int target_open(const struct args *a, enum target_mode mode, struct target **out)
{
	return a->url ? target_http_open(a, out) : target_local_open(a, mode, out);
}

void target_close(struct target *t)
{
	if (t)
		t->ops->close(t);
}

int target_work(const struct args *a, int (*work)(struct target *t))
{
	struct target *t = NULL;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET, 0))
		status = target_open(a, TARGET_WRITE, &t);
	if (status == SESSION_OK) {
		if (!t->local)
			stop_begin();                    /* a stopped store is safe to be left at any moment */
		status = work(t);
	}
	if (status == SESSION_OK)
		(void)printf("%s: done\n", a->command);
	target_close(t);
	return status;
}

uint64_t target_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int target_absent(void)
{
	(void)fprintf(stderr, "siltctl: the key is not there\n");
	return SESSION_ABSENT;
}

int target_conflict(uint64_t current)
{
	if (current)
		(void)fprintf(stderr, "siltctl: the condition does not hold, nothing was done: the key has version %" PRIu64 "\n", current);
	else
		(void)fprintf(stderr, "siltctl: the condition does not hold, nothing was done: the key is not there\n");
	return SESSION_CONDITION;
}

int target_key(const struct args *a, const char *text, struct bytes *out)
{
	if (!args_key(a, text, out))
		return SESSION_USAGE;
	if (out->len >= 1 && out->len <= SILT_KEY_MAX)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl %s: a key has 1 to %u bytes\n", a->command, SILT_KEY_MAX);
	return SESSION_USAGE;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------------- */

static struct span target_span(const struct bytes *b)
{
	return span_of(b->p, b->len);
}

/* The first key behind all that begin with the prefix: "ab" -> "ac", "a\xff" -> "b", "\xff" -> none. */
static bool target_behind(struct span prefix, struct bytes *out)
{
	size_t n = prefix.len;

	while (n && (unsigned char)prefix.p[n - 1] == 0xff)
		n--;
	if (n == 0)
		return true;
	if (!bytes_add(out, prefix.p, n))
		return false;
	out->p[n - 1]++;
	return true;
}

/* What lies in [start, end) and begins with the prefix. */
int target_range(const struct args *a, struct bytes *behind, struct target_range *out)
{
	struct span start = target_span(&a->start), end = target_span(&a->end), prefix = target_span(&a->prefix);

	*out = (struct target_range){ .reverse = a->given & ARGS_REVERSE, .keys_only = a->given & ARGS_KEYS_ONLY, .limit = UINT64_MAX };
	if (start.len > SILT_KEY_MAX || end.len > SILT_KEY_MAX || prefix.len > SILT_KEY_MAX) {
		(void)fprintf(stderr, "siltctl %s: a key has at most %u bytes\n", a->command, SILT_KEY_MAX);
		return SESSION_USAGE;
	}
	if (!target_behind(prefix, behind))
		return session_fail(a->command, SILT_E_NOMEM);
	out->lower = span_order(start, prefix) > 0 ? start : prefix;
	out->upper = behind->len && (end.len == 0 || span_order(target_span(behind), end) < 0) ? target_span(behind) : end;
	out->nothing = out->upper.len && span_order(out->lower, out->upper) >= 0;
	return SESSION_OK;
}

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

/* 7, "7" with its quotes as in an ETag, or *. */
static bool target_cond(const char *name, const char *text, bool none_match, struct target_cond *out)
{
	struct span s = span_str(text);

	*out = (struct target_cond){ .none_match = none_match };
	if (span_eq(s, "*"))
		return true;
	if (s.len > 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		s = span_of(s.p + 1, s.len - 2);
	if (decimal_parse(s, SILT_VERSION_MAX, &out->version) && out->version > 0)
		return true;
	(void)fprintf(stderr, "siltctl: --%s: \"%s\" is no version, and not *\n", name, text);
	return false;
}

int target_conds(const struct args *a, struct target_cond out[2], size_t *n)
{
	*n = 0;
	if (a->if_match && !target_cond("if-match", a->if_match, false, &out[(*n)++]))
		return SESSION_USAGE;
	if (a->if_none_match && !target_cond("if-none-match", a->if_none_match, true, &out[(*n)++]))
		return SESSION_USAGE;
	return SESSION_OK;
}
