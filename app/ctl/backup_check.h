/* SPDX-License-Identifier: Apache-2.0 */
/* backup_check.h - is what lies in a directory the store that its list says, and a sound one? Errors as in filecopy.h. */
#ifndef CTL_BACKUP_CHECK_H
#define CTL_BACKUP_CHECK_H

#include "ctl/args.h"
#include "ctl/filecopy.h"
#include "util/backup_list.h"

/* Every file is there, and has its size; `digests`: and its bytes are those of its digest. All findings are said; SESSION_DAMAGED. */
int backup_check_files(struct filecopy *c, const struct filecopy_dir *dir, const struct backup_list *l, bool digests);
/* The engine opens it, without changing anything, and with `deep` reads every table. quiet: it shows how far it is on a terminal alone. SESSION_DAMAGED: findings
   were said. */
int backup_check_store(const struct args *a, const char *path, bool deep, bool quiet, uint64_t *version);

#endif
