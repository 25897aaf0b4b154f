/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simos.c - struct silt_os over a simtree: handles, locks, failures on demand, room, clock, chance.
 *
 * Every operation has one shape: simos_begin() takes the lock and says whether this call is to fail; simos_end()
 * gives the lock back and keeps the text for error_text. What an injected failure leaves behind is decided between.
 */
#include "lib/simdisk_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct os_file {
	struct siminode *inode;
	uint64_t epoch;
	unsigned flags;
	char path[];
};

struct os_lock {
	struct siminode *inode;
};

static _Thread_local char simos_text[96];

static const char *const simos_names[SIM_CALLS] = {
	[SIM_ANY] = "any", [SIM_OPEN] = "open", [SIM_READ] = "read", [SIM_WRITE] = "write", [SIM_DATASYNC] = "datasync",
	[SIM_RENAME] = "rename", [SIM_LINK] = "link", [SIM_UNLINK] = "unlink", [SIM_MKDIR] = "mkdir", [SIM_RMDIR] = "rmdir",
	[SIM_STAT] = "stat", [SIM_LIST] = "list", [SIM_DIRSYNC] = "dirsync", [SIM_LOCK] = "lock",
	[SIM_FREE_SPACE] = "free_space", [SIM_SIZE] = "size", [SIM_RANDOM] = "random", [SIM_CLOSE] = "close",
};

static struct simdisk *simos_of(silt_os *os)
{
	return (struct simdisk *)os;
}

static bool simos_due(struct simdisk_plan *p)
{
	if (p->in == 0)
		return false;
	if (p->in > 1) {
		p->in--;
		return false;
	}
	if (!p->sticky)
		p->in = 0;
	return true;
}

/* Locks, counts; 0 or the code this call is to fail with. */
static int simos_begin(struct simdisk *d, enum simdisk_call kind)
{
	bool own, any;

	pthread_mutex_lock(&d->mu);
	d->calls[kind]++;
	d->calls[SIM_ANY]++;
	own = simos_due(&d->plans[kind]);
	any = simos_due(&d->plans[SIM_ANY]);
	return own ? d->plans[kind].code : any ? d->plans[SIM_ANY].code : 0;
}

static int simos_end(struct simdisk *d, enum simdisk_call kind, int rc)
{
	pthread_mutex_unlock(&d->mu);
	if (rc != 0)
		snprintf(simos_text, sizeof(simos_text), "%s: %s (simulated)", simos_names[kind], silt_strerror(rc));
	return rc;
}

static void simos_tell(struct simdisk *d, enum simdisk_call kind, const char *path, bool before)
{
	void (*fn)(void *ctx, enum simdisk_call kind, const char *path, bool before);
	void *ctx;

	pthread_mutex_lock(&d->mu);
	fn = d->on_sync;
	ctx = d->on_sync_ctx;
	pthread_mutex_unlock(&d->mu);
	if (fn)
		fn(ctx, kind, path, before);
}

static uint64_t simos_room(const struct simdisk *d)
{
	return d->capacity > d->tree->used ? d->capacity - d->tree->used : 0;
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

/* As open(2): the inode, made where asked. */
static int simos_resolve(struct simdisk *d, const char *path, unsigned flags, struct siminode **out)
{
	char name[SIMTREE_NAME];
	struct siminode *dir;
	int rc;

	if (!(flags & OS_CREATE)) {
		rc = simtree_find(d->tree, path, out);
		return rc == 0 && (*out)->is_dir && (flags & OS_WRITE) ? SILT_E_IO : rc;
	}
	rc = simtree_find_parent(d->tree, path, &dir, name);
	if (rc != 0)
		return rc;
	if (simtree_entry(dir, name))
		return SILT_E_BUSY;
	*out = simtree_create(d->tree, dir, name, false);
	return 0;
}

static int simos_open(silt_os *os, const char *path, unsigned flags, struct os_file **out)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_OPEN);
	struct siminode *n;
	struct os_file *f;

	if (rc == 0)
		rc = simos_resolve(d, path, flags, &n);
	if (rc == 0) {
		f = simimage_memory(NULL, sizeof(*f) + strlen(path) + 1);
		*f = (struct os_file){ .inode = n, .epoch = d->epoch, .flags = flags };
		strcpy(f->path, path);
		simtree_open(n);
		*out = f;
	}
	return simos_end(d, SIM_OPEN, rc);
}

