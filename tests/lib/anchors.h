/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.h - what the tests of the bugs that other stores had share: numbered keys, and threads side by side on one store. Header only. */
#ifndef TESTS_ANCHORS_H
#define TESTS_ANCHORS_H

#include "lib/test.h"

#include <stdatomic.h>

#include "lib/dbkit.h"

static inline void anchors_key(char out[16], int i)
{
	snprintf(out, 16, "key/%05d", i);
}

static inline void anchors_put(struct dbkit *k, int i, const char *value)
{
	char key[16];

	anchors_key(key, i);
	assert_int_equal(dbkit_put(k, key, value), 0);
}

static inline void anchors_is(struct dbkit *k, int i, const char *value)
{
	const char *is;
	char key[16];

	anchors_key(key, i);
	is = dbkit_get(k, key);
	if (is && value ? strcmp(is, value) != 0 : is != value)
		fail_msg("%s is %s and not %s", key, is ? is : "absent", value ? value : "absent");
}

struct anchors_crew {                     /* threads side by side on one store */
	struct dbkit *k;
	_Atomic int acked[3];             /* by writer: so many of its puts are durable */
	_Atomic bool done;
};

#endif
