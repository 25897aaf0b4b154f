/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.c - growing buffers. Capacity doubles, so that a series of appends costs amortised one copy a byte; what is in a buffer
 * survives a failed append, which only sets `bad`.
 */
#include "util/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_FIRST_CAP 256u
#define BYTES_MAX (SIZE_MAX / 4)      /* doubling below this can't overflow */

struct span span_str(const char *s)
{
	return s == NULL ? (struct span){ 0 } : span_of(s, strlen(s));
}

bool span_eq(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.len == n && (n == 0 || memcmp(a.p, s, n) == 0);
}

int span_order(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool bytes_grow(struct bytes *b, size_t more)
{
	size_t cap = b->cap == 0 ? BYTES_FIRST_CAP : b->cap;
	char *p;

	if (more > BYTES_MAX || b->len > BYTES_MAX - more) {
		b->bad = true;
		return false;
	}
	while (cap < b->len + more)
		cap *= 2;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

static bool bytes_vaddf(struct bytes *b, const char *format, va_list args)
{
	size_t room = b->cap - b->len;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(room == 0 ? NULL : b->p + b->len, room, format, args);
	if (n >= 0 && (size_t)n >= room) {
		/* vsnprintf wants a byte for its NUL, which does not count in len */
		if (bytes_reserve(b, (size_t)n + 1))
			n = vsnprintf(b->p + b->len, (size_t)n + 1, format, again);
		else
			n = -1;
	}
	va_end(again);
	if (n < 0) {
		b->bad = true;
		return false;
	}
	b->len += (size_t)n;
	return true;
}

bool bytes_addf(struct bytes *b, const char *format, ...)
{
	va_list args;
	bool ok;

	va_start(args, format);
	ok = bytes_vaddf(b, format, args);
	va_end(args);
	return ok;
}

void bytes_clear(struct bytes *b)
{
	b->len = 0;
	b->bad = false;
}

void bytes_fini(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}
