/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup_set.h - the directory that backups are made in: a directory each, named by its time.
 *
 *      20261121T213000Z/                 whole: SHA256SUMS is in it, the last file that came
 *      20261121T213000Z-2/               the second of one second
 *      20261122T040000Z.unfinished/      being made, or left by one that was cut short: what is in it is taken over by the next
 *      20261120T040000Z.removing/        being removed, or left: the next backup goes on with it
 *      .lock                             held by who makes or removes
 *
 * Names sort as they were made: backup_set_name() refuses a clock that stands before the newest. Errors as in filecopy.h.
 */
#ifndef CTL_BACKUP_SET_H
#define CTL_BACKUP_SET_H

#include "ctl/filecopy.h"

#include <time.h>

enum { BACKUP_SET_NAME = 40 };

struct backup_set_name {
	char text[BACKUP_SET_NAME];
};

struct backup_set {
	struct filecopy_dir dir;
	int lock;                     /* -1 = not held */
	struct backup_set_name *whole;        /* oldest first */
	size_t whole_count, whole_room;
	struct backup_set_name *unfinished;   /* with their ".unfinished" */
	size_t unfinished_count, unfinished_room;
};

/* A directory opened, to be closed by backup_set_leave(). */
int backup_set_enter(const struct filecopy_dir *parent, const char *name, struct bytes *path, struct filecopy_dir *out);
void backup_set_leave(struct filecopy_dir *dir);

/* To look at. */
int backup_set_open(struct backup_set *s, const char *path);
/* To make and remove: made where it is not there (one level), locked, and what a removal left goes. */
int backup_set_open_to_write(struct backup_set *s, const char *path);
void backup_set_close(struct backup_set *s);
/* The name of one made now. */
int backup_set_name(const struct backup_set *s, time_t now, char out[BACKUP_SET_NAME]);
/* A directory and the files in it, gone; another may come in the way at any moment. */
int backup_set_erase(const struct filecopy_dir *parent, const char *name);
/* A whole one: out of sight first. */
int backup_set_remove(struct backup_set *s, const char *name);

#endif
