/* SPDX-License-Identifier: Apache-2.0 */
/* simtree.c - see the header for the model; the crash itself is simcrash.c. */
#include "lib/simtree.h"

#include <stdlib.h>
#include <string.h>

#include "lib/simnodes.h"

/* ---- tables of names ------------------------------------------------------------------------------------------------- */

/* Where the name is, or would go. */
static size_t simtree_place(const struct simentries *e, const char *name, bool *there)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = strcmp(e->list[mid].name, name);

		if (d == 0) {
			*there = true;
			return mid;
		}
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*there = false;
	return low;
}

struct siminode *simentries_get(const struct simentries *e, const char *name)
{
	bool there;
	size_t i = simtree_place(e, name, &there);

	return there ? e->list[i].inode : NULL;
}

void simentries_put(struct simentries *e, const char *name, struct siminode *n)
{
	struct siminode *old;
	bool there;
	size_t i = simtree_place(e, name, &there);

	simtree_ref(n);
	if (there) {
		old = e->list[i].inode;
		e->list[i].inode = n;
		simtree_unref(old);
		return;
	}
	if (e->count == e->cap) {
		e->cap = e->cap ? 2 * e->cap : 8;
		e->list = simimage_memory(e->list, e->cap * sizeof(*e->list));
	}
	memmove(e->list + i + 1, e->list + i, (e->count - i) * sizeof(*e->list));
	e->list[i].name = strcpy(simimage_memory(NULL, strlen(name) + 1), name);
	e->list[i].inode = n;
	e->count++;
}

void simentries_drop(struct simentries *e, const char *name)
{
	struct simentry gone;
	bool there;
	size_t i = simtree_place(e, name, &there);

	if (!there)
		return;
	gone = e->list[i];
	e->count--;
	memmove(e->list + i, e->list + i + 1, (e->count - i) * sizeof(*e->list));
	free(gone.name);
	simtree_unref(gone.inode);
}

void simentries_fini(struct simentries *e)
{
	for (size_t i = 0; i < e->count; i++) {
		free(e->list[i].name);
		simtree_unref(e->list[i].inode);
	}
	free(e->list);
	*e = (struct simentries){ 0 };
}

void simentries_apply(struct simentries *e, const struct simop *op)
{
	switch (op->kind) {
	case SIMOP_SET:
		simentries_put(e, op->name, op->inode);
		break;
	case SIMOP_DROP:
		simentries_drop(e, op->name);
		break;
	case SIMOP_MOVE:
		if (simentries_get(e, op->name) == op->inode)
			simentries_drop(e, op->name);
		simentries_put(e, op->to_name, op->inode);
		break;
	}
}

/* ---- inodes ---------------------------------------------------------------------------------------------------------- */

struct siminode *siminode_new(bool is_dir)
{
	struct siminode *n = simimage_memory(NULL, sizeof(*n));

	*n = (struct siminode){ .refs = 1, .is_dir = is_dir };
	n->writes_end = &n->writes;
	return n;
}

struct siminode *simtree_ref(struct siminode *n)
{
	n->refs++;
	return n;
}

