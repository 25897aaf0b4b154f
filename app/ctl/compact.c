/* SPDX-License-Identifier: Apache-2.0 */
/* compact.c - everything merged to the bottom, so that what was deleted or replaced gives its space back. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"

#include <stdio.h>

int compact_command(const struct args *a)
{
	struct target *t = NULL;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET, 0))
		status = target_open(a, TARGET_WRITE, &t);
	if (status == SESSION_OK) {
		if (!t->local)
			stop_begin();                    /* a stopped store's is safe to be ended at any moment */
		status = t->ops->compact(t);
	}
	if (status == SESSION_OK)
		(void)printf("compact: done\n");
	target_close(t);
	return status;
}
