/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c - operations kept in the bytes that the log will take, so that sealing is one copy.
 *
 * Bytes     `bytes` := op* as drawn in batch.h; ops[i].offset says where the i-th starts, the next one's where it ends.
 * Last wins the live op of a key is found at once when another one comes: by a walk while there are few (BATCH_WALK), then through
 *           `slots`, an open-addressed table of op index + 1 with one slot for each distinct key. Sealing leaves the dead out.
 * Adds      are kept as kind BATCH_ADD: kind | key | zigzag(delta):varint | expires_ms:varint | meta. Never in a log: sealing needs their sums.
 * Failure   each call reserves before it changes anything: out of memory leaves the batch as it was.
 */
#include "core/batch.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/counter.h"
#include "core/key.h"
#include "core/tombstones.h"

enum {
	BATCH_WALK = 8, BATCH_SLOTS_MIN = 64,
	BATCH_ADD = 0x41,                 /* no enum entry_kind */
	/* what a put of the sum may take beyond the add itself: the metadata is that of the key, the value's digits come after their length */
	BATCH_ADD_MORE = VARINT64_MAX + 2 + SILT_META_MAX + 1 + COUNTER_TEXT_MAX,
};

struct silt_batch {
	struct silt_buf bytes;
	struct batch_op *ops;
	size_t op_count, op_cap;
	size_t dead, dead_bytes;          /* superseded ops, and their bytes */
	size_t adds, ranges;              /* ops that add, range deletes: those that are not superseded */
	uint32_t *slots;                  /* NULL until there are more than BATCH_WALK ops */
	size_t slot_count;                /* a power of two, more than 4/3 of the keys */
	struct batch_cond *conds;
	size_t cond_count, cond_cap;
	bool wants_report;
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

int silt_batch_new(silt_batch **out)
{
	struct silt_batch *b = mem_calloc(1, sizeof(*b));

	if (!b)
		return SILT_E_NOMEM;
	*out = b;
	return 0;
}

void silt_batch_clear(silt_batch *b)
{
	for (size_t i = 0; i < b->cond_count; i++)
		mem_free((void *)b->conds[i].versions);
	b->cond_count = 0;
	b->bytes.len = 0;
	b->op_count = b->dead = b->dead_bytes = b->adds = b->ranges = 0;
	b->wants_report = false;
	mem_free(b->slots);
	b->slots = NULL;
	b->slot_count = 0;
}

void silt_batch_free(silt_batch *b)
{
	if (!b)
		return;
	silt_batch_clear(b);
	buf_fini(&b->bytes);
	mem_free(b->ops);
	mem_free(b->conds);
	mem_free(b);
}

size_t silt_batch_count(const silt_batch *b)
{
	return b->op_count;
}

size_t silt_batch_bytes(const silt_batch *b)
{
	return (size_t)codec_varint_len(b->op_count - b->dead) + b->bytes.len - b->dead_bytes +
	       b->adds * BATCH_ADD_MORE;
}

/* ---- which op has a key ------------------------------------------------------------------------------------------ */

struct silt_slice batch_op_key(const struct silt_batch *b, size_t i)
{
	struct cursor c = cursor_of(buf_slice(&b->bytes));

