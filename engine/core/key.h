/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - the order of entries: by key as slice_cmp(), then newest version first. */
#ifndef CORE_KEY_H
#define CORE_KEY_H

#include "base/slice.h"

enum { KEY_MAX = SILT_KEY_MAX };

static inline int key_cmp(struct silt_slice a, uint64_t a_version, struct silt_slice b, uint64_t b_version)
{
	int d = slice_cmp(a, b);

	if (d)
		return d;
	return a_version > b_version ? -1 : a_version < b_version;
}

#endif