/* Dead since a crash, or not opened for this. */
static bool simos_unusable(const struct simdisk *d, const struct os_file *f, unsigned wanted)
{
	return f->epoch != d->epoch || f->inode->is_dir || (f->flags & wanted) != wanted;
}

static int simos_read(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n, size_t *got)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_READ);

	if (rc == 0 && simos_unusable(d, f, OS_READ))
		rc = SILT_E_IO;
	if (rc == 0)
		*got = simimage_read(&f->inode->seen, offset, buf, n);
	return simos_end(d, SIM_READ, rc);
}

/* Now and then there is something to wait for. */
static bool simos_read_now(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_READ);
	bool there = rc == 0 && !simos_unusable(d, f, OS_READ) && simdisk_next_random(d) % 4 != 0;

	there = there && simimage_read(&f->inode->seen, offset, buf, n) == n;
	(void)simos_end(d, SIM_READ, rc);
	return there;
}

/* How much of a write there is room for: all, or what grows the file up to the last free byte. */
static size_t simos_fitting(const struct simdisk *d, const struct siminode *n, uint64_t offset, size_t len)
{
	uint64_t limit = n->seen.size + simos_room(d);

	if (limit < n->seen.size || offset + len <= limit)
		return len;
	return offset < limit ? (size_t)(limit - offset) : 0;
}

static int simos_write(silt_os *os, struct os_file *f, uint64_t offset, const void *buf, size_t n)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_WRITE);
	size_t part = n, fitting;

	if (rc != 0)
		part = n ? (size_t)(simdisk_next_random(d) % n) : 0;  /* got so far, and then failed */
	if (simos_unusable(d, f, OS_WRITE)) {
		rc = rc ? rc : SILT_E_IO;
	} else {
		fitting = simos_fitting(d, f->inode, offset, part);
		if (rc == 0 && fitting < n)
			rc = SILT_E_NOSPACE;
		simtree_write(d->tree, f->inode, offset, buf, fitting);
	}
	return simos_end(d, SIM_WRITE, rc);
}

static int simos_datasync(silt_os *os, struct os_file *f)
{
	struct simdisk *d = simos_of(os);
	int rc;

	simos_tell(d, SIM_DATASYNC, f->path, true);
	rc = simos_begin(d, SIM_DATASYNC);
	if (f->epoch != d->epoch)
		rc = rc ? rc : SILT_E_IO;
	else if (!f->inode->is_dir)
		simtree_datasync(f->inode, rc == 0);
	rc = simos_end(d, SIM_DATASYNC, rc);
	simos_tell(d, SIM_DATASYNC, f->path, false);
	return rc;
}

/* Write-back that was asked for may happen or not: a crash decides it anyway. */
static void simos_range_sync(silt_os *os, struct os_file *f, uint64_t offset, uint64_t n)
{
	(void)os;
	(void)f;
	(void)offset;
	(void)n;
}

static void simos_drop_cache(silt_os *os, struct os_file *f)
{
	(void)os;
	(void)f;
}

static int simos_size(silt_os *os, struct os_file *f, uint64_t *out)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_SIZE);

	if (rc == 0 && f->epoch != d->epoch)
		rc = SILT_E_IO;
	if (rc == 0)
		*out = f->inode->seen.size;
	return simos_end(d, SIM_SIZE, rc);
}

static int simos_close(silt_os *os, struct os_file *f)
{
	struct simdisk *d = simos_of(os);
	int rc;

	if (!f)
		return 0;
	rc = simos_begin(d, SIM_CLOSE);
	if (rc == 0 && f->epoch != d->epoch)
		rc = SILT_E_IO;
	simtree_close(f->epoch == d->epoch ? d->tree : NULL, f->inode);
	free(f);
	return simos_end(d, SIM_CLOSE, rc);
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

/* As rename(2) judges what may go over what. */
static int simos_may_replace(const struct siminode *n, const struct siminode *over)
{
	if (!over || n == over)
		return 0;
	if (n->is_dir != over->is_dir)
		return SILT_E_IO;
	return over->is_dir && over->names.count > 0 ? SILT_E_BUSY : 0;
}

static bool simos_is_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return strncmp(dir, path, n) == 0 && path[n] == '/';
}

