/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_file.h - one file in memory behind struct silt_os, whatever path it is asked for; for fuzz targets that look at whole files.
 * Names come and go without effect; reads beyond the end are short, as of any file.
 */
#ifndef TESTS_FUZZ_MEMORY_FILE_H
#define TESTS_FUZZ_MEMORY_FILE_H

#include <string.h>

#include "base/mem.h"
#include "core/env.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

struct os_file {
	uint8_t *bytes;
	size_t len, room;
};

struct memory_file {
	silt_os os;                       /* first */
	struct os_file file;
};

static int memory_open(silt_os *os, const char *path, unsigned flags, struct os_file **out)
{
	(void)path;
	(void)flags;
	*out = &((struct memory_file *)os)->file;
	return 0;
}

static int memory_read(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got)
{
	(void)os;
	*got = offset >= f->len ? 0 : n < f->len - offset ? n : f->len - (size_t)offset;
	if (*got)
		memcpy(buf, f->bytes + offset, *got);
	return 0;
}

static int memory_write(silt_os *os, struct os_file *f, uint64_t offset, const void *buf, size_t n)
{
	(void)os;
	CHECK(offset < 1u << 24 && n < 1u << 24);
	if (offset + n > f->room) {
		f->room = 2 * ((size_t)offset + n);
		f->bytes = mem_resize(f->bytes, f->room, 1);
		CHECK(f->bytes);
	}
	if (offset + n > f->len) {
		memset(f->bytes + f->len, 0, (size_t)offset + n - f->len);
		f->len = (size_t)offset + n;
	}
	if (n)
		memcpy(f->bytes + offset, buf, n);
	return 0;
}

static int memory_size(silt_os *os, struct os_file *f, uint64_t *out)
{
	(void)os;
	*out = f->len;
	return 0;
}

static int memory_file_fine(silt_os *os, struct os_file *f)
{
	(void)os;
	(void)f;
	return 0;
}

static void memory_range_sync(silt_os *os, struct os_file *f, uint64_t offset, uint64_t n)
{
	(void)os;
	(void)f;
	(void)offset;
	(void)n;
}

static void memory_drop_cache(silt_os *os, struct os_file *f)
{
	(void)os;
	(void)f;
}

static int memory_rename(silt_os *os, const char *from, const char *to)
{
	(void)os;
	(void)from;
	(void)to;
	return 0;
}

static int memory_name_fine(silt_os *os, const char *path)
{
	(void)os;
	(void)path;
	return 0;
}

static const char *memory_error_text(silt_os *os)
{
	(void)os;
	return "";
}

/* The bytes are copied; ended by memory_fini(). */
static void memory_init(struct memory_file *m, struct silt_slice bytes)
{
	memset(m, 0, sizeof(*m));
	m->os = (silt_os){ .name = "memory", .open = memory_open, .read = memory_read, .write = memory_write, .size = memory_size,
		           .datasync = memory_file_fine, .close = memory_file_fine, .range_sync = memory_range_sync,
		           .drop_cache = memory_drop_cache, .rename = memory_rename, .unlink = memory_name_fine,
		           .dirsync = memory_name_fine, .error_text = memory_error_text };
	(void)memory_write(&m->os, &m->file, 0, bytes.data, bytes.len);
}

static void memory_fini(struct memory_file *m)
{
	mem_free(m->file.bytes);
}

static struct env memory_env(struct memory_file *m)
{
	struct env env = { .os = &m->os, .dir = "db" };

	silt_options_init(&env.opts);
	return env;
}

#endif
