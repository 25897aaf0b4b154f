/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - what import takes its entries from: lines of JSON, CSV, or the files of a tree. In the order of the source, one at a time.
 *
 * Going on  Every entry has a place that import can begin at again: the line where it begins, or the path of its file.
 * Strict    What can't be read is said with its place, and nothing behind it is given. So is a list of JSON lines that has no last line
 *           (entry.h), or one that counts others: it was cut short.
 */
#ifndef CTL_READER_H
#define CTL_READER_H

#include "ctl/args.h"
#include "ctl/entry.h"

struct reader_place {
	uint64_t line;                /* of JSON lines and CSV, from 1 on */
	const char *path;             /* of a tree: below its root, borrowed until the next entry. Else NULL */
};

struct reader_item {                  /* borrowed until the next one */
	struct entry entry;
	struct reader_place place;
};

#define READER_END (-1)

struct reader;
struct reader_ops {
	/* SESSION_OK: an entry; READER_END; else an exit status, said. */
	int (*next)(struct reader *r, struct reader_item *out);
	void (*close)(struct reader *r);         /* frees it, but not `in` */
};
struct reader {                       /* each form's own struct begins with it */
	const struct reader_ops *ops;
	const char *name;             /* of the source, for messages */
	struct reader_place place;    /* of what next() is at, or failed at */
	uint64_t next_line;           /* behind that, where it has lines */
	struct input *in;             /* what those are read from; NULL of a tree, ... */
	uint64_t read_bytes;          /* ... which counts what it has read */
};

/* As --format, or else the source, says. End with reader_close(). */
int reader_open(const struct args *a, struct reader **out);
void reader_close(struct reader *r);  /* NULL is fine */
/* How far it is, in bytes; total 0 = not known. */
void reader_progress(const struct reader *r, uint64_t *done, uint64_t *total);

/* For the forms that have lines: one of `size` bytes, zeroed, with its input open. */
int reader_begin(size_t size, const struct reader_ops *ops, const struct args *a, const char *path, struct reader **out);
int reader_lines_open(const struct args *a, const char *path, struct reader **out);
int reader_csv_open(const struct args *a, const char *path, struct reader **out);
int reader_tree_open(const struct args *a, const char *path, struct reader **out);

#endif
