/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - one table after the other, from the disk; findings are counted and the walk goes on. */
#include "job/verify.h"

struct verify {
	struct table_cache *tables;
	silt_progress_fn *progress;       /* may be NULL */
	void *ctx;
	uint64_t done, total;             /* bytes of the tables before this one, of all */
	struct verify_result *result;
};

/* A table's progress as the whole's. */
static int verify_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct verify *w = ctx;

	(void)total;
	return w->progress ? w->progress(w->ctx, w->done + done, w->total) : 0;
}

static int verify_table(struct verify *w, struct table_meta *m)
{
	struct table *t;
	int rc = table_cache_get(w->tables, m, &t);

	if (rc < 0)
		return rc;
	rc = table_verify(t, verify_progress, w);
	table_cache_put(w->tables, t);
	w->done += m->size;
	w->result->tables++;
	w->result->bytes += m->size;
	w->result->entries += m->entries;
	w->result->damaged += rc == SILT_E_CORRUPT;
	if (rc != 0 && rc != SILT_E_CORRUPT)
		return rc;
	return verify_progress(w, 0, 0) ? SILT_END : 0;
}

int verify_run(struct env *env, struct table_cache *tables, const struct version *v, silt_progress_fn *progress, void *ctx,
               struct verify_result *out)
{
	struct verify w = { .tables = tables, .progress = progress, .ctx = ctx, .result = out };
	int rc = version_check(v, &env->rep);

	memset(out, 0, sizeof(*out));
	for (int l = 0; l < SILT_LEVELS; l++)
		w.total += v->levels[l].bytes;
	if (rc < 0)
		return rc;
	for (int l = 0; rc == 0 && l < SILT_LEVELS; l++)
		for (size_t i = 0; rc == 0 && i < v->levels[l].n; i++)
			rc = verify_table(&w, v->levels[l].tables[i]);
	if (rc != 0)
		return rc;
	return out->damaged ? SILT_E_CORRUPT : 0;
}
