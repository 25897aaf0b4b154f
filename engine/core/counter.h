/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h - integers as values: the text that a counter's value is, and its sum. Pure.
 *
 * Text      -?(0|[1-9][0-9]*) within int64_t: no plus, no blanks, no leading zeros; "-0" is read as 0 and never written.
 */
#ifndef CORE_COUNTER_H
#define CORE_COUNTER_H

#include "base/slice.h"

enum { COUNTER_TEXT_MAX = 20 };           /* "-9223372036854775808" */

int counter_parse(struct silt_slice text, int64_t *out) SILT_MUST_CHECK;        /* 0 or SILT_NO_COUNTER */
int counter_sum(int64_t a, int64_t b, int64_t *out) SILT_MUST_CHECK;            /* 0 or SILT_OVERFLOW; then *out is as it was */
size_t counter_print(int64_t v, char out[COUNTER_TEXT_MAX]);                     /* its length */

#endif
