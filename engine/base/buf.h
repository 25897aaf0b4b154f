/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - bytes that grow, and that their holder owns. Over struct silt_buf; start from {0}, end with buf_fini(). */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

int buf_reserve(struct silt_buf *b, size_t more) SILT_MUST_CHECK;      /* room for `more` bytes after len: 0 or SILT_E_NOMEM */
int buf_append(struct silt_buf *b, const void *data, size_t n) SILT_MUST_CHECK;
int buf_set(struct silt_buf *b, struct silt_slice s) SILT_MUST_CHECK;  /* replaces the contents; s may be a part of them */
void buf_fini(struct silt_buf *b);

/* After buf_reserve(): append without a check. */
static inline void buf_push(struct silt_buf *b, const void *data, size_t n)
{
	if (n)
		memcpy((char *)b->data + b->len, data, n);
	b->len += n;
}

static inline struct silt_slice buf_slice(const struct silt_buf *b)
{
	return slice_of(b->data, b->len);
}

#endif
