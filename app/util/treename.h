/* SPDX-License-Identifier: Apache-2.0 */
/*
 * treename.h - keys as paths of files below a directory, and back.
 *
 * A key     is its own path where that can be: "img/logo.png" is the file logo.png in the directory img
 * %XX       stands for a byte that a path can't have, or that a person would not see: '%' itself, control bytes, what is not UTF-8; a
 *           slash at the beginning, at the end or behind another one; the dots of "." and ".."
 * %/        stands for nothing: so a name longer than a file's may be goes on in a directory's
 *
 * Examples  a//b -> a/%2Fb     /etc/passwd -> %2Fetc/passwd     ../x -> %2E%2E/x     100% -> 100%25     \xff -> %FF
 *           255 times a, then b's -> aaa...a%/bbb (the first name is 251 bytes long)
 *
 * Where a file is in the way of a directory (the keys "a" and "a/b"), the slash is %2F as well: a%2Fb.
 */
#ifndef UTIL_TREENAME_H
#define UTIL_TREENAME_H

#include "util/bytes.h"

#define TREENAME_MAX 250u             /* bytes of one name */

/* Appends the path, relative. false: no memory. */
bool treename_of(struct span key, struct bytes *path);
/* Appends a path's rest as one name, or as several joined by "%/": for a directory that can't be. */
bool treename_flat(struct span rest, struct bytes *path);
/* Appends the key. False: *bad_at is a '%' that treename_of() does not write, or out->bad. */
bool treename_key(struct span path, struct bytes *key, size_t *bad_at);

#endif
