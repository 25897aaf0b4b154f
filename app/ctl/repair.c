/* SPDX-License-Identifier: Apache-2.0 */
/* repair.c - what is lost, a line each; and with --apply the doing. */
#include "ctl/commands.h"
#include "ctl/owner.h"
#include "ctl/session.h"
#include "ctl/stop.h"

#include <inttypes.h>
#include <stdio.h>

static void repair_print(void *ctx, const struct silt_finding *f)
{
	progress_clear(ctx);
	(void)puts(f->text);
}

static void repair_sum_up(const struct silt_repair_result *r, bool apply)
{
	if (r->findings == 0) {
		(void)printf("repair: sound, nothing to do\n");
		return;
	}
	(void)printf("repair: findings %" PRIu64 "; damaged tables %" PRIu64 ", of their entries %" PRIu64 " saved and %" PRIu64
	             " lost; readable writes of the log lost %" PRIu64 "\n", r->findings, r->tables_damaged, r->entries_saved,
	             r->entries_lost, r->writes_lost);
	if (r->repaired)
		(void)printf("repair: done; what was damaged is in quarantine/\n");
	else
		(void)printf("repair: nothing was changed%s\n", apply ? "" : "; --apply does it");
}

int repair_command(const struct args *a)
{
	bool apply = a->given & ARGS_APPLY;
	struct silt_repair_result result = { 0 };
	struct silt_options o;
	struct session s;
	int rc;

	if (!args_allow(a, ARGS_DB | ARGS_APPLY, 0))
		return SESSION_USAGE;
	if (apply && !owner_enter(a->dir))
		return SESSION_UNREADABLE;
	stop_begin();
	session_options(&s, a, &o);
	rc = silt_repair(a->dir, &o, apply ? SILT_REPAIR_APPLY : 0, repair_print, &s.progress, &result);
	owner_leave();
	progress_clear(&s.progress);
	if (rc == SILT_END) {
		(void)fprintf(stderr, "siltctl: %s: interrupted: nothing was changed\n", a->dir);
		return stop_status();
	}
	if (rc == 0 || result.findings)
		repair_sum_up(&result, apply);
	return rc == 0 ? SESSION_OK : session_fail(a->dir, rc);
}
