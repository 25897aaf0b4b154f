/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_edit.c - any bytes as an edit: refused, or an edit that survives the way to bytes and back, and that version_apply() judges. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "version/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_apply(const struct edit *e)
{
	static const struct reporter silent;
	struct version *nothing, *v;

	if (version_new(&nothing) < 0)
		return;
	if (version_apply(nothing, e, &silent, &v) == 0) {
		assert(version_check(v, &silent) == 0);
		version_unref(v);
	}
	version_unref(nothing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct silt_buf once = { 0 }, twice = { 0 };
	struct edit e, back;

	if (edit_decode(slice_of(data, size), &e) < 0)
		return 0;
	fuzz_apply(&e);
	if (edit_encode(&e, &once) == 0) {
		assert(edit_decode(buf_slice(&once), &back) == 0);
		assert(edit_encode(&back, &twice) == 0);
		assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
		edit_fini(&back);
	}
	edit_fini(&e);
	buf_fini(&once);
	buf_fini(&twice);
	return 0;
}
