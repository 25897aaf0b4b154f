/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.c - growing of struct silt_buf: at least doubling, so that appending n bytes one by one costs O(n).
 *
 * Rules     (1) after a failure the buffer holds what it held.  (2) sizes are checked before they are added.
 */
#include "base/buf.h"
#include "base/mem.h"

enum { BUF_FIRST = 64 };

int buf_reserve(struct silt_buf *b, size_t more)
{
	size_t need, cap;
	void *data;

	if (more <= b->cap - b->len)
		return 0;
	if (__builtin_add_overflow(b->len, more, &need))
		return SILT_E_NOMEM;
	cap = b->cap > SIZE_MAX / 2 ? need : 2 * b->cap;
	if (cap < need)
		cap = need;
	if (cap < BUF_FIRST)
		cap = BUF_FIRST;
	data = mem_resize(b->data, cap, 1);
	if (!data)
		return SILT_E_NOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_append(struct silt_buf *b, const void *data, size_t n)
{
	int rc = buf_reserve(b, n);

	if (rc == 0)
		buf_push(b, data, n);
	return rc;
}

int buf_set(struct silt_buf *b, struct silt_slice s)
{
	int rc;

	if (s.len > b->cap) {
		rc = buf_reserve(b, s.len - b->len);
		if (rc < 0)
			return rc;
	}
	if (s.len)
		memmove(b->data, s.data, s.len);
	b->len = s.len;
	return 0;
}

void buf_fini(struct silt_buf *b)
{
	mem_free(b->data);
	*b = (struct silt_buf){ 0 };
}

void silt_buf_free(struct silt_buf *buf)
{
	buf_fini(buf);
}
