/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - bytes to a descriptor, all of them or not. */
#include "ctl/fd.h"

#include "ctl/stop.h"

#include <errno.h>
#include <unistd.h>

/* A signal cuts a write short, or lets none begin: both are the moment to look for it. */
bool fd_write(int fd, struct span s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.p, s.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = span_of(s.p + n, s.len - (size_t)n);
		if (s.len > 0 && stop_asked()) {
			errno = EINTR;
			return false;
		}
	}
	return true;
}
