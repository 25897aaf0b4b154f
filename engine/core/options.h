/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the ranges of struct silt_options, checked once, in one place. */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "base/report.h"

/* 0, or SILT_E_MISUSE with a message that names the option, its value and its range. */
int options_check(const struct silt_options *o, const struct reporter *rep) SILT_MUST_CHECK;
/* Makes what was checked fit the one budget: a memtable of a quarter of `memory` at most. */
void options_fit(struct silt_options *o);

#endif
