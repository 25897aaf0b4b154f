/* SPDX-License-Identifier: Apache-2.0 */
/* decide.c - evidence before the queue, judgement in commit order. */
#include "db/decide.h"

#include "core/counter.h"

struct decide_owned {                     /* what silt_result::owned points to */
	struct silt_report *reports;
	struct silt_buf values;           /* what the reports' values point into */
};

static void decide_owned_free(struct decide_owned *o)
{
	if (!o)
		return;
	mem_free(o->reports);
	buf_fini(&o->values);
	mem_free(o);
}

static bool decide_reports(const struct batch_op *op)
{
	return (op->flags & (SILT_OP_REPORT | SILT_OP_REPORT_VALUE)) != 0;
}

static size_t decide_count_reports(const struct silt_batch *b)
{
	const struct batch_op *ops = batch_ops(b);
	size_t n = 0;

	for (size_t i = 0; i < batch_op_count(b); i++)
		n += decide_reports(&ops[i]);
	return n;
}

static int decide_make_room(struct decide *d)
{
	if (d->add_count) {
		d->sums = mem_calloc(d->add_count, sizeof(*d->sums));
		if (!d->sums)
			return SILT_E_NOMEM;
	}
	if (!d->report_count)
		return 0;
	d->owned = mem_calloc(1, sizeof(*d->owned));
	if (!d->owned)
		return SILT_E_NOMEM;
	d->owned->reports = mem_calloc(d->report_count, sizeof(*d->owned->reports));
	return d->owned->reports ? 0 : SILT_E_NOMEM;
}

void decide_borrow(const struct silt_batch *b, struct decide *d)
{
	size_t k = 0;

	for (; k < d->cond_count; k++)
		d->keys[k].key = batch_conds(b)[k].key;
	for (; k < d->n; k++)
		d->keys[k].key = batch_op_key(b, d->keys[k].op);
}

static int decide_list_keys(const struct silt_batch *b, struct decide *d)
{
	const struct batch_op *ops = batch_ops(b);
	struct decide_key *report, *add;

	d->cond_count = batch_cond_count(b);
	d->report_count = decide_count_reports(b);
	d->add_count = batch_add_count(b);
	d->n = d->cond_count + d->report_count + d->add_count;
	d->keys = mem_calloc(d->n, sizeof(*d->keys));
	if (!d->keys || decide_make_room(d) < 0)
		return SILT_E_NOMEM;
	report = d->keys + d->cond_count;
	add = report + d->report_count;
	for (size_t i = 0; i < batch_op_count(b); i++) {
		if (decide_reports(&ops[i])) {
			d->owned->reports[report - d->keys - d->cond_count].op = i;
			*report++ = (struct decide_key){ .op = i, .want_value = (ops[i].flags & SILT_OP_REPORT_VALUE) != 0 };
		}
		if (ops[i].adds && !ops[i].superseded)
			*add++ = (struct decide_key){ .op = i, .want_value = true };
	}
	decide_borrow(b, d);
	return 0;
}

int decide_prepare(struct silt_db *db, const struct silt_batch *b, unsigned flags, struct decide *d)
{
	int rc = 0;

	memset(d, 0, sizeof(*d));
	if (!batch_wants_lookup(b))
		return 0;
	rc = decide_list_keys(b, d);
	for (size_t i = 0; i < d->n && rc == 0; i++)
		rc = get_copy(db, d->keys[i].key, flags, d->keys[i].want_value, &d->keys[i].evidence);
	return rc;
}

void decide_fini(struct decide *d)
{
	for (size_t i = 0; d->keys && i < d->n; i++)
		buf_fini(&d->keys[i].evidence.value);
	mem_free(d->keys);
	mem_free(d->sums);
	decide_owned_free(d->owned);
	memset(d, 0, sizeof(*d));
}

/* ---- pure: what a condition says of a state -------------------------------------------------------------------------- */

/* The version a reader finds, 0 = absent. */
static uint64_t decide_seen(const struct get_copy *c, uint64_t now_ms)
{
	struct entry e = { .kind = c->kind, .expires_ms = c->info.expires_ms };

	return c->found && entry_live(&e, now_ms) ? c->info.version : 0;
}

static bool decide_holds(const struct batch_cond *c, uint64_t version)
{
	bool match = c->n == 0 ? version != 0 : false;

	for (size_t i = 0; i < c->n && !match; i++)
		match = version != 0 && c->versions[i] == version;
	return c->cond == SILT_COND_MATCH ? match : !match;
}

static int decide_conflict(struct silt_result *res, size_t cond, uint64_t current)
{
	res->condition = cond;
	res->current = current;
	return SILT_CONFLICT;
}

int decide_early(const struct silt_batch *b, const struct decide *d, uint64_t now_ms, struct silt_result *res)
{
	for (size_t i = 0; i < d->cond_count; i++) {
		uint64_t seen = decide_seen(&d->keys[i].evidence, now_ms);

		if (!decide_holds(&batch_conds(b)[i], seen))
			return decide_conflict(res, i, seen);
	}
	return 0;
}

/* ---- the leader's part ------------------------------------------------------------------------------------------------- */

