/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - the whole store read and checked. Opening reads the manifest and the log, silt_verify() the tables. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>

static void verify_sum_up(struct session *s)
{
	uint64_t took_ms = progress_ms(&s->progress), tables = 0, entries = 0, bytes = 0;
	uint64_t findings = atomic_load(&s->findings);
	struct silt_stats stats;
	char size[TEXT_SIZE];

	silt_stats(s->db, &stats);
	for (int i = 0; i < SILT_LEVELS; i++) {
		tables += stats.tables[i];
		entries += stats.table_entries[i];
		bytes += stats.table_bytes[i];
	}
	(void)printf("verify: %" PRIu64 " tables of %s with %" PRIu64 " entries, %" PRIu64 " entries in the log, %" PRIu64 ".%01" PRIu64
	             " s: ", tables, text_size(bytes, size), entries, stats.recovered_entries, took_ms / 1000, took_ms % 1000 / 100);
	if (findings)
		(void)printf("DAMAGED, %" PRIu64 " findings\n", findings);
	else
		(void)printf("sound\n");
}

int verify_command(const struct args *a)
{
	struct session s;
	int status, rc;

	if (!args_allow(a, ARGS_DB, 0))
		return SESSION_USAGE;
	status = session_open(&s, a);
	if (status == SESSION_DAMAGED)
		(void)printf("verify: DAMAGED: the store does not open\n");
	if (status != SESSION_OK)
		return status;
	rc = silt_verify(s.db, progress_tell, &s.progress);
	progress_clear(&s.progress);
	if (rc != 0)
		status = session_fail(a->dir, rc);
	if (rc == 0 || rc == SILT_E_CORRUPT)
		verify_sum_up(&s);
	session_close(&s);
	return status;
}
