/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - members of a server's JSON answer by name, objects within objects too.
 *
 * Example   of {"job":{"id":"7","done":3}}: look_in(whole, "job", &job), look_number(job, "done", &n) -> 3
 */
#ifndef CTL_LOOK_H
#define CTL_LOOK_H

#include "util/json_check.h"

/* Is it JSON, and an object? *out is that, without blanks around it; borrows text. */
bool look_object(struct span text, struct span *out);
/* These take what look_object() or look_in() gave. False: there is no such member, or it is of another kind. */
bool look_member(struct span object, const char *name, struct json_member *out);
bool look_in(struct span object, const char *name, struct span *out);
bool look_number(struct span object, const char *name, uint64_t *out);
/* Appends the text of a string. */
bool look_text(struct span object, const char *name, struct bytes *out);
/* Appends any bytes: a string, in base64 where the member `encoding` says so. */
bool look_bytes(struct span object, const char *name, const char *encoding, struct bytes *out);

#endif
