/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simimage.h - the bytes of a simulated file, in chunks that images share until one of them writes.
 *
 * Copying an image costs one counter a chunk, so that a disk can be copied at each of a thousand sync points. A chunk that
 * was never written is not there and reads as zeros. Out of memory aborts: this is a test's disk.
 * Threads   an image belongs to whoever holds its disk's lock; a chunk may be shared between disks.
 */
#ifndef TESTS_SIMIMAGE_H
#define TESTS_SIMIMAGE_H

#include <stddef.h>
#include <stdint.h>

struct simchunk;
struct simimage {
	uint64_t size;
	size_t count;                 /* of chunks: enough for size */
	struct simchunk **chunks;     /* NULL = zeros */
};

void simimage_fini(struct simimage *img);
void simimage_copy(struct simimage *to, const struct simimage *from);           /* `to` is fresh or finished */
void simimage_extend(struct simimage *img, uint64_t size);                      /* with zeros; never shrinks */
void simimage_write(struct simimage *img, uint64_t offset, const void *data, size_t n);
size_t simimage_read(const struct simimage *img, uint64_t offset, void *buf, size_t n);   /* how much there was */
uint64_t simimage_allocated(const struct simimage *img);

/* Memory that is there or the test ends. */
void *simimage_memory(void *old, size_t n);

#endif
