/* SPDX-License-Identifier: Apache-2.0 */
/* env.h - what every room needs to do its work on a directory: the seam, where messages go, the options. All [c] after open. */
#ifndef CORE_ENV_H
#define CORE_ENV_H

#include "base/report.h"
#include "os/os.h"

struct env {
	silt_os *os;
	struct reporter rep;
	const char *dir;                  /* owned by the store */
	struct silt_options opts;         /* checked */
};

#endif
