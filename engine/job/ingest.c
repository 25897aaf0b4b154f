/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.c - rule 2, drawn for a table of [k..n]:
 *
 *           L0   [a..c]  [x..z]                     nothing of it
 *           L1                                      nothing
 *           ..
 *           L5   [a..j]         [o..z]              nothing: it goes here, into the gap
 *           L6   [a........m]   [n..z]              older versions of its keys may be here
 *
 * Rule 3: a compaction of L4 [a..d] with L5 [a..j] [o..z] may write [a..p] there. Then it goes to the level above, where the same is
 * asked again; at level 0 nothing but the order by version counts.
 */
#include "job/ingest.h"

#include "base/mem.h"

void ingest_run_init(struct ingest_run *r, struct job *job)
{
	memset(r, 0, sizeof(*r));
	r->job = job;
	output_init(&r->out, job, job->env->opts.compression_bottom, &r->counts);
}

void ingest_run_fini(struct ingest_run *r)
{
	output_fini(&r->out);
	buf_fini(&r->last);
}

int ingest_run_add(struct ingest_run *r, const struct entry *e)
{
	struct entry out = *e;
	int rc;

	if (r->counts.entries_in && slice_cmp(buf_slice(&r->last), e->key) >= 0)
		return SILT_E_MISUSE;
	rc = buf_set(&r->last, e->key);
	if (rc == 0 && output_full(&r->out))
		rc = output_cut(&r->out);
	if (rc < 0)
		return rc;
	out.version = TABLE_UNASSIGNED;
	r->counts.entries_in++;
	return output_add(&r->out, &out);
}

int ingest_run_finish(struct ingest_run *r)
{
	return output_cut(&r->out);
}

/* ---- where ------------------------------------------------------------------------------------------------------------ */

static bool ingest_meets_l0(const struct version_level *l, struct silt_slice smallest, struct silt_slice largest)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_cmp(l->tables[i]->smallest, largest) <= 0 && slice_cmp(smallest, l->tables[i]->largest) <= 0)
			return true;
	return false;
}

static bool ingest_meets(const struct version *v, int level, struct silt_slice smallest, struct silt_slice largest)
{
	size_t first, last;

	if (level == 0)
		return ingest_meets_l0(&v->levels[0], smallest, largest);
	version_overlap(&v->levels[level], smallest, largest, &first, &last);
	return first < last;
}

/* Could an output of the compaction come to span it? Outputs lie between the ends of all inputs. */
static bool ingest_in_the_way(const struct pick *p, int level, struct silt_slice smallest, struct silt_slice largest)
{
	bool behind = true, before = true;

	if (p->output_level != level)
		return false;
	for (size_t i = 0; i < p->input_n; i++) {
		behind &= slice_cmp(p->inputs[i]->largest, smallest) < 0;
		before &= slice_cmp(largest, p->inputs[i]->smallest) < 0;
	}
	return !behind && !before;
}

static bool ingest_is_free(const struct pick *const *running, size_t n, int level, struct silt_slice smallest,
                           struct silt_slice largest)
{
	for (size_t i = 0; i < n; i++)
		if (ingest_in_the_way(running[i], level, smallest, largest))
			return false;
	return true;
}

int ingest_level(const struct version *v, const struct pick *const *running, size_t n, struct silt_slice smallest,
                 struct silt_slice largest)
{
	int best = 0;

	for (int level = 0; level < SILT_LEVELS && !ingest_meets(v, level, smallest, largest); level++)
		if (ingest_is_free(running, n, level, smallest, largest))
			best = level;
	return best;
}
