/* SPDX-License-Identifier: Apache-2.0 */
/* os.c - what several rooms need over the seam, the same on every implementation. */
#include "os/os.h"

int os_read_full(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n)
{
	size_t got;
	int rc = os->read(os, f, offset, buf, n, &got);

	if (rc < 0)
		return rc;
	return got == n ? 0 : SILT_E_CORRUPT;
}
