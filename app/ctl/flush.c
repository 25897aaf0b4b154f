/* SPDX-License-Identifier: Apache-2.0 */
/* flush.c - what the log alone holds becomes tables. */
#include "ctl/commands.h"
#include "ctl/target.h"

static int flush_work(struct target *t)
{
	return t->ops->flush(t);
}

int flush_command(const struct args *a)
{
	return target_work(a, flush_work);
}
