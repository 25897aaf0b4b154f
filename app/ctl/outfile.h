/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outfile.h - a file that appears whole or not at all: written beside its name, synced, renamed. Or stdout, as it comes; so is written
 * what is no file (a device, a pipe).
 *
 * Use       outfile_open(); outfile_write() ...; outfile_commit(); outfile_close() in any case, which removes what was not committed
 */
#ifndef CTL_OUTFILE_H
#define CTL_OUTFILE_H

#include "util/bytes.h"

struct outfile;

/* path NULL or "-" = stdout. All return an exit status; what went wrong was said. */
int outfile_open(const char *path, struct outfile **out);
/* Buffered. */
int outfile_write(struct outfile *o, struct span s);
int outfile_commit(struct outfile *o);
void outfile_close(struct outfile *o);          /* NULL is fine */
const char *outfile_name(const struct outfile *o);
/* Is it written as it comes, so that a part of it stays where the rest fails? */
bool outfile_is_stream(const struct outfile *o);
uint64_t outfile_bytes(const struct outfile *o);

/* A rename, or a file made, in this directory is there after a crash. False: errno. */
bool outfile_sync_directory_of(const char *path);

#endif
