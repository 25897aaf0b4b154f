/* SPDX-License-Identifier: Apache-2.0 */
/* dump.c - one file, printed by the engine line by line. */
#include "ctl/commands.h"
#include "ctl/session.h"

#include <stdio.h>

static void dump_print(void *ctx, const char *line)
{
	(void)ctx;
	(void)puts(line);
}

int dump_command(const struct args *a)
{
	int rc;

	if (!args_allow(a, 0, 1))
		return SESSION_USAGE;
	rc = silt_dump(a->operand[0], dump_print, NULL);
	return rc == 0 ? SESSION_OK : session_fail(a->operand[0], rc);
}
