/* SPDX-License-Identifier: Apache-2.0 */
/* os.c - what several rooms need over the seam, the same on every implementation. */
#include "os/os.h"

#include "base/mem.h"

enum { OS_COPY_PIECE = 1 << 20 };         /* bytes */

int os_read_full(silt_os *os, struct os_file *f, uint64_t offset, void *buf, size_t n)
{
	size_t got;
	int rc = os->read(os, f, offset, buf, n, &got);

	if (rc < 0)
		return rc;
	return got == n ? 0 : SILT_E_CORRUPT;
}

static int os_copy_bytes(silt_os *os, struct os_file *in, struct os_file *out, uint8_t *piece)
{
	size_t got = OS_COPY_PIECE;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && got == OS_COPY_PIECE; at += got) {
		rc = os->read(os, in, at, piece, OS_COPY_PIECE, &got);
		if (rc == 0)
			rc = os->write(os, out, at, piece, got);
		if (rc == 0)
			os->range_sync(os, out, at, got);
	}
	if (rc == 0)
		rc = os->datasync(os, out);
	if (rc == 0)
		os->drop_cache(os, out);
	return rc;
}

int os_copy(silt_os *os, const char *from, const char *to)
{
	uint8_t *piece = mem_alloc(OS_COPY_PIECE);
	struct os_file *in = NULL, *out = NULL;
	int rc = piece ? os->open(os, from, OS_READ, &in) : SILT_E_NOMEM;

	if (rc == 0)
		rc = os->open(os, to, OS_READ | OS_WRITE | OS_CREATE, &out);
	if (rc == 0)
		rc = os_copy_bytes(os, in, out, piece);
	if (in)
		(void)os->close(os, in);
	if (out)
		(void)os->close(os, out);
	mem_free(piece);
	return rc;
}
