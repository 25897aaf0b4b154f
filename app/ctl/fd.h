/* SPDX-License-Identifier: Apache-2.0 */
/* fd.h - bytes to a descriptor, all of them or not. */
#ifndef CTL_FD_H
#define CTL_FD_H

#include "util/bytes.h"

/* False: errno; EINTR where a signal came while it could not go on (stop.h), so that nobody waits for a reader who does not read. */
bool fd_write(int fd, struct span s);

#endif
