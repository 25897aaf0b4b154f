/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - one entry, and its form as a line of JSON: the server's own (application/x-ndjson), which export writes and
 * import reads.
 *
 * Line      {"key":K,"key_encoding":"base64"?,"value":V,"encoding":"base64"?,"version":N?,"expires_at":MS?,"content_type":T?}
 *           V that is no string is stored as the JSON text it is. "meta" (with "meta_encoding") stands for a content type that is no
 *           visible ASCII: only a program that embeds the library can have stored one.
 * Last      {"end":true,"count":N,"version":V}         or {"error":{...}}: the list broke off
 */
#ifndef CTL_ENTRY_H
#define CTL_ENTRY_H

#include "util/bytes.h"

struct entry {                        /* borrows */
	struct span key;
	struct span value;            /* p NULL = not asked for */
	struct span meta;             /* the content type; empty = none */
	uint64_t version;             /* 0 = not known */
	uint64_t expires_ms;          /* Unix milliseconds; 0 = never */
	uint64_t ttl_s;               /* of one to be put: the same as seconds from then on, by the clock of the store; 0 = not said so */
};

/* Without a newline; lack of memory sticks in out. */
void entry_print(struct bytes *out, const struct entry *e);
/* Is it what a content type may be: at most 255 visible ASCII characters? */
bool entry_is_type(struct span meta);

enum entry_line { ENTRY_ITEM, ENTRY_LAST, ENTRY_ERROR, ENTRY_BAD, ENTRY_NO_MEMORY };

struct entry_reading {
	bool keys_only;               /* set by the caller: there need be no value */
	struct entry entry;           /* of ENTRY_ITEM; borrows the line and text */
	uint64_t count, version;      /* of ENTRY_LAST */
	const char *fault;            /* of ENTRY_BAD: what is wrong, static ... */
	size_t at;                    /* ... and at which byte of the line */
	struct span error;            /* of ENTRY_ERROR: the problem document */
	struct bytes text;            /* what had to be decoded; reused. Begin with {0}, end with bytes_fini() */
};
/* Strict, as the server is: an unknown member is a fault. */
enum entry_line entry_read(struct span line, struct entry_reading *out);

#endif
