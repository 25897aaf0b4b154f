/* SPDX-License-Identifier: Apache-2.0 */
/* simimage.c - copy on write by counted chunks. */
#include "lib/simimage.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIMIMAGE_CHUNK = 16384 };

struct simchunk {
	atomic_size_t refs;           /* 1 = ours alone: may be written */
	uint8_t data[SIMIMAGE_CHUNK];
};

void *simimage_memory(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	if (!p) {
		fprintf(stderr, "simdisk: out of memory\n");
		abort();
	}
	return p;
}

static void simimage_unref(struct simchunk *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1)
		free(c);
}

void simimage_fini(struct simimage *img)
{
	for (size_t i = 0; i < img->count; i++)
		simimage_unref(img->chunks[i]);
	free(img->chunks);
	*img = (struct simimage){ 0 };
}

void simimage_copy(struct simimage *to, const struct simimage *from)
{
	*to = *from;
	to->chunks = simimage_memory(NULL, from->count * sizeof(*to->chunks));
	for (size_t i = 0; i < from->count; i++) {
		to->chunks[i] = from->chunks[i];
		if (to->chunks[i])
			atomic_fetch_add(&to->chunks[i]->refs, 1);
	}
}

void simimage_extend(struct simimage *img, uint64_t size)
{
	size_t count = (size_t)((size + SIMIMAGE_CHUNK - 1) / SIMIMAGE_CHUNK);

	if (count > img->count) {
		img->chunks = simimage_memory(img->chunks, count * sizeof(*img->chunks));
		memset(img->chunks + img->count, 0, (count - img->count) * sizeof(*img->chunks));
		img->count = count;
	}
	if (size > img->size)
		img->size = size;
}

/* The chunk, made or copied so that nobody else sees what is written. */
static struct simchunk *simimage_own(struct simimage *img, size_t i)
{
	struct simchunk *old = img->chunks[i], *c;

	if (old && atomic_load(&old->refs) == 1)
		return old;
	c = simimage_memory(NULL, sizeof(*c));
	atomic_init(&c->refs, 1);
	if (old)
		memcpy(c->data, old->data, sizeof(c->data));
	else
		memset(c->data, 0, sizeof(c->data));
	simimage_unref(old);
	img->chunks[i] = c;
	return c;
}

void simimage_write(struct simimage *img, uint64_t offset, const void *data, size_t n)
{
	const uint8_t *from = data;

	if (n == 0)
		return;
	simimage_extend(img, offset + n);
	while (n > 0) {
		size_t at = (size_t)(offset % SIMIMAGE_CHUNK), step = SIMIMAGE_CHUNK - at;

		if (step > n)
			step = n;
		memcpy(simimage_own(img, (size_t)(offset / SIMIMAGE_CHUNK))->data + at, from, step);
		from += step;
		offset += step;
		n -= step;
	}
}

size_t simimage_read(const struct simimage *img, uint64_t offset, void *buf, size_t n)
{
	uint8_t *to = buf;
	size_t got;

	if (offset >= img->size)
		return 0;
	if (n > img->size - offset)
		n = (size_t)(img->size - offset);
	got = n;
	while (n > 0) {
		size_t at = (size_t)(offset % SIMIMAGE_CHUNK), step = SIMIMAGE_CHUNK - at;
		const struct simchunk *c = img->chunks[offset / SIMIMAGE_CHUNK];

		if (step > n)
			step = n;
		if (c)
			memcpy(to, c->data + at, step);
		else
			memset(to, 0, step);
		to += step;
		offset += step;
		n -= step;
	}
	return got;
}

uint64_t simimage_allocated(const struct simimage *img)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < img->count; i++)
		bytes += img->chunks[i] ? SIMIMAGE_CHUNK : 0;
	return bytes;
}
