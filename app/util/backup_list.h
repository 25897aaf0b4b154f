/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup_list.h - SHA256SUMS, the list of a backup's files: written last, so that a directory with one is whole; `sha256sum -c` reads it too.
 *
 * Bytes     # siltstone backup 1                          the format
 *           # version 48213                               the newest write in it
 *           # made 2026-11-21T21:30:00Z
 *           # 65536 5f0c..1b                              then for each file its size and, of a table, filecopy_root(), else -
 *           9a71..c4  000012.sst                          its SHA-256 and its name
 *           # end 0b11..9d                                SHA-256 of all that stands before this line
 * Names     are those of a store's files: digits and .sst or .wal, or MANIFEST. No other is ever read or written.
 */
#ifndef UTIL_BACKUP_LIST_H
#define UTIL_BACKUP_LIST_H

#include "util/sha256.h"

struct backup_file {
	char name[32];
	uint64_t size;
	unsigned char digest[SHA256_BYTES];
	unsigned char root[SHA256_BYTES];
	bool has_root;
};

struct backup_list {
	uint64_t version;
	char made[24];                /* "2026-11-21T21:30:00Z" */
	struct backup_file *files;
	size_t n, room;
};

/* Is it the name of a file that a store needs? */
bool backup_list_name_ok(const char *name);
/* One more, zeroed but for its name; borrowed until the next. NULL: no memory. */
struct backup_file *backup_list_add(struct backup_list *l, const char *name);
/* Of this content; NULL: none. */
const struct backup_file *backup_list_find(const struct backup_list *l, uint64_t size, const unsigned char root[SHA256_BYTES]);
void backup_list_sort(struct backup_list *l);          /* by name */
uint64_t backup_list_bytes(const struct backup_list *l);
/* Lack of memory sticks in out. */
void backup_list_print(const struct backup_list *l, struct bytes *out);
/* *l is filled anew. False: *line is the first that is not as it was written (or there is no memory), and *l is empty. */
bool backup_list_parse(struct backup_list *l, struct span text, size_t *line);
void backup_list_fini(struct backup_list *l);

#endif
