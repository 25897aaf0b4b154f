/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versionkit.h - versions and edits written as text, for tables of cases.
 *
 *           text   := word*
 *           word   := L<level>                        what follows is in this level
 *                   | <number>:<key>-<key>@<v>-<v>    a table with its range of keys and of versions, and behind it, in any order:
 *                     *<bytes> e<entries> t<tombstones> d<range deletes> x<expiring>,<earliest expiry>  (100 bytes, 10 entries, 0)
 *                   | -<number>                       a table leaves this level (edits only)
 *
 *           "L0 9:a-c@5-7 8:b-d@1-4*2000t5 L6 3:a-z@1-1"
 */
#ifndef TESTS_VERSIONKIT_H
#define TESTS_VERSIONKIT_H

#include "lib/test.h"

#include "version/version.h"

/* A reporter that remembers the last message; valid until the next call of versionkit_reporter(). */
struct reporter versionkit_reporter(char message[1024]);
struct table_meta *versionkit_table(const char *word);                 /* one reference, the caller's */
void versionkit_edit(const char *text, struct edit *out);              /* ended by edit_fini() */
/* version_apply() of the text on base (NULL = nothing). */
int versionkit_apply(const struct version *base, const char *text, const struct reporter *rep, struct version **out);
struct version *versionkit_version(const char *text);                  /* asserts that it can be had */
/* "L0 9 8 L6 3": the numbers in their order; valid until the next call. */
const char *versionkit_text(const struct version *v);
bool versionkit_same(const struct version *a, const struct version *b);/* every field of every table, and the counters */
bool versionkit_meta_same(const struct table_meta *a, const struct table_meta *b);

#endif
