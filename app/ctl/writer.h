/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - where export puts its entries: lines of JSON, CSV, or the files of a tree. What --output names is there whole, or not at all.
 *
 * Use       writer_open(); entry() for each; commit(); writer_close() in any case, which takes away what was not committed
 */
#ifndef CTL_WRITER_H
#define CTL_WRITER_H

#include "ctl/args.h"
#include "ctl/entry.h"
#include "ctl/target.h"

struct writer;
struct writer_ops {                   /* all return an exit status; what went wrong was said */
	int (*entry)(struct writer *w, const struct entry *e);
	int (*commit)(struct writer *w, const struct target_scanned *all);
	void (*close)(struct writer *w);
};
struct writer {                       /* each form's own struct begins with it */
	const struct writer_ops *ops;
	const char *name;             /* of what is written, for messages */
	bool is_stdout;
	bool is_stream;               /* a part stays where the rest fails: stdout, a pipe, a device */
	uint64_t bytes;               /* written so far */
};

/* As --format and --output say. End with writer_close(). */
int writer_open(const struct args *a, struct writer **out);
void writer_close(struct writer *w);  /* NULL is fine */

int writer_stream_open(const char *path, bool csv, struct writer **out);
int writer_tree_open(const char *path, struct writer **out);

#endif
