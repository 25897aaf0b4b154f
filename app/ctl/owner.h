/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner.h - what root writes into a store it writes as the store's owner, or the service, which is that user, could not open it again.
 *
 * Use       owner_enter(directory); open, write, close; owner_leave(). Nothing happens where the caller is not root or owns it himself.
 * Threads   the credentials are the process's, so that the engine's own threads have them too: no store may be open at either call.
 */
#ifndef CTL_OWNER_H
#define CTL_OWNER_H

#include <stdbool.h>

/* False: said on stderr. A directory that can't be looked at is left to whoever opens it. */
bool owner_enter(const char *dir);
void owner_leave(void);
/* The other way, where the work has to be root's: what belongs to root in the directory is its owner's afterwards. */
void owner_mend(const char *dir);

#endif
