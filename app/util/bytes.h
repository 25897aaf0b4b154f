/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - views and growing buffers of the server. A span never owns; a bytes does: start from {0}, end with bytes_fini().
 * Appends return false on lack of memory and leave what was there; `bad` sticks, so that a series is checked once at its end.
 */
#ifndef UTIL_BYTES_H
#define UTIL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t len;
};

struct bytes {
	char *p;
	size_t len, cap;
	bool bad;
};

static inline struct span span_of(const void *p, size_t len)
{
	return (struct span){ .p = p, .len = len };
}

struct span span_str(const char *s);                      /* NULL = empty */
bool span_eq(struct span a, const char *s);
int span_order(struct span a, struct span b);             /* as keys are ordered: by bytes, then by length */
bool bytes_grow(struct bytes *b, size_t more);            /* what bytes_reserve() does where there is no room yet */

/* These three inline: an answer is a dozen appends, most of them of literals. */
static inline bool bytes_reserve(struct bytes *b, size_t more)
{
	return more <= b->cap - b->len || bytes_grow(b, more);
}

static inline bool bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (!bytes_reserve(b, n))
		return false;
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	return true;
}

static inline bool bytes_adds(struct bytes *b, const char *s)
{
	return bytes_add(b, s, strlen(s));
}

bool bytes_addf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_clear(struct bytes *b);
void bytes_fini(struct bytes *b);

#endif
