/* SPDX-License-Identifier: Apache-2.0 */
/* engine_metrics.h - the embedded engine's numbers in Prometheus' text form: /metrics has them behind the server's own. */
#ifndef STORE_ENGINE_METRICS_H
#define STORE_ENGINE_METRICS_H

#include "util/bytes.h"

#include <siltstone.h>

/* Any thread. Costs silt_stats() and the walks of silt_histogram(): tens of microseconds. */
void engine_metrics(silt_db *db, struct bytes *out);

#endif
