/* SPDX-License-Identifier: Apache-2.0 */
/* backup_sums.h - a backup's list of files (util/backup_list.h) as the file it is. Errors as in filecopy.h. */
#ifndef CTL_BACKUP_SUMS_H
#define CTL_BACKUP_SUMS_H

#include "ctl/filecopy.h"
#include "util/backup_list.h"

#define BACKUP_SUMS_NAME "SHA256SUMS"

/* New, and synced. */
int backup_sums_write(struct filecopy *c, const struct backup_list *l, const struct filecopy_dir *dir);
/* SESSION_DAMAGED, and stderr says which line, where it is not as it was written. */
int backup_sums_read(struct backup_list *l, const struct filecopy_dir *dir);

#endif
