/* SPDX-License-Identifier: Apache-2.0 */
/* delete.c - one key deleted, or a range of them, which has to be meant. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int delete_one(const struct args *a)
{
	struct bytes key = { 0 };
	struct target_cond conds[2];
	struct target *t = NULL;
	uint64_t version = 0;
	size_t n;
	int status = target_key(a, a->operand[0], &key);

	if (status == SESSION_OK)
		status = target_conds(a, conds, &n);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_WRITE, &t);
	stop_begin();                            /* it is done, or said to be in doubt */
	if (status == SESSION_OK)
		status = t->ops->remove(t, span_of(key.p, key.len), conds, n, &version);
	if (status == SESSION_OK)
		(void)printf(a->given & ARGS_JSON ? "{\"version\":%" PRIu64 "}\n" : "version %" PRIu64 "\n", version);
	target_close(t);
	bytes_fini(&key);
	return status;
}

/* A range goes with --yes, or when somebody says yes to how much it is. */
static int delete_question(const struct args *a, struct target *t, const struct target_range *range)
{
	struct target_scanned counted;
	char answer[16] = "";
	int status;

	if (a->given & ARGS_YES)
		return SESSION_OK;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		(void)fprintf(stderr, "siltctl delete: a range is deleted with --yes alone; siltctl count says how much it is\n");
		return SESSION_USAGE;
	}
	status = t->ops->count(t, range, &counted);
	if (status != SESSION_OK)
		return status;
	(void)fprintf(stderr, "%s: delete %" PRIu64 " entries? [y/N] ", t->name, counted.count);
	if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: nothing was deleted\n");
	return SESSION_FAILED;
}

static int delete_range(const struct args *a)
{
	uint64_t deleted = 0, version = 0;
	struct bytes behind = { 0 };
	struct target_range range;
	struct target *t = NULL;
	bool more = false;
	int status = target_range(a, &behind, &range);

	if (status == SESSION_OK)
		status = target_open(a, TARGET_WRITE, &t);
	if (status == SESSION_OK)
		status = delete_question(a, t, &range);
	stop_begin();
	if (status == SESSION_OK)
		status = t->ops->remove_range(t, &range, &deleted, &more, &version);
	if (status == SESSION_OK && (a->given & ARGS_JSON))
		(void)printf("{\"deleted\":%" PRIu64 ",\"more\":%s,\"version\":%" PRIu64 "}\n", deleted, more ? "true" : "false", version);
	else if (status == SESSION_OK)
		(void)printf("deleted %s%" PRIu64 " entries, version %" PRIu64 "\n", more ? "more than " : "", deleted, version);
	target_close(t);
	bytes_fini(&behind);
	return status;
}

int delete_command(const struct args *a)
{
	const uint64_t all = ARGS_TARGET | ARGS_JSON | ARGS_ESCAPED;

	if (!(a->given & (ARGS_PREFIX | ARGS_START | ARGS_END)))
		return args_allow(a, all | ARGS_IF_MATCH | ARGS_IF_NONE_MATCH, 1) ? delete_one(a) : SESSION_USAGE;
	if (!args_allow(a, all | ARGS_RANGE | ARGS_YES, 0))
		return SESSION_USAGE;
	if (a->prefix.len || a->start.len || a->end.len)
		return delete_range(a);
	(void)fprintf(stderr, "siltctl delete: an empty bound is none: this would be everything\n");
	return SESSION_USAGE;
}
