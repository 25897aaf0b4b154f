/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h - whole numbers as people send them: 0|[1-9][0-9]*, nothing else (no sign, no blank, no leading
   zero), in range. */
#ifndef UTIL_DECIMAL_H
#define UTIL_DECIMAL_H

#include "util/bytes.h"

/* False where the text is not such a number or above max; *out untouched then. */
bool decimal_parse(struct span text, uint64_t max, uint64_t *out);
/* The same with perhaps a '-' before it, in 64 bits. */
bool decimal_parse_signed(struct span text, int64_t *out);

#endif
