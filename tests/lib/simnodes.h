/* SPDX-License-Identifier: Apache-2.0 */
/* simnodes.h - what simtree.c and simcrash.c share: the two lists of what is on its way, and tables of names. */
#ifndef TESTS_SIMNODES_H
#define TESTS_SIMNODES_H

#include "lib/simtree.h"

enum simstate { SIM_PENDING, SIM_SYNCED, SIM_DOUBT };         /* the picture is in simtree.h */

struct simwrite {
	struct simwrite *next;
	uint64_t offset;
	size_t len;
	enum simstate state;
	uint8_t data[];
};

enum simop_kind {
	SIMOP_SET,                    /* name = inode */
	SIMOP_DROP,                   /* no such name */
	SIMOP_MOVE,                   /* both at once: name is dropped if it still is the inode, to_name = inode */
};

struct simop {
	struct simop *next;
	enum simop_kind kind;
	enum simstate state;
	struct siminode *dir, *inode; /* references */
	char *name, *to_name;
	struct simop *after;          /* this one is kept only if that one is; NULL once that one is durable */
	bool followed;                /* some other's `after` */
	bool kept;                    /* scratch of simtree_crash() */
};

struct siminode *siminode_new(bool is_dir);
struct siminode *simentries_get(const struct simentries *e, const char *name);
void simentries_put(struct simentries *e, const char *name, struct siminode *n);
void simentries_drop(struct simentries *e, const char *name);
void simentries_apply(struct simentries *e, const struct simop *op);
void simentries_fini(struct simentries *e);

#endif