static void simtree_forget_writes(struct siminode *n)
{
	for (struct simwrite *w = n->writes, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	n->writes = NULL;
	n->writes_end = &n->writes;
}

void simtree_unref(struct siminode *n)
{
	if (!n || --n->refs > 0)
		return;
	simimage_fini(&n->seen);
	simimage_fini(&n->durable);
	simtree_forget_writes(n);
	simentries_fini(&n->names);
	simentries_fini(&n->durable_names);
	free(n);
}

/* The space of a file is free when neither name nor handle is left, as the running system sees it. */
static void simtree_release(struct simtree *t, struct siminode *n)
{
	if (n->links == 0 && n->handles == 0)
		t->used -= n->seen.size;
}

void simtree_open(struct siminode *n)
{
	n->handles++;
	simtree_ref(n);
}

void simtree_close(struct simtree *t, struct siminode *n)
{
	n->handles--;
	if (t)
		simtree_release(t, n);
	simtree_unref(n);
}

struct simtree *simtree_new(void)
{
	struct simtree *t = simimage_memory(NULL, sizeof(*t));

	*t = (struct simtree){ .root = siminode_new(true) };
	t->root->links = 1;
	t->ops_end = &t->ops;
	return t;
}

static void simtree_free_op(struct simop *op)
{
	simtree_unref(op->dir);
	simtree_unref(op->inode);
	free(op->name);
	free(op->to_name);
	free(op);
}

void simtree_free(struct simtree *t)
{
	if (!t)
		return;
	for (struct simop *op = t->ops, *next; op; op = next) {
		next = op->next;
		simtree_free_op(op);
	}
	simtree_unref(t->root);
	free(t);
}

/* ---- paths ----------------------------------------------------------------------------------------------------------- */

/* The next component into name; false at the end. Too long a name is cut, and so found nowhere. */
static bool simtree_component(const char **path, char name[SIMTREE_NAME])
{
	size_t n;

	for (;;) {
		*path += strspn(*path, "/");
		n = strcspn(*path, "/");
		if (n != 1 || **path != '.')
			break;
		*path += 1;
	}
	if (n == 0)
		return false;
	if (n >= SIMTREE_NAME)
		n = SIMTREE_NAME - 1;
	memcpy(name, *path, n);
	name[n] = '\0';
	*path += strcspn(*path, "/");
	return true;
}

struct siminode *simtree_entry(struct siminode *dir, const char *name)
{
	return simentries_get(&dir->names, name);
}

int simtree_find(struct simtree *t, const char *path, struct siminode **out)
{
	char name[SIMTREE_NAME];
	struct siminode *n = t->root;

	while (simtree_component(&path, name)) {
		if (!n->is_dir)
			return SILT_E_IO;
		n = simtree_entry(n, name);
		if (!n)
			return SILT_NOTFOUND;
	}
	*out = n;
	return 0;
}

int simtree_find_parent(struct simtree *t, const char *path, struct siminode **dir, char name[SIMTREE_NAME])
{
	char next[SIMTREE_NAME];
	struct siminode *n = t->root;

	if (!simtree_component(&path, name))
		return SILT_E_IO;             /* the root has no parent */
	while (simtree_component(&path, next)) {
		n = simtree_entry(n, name);
		if (!n)
			return SILT_NOTFOUND;
		if (!n->is_dir)
			return SILT_E_IO;
		strcpy(name, next);
	}
	*dir = n;
	return 0;
}

/* ---- name operations ------------------------------------------------------------------------------------------------- */

static char *simtree_strdup(const char *s)
{
	return s ? strcpy(simimage_memory(NULL, strlen(s) + 1), s) : NULL;
}

static struct simop *simtree_add_op(struct simtree *t, enum simop_kind kind, struct siminode *dir, const char *name,
                                    const char *to_name, struct siminode *n)
{
	struct simop *op = simimage_memory(NULL, sizeof(*op));

	*op = (struct simop){
		.kind = kind, .dir = simtree_ref(dir), .inode = simtree_ref(n),
		.name = simtree_strdup(name), .to_name = simtree_strdup(to_name),
	};
	*t->ops_end = op;
	t->ops_end = &op->next;
	return op;
}

/* A name less. The caller keeps the inode alive. */
static void simtree_drop_seen(struct simtree *t, struct siminode *dir, const char *name, struct siminode *n)
{
	simentries_drop(&dir->names, name);
	n->links--;
	simtree_release(t, n);
}

void simtree_link(struct simtree *t, struct siminode *dir, const char *name, struct siminode *n)
{
	n->links++;
	simentries_put(&dir->names, name, n);
	simtree_add_op(t, SIMOP_SET, dir, name, NULL, n);
}

struct siminode *simtree_create(struct simtree *t, struct siminode *dir, const char *name, bool is_dir)
{
	struct siminode *n = siminode_new(is_dir);

	simtree_link(t, dir, name, n);
	simtree_unref(n);             /* the names hold it now */
	return n;
}

void simtree_unlink(struct simtree *t, struct siminode *dir, const char *name)
{
	struct siminode *n = simtree_entry(dir, name);

	simtree_add_op(t, SIMOP_DROP, dir, name, NULL, n);    /* its reference keeps n */
	simtree_drop_seen(t, dir, name, n);
}

void simtree_rename(struct simtree *t, struct siminode *from, const char *from_name, struct siminode *to, const char *to_name)
{
	struct siminode *n = simtree_entry(from, from_name), *over = simtree_entry(to, to_name);
	struct simop *set;

	if (from == to) {
		simtree_add_op(t, SIMOP_MOVE, from, from_name, to_name, n);   /* rule 1 */
	} else {
		set = simtree_add_op(t, SIMOP_SET, to, to_name, NULL, n);
		set->followed = true;
		simtree_add_op(t, SIMOP_DROP, from, from_name, NULL, n)->after = set;     /* rule 2 */
	}
	if (over) {
		simtree_ref(over);
		simtree_drop_seen(t, to, to_name, over);
		simtree_unref(over);
	}
	simentries_drop(&from->names, from_name);
	simentries_put(&to->names, to_name, n);
}

/* The operation is on the durable side now: whoever had to come after it is free. */
static void simtree_settle_op(struct simop *op)
{
	simentries_apply(&op->dir->durable_names, op);
	for (struct simop *later = op->followed ? op->next : NULL; later; later = later->next)
		if (later->after == op)
			later->after = NULL;
	simtree_free_op(op);
}

/* Apply what is synced and has no elder in its directory that is not. */
static void simtree_fold_ops(struct simtree *t)
{
	struct simop *op, **link = &t->ops;

	for (op = t->ops; op; op = op->next)
		op->dir->waits = false;
	while ((op = *link) != NULL) {
		op->dir->waits |= op->state != SIM_SYNCED;
		if (op->dir->waits) {
			link = &op->next;
			continue;
		}
		*link = op->next;
		simtree_settle_op(op);
	}
	t->ops_end = link;
}

void simtree_dirsync(struct simtree *t, struct siminode *dir, bool succeeded)
{
	for (struct simop *op = t->ops; op; op = op->next) {
		if (op->dir != dir || op->state != SIM_PENDING)
			continue;
		op->state = succeeded ? SIM_SYNCED : SIM_DOUBT;
		if (succeeded && op->after)
			op->after->state = SIM_SYNCED;        /* rule 2 */
	}
	simtree_fold_ops(t);
}

void simtree_settle_name(struct simtree *t, struct siminode *dir, const char *name)
{
	for (struct simop *op = t->ops; op; op = op->next)
		if (op->dir == dir && (strcmp(op->name, name) == 0 || (op->to_name && strcmp(op->to_name, name) == 0)))
			op->state = SIM_SYNCED;
	simtree_fold_ops(t);
}

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

void simtree_write(struct simtree *t, struct siminode *n, uint64_t offset, const void *data, size_t len)
{
	struct simwrite *w;

	if (len == 0)
		return;
	w = simimage_memory(NULL, sizeof(*w) + len);
	*w = (struct simwrite){ .offset = offset, .len = len };
	memcpy(w->data, data, len);
	*n->writes_end = w;
	n->writes_end = &w->next;
	if (t && offset + len > n->seen.size)
		t->used += offset + len - n->seen.size;
	simimage_write(&n->seen, offset, data, len);
}

void simtree_datasync(struct siminode *n, bool succeeded)
{
	struct simwrite *w;

	for (w = n->writes; w; w = w->next)
		if (w->state == SIM_PENDING)
			w->state = succeeded ? SIM_SYNCED : SIM_DOUBT;
	while ((w = n->writes) != NULL && w->state == SIM_SYNCED) {   /* rule 3 */
		simimage_write(&n->durable, w->offset, w->data, w->len);
		n->writes = w->next;
		free(w);
	}
	if (!n->writes)
		n->writes_end = &n->writes;
}

static void simtree_flip_image(struct simimage *img, uint64_t offset, uint8_t mask)
{
	uint8_t byte;

	if (simimage_read(img, offset, &byte, 1) == 0)
		return;
	byte ^= mask;
	simimage_write(img, offset, &byte, 1);
}

void simtree_flip(struct siminode *n, uint64_t offset, uint8_t mask)
{
	simtree_flip_image(&n->seen, offset, mask);
	simtree_flip_image(&n->durable, offset, mask);
	for (struct simwrite *w = n->writes; w; w = w->next)
		if (offset >= w->offset && offset - w->offset < w->len)
			w->data[offset - w->offset] ^= mask;
}

void simtree_replace(struct simtree *t, struct siminode *n, struct silt_slice bytes)
{
	simtree_forget_writes(n);
	t->used -= n->seen.size;
	t->used += bytes.len;
	simimage_fini(&n->seen);
	simimage_fini(&n->durable);
	simimage_write(&n->durable, 0, bytes.data, bytes.len);
	simimage_copy(&n->seen, &n->durable);
}
