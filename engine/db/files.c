/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - one listing of the directory, and one of quarantine/. */
#include "db/files.h"

#include "base/mem.h"
#include "core/filename.h"

static int files_note_wal(struct files *f, uint64_t number)
{
	uint64_t *p;
	size_t i;

	if (f->wal_count == f->wal_cap) {
		p = mem_resize(f->wals, f->wal_cap * 2 + 16, sizeof(*p));
		if (!p)
			return SILT_E_NOMEM;
		f->wals = p;
		f->wal_cap = f->wal_cap * 2 + 16;
	}
	for (i = f->wal_count++; i > 0 && f->wals[i - 1] > number; i--)
		f->wals[i] = f->wals[i - 1];
	f->wals[i] = number;
	return 0;
}

static int files_see(void *ctx, const char *name)
{
	struct files *f = ctx;
	uint64_t number;

	switch (filename_parse(name, &number)) {
	case FILE_WAL:
		return files_note_wal(f, number);
	case FILE_TABLE:
		f->any_table = true;
		/* fall through */
	case FILE_TMP:
		if (number > f->largest_table)
			f->largest_table = number;
		return 0;
	default:
		return 0;
	}
}

/* A table that was set aside keeps its number for itself: it may be put back. */
static int files_see_aside(void *ctx, const char *name)
{
	struct files *f = ctx;
	uint64_t number;

	if (filename_parse(name, &number) == FILE_TABLE && number > f->largest_table)
		f->largest_table = number;
	return 0;
}

int files_list(struct env *env, struct files *out)
{
	char quarantine[FILENAME_MAX_BYTES];
	silt_os *os = env->os;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = filename_in(env->dir, "quarantine", quarantine);
	if (rc < 0)
		return rc;
	rc = os->list(os, env->dir, files_see, out);
	if (rc == 0 && os->list(os, quarantine, files_see_aside, out) < 0)
		rc = SILT_E_IO;
	if (rc < 0 || rc == SILT_NOTFOUND)
		return report(&env->rep, rc < 0 ? rc : SILT_E_IO, "%s: can't be listed: %s", env->dir, os->error_text(os));
	return 0;
}

void files_fini(struct files *f)
{
	mem_free(f->wals);
	memset(f, 0, sizeof(*f));
}
