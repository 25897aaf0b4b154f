/* SPDX-License-Identifier: Apache-2.0 */
/* flush.c - what the log alone holds becomes tables. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"

#include <stdio.h>

int flush_command(const struct args *a)
{
	struct target *t = NULL;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET, 0))
		status = target_open(a, TARGET_WRITE, &t);
	if (status == SESSION_OK) {
		if (!t->local)
			stop_begin();
		status = t->ops->flush(t);
	}
	if (status == SESSION_OK)
		(void)printf("flush: done\n");
	target_close(t);
	return status;
}
