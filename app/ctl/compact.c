/* SPDX-License-Identifier: Apache-2.0 */
/* compact.c - everything merged to the bottom, so that what was deleted or replaced gives its space back. */
#include "ctl/commands.h"
#include "ctl/target.h"

static int compact_work(struct target *t)
{
	return t->ops->compact(t);
}

int compact_command(const struct args *a)
{
	return target_work(a, compact_work);
}