static int simos_rename_locked(struct simdisk *d, const char *from, const char *to)
{
	char from_name[SIMTREE_NAME], to_name[SIMTREE_NAME];
	struct siminode *from_dir, *to_dir, *n, *over;
	int rc = simtree_find_parent(d->tree, from, &from_dir, from_name);

	if (rc == 0)
		rc = simtree_find_parent(d->tree, to, &to_dir, to_name);
	if (rc != 0)
		return rc;
	n = simtree_entry(from_dir, from_name);
	over = simtree_entry(to_dir, to_name);
	if (!n)
		return SILT_NOTFOUND;
	rc = simos_is_below(from, to) ? SILT_E_IO : simos_may_replace(n, over);
	if (rc != 0 || n == over)
		return rc;            /* two names of one file: rename(2) does nothing */
	simtree_rename(d->tree, from_dir, from_name, to_dir, to_name);
	return 0;
}

static int simos_rename(silt_os *os, const char *from, const char *to)
{
	struct simdisk *d = simos_of(os);
	int rc;

	simos_tell(d, SIM_RENAME, to, true);
	rc = simos_begin(d, SIM_RENAME);
	if (rc == 0)
		rc = simos_rename_locked(d, from, to);
	rc = simos_end(d, SIM_RENAME, rc);
	simos_tell(d, SIM_RENAME, to, false);
	return rc;
}

static int simos_link(silt_os *os, const char *from, const char *to)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_LINK);
	char name[SIMTREE_NAME];
	struct siminode *dir, *n;

	if (rc == 0)
		rc = simtree_find(d->tree, from, &n);
	if (rc == 0)
		rc = simtree_find_parent(d->tree, to, &dir, name);
	if (rc == 0)
		rc = simtree_entry(dir, name) ? SILT_E_BUSY : n->is_dir ? SILT_E_IO : 0;
	if (rc == 0)
		simtree_link(d->tree, dir, name, n);
	return simos_end(d, SIM_LINK, rc);
}

/* unlink and rmdir: each refuses what is the other's. */
static int simos_remove(struct simdisk *d, const char *path, bool is_dir)
{
	char name[SIMTREE_NAME];
	struct siminode *dir, *n;
	int rc = simtree_find_parent(d->tree, path, &dir, name);

	if (rc != 0)
		return rc;
	n = simtree_entry(dir, name);
	if (!n)
		return SILT_NOTFOUND;
	if (n->is_dir != is_dir)
		return SILT_E_IO;
	if (n->names.count > 0)
		return SILT_E_BUSY;
	simtree_unlink(d->tree, dir, name);
	return 0;
}

static int simos_unlink(silt_os *os, const char *path)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_UNLINK);

	if (rc == 0)
		rc = simos_remove(d, path, false);
	return simos_end(d, SIM_UNLINK, rc);
}

static int simos_rmdir(silt_os *os, const char *path)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_RMDIR);

	if (rc == 0)
		rc = simos_remove(d, path, true);
	return simos_end(d, SIM_RMDIR, rc);
}

static int simos_mkdir(silt_os *os, const char *path)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_MKDIR);
	char name[SIMTREE_NAME];
	struct siminode *dir, *n;

	if (rc == 0 && simtree_find(d->tree, path, &n) == 0)
		rc = SILT_E_BUSY;     /* the root too */
	if (rc == 0)
		rc = simtree_find_parent(d->tree, path, &dir, name);
	if (rc == 0)
		simtree_create(d->tree, dir, name, true);
	return simos_end(d, SIM_MKDIR, rc);
}

static int simos_stat(silt_os *os, const char *path, struct os_stat *out)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_STAT);
	struct siminode *n;

	if (rc == 0)
		rc = simtree_find(d->tree, path, &n);
	if (rc == 0)
		*out = (struct os_stat){
			.size = n->seen.size,
			.links = n->links,
			.allocated = simimage_allocated(&n->seen),
			.is_dir = n->is_dir,
		};
	return simos_end(d, SIM_STAT, rc);
}

/* All names, one after the other, each with its NUL. */
static int simos_collect(struct simdisk *d, const char *path, char **names, size_t *bytes)
{
	struct siminode *n;
	int rc = simtree_find(d->tree, path, &n);

	if (rc != 0)
		return rc;
	if (!n->is_dir)
		return SILT_E_IO;
	for (size_t i = 0; i < n->names.count; i++) {
		size_t len = strlen(n->names.list[i].name) + 1;

		*names = simimage_memory(*names, *bytes + len);
		memcpy(*names + *bytes, n->names.list[i].name, len);
		*bytes += len;
	}
	return 0;
}

