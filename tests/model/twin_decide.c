/* SPDX-License-Identifier: Apache-2.0 */
/* twin_decide.c - the writes that look first: conditions, reports, adds, and the take. */
#include "lib/test.h"

#include <inttypes.h>

#include "model/twin.h"

struct condition {
	size_t key;
	enum silt_cond cond;
	size_t n;
	uint64_t versions[3];
};

static bool holds(const struct condition *c)
{
	const struct model_slot *s = &T.m->slots[c->key];
	bool found = c->n == 0 && model_live(s, T.now_ms);

	for (size_t i = 0; i < c->n; i++)
		found |= model_live(s, T.now_ms) && s->version == c->versions[i];
	return c->cond == SILT_COND_MATCH ? found : !found;
}

/* More often true than chance would have it. */
static struct condition random_condition(void)
{
	struct condition c = { .key = chance(T.m->n), .cond = (enum silt_cond)chance(2), .n = chance(4) };

	for (size_t i = 0; i < c.n; i++)
		c.versions[i] = chance(2) ? T.m->slots[c.key].version : 1 + chance(T.m->last_version + 1);
	if (!holds(&c) && chance(3))
		c.cond = c.cond == SILT_COND_MATCH ? SILT_COND_NONE_MATCH : SILT_COND_MATCH;
	return c;
}

static void check_reports(const struct silt_result *res, const struct model_op *ops, size_t n, unsigned flags)
{
	if (res->report_count != (flags ? n : 0))
		model_fail("%zu reports for %zu operations", res->report_count, n);
	for (size_t i = 0; i < res->report_count; i++) {
		const struct silt_report *r = &res->reports[i];
		const struct model_slot *s;
		uint8_t meta[SILT_META_MAX];
		struct silt_slice want;

		if (r->op != i)
			model_fail("report %zu is of operation %zu", i, r->op);
		s = &T.m->slots[ops[i].key];
		if (r->found != model_live(s, T.now_ms))
			model_fail("report %zu: found %d, version %" PRIu64 " of key %zu", i, r->found, s->version, ops[i].key);
		if (!r->found)
			continue;
		want = model_meta(s, meta);
		if (r->info.version != s->version || r->info.expires_ms != s->expires_ms || r->info.meta_len != want.len ||
		    memcmp(r->info.meta, meta, want.len) != 0)
			model_fail("report %zu: wrong version, expiry or metadata", i);
		if (!(flags & SILT_OP_REPORT_VALUE))
			continue;
		want = model_value(s, T.m->scratch);
		if (r->value.len != want.len || (want.len && memcmp(r->value.data, want.data, want.len) != 0))
			model_fail("report %zu: wrong value", i);
	}
}

void twin_op_conditional(void)
{
	static const unsigned report[] = { 0, SILT_OP_REPORT, SILT_OP_REPORT_VALUE };
	struct condition conds[3];
	struct model_op ops[4];
	struct silt_result res = { 0 };
	silt_batch *b = twin_new_batch();
	unsigned flags = report[chance(3)];
	size_t n_conds = chance(4), failing = SIZE_MAX, n;
	int rc;

	for (size_t i = 0; i < n_conds; i++) {
		conds[i] = random_condition();
		model_ok(silt_batch_require(b, T.m->keys[conds[i].key], conds[i].cond, conds[i].versions, conds[i].n),
		         "silt_batch_require");
		if (failing == SIZE_MAX && !holds(&conds[i]))
			failing = i;
	}
	n = twin_random_ops(b, ops, chance(4) + (n_conds == 0), flags);
	rc = twin_write_batch(b, chance(2) ? SILT_NO_WAIT : 0, &res);
	if (rc == SILT_WOULD_BLOCK)
		rc = twin_write_batch(b, 0, &res);
	if (failing != SIZE_MAX) {
		const struct model_slot *s = &T.m->slots[conds[failing].key];

		if (rc != SILT_CONFLICT || res.condition != failing ||
		    res.current != (model_live(s, T.now_ms) ? s->version : 0))
			model_fail("condition %zu does not hold: %s, condition %zu, current %" PRIu64, failing, silt_strerror(rc),
			           res.condition, res.current);
		T.conflicts++;
	} else {
		model_ok(rc, "silt_write with conditions");
		check_reports(&res, ops, n, flags);
		if (n) {
			model_commit(T.m, res.version, ops, n);
			twin_acknowledge(res.version);
		}
	}
	silt_result_fini(&res);
	silt_batch_free(b);
}

/* ---- read-modify-write -------------------------------------------------------------------------------------------- */

/* Few keys count: others hold what is no number, mostly. */
static size_t counter_key(void)
{
	return chance(4) ? 100 + chance(40) : chance(T.m->n);
}

static int64_t random_delta(void)
{
	return chance(6) ? (int64_t)chance(2000) - 1000 : (int64_t)(test_random(&T.random) ^ test_random(&T.random) << 32);
}

/* Several adds in a batch: all of it, or none where there is no sum. */
void twin_op_add(void)
{
	struct model_op ops[4];
	struct silt_result res = { 0 };
	silt_batch *b = twin_new_batch();
	size_t n = 1 + chance(3), bad = SIZE_MAX;
	int want = 0, rc;

	for (size_t i = 0; i < n; i++) {
		int64_t delta = random_delta();
		int made;

		ops[i] = (struct model_op){ .key = counter_key() };
		for (size_t k = 0; k < i; k++)
			if (ops[k].key == ops[i].key) {
				ops[i].key = (ops[i].key + 1) % T.m->n;
				k = SIZE_MAX;     /* all over again */
			}
		model_ok(silt_batch_add(b, T.m->keys[ops[i].key], delta, NULL, SILT_OP_REPORT), "silt_batch_add");
		made = model_add(&T.m->slots[ops[i].key], delta, T.now_ms, &ops[i].to);
		if (made != 0 && bad == SIZE_MAX) {
			bad = i;
			want = made;
		}
	}
	rc = twin_write_batch(b, 0, &res);
	if (rc != want || (rc != 0 && res.condition != bad))
		model_fail("an add: %s at operation %zu, not %s at %zu", silt_strerror(rc), res.condition, silt_strerror(want), bad);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (res.reports[i].sum != ops[i].to.number)
			model_fail("the sum of key %zu is not %" PRId64, ops[i].key, ops[i].to.number);
	if (rc == 0) {
		model_commit(T.m, res.version, ops, n);
		twin_acknowledge(res.version);
		T.adds++;
	}
	silt_result_fini(&res);
	silt_batch_free(b);
}

void twin_op_take(void)
{
	struct model_op op = { .key = chance(8) ? chance(T.m->n) : chance(20) };
	struct silt_info info;
	uint64_t version;
	int rc;

	while ((rc = silt_take(T.db, T.m->keys[op.key], &T.value, &info, &version)) == SILT_E_BUSY)
		pause_ms(1);
	model_check_get(T.m, T.m->slots, op.key, T.now_ms, rc, (struct silt_slice){ T.value.data, T.value.len }, &info);
	if (rc == 0) {
		model_commit(T.m, version, &op, 1);
		twin_acknowledge(version);
	}
}
