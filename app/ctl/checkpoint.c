/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - the store kept as it is; those that are kept; one that goes. */
#include "ctl/commands.h"
#include "ctl/owner.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"

#include <inttypes.h>
#include <stdio.h>

static int checkpoint_print(void *ctx, const struct silt_checkpoint_info *info)
{
	char size[TEXT_SIZE];

	(void)ctx;
	if (info->damage)
		(void)printf("%s\tDAMAGED\n", info->name);
	else
		(void)printf("%s\tversion %" PRIu64 "\t%" PRIu64 " tables\t%s\n", info->name, info->version, info->tables,
		             text_size(info->bytes, size));
	return 0;
}

static int checkpoint_list(const struct args *a)
{
	struct session s;
	int status = session_open(&s, a), rc;

	if (status != SESSION_OK)
		return status;
	rc = silt_checkpoint_list(s.db, checkpoint_print, NULL);
	if (rc != 0)
		status = session_fail(a->dir, rc);
	else if (atomic_load(&s.findings))
		status = SESSION_DAMAGED;
	session_close(&s);
	return status;
}

/* What the engine answers is said in the shell's words. */
static int checkpoint_fail(const char *name, int rc)
{
	if (rc == SILT_CONFLICT) {
		(void)fprintf(stderr, "siltctl: %s: is there already\n", name);
		return SESSION_UNREADABLE;
	}
	if (rc == SILT_END) {
		(void)fprintf(stderr, "siltctl: %s: interrupted: nothing of it is left\n", name);
		return stop_status();
	}
	if (rc == SILT_E_MISUSE) {
		(void)fprintf(stderr, "siltctl: \"%s\": a checkpoint's name is of A-Z a-z 0-9 . _ -, without a leading dot\n", name);
		return SESSION_USAGE;
	}
	return session_fail(name, rc);
}

static int checkpoint_remove(const struct args *a)
{
	struct session s;
	int status = session_open_to_write(&s, a), rc;

	if (status != SESSION_OK)
		return status;
	rc = silt_checkpoint_remove(s.db, a->operand[0]);
	if (rc != 0)
		status = checkpoint_fail(a->operand[0], rc);
	session_close(&s);
	return status;
}

static int checkpoint_make(const struct args *a)
{
	const char *name = a->to ? a->to : a->operand[0];
	uint64_t version = 0;
	struct session s;
	int status = session_open_to_write(&s, a), rc;

	if (status != SESSION_OK)
		return status;
	if (a->to)
		rc = silt_checkpoint_to(s.db, a->to, a->given & ARGS_COPY ? SILT_CHECKPOINT_COPY : 0, &version);
	else
		rc = silt_checkpoint(s.db, name, &version);
	progress_clear(&s.progress);
	if (rc != 0)
		status = a->to && rc == SILT_E_MISUSE ? session_fail(name, rc) : checkpoint_fail(name, rc);
	else if (a->to)
		(void)printf("checkpoint: %s, version %" PRIu64 "\n", a->to, version);
	else
		(void)printf("checkpoint: %s/checkpoints/%s, version %" PRIu64 "\n", a->dir, name, version);
	session_close(&s);
	return status;
}

/* As root: into the store as its owner; to a place that may be root's alone as root, and the store's files are given back, also after Ctrl-C. */
static int checkpoint_as_owner(const struct args *a, int (*work)(const struct args *a))
{
	int status;

	stop_begin();
	if (a->to) {
		status = work(a);
		owner_mend(a->dir);
		return status;
	}
	if (!owner_enter(a->dir))
		return SESSION_UNREADABLE;
	status = work(a);
	owner_leave();
	return status;
}

int checkpoint_command(const struct args *a)
{
	if (a->given & ARGS_LIST)
		return args_allow(a, ARGS_DB | ARGS_LIST, 0) ? checkpoint_list(a) : SESSION_USAGE;
	if (a->given & ARGS_REMOVE)
		return args_allow(a, ARGS_DB | ARGS_REMOVE, 1) ? checkpoint_as_owner(a, checkpoint_remove) : SESSION_USAGE;
	if (a->to)
		return args_allow(a, ARGS_DB | ARGS_TO | ARGS_COPY, 0) ? checkpoint_as_owner(a, checkpoint_make) : SESSION_USAGE;
	return args_allow(a, ARGS_DB, 1) ? checkpoint_as_owner(a, checkpoint_make) : SESSION_USAGE;
}
