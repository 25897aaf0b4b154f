/* SPDX-License-Identifier: Apache-2.0 */
/* stats_json.h - the numbers of a stopped store as JSON, named as in GET /v1/stats. */
#ifndef CTL_STATS_JSON_H
#define CTL_STATS_JSON_H

#include "util/bytes.h"

#include <siltstone.h>

/* An object and a newline. False: no memory. */
bool stats_json(const struct silt_stats *st, struct bytes *out);

#endif
