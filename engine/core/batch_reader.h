/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_reader.h - walks the log form of a batch, as drawn in batch.h. The bytes are hostile: an operation is given out only where it is
 * whole and within the limits.
 */
#ifndef CORE_BATCH_READER_H
#define CORE_BATCH_READER_H

#include "base/cursor.h"
#include "core/entry.h"

struct batch_reader {
	struct cursor c;                  /* borrows the payload */
	uint64_t left;                    /* operations still to come */
};

int batch_reader_init(struct batch_reader *r, struct silt_slice payload) SILT_MUST_CHECK;      /* 0 or SILT_E_CORRUPT */
/* 0 = `out` filled (borrows from the payload; version left 0), SILT_END, SILT_E_CORRUPT. */
int batch_reader_next(struct batch_reader *r, struct entry *out) SILT_MUST_CHECK;

#endif
