/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair_plan.h - what a repair knows and gathers: findings as they are made, the edit that they amount to, the files to set aside.
 *
 * With `apply` the rooms that look also write what takes the damaged parts' place: tables that no manifest names yet. The one moment of the
 * repair is the new manifest (repair.c).
 */
#ifndef DB_REPAIR_PLAN_H
#define DB_REPAIR_PLAN_H

#include "base/buf.h"
#include "db/files.h"
#include "job/job.h"
#include "version/manifest.h"

struct repair {
	struct env env;
	struct env quiet;                 /* the same, for what is looked at twice */
	struct block_cache *blocks;
	struct table_cache *tables;
	struct job job;
	uint64_t published;               /* what job's keep rules point to */
	struct os_lock *lock;
	struct files files;
	struct manifest_found found;
	uint64_t next_file;
	bool apply;
	silt_repair_fn *fn;
	void *ctx;
	uint64_t done, total;             /* bytes of tables, for opts.progress */
	struct silt_repair_result sum;
	struct edit edit;                 /* from found.version to what it becomes */
	struct silt_buf aside;            /* names, each with its NUL */
	uint64_t new_log;                 /* the segment to begin with, written; 0 = the log stays as it is */
};

/* Tells of a finding; its text is formatted here. */
void repair_say(struct repair *r, struct silt_finding *f, const char *format, ...) __attribute__((format(printf, 3, 4)));
int repair_set_aside(struct repair *r, const char *name) SILT_MUST_CHECK;

#endif
