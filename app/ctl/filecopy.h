/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filecopy.h - a file read to its end, its SHA-256 taken on the way, and where wanted a copy of it made: new, synced, out of the cache.
 *
 * What fails is said on stderr, with the file and the reason; the functions return exit statuses (session.h). Ctrl-C ends the work with
 * stop_status().
 */
#ifndef CTL_FILECOPY_H
#define CTL_FILECOPY_H

#include "ctl/progress.h"
#include "util/sha256.h"

#include <stddef.h>

struct filecopy_dir {                 /* a directory, and its name for messages */
	int fd;
	const char *path;
};

struct filecopy_found {
	uint64_t size;
	unsigned char digest[SHA256_BYTES];    /* SHA-256 of the bytes */
};

/* What a long work has in common over its files. */
struct filecopy {
	struct progress *progress;    /* NULL = silent */
	uint64_t done, total;         /* bytes, of all files */
	bool full;                    /* the disk, or what the user may have of it: a write met that */
};

/* to NULL: read only. A copy has the name and the mode of the original; what is left of a failed one is removed. */
int filecopy_run(struct filecopy *c, const struct filecopy_dir *from, const char *name, const struct filecopy_dir *to,
                 struct filecopy_found *out);
/* The next ones count `bytes` more as done. */
void filecopy_advance(struct filecopy *c, uint64_t bytes);
/* A new file of these bytes, synced. */
int filecopy_write(struct filecopy *c, const struct filecopy_dir *to, const char *name, const void *bytes, size_t n);
/* A whole small file, at most `most` bytes, into out; out->p stays the caller's. */
int filecopy_read(const struct filecopy_dir *from, const char *name, size_t most, struct bytes *out);
/* Names in a directory are durable. */
int filecopy_sync(const struct filecopy_dir *dir);

/*
 * What identifies a table wherever it lies: SHA-256 of its footer, the root of the digests of all its bytes. 192 bytes are read. False: it is
 * no table of a form that is known here (or can't be read): whoever asked treats it as like no other.
 */
bool filecopy_root(const struct filecopy_dir *dir, const char *name, uint64_t *size, unsigned char root[SHA256_BYTES]);

#endif
