/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup_source.h - the store as it is now, to be copied: a checkpoint of it, made for the purpose and removed behind it.
 *
 * Of --db   made by the engine in the stopped store's DIR/checkpoints, as the store's owner; the store is closed again before anything is
 *           copied.
 * Of --url  asked for from the server, whose answer says where it is: it is read from there, on this machine.
 * Names     siltctl-20261121T213000Z-4711; its directory is locked (flock) for as long as it is copied, so that one whose maker is gone can
 *           be told from one that is in use: those go at the next backup.
 */
#ifndef CTL_BACKUP_SOURCE_H
#define CTL_BACKUP_SOURCE_H

#include "ctl/args.h"
#include "ctl/filecopy.h"
#include "ctl/http.h"

struct backup_source {
	const struct args *a;
	char name[64];                /* of the checkpoint */
	struct bytes path;            /* its directory; NUL-ended */
	struct filecopy_dir dir;      /* the same, open */
	uint64_t version;             /* the newest write in it */
	struct http *http;            /* NULL = of a stopped store */
	bool made;
};

/* An exit status; what is not 0 was said. End with backup_source_drop() in any case. */
int backup_source_take(struct backup_source *s, const struct args *a, const char *stamp);
/* Removes the checkpoint. Not 0: it stays, which was said. */
int backup_source_drop(struct backup_source *s);

#endif