static int simos_list(silt_os *os, const char *dir, os_list_fn *fn, void *ctx)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_LIST);
	char *names = NULL;
	size_t bytes = 0;

	if (rc == 0)
		rc = simos_collect(d, dir, &names, &bytes);
	rc = simos_end(d, SIM_LIST, rc);
	/* outside the lock: fn may use the disk */
	for (size_t at = 0; rc == 0 && at < bytes; at += strlen(names + at) + 1)
		rc = fn(ctx, names + at);
	free(names);
	return rc;
}

static int simos_dirsync(silt_os *os, const char *dir)
{
	struct simdisk *d = simos_of(os);
	struct siminode *n = NULL;
	int rc, injected;

	simos_tell(d, SIM_DIRSYNC, dir, true);
	injected = simos_begin(d, SIM_DIRSYNC);
	rc = simtree_find(d->tree, dir, &n);
	if (rc == 0 && !n->is_dir)
		rc = SILT_E_IO;
	if (rc == 0)
		simtree_dirsync(d->tree, n, injected == 0);
	rc = simos_end(d, SIM_DIRSYNC, injected ? injected : rc);
	simos_tell(d, SIM_DIRSYNC, dir, false);
	return rc;
}

static int simos_lock(silt_os *os, const char *path, struct os_lock **out)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_LOCK);
	struct siminode *n;
	struct os_lock *l;

	if (rc == 0) {
		rc = simos_resolve(d, path, OS_READ | OS_WRITE, &n);
		if (rc == SILT_NOTFOUND)
			rc = simos_resolve(d, path, OS_CREATE, &n);
	}
	if (rc == 0 && n->locked)
		rc = SILT_E_BUSY;
	if (rc == 0) {
		n->locked = true;
		l = simimage_memory(NULL, sizeof(*l));
		l->inode = simtree_ref(n);
		*out = l;
	}
	return simos_end(d, SIM_LOCK, rc);
}

/* After a crash the inode is a ghost, and the file on the new disk is free already. */
static void simos_unlock(silt_os *os, struct os_lock *l)
{
	struct simdisk *d = simos_of(os);

	if (!l)
		return;
	pthread_mutex_lock(&d->mu);
	l->inode->locked = false;
	simtree_unref(l->inode);
	pthread_mutex_unlock(&d->mu);
	free(l);
}

static int simos_free_space(silt_os *os, const char *dir, uint64_t *bytes)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_FREE_SPACE);
	struct siminode *n;

	if (rc == 0)
		rc = simtree_find(d->tree, dir, &n);
	if (rc == 0)
		*bytes = simos_room(d);
	return simos_end(d, SIM_FREE_SPACE, rc);
}

/* ---- time and chance ------------------------------------------------------------------------------------------------- */

static uint64_t simos_wall_ms(silt_os *os)
{
	struct simdisk *d = simos_of(os);
	uint64_t now;

	pthread_mutex_lock(&d->mu);
	now = d->wall_ms;
	pthread_mutex_unlock(&d->mu);
	return now;
}

/* The real one: engine threads wait on real condition variables. */
static uint64_t simos_mono_ns(silt_os *os)
{
	struct timespec t;

	(void)os;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int simos_random(silt_os *os, void *buf, size_t n)
{
	struct simdisk *d = simos_of(os);
	int rc = simos_begin(d, SIM_RANDOM);

	for (size_t i = 0; rc == 0 && i < n; i++)
		((uint8_t *)buf)[i] = (uint8_t)(simdisk_next_random(d) >> 56);
	return simos_end(d, SIM_RANDOM, rc);
}

static const char *simos_error_text(silt_os *os)
{
	(void)os;
	return simos_text;
}

const struct silt_os simos = {
	.name = "simdisk",
	.open = simos_open,
	.read = simos_read,
	.read_now = simos_read_now,
	.write = simos_write,
	.datasync = simos_datasync,
	.range_sync = simos_range_sync,
	.drop_cache = simos_drop_cache,
	.size = simos_size,
	.close = simos_close,
	.rename = simos_rename,
	.link = simos_link,
	.unlink = simos_unlink,
	.mkdir = simos_mkdir,
	.rmdir = simos_rmdir,
	.stat = simos_stat,
	.list = simos_list,
	.dirsync = simos_dirsync,
	.lock = simos_lock,
	.unlock = simos_unlock,
	.free_space = simos_free_space,
	.wall_ms = simos_wall_ms,
	.mono_ns = simos_mono_ns,
	.random = simos_random,
	.error_text = simos_error_text,
};
