/* SPDX-License-Identifier: Apache-2.0 */
/* count.c - how many entries there are. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"

#include <inttypes.h>
#include <stdio.h>

int count_command(const struct args *a)
{
	struct target_scanned counted;
	struct bytes behind = { 0 };
	struct target_range range;
	struct target *t = NULL;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET | ARGS_RANGE | ARGS_JSON, 0))
		status = target_range(a, &behind, &range);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_OK) {
		stop_begin();
		status = t->ops->count(t, &range, &counted);
	}
	if (status == SESSION_OK && (a->given & ARGS_JSON))
		(void)printf("{\"count\":%" PRIu64 ",\"version\":%" PRIu64 "}\n", counted.count, counted.version);
	else if (status == SESSION_OK)
		(void)printf("%" PRIu64 "\n", counted.count);
	target_close(t);
	bytes_fini(&behind);
	return status;
}
