/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simtree.h - files and directories that remember what was synced, and what a crash may make of the rest.
 *
 * A file is two images, what its readers see (the page cache) and what is durable, with the list of writes between them. A
 * directory is two tables of names; the name operations between them are one list for the whole tree, in order.
 *
 *      write, name operation:   PENDING --sync succeeded--> SYNCED --all before it are--> applied to the durable side
 *                                  |
 *                                  +-----sync failed------> DOUBT, for good: no later sync makes it durable
 *
 * A crash keeps what is SYNCED, and decides for each PENDING or DOUBT one, in order.
 * Rules     (1) a rename within a directory is one operation: kept or lost as a whole.  (2) a rename between directories
 *           is two, and the old name is only gone where the new one is there.  (3) a write that was synced is never
 *           overwritten by an older one, whatever became of that: SYNCED ones wait in the list for their elders.
 * Threads   none; simos.c and simdisk.c hold its lock.
 */
#ifndef TESTS_SIMTREE_H
#define TESTS_SIMTREE_H

#include <stdbool.h>

#include "lib/simdisk.h"
#include "lib/simimage.h"

struct simwrite;
struct simop;
struct siminode;

struct simentries {
	size_t count, cap;
	struct simentry {
		char *name;
		struct siminode *inode;       /* a reference */
	} *list;                              /* in the order of names */
};

struct siminode {
	size_t refs;                  /* names, operations, handles, locks */
	bool is_dir;
	bool locked;
	unsigned links;               /* names that are seen now */
	unsigned handles;
	/* a file */
	struct simimage seen, durable;
	struct simwrite *writes, **writes_end;        /* oldest first, linked by simwrite::next */
	/* a directory */
	struct simentries names, durable_names;
	bool waits;                   /* an operation of it is not synced: scratch of simtree_dirsync() */
	/* simtree_crash() */
	uint64_t copied_in;           /* the crash that made `copy` */
	struct siminode *copy;
};

struct simtree {
	struct siminode *root;
	struct simop *ops, **ops_end; /* name operations, oldest first, linked by simop::next */
	uint64_t used;                /* bytes of the files that have a name or a handle */
	uint64_t crashes;
};

enum { SIMTREE_NAME = 256 };

struct simtree *simtree_new(void);
void simtree_free(struct simtree *t);
/* The tree as a crash now would leave it, all synced; the old one is unchanged. */
struct simtree *simtree_crash(struct simtree *t, enum simdisk_policy policy, uint64_t seed);

/* Paths: components between slashes from the one root; "." and empty ones are skipped. 0, SILT_NOTFOUND, SILT_E_IO (through
 * a file). Inodes are borrowed from the tree: take a reference to keep one. */
int simtree_find(struct simtree *t, const char *path, struct siminode **out);
int simtree_find_parent(struct simtree *t, const char *path, struct siminode **dir, char name[SIMTREE_NAME]);
struct siminode *simtree_entry(struct siminode *dir, const char *name);          /* or NULL */

struct siminode *simtree_ref(struct siminode *n);
void simtree_unref(struct siminode *n);
void simtree_open(struct siminode *n);                        /* a handle more */
void simtree_close(struct simtree *t, struct siminode *n);    /* a handle less */

/* Names. Each is one pending operation, but for a rename between directories. */
struct siminode *simtree_create(struct simtree *t, struct siminode *dir, const char *name, bool is_dir);
void simtree_link(struct simtree *t, struct siminode *dir, const char *name, struct siminode *n);
void simtree_unlink(struct simtree *t, struct siminode *dir, const char *name);
void simtree_rename(struct simtree *t, struct siminode *from, const char *from_name, struct siminode *to, const char *to_name);
void simtree_dirsync(struct simtree *t, struct siminode *dir, bool succeeded);
void simtree_settle_name(struct simtree *t, struct siminode *dir, const char *name);     /* durable, whatever it went through */

/* Bytes. */
void simtree_write(struct simtree *t, struct siminode *n, uint64_t offset, const void *data, size_t len);
void simtree_datasync(struct siminode *n, bool succeeded);
void simtree_flip(struct siminode *n, uint64_t offset, uint8_t mask);            /* seen, durable, and on its way */
void simtree_replace(struct simtree *t, struct siminode *n, struct silt_slice bytes);   /* at once durable */

#endif