/* The newest entry of the key in memory, published or not yet: `active` is the leader's own, the sealed ones are the view's. */
static int decide_in_memory(struct silt_db *db, const struct view *v, struct silt_slice key, struct entry *out)
{
	int rc = memtable_get(db->active, key, UINT64_MAX, out);

	for (size_t i = 0; i < v->sealed_count && rc != 0; i++)
		rc = memtable_get(v->sealed[i], key, UINT64_MAX, out);
	return rc;
}

static int decide_take(struct decide_key *k, const struct entry *e)
{
	struct get_copy *c = &k->evidence;

	c->found = true;
	c->kind = e->kind;
	c->value.len = 0;
	get_fill_info(e, &c->info);
	return k->want_value && e->kind == ENTRY_PUT ? buf_set(&c->value, e->value) : 0;
}

/* What memory holds replaces the evidence; where it is silent the evidence must be young enough. */
static int decide_refresh(struct silt_db *db, struct decide_key *k)
{
	struct view *v;
	struct entry e;
	uint64_t floor;
	int rc;

	rcu_begin();
	v = view_ref(rcu_load(db->view));
	rcu_end();
	/* After the view: one that has lost a memtable shows that memtable's floor. */
	floor = atomic_load_explicit(&db->floor, memory_order_acquire);
	if (decide_in_memory(db, v, k->key, &e) == 0)
		rc = decide_take(k, &e);
	else
		rc = k->evidence.read_at < floor ? SILT_TRY_AGAIN : 0;
	view_unref(v);
	return rc;
}

/* What each add puts. */
static int decide_add(const struct silt_batch *b, struct decide *d, uint64_t now_ms, struct silt_result *res)
{
	const struct decide_key *k = d->keys + d->cond_count + d->report_count;

	for (size_t i = 0; i < d->add_count; i++, k++) {
		uint64_t seen = decide_seen(&k->evidence, now_ms);
		struct batch_sum *sum = &d->sums[i];
		struct batch_add add;
		int64_t now = 0;
		int rc = 0;

		batch_read_add(b, k->op, &add);
		*sum = (struct batch_sum){ k->op, 0, add.expires_ms, add.meta };
		if (seen) {
			sum->expires_ms = k->evidence.info.expires_ms;
			sum->meta = slice_of(k->evidence.info.meta, k->evidence.info.meta_len);
			rc = counter_parse(buf_slice(&k->evidence.value), &now);
		}
		if (rc == 0)
			rc = counter_sum(now, add.delta, &sum->value);
		if (rc != 0) {
			res->condition = k->op;
			res->current = seen;
			return rc;
		}
	}
	return 0;
}

/* Of the add that the report is of, or of the later one on its key. */
static int64_t decide_sum_of(const struct silt_batch *b, const struct decide *d, size_t op)
{
	struct silt_slice key = batch_op_key(b, op);

	if (!batch_ops(b)[op].adds)
		return 0;
	for (size_t i = 0; i < d->add_count; i++)
		if (d->sums[i].op == op || (d->sums[i].op > op && slice_eq(batch_op_key(b, d->sums[i].op), key)))
			return d->sums[i].value;
	return 0;
}

static int decide_report(const struct silt_batch *b, struct decide *d, uint64_t now_ms)
{
	struct silt_buf *values = &d->owned->values;
	size_t end = d->cond_count + d->report_count, bytes = 0;

	for (size_t i = d->cond_count; i < end; i++)
		bytes += d->keys[i].evidence.value.len;
	if (buf_reserve(values, bytes) < 0)
		return SILT_E_NOMEM;
	for (size_t i = d->cond_count; i < end; i++) {
		const struct get_copy *c = &d->keys[i].evidence;
		struct silt_report *r = &d->owned->reports[i - d->cond_count];

		r->sum = decide_sum_of(b, d, r->op);
		r->found = decide_seen(c, now_ms) != 0;
		if (!r->found)
			continue;
		r->info = c->info;
		r->value = slice_of((char *)values->data + values->len, c->value.len);
		buf_push(values, c->value.data, c->value.len);
	}
	return 0;
}

int decide_judge(struct silt_db *db, const struct silt_batch *b, struct decide *d, uint64_t now_ms,
                 struct silt_result *res)
{
	int rc = 0;

	for (size_t i = 0; i < d->n && rc == 0; i++)
		rc = decide_refresh(db, &d->keys[i]);
	if (rc == 0)
		rc = decide_early(b, d, now_ms, res);
	if (rc == 0 && d->add_count)
		rc = decide_add(b, d, now_ms, res);
	if (rc == 0 && d->report_count)
		rc = decide_report(b, d, now_ms);
	return rc;
}

void decide_hand_over(struct decide *d, struct silt_result *res)
{
	if (!d->owned)
		return;
	res->reports = d->owned->reports;
	res->report_count = d->report_count;
	res->owned = d->owned;
	d->owned = NULL;
}

void decide_give_values(struct silt_result *res, struct silt_buf *out)
{
	struct decide_owned *o = res->owned;

	if (!o)
		return;
	buf_fini(out);
	*out = o->values;
	o->values = (struct silt_buf){ 0 };
}

void silt_result_fini(struct silt_result *r)
{
	if (!r)
		return;
	decide_owned_free(r->owned);
	memset(r, 0, sizeof(*r));
}