	(void)cursor_bytes(&c, b->ops[i].offset + 1);
	return cursor_bytes(&c, cursor_varint32(&c));
}

static size_t batch_op_end(const struct silt_batch *b, size_t i)
{
	return i + 1 < b->op_count ? b->ops[i + 1].offset : b->bytes.len;
}

/* The slot of the key: its live op's, or the empty one where it belongs. */
static uint32_t *batch_slot(const struct silt_batch *b, uint32_t *slots, size_t slot_count, struct silt_slice key)
{
	size_t i = hash_key(key) & (slot_count - 1);

	while (slots[i] && !slice_eq(batch_op_key(b, slots[i] - 1), key))
		i = (i + 1) & (slot_count - 1);
	return &slots[i];
}

/* Room for one more key in the slots, where there are or must be any. */
static int batch_grow_slots(struct silt_batch *b)
{
	size_t keys = b->op_count - b->dead + 1, n = BATCH_SLOTS_MIN;
	uint32_t *slots;

	if (b->op_count < BATCH_WALK || keys * 4 <= b->slot_count * 3)
		return 0;
	while (n * 3 < keys * 4 || n <= b->slot_count)
		n *= 2;
	slots = mem_calloc(n, sizeof(*slots));
	if (!slots)
		return SILT_E_NOMEM;
	for (size_t i = 0; i < b->op_count; i++)
		if (!b->ops[i].superseded && !b->ops[i].range)
			*batch_slot(b, slots, n, batch_op_key(b, i)) = (uint32_t)i + 1;
	mem_free(b->slots);
	b->slots = slots;
	b->slot_count = n;
	return 0;
}

/* The next op will have this key: which one had it? SIZE_MAX = none. Its slot, if there are slots, becomes the next op's. */
static size_t batch_claim_key(struct silt_batch *b, struct silt_slice key)
{
	uint32_t *slot;
	size_t had;

	if (!b->slots) {
		for (size_t i = 0; i < b->op_count; i++)
			if (!b->ops[i].superseded && !b->ops[i].range && slice_eq(batch_op_key(b, i), key))
				return i;
		return SIZE_MAX;
	}
	slot = batch_slot(b, b->slots, b->slot_count, key);
	had = *slot ? *slot - 1 : SIZE_MAX;
	*slot = (uint32_t)b->op_count + 1;
	return had;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static bool batch_bad_slice(struct silt_slice s)
{
	return s.len && !s.data;
}

static int batch_check_key(struct silt_slice key)
{
	if (key.len == 0 || batch_bad_slice(key))
		return SILT_E_MISUSE;
	return key.len > KEY_MAX ? SILT_E_TOOBIG : 0;
}

static int batch_check_flags(unsigned *op_flags)
{
	if (*op_flags & ~(unsigned)(SILT_OP_REPORT | SILT_OP_REPORT_VALUE))
		return SILT_E_MISUSE;
	if (*op_flags & SILT_OP_REPORT_VALUE)
		*op_flags |= SILT_OP_REPORT;
	return 0;
}

static int batch_grow_ops(struct silt_batch *b)
{
	size_t cap = b->op_cap ? b->op_cap * 2 : 4;
	struct batch_op *ops;

	if (b->op_count < b->op_cap)
		return 0;
	if (b->op_count >= UINT32_MAX - 1)
		return SILT_E_TOOBIG;
	ops = mem_resize(b->ops, cap, sizeof(*ops));
	if (!ops)
		return SILT_E_NOMEM;
	b->ops = ops;
	b->op_cap = cap;
	return 0;
}

static void batch_push_byte(struct silt_batch *b, uint8_t v)
{
	buf_push(&b->bytes, &v, 1);
}

static void batch_push_varint(struct silt_batch *b, uint64_t v)
{
	uint8_t tmp[VARINT64_MAX];

	buf_push(&b->bytes, tmp, (size_t)(codec_put_varint(tmp, v) - tmp));
}

static void batch_push_sized(struct silt_batch *b, struct silt_slice s)
{
	batch_push_varint(b, s.len);
	buf_push(&b->bytes, s.data, s.len);
}

static void batch_supersede(struct silt_batch *b, size_t i)
{
	b->ops[i].superseded = true;
	b->dead++;
	b->dead_bytes += batch_op_end(b, i) - b->ops[i].offset;
	b->adds -= b->ops[i].adds;
	b->ranges -= b->ops[i].range;
}

static struct silt_slice batch_op_upper(const struct silt_batch *b, size_t i)
{
	struct cursor c = cursor_of(buf_slice(&b->bytes));

	(void)cursor_bytes(&c, b->ops[i].offset + 1);
	(void)cursor_bytes(&c, cursor_varint32(&c));
	return cursor_bytes(&c, cursor_varint32(&c));
}

/* Does op i, a range delete too, lie in the range? */
static bool batch_within(const struct silt_batch *b, size_t i, const struct entry *range)
{
	if (slice_cmp(batch_op_key(b, i), range->key) < 0)
		return false;
	if (b->ops[i].range)
		return tombstone_upper_cmp(batch_op_upper(b, i), range->value) <= 0;
	return tombstone_below(batch_op_key(b, i), range->value);
}

/* The slots go with what is removed: the next op makes them anew. */
static void batch_claim_range(struct silt_batch *b, const struct entry *range)
{
	size_t before = b->dead;

	for (size_t i = 0; i < b->op_count; i++)
		if (!b->ops[i].superseded && batch_within(b, i, range))
			batch_supersede(b, i);
	if (b->dead == before)
		return;
	mem_free(b->slots);
	b->slots = NULL;
	b->slot_count = 0;
}

static void batch_claim(struct silt_batch *b, const struct entry *e)
{
	size_t had;

	if (e->kind == ENTRY_RANGE_DELETE) {
		batch_claim_range(b, e);
		return;
	}
	had = batch_claim_key(b, e->key);
	if (had != SIZE_MAX)
		batch_supersede(b, had);
}

/* Room for one more op of a key with `more` bytes behind it. */
static int batch_reserve(struct silt_batch *b, struct silt_slice key, size_t more)
{
	int rc = batch_grow_ops(b);

	if (rc == 0)
		rc = buf_reserve(&b->bytes, 1 + VARINT32_MAX + key.len + more);
	return rc == 0 ? batch_grow_slots(b) : rc;
}

/* Kind and key of an op that has claimed its place; the rest is pushed by the caller. All was reserved. */
static void batch_begin_op(struct silt_batch *b, uint8_t kind, struct silt_slice key, unsigned op_flags)
{
	b->ops[b->op_count++] = (struct batch_op){ .offset = b->bytes.len, .flags = op_flags, .range = kind == ENTRY_RANGE_DELETE,
		                                   .adds = kind == BATCH_ADD };
	b->adds += kind == BATCH_ADD;
	b->ranges += kind == ENTRY_RANGE_DELETE;
	b->wants_report |= op_flags != 0;
	batch_push_byte(b, kind);
	batch_push_sized(b, key);
}

static int batch_append(struct silt_batch *b, const struct entry *e, unsigned op_flags)
{
	int rc = batch_reserve(b, e->key, VARINT64_MAX + 2 * VARINT32_MAX + e->meta.len + e->value.len);

	if (rc < 0)
		return rc;
	batch_claim(b, e);
	batch_begin_op(b, (uint8_t)e->kind, e->key, op_flags);
	if (e->kind == ENTRY_RANGE_DELETE)
		batch_push_sized(b, e->value);
	if (e->kind == ENTRY_PUT) {
		batch_push_varint(b, e->expires_ms);
		batch_push_sized(b, e->meta);
		batch_push_sized(b, e->value);
	}
	return 0;
}

int silt_batch_put(silt_batch *b, struct silt_slice key, struct silt_slice value, const struct silt_put_options *opts,
                   unsigned op_flags)
{
	struct entry e = { .key = key, .kind = ENTRY_PUT, .value = value };
	int rc;

	if (!b || batch_bad_slice(value))
		return SILT_E_MISUSE;
	if (opts) {
		e.expires_ms = opts->expires_ms;
		e.meta = opts->meta;
	}
	if (batch_bad_slice(e.meta))
		return SILT_E_MISUSE;
	rc = batch_check_key(key);
	if (rc == 0)
		rc = batch_check_flags(&op_flags);
	if (rc < 0)
		return rc;
	if (value.len > SILT_VALUE_MAX || e.meta.len > SILT_META_MAX)
		return SILT_E_TOOBIG;
	return batch_append(b, &e, op_flags);
}

int silt_batch_delete(silt_batch *b, struct silt_slice key, unsigned op_flags)
{
	struct entry e = { .key = key, .kind = ENTRY_DELETE };
	int rc;

	if (!b)
		return SILT_E_MISUSE;
	rc = batch_check_key(key);
	if (rc == 0)
		rc = batch_check_flags(&op_flags);
	return rc < 0 ? rc : batch_append(b, &e, op_flags);
}

int silt_batch_delete_range(silt_batch *b, struct silt_slice lower, struct silt_slice upper)
{
	struct entry e = { .key = lower, .kind = ENTRY_RANGE_DELETE, .value = upper };
	bool to_last = !upper.data && upper.len == 0;

	if (!b || batch_bad_slice(lower) || batch_bad_slice(upper) || (!to_last && slice_cmp(lower, upper) > 0))
		return SILT_E_MISUSE;
	if (lower.len > KEY_MAX || upper.len > KEY_MAX)
		return SILT_E_TOOBIG;
	if (lower.len == 0)
		e.key = slice_of("", 1);          /* one zero byte: no key is before it */
	if (!to_last && slice_cmp(e.key, upper) >= 0)
		return 0;
	return batch_append(b, &e, 0);
}

/* ---- adds -------------------------------------------------------------------------------------------------------- */

static uint64_t batch_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

void batch_read_add(const struct silt_batch *b, size_t i, struct batch_add *out)
{
	struct cursor c = cursor_of(buf_slice(&b->bytes));
	uint64_t z;

	(void)cursor_bytes(&c, b->ops[i].offset + 1);
	(void)cursor_bytes(&c, cursor_varint32(&c));
	z = cursor_varint(&c);
	out->delta = (int64_t)(z >> 1 ^ (0 - (z & 1)));
	out->expires_ms = cursor_varint(&c);
	out->meta = cursor_bytes(&c, cursor_varint32(&c));
}

/* The live op of the key, or SIZE_MAX. */
static size_t batch_find_key(const struct silt_batch *b, struct silt_slice key)
{
	uint32_t at;

	if (b->slots) {
		at = *batch_slot(b, b->slots, b->slot_count, key);
		return at ? at - 1 : SIZE_MAX;
	}
	for (size_t i = 0; i < b->op_count; i++)
		if (!b->ops[i].superseded && !b->ops[i].range && slice_eq(batch_op_key(b, i), key))
			return i;
	return SIZE_MAX;
}

static bool batch_deletes_range_of(const struct silt_batch *b, struct silt_slice key)
{
	for (size_t i = 0; b->ranges && i < b->op_count; i++)
		if (!b->ops[i].superseded && b->ops[i].range && slice_cmp(batch_op_key(b, i), key) <= 0 &&
		    tombstone_below(key, batch_op_upper(b, i)))
			return true;
	return false;
}

/* What the batch adds to the key already goes into *delta. */
static int batch_join_add(const struct silt_batch *b, struct silt_slice key, int64_t *delta)
{
	size_t had = batch_find_key(b, key);
	struct batch_add before;

	if (had == SIZE_MAX)
		return batch_deletes_range_of(b, key) ? SILT_E_MISUSE : 0;
	if (!b->ops[had].adds)
		return SILT_E_MISUSE;
	batch_read_add(b, had, &before);
	return counter_sum(*delta, before.delta, delta);
}

int silt_batch_add(silt_batch *b, struct silt_slice key, int64_t delta, const struct silt_put_options *opts, unsigned op_flags)
{
	static const struct silt_put_options none;
	const struct silt_put_options *o = opts ? opts : &none;
	int rc;

	if (!b || batch_bad_slice(o->meta))
		return SILT_E_MISUSE;
	rc = batch_check_key(key);
	if (rc == 0)
		rc = batch_check_flags(&op_flags);
	if (rc == 0 && o->meta.len > SILT_META_MAX)
		rc = SILT_E_TOOBIG;
	if (rc == 0)
		rc = batch_join_add(b, key, &delta);
	if (rc == 0)
		rc = batch_reserve(b, key, 2 * VARINT64_MAX + VARINT32_MAX + o->meta.len);
	if (rc != 0)
		return rc;
	batch_claim(b, &(struct entry){ .key = key, .kind = ENTRY_PUT });
	batch_begin_op(b, BATCH_ADD, key, op_flags);
	batch_push_varint(b, batch_zigzag(delta));
	batch_push_varint(b, o->expires_ms);
	batch_push_sized(b, o->meta);
	return 0;
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

/* One allocation holds the versions and then the key; it is known by `versions`. */
int silt_batch_require(silt_batch *b, struct silt_slice key, enum silt_cond cond, const uint64_t *versions, size_t n)
{
	uint64_t *owned;
	int rc;

	if (!b || (n && !versions) || (cond != SILT_COND_MATCH && cond != SILT_COND_NONE_MATCH))
		return SILT_E_MISUSE;
	rc = batch_check_key(key);
	if (rc < 0)
		return rc;
	if (n > (SIZE_MAX - KEY_MAX) / sizeof(*owned))
		return SILT_E_TOOBIG;
	if (b->cond_count == b->cond_cap) {
		size_t cap = b->cond_cap ? b->cond_cap * 2 : 2;
		struct batch_cond *conds = mem_resize(b->conds, cap, sizeof(*conds));

		if (!conds)
			return SILT_E_NOMEM;
		b->conds = conds;
		b->cond_cap = cap;
	}
	owned = mem_alloc(n * sizeof(*owned) + key.len);
	if (!owned)
		return SILT_E_NOMEM;
	if (n)
		memcpy(owned, versions, n * sizeof(*owned));
	memcpy(owned + n, key.data, key.len);
	b->conds[b->cond_count++] = (struct batch_cond){ slice_of(owned + n, key.len), cond, owned, n };
	return 0;
}

/* ---- for the committer ------------------------------------------------------------------------------------------- */

size_t batch_op_count(const struct silt_batch *b)
{
	return b->op_count;
}

const struct batch_op *batch_ops(const struct silt_batch *b)
{
	return b->ops;
}

size_t batch_cond_count(const struct silt_batch *b)
{
	return b->cond_count;
}

const struct batch_cond *batch_conds(const struct silt_batch *b)
{
	return b->conds;
}

bool batch_wants_lookup(const struct silt_batch *b)
{
	return b->cond_count || b->wants_report || b->adds;
}

size_t batch_add_count(const struct silt_batch *b)
{
	return b->adds;
}

static void batch_push_sum(struct silt_buf *payload, struct silt_slice key, const struct batch_sum *sum)
{
	char text[COUNTER_TEXT_MAX];
	size_t len = counter_print(sum->value, text);
	uint8_t head[1 + VARINT32_MAX], tail[VARINT64_MAX + VARINT32_MAX], *p;

	head[0] = ENTRY_PUT;
	buf_push(payload, head, (size_t)(codec_put_varint(head + 1, key.len) - head));
	buf_push(payload, key.data, key.len);
	p = codec_put_varint(tail, sum->expires_ms);
	buf_push(payload, tail, (size_t)(codec_put_varint(p, sum->meta.len) - tail));
	buf_push(payload, sum->meta.data, sum->meta.len);
	buf_push(payload, tail, (size_t)(codec_put_varint(tail, len) - tail));
	buf_push(payload, text, len);
}

int batch_seal_sums(const struct silt_batch *b, const struct batch_sum *sums, struct silt_buf *payload)
{
	uint8_t count[VARINT64_MAX];
	int rc;

	payload->len = 0;
	rc = buf_reserve(payload, silt_batch_bytes(b));
	if (rc < 0)
		return rc;
	buf_push(payload, count, (size_t)(codec_put_varint(count, b->op_count - b->dead) - count));
	if (b->dead == 0 && b->adds == 0) {
		buf_push(payload, b->bytes.data, b->bytes.len);
		return 0;
	}
	for (size_t i = 0; i < b->op_count; i++) {
		size_t from = b->ops[i].offset;

		if (b->ops[i].superseded)
			continue;
		if (b->ops[i].adds)
			batch_push_sum(payload, batch_op_key(b, i), sums++);
		else
			buf_push(payload, (const char *)b->bytes.data + from, batch_op_end(b, i) - from);
	}
	return 0;
}

int batch_seal(const struct silt_batch *b, struct silt_buf *payload)
{
	return b->adds ? SILT_E_MISUSE : batch_seal_sums(b, NULL, payload);
}

static int batch_copy_ops(struct silt_batch *to, const struct silt_batch *from)
{
	int rc = buf_set(&to->bytes, buf_slice(&from->bytes));

	if (rc < 0 || from->op_count == 0)
		return rc;
	to->ops = mem_array(from->op_count, sizeof(*to->ops));
	if (!to->ops)
		return SILT_E_NOMEM;
	memcpy(to->ops, from->ops, from->op_count * sizeof(*to->ops));
	to->op_count = to->op_cap = from->op_count;
	to->dead = from->dead;
	to->dead_bytes = from->dead_bytes;
	to->adds = from->adds;
	to->ranges = from->ranges;
	to->wants_report = from->wants_report;
	return 0;
}

/* The copy has no slots yet: they come back with the next op that is added to it. */
int batch_copy(const struct silt_batch *b, struct silt_batch **out)
{
	struct silt_batch *copy = NULL;
	int rc;

	rc = silt_batch_new(&copy);
	if (rc < 0)
		return rc;
	rc = batch_copy_ops(copy, b);
	for (size_t i = 0; i < b->cond_count && rc == 0; i++)
		rc = silt_batch_require(copy, b->conds[i].key, b->conds[i].cond, b->conds[i].versions, b->conds[i].n);
	if (rc < 0) {
		silt_batch_free(copy);
		return rc;
	}
	*out = copy;
	return 0;
}
