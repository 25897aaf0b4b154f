/* SPDX-License-Identifier: Apache-2.0 */
/* backup_look.h - backups looked at: listed, verified, and one of them chosen. Nothing is changed. */
#ifndef CTL_BACKUP_LOOK_H
#define CTL_BACKUP_LOOK_H

#include "ctl/args.h"
#include "ctl/filecopy.h"

int backup_look_list(const struct args *a);
int backup_look_verify(const struct args *a);

/* The backup that a path means: itself, or the newest that is in it. path is the caller's; out borrows it. */
int backup_look_choose(const char *where, struct bytes *path, struct filecopy_dir *out);

#endif
