/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition.h - If-Match and If-None-Match (RFC 9110 section 13): what they say, and whether it holds.
 *
 * Grammar   "*" | tag ("," tag)*      tag := ["W/"] '"' (any visible byte but '"')* '"'
 *           empty list elements are skipped
 * Meaning   our tags are "<version>"; W/"<version>" counts as the same, since proxies that compress make it
 *           of ours. A tag of any other form is somebody else's: well-formed, and equal to no version.
 *
 * Example   If-Match: "7", W/"9"     holds for versions 7 and 9
 *           If-Match: "abc"          holds for none
 *           If-None-Match: *         holds where the key is absent
 *           If-Match: 7              malformed: 400, never ignored
 */
#ifndef SERVER_CONDITION_H
#define SERVER_CONDITION_H

#include "store/store.h"

#define CONDITION_TAGS_MAX 64

struct condition {
	bool given;
	bool any;                             /* "*" */
	size_t n;                             /* of versions; at least 1 where given and not any */
	uint64_t versions[CONDITION_TAGS_MAX];
};

/* Stands for tags that are not ours: above every version, so equal to none. */
#define CONDITION_FOREIGN (UINT64_C(1) << 53)

/* header NULL or "" = not given. False: malformed, or more than CONDITION_TAGS_MAX tags. */
bool condition_parse(const char *header, struct condition *out);

/* Is the key's version (0 = absent) among those named? ("*": is there one?) */
bool condition_matches(const struct condition *c, uint64_t version);

/* For the store; borrows c. */
struct store_cond condition_store(const struct condition *c, bool none_match);

#endif
