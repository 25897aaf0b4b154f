/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_check.h - is this text JSON, strictly? It stands in front of json-c, which clamps large integers,
 * turns lone surrogates into U+FFFD, cuts member names at NUL, and lets NaN, single quotes and duplicate
 * names pass.
 *
 * Promise   what it accepts is one JSON value by RFC 8259, in strict UTF-8, with escapes that mean Unicode
 *           scalar values, no name twice in an object (compared decoded: "k" and "\u006b" are one name),
 *           nested at most JSON_DEPTH_MAX deep.
 * Errors    the byte offset of the first fault: of a bad byte, of the first byte of a bad UTF-8 sequence,
 *           of the backslash of a bad escape, of the number or literal that is none; the length where the
 *           text ends too early. A duplicate name is found when its object ends, at the opening quote of
 *           the one that came second.
 *
 * Example   {"key":"a","value":[1, 2]}      members: key at "a" with its quotes; value at [1, 2], as sent
 *           {"key":"a",}                    offset 11
 */
#ifndef UTIL_JSON_CHECK_H
#define UTIL_JSON_CHECK_H

#include "util/bytes.h"

#define JSON_DEPTH_MAX   64
#define JSON_MEMBERS_MAX 16                     /* top-level members kept; those beyond are checked and counted */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Of a value that begins so. */
enum json_kind json_kind_of(char first);

struct json_member {
	struct span name;                       /* between the quotes, escapes as sent */
	struct span value;                      /* as sent, without blanks around it; a string with its quotes */
	enum json_kind kind;
};

struct json_doc {
	enum json_kind kind;
	size_t member_count;                    /* of the outermost value, if it is an object */
	struct json_member member[JSON_MEMBERS_MAX];
	size_t error_offset;
	const char *error;                      /* what is wrong, for people; NULL = nothing; static */
	bool no_memory;                         /* it is not the text's fault */
};

/* doc borrows text. False: see error and error_offset. */
bool json_check(struct span text, struct json_doc *doc);

/* Is a member's name (as found by json_check) this one? */
bool json_name_is(struct span name, const char *plain);

#endif
