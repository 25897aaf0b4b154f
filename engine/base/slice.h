/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - views of bytes: comparing, ordering, making. A slice never owns. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <siltstone.h>
#include <string.h>

static inline struct silt_slice slice_of(const void *data, size_t len)
{
	return (struct silt_slice){ data, len };
}

static inline struct silt_slice slice_str(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

/* The order of keys: bytewise, then the shorter first. */
static inline int slice_cmp(struct silt_slice a, struct silt_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int d = n ? memcmp(a.data, b.data, n) : 0;

	if (d)
		return d;
	return a.len < b.len ? -1 : a.len > b.len;
}

static inline bool slice_eq(struct silt_slice a, struct silt_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
