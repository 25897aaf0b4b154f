/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_walk.h - stepping through the elements of an array or the members of an object. Only for values that json_check() has
 * accepted: it looks for their ends and at nothing else.
 *
 * Example   json_walk_of([1, {"a":[2]}]) -> 1, then {"a":[2]}        json_walk_of({"a":1,"b":"x"}) -> a: 1, then b: "x"
 */
#ifndef UTIL_JSON_WALK_H
#define UTIL_JSON_WALK_H

#include "util/json_check.h"

struct json_walk {
	const char *p, *end;                    /* what is left, and the closing bracket */
	bool object;
};

/* value is an array or an object, with its brackets. */
struct json_walk json_walk_of(struct span value);
/* The next element, or member with its name; false at the end. Both borrow the text. */
bool json_walk_next(struct json_walk *w, struct json_member *m);

#endif
