/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - the whole store read and checked. Opening a stopped one reads the manifest and the log; then the tables follow. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>

static void verify_sum_up_json(const struct target_verified *v)
{
	(void)printf("{\"sound\":%s,\"findings\":%" PRIu64 ",\"tables\":%" PRIu64 ",\"table_bytes\":%" PRIu64 ",\"table_entries\":%" PRIu64
	             ",\"log_entries\":%" PRIu64 "}\n", v->findings ? "false" : "true", v->findings, v->tables, v->bytes, v->entries,
	             v->log_entries);
}

static void verify_sum_up(const struct target *t, const struct target_verified *v, uint64_t took_ms)
{
	char size[TEXT_SIZE];

	(void)printf("verify: %" PRIu64 " tables of %s with %" PRIu64 " entries, %" PRIu64 " entries in the log, %" PRIu64 ".%01" PRIu64
	             " s: ", v->tables, text_size(v->bytes, size), v->entries, v->log_entries, took_ms / 1000, took_ms % 1000 / 100);
	if (v->findings && t->local)
		(void)printf("DAMAGED, %" PRIu64 " findings\n", v->findings);
	else
		(void)printf(v->findings ? "DAMAGED\n" : "sound\n");
}

int verify_command(const struct args *a)
{
	struct target_verified v;
	struct target *t = NULL;
	struct progress p;
	int status;

	if (!args_allow(a, ARGS_TARGET | ARGS_JSON, 0))
		return SESSION_USAGE;
	status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_DAMAGED)
		(void)puts(a->given & ARGS_JSON ? "{\"sound\":false}" : "verify: DAMAGED: the store does not open");
	if (status != SESSION_OK)
		return status;
	stop_begin();
	progress_begin(&p, a->command);
	p.silent = a->given & ARGS_JSON;
	status = t->ops->verify(t, &p, &v);
	if (status == SESSION_DAMAGED && v.findings == 0)
		v.findings = 1;
	if ((status == SESSION_OK || status == SESSION_DAMAGED) && (a->given & ARGS_JSON))
		verify_sum_up_json(&v);
	else if (status == SESSION_OK || status == SESSION_DAMAGED)
		verify_sum_up(t, &v, progress_ms(&p));
	target_close(t);
	return status;
}
