/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c - the twin's array, its history, and the comparisons.
 *
 * Settling   every state has a fingerprint: the sum over live keys of a hash of key, version, expiry, metadata and value. It changes
 *            by two terms a changed key, so walking back through the history costs what the commits were. Where it meets the
 *            store's own fingerprint, everything is compared in full.
 */
#include "lib/test.h"

#include <inttypes.h>

#include "lib/model.h"

struct model_change {
	size_t key;
	struct model_slot before, after;
};
struct model_past {
	uint64_t version, version_before;
	size_t n, cap;
	struct model_change *changes;
};

char model_context[256];
void (*model_on_fail)(void);

void model_fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", model_context);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (model_on_fail)
		model_on_fail();
	fflush(NULL);
	_Exit(1);
}

void model_ok(int rc, const char *what)
{
	if (rc != 0)
		model_fail("%s: %s", what, silt_strerror(rc));
}

static void *model_memory(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		model_fail("out of memory");
	return p;
}

/* ---- keys and values ------------------------------------------------------------------------------------------------ */

/* Of every shape: decimal ones with long shared beginnings, short binary ones, a few near the limit. */
static size_t model_make_key(uint64_t *seed, uint8_t out[SILT_KEY_MAX])
{
	uint64_t r = test_random(seed), shape = r % 100;
	size_t len;

	if (shape < 60)
		return (size_t)snprintf((char *)out, SILT_KEY_MAX, "user/%08" PRIu64, (r >> 8) % 1000000);
	if (shape < 75)
		return (size_t)snprintf((char *)out, SILT_KEY_MAX, "s%" PRIu64, (r >> 8) % 100000);
	len = shape < 97 ? 1 + (r >> 8) % 12 : 1 + (r >> 8) % (shape < 99 ? 300 : SILT_KEY_MAX);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(shape < 97 && test_random(seed) % 3 ? test_random(seed) % 2 * 255 : test_random(seed) >> 13);
	return len;
}

static int model_key_cmp(const void *a, const void *b)
{
	const struct silt_slice *x = a, *y = b;
	int d = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return d ? d : (x->len > y->len) - (x->len < y->len);
}

struct model *model_new(size_t keys, uint64_t seed)
{
	struct model *m = model_memory(1, sizeof(*m));
	uint8_t key[SILT_KEY_MAX];
	size_t distinct = 0;

	m->keys = model_memory(keys, sizeof(*m->keys));
	for (size_t i = 0; i < keys; i++) {
		size_t len = model_make_key(&seed, key);

		m->keys[i] = (struct silt_slice){ model_memory(len, 1), len };
		memcpy((void *)m->keys[i].data, key, len);
	}
	qsort(m->keys, keys, sizeof(*m->keys), model_key_cmp);
	for (size_t i = 0; i < keys; i++) {
		if (distinct && model_key_cmp(&m->keys[distinct - 1], &m->keys[i]) == 0)
			free((void *)m->keys[i].data);
		else
			m->keys[distinct++] = m->keys[i];
	}
	m->n = distinct;
	m->slots = model_memory(m->n, sizeof(*m->slots));
	m->history = model_memory(MODEL_HISTORY, sizeof(*m->history));
	m->scratch = model_memory(MODEL_VALUE_MAX, 1);
	return m;
}

void model_free(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		free((void *)m->keys[i].data);
	for (size_t i = 0; i < MODEL_HISTORY; i++)
		free(m->history[i].changes);
	free(m->keys);
	free(m->slots);
	free(m->history);
	free(m->scratch);
	free(m);
}

bool model_live(const struct model_slot *s, uint64_t now_ms)
{
	return s->there && (s->expires_ms == 0 || s->expires_ms > now_ms);
}

size_t model_find(const struct model *m, struct silt_slice key)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (model_key_cmp(&m->keys[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Half of each value repeats, so that compression has work. */
struct silt_slice model_value(const struct model_slot *s, uint8_t *out)
{
	uint64_t r = s->seed | UINT64_C(1) << 32;

	if (s->counts)
		return (struct silt_slice){ out, (size_t)sprintf((char *)out, "%lld", (long long)s->number) };
	for (size_t i = 0; i < s->value_len; i += 8) {
		uint64_t word = i % 64 < 32 ? test_random(&r) : UINT64_C(0x6974732074657073);

		memcpy(out + i, &word, s->value_len - i < 8 ? s->value_len - i : 8);
	}
	return (struct silt_slice){ out, s->value_len };
}

struct silt_slice model_meta(const struct model_slot *s, uint8_t out[SILT_META_MAX])
{
	for (size_t i = 0; i < s->meta_len; i++)
		out[i] = (uint8_t)(s->seed >> (i % 4 * 8)) ^ (uint8_t)i;
	return (struct silt_slice){ out, s->meta_len };
}

/* Random bytes that happen to be digits: only short ones can be expected to. */
static bool model_reads_as_number(const struct model_slot *s, int64_t *out)
{
	uint8_t raw[32];
	char text[32] = "", again[32];

	if (s->value_len == 0 || s->value_len > 18)
		return false;
	memcpy(text, model_value(s, raw).data, s->value_len);
	*out = strtoll(text, NULL, 10);
	snprintf(again, sizeof(again), "%lld", (long long)*out);
	return strcmp(text, "-0") == 0 || (strcmp(text, again) == 0 && strlen(text) == s->value_len);
}

int model_add(const struct model_slot *s, int64_t delta, uint64_t now_ms, struct model_slot *to)
{
	struct model_slot sum = { .there = true, .counts = true };
	char text[32];

	if (model_live(s, now_ms)) {
		sum = *s;
		sum.counts = true;
		if (!s->counts && !model_reads_as_number(s, &sum.number))
			return SILT_NO_COUNTER;
	}
	if (delta > 0 ? sum.number > INT64_MAX - delta : sum.number < INT64_MIN - delta)
		return SILT_OVERFLOW;
	sum.number += delta;
	sum.value_len = (uint32_t)snprintf(text, sizeof(text), "%lld", (long long)sum.number);
	*to = sum;
	return 0;
}

struct model_slot model_random_put(uint64_t *seed, uint64_t expires_ms)
{
	uint64_t r = test_random(seed), size = r % 1000;
	struct model_slot s = { .there = true, .expires_ms = expires_ms, .seed = (uint32_t)(r >> 32) };

	if (size < 700)
		s.value_len = (uint32_t)((r >> 10) % 150);
	else if (size < 985)
		s.value_len = (uint32_t)((r >> 10) % 1500);
	else
		s.value_len = (uint32_t)((r >> 10) % 12000);
	if (size % 7 == 0)
		s.meta_len = (uint8_t)(size % 14 ? (r >> 24) % 20 : (r >> 24) % (SILT_META_MAX + 1));
	return s;
}

/* ---- history -------------------------------------------------------------------------------------------------------- */

void model_commit(struct model *m, uint64_t version, const struct model_op *ops, size_t n)
{
	struct model_past *p = &m->history[m->commits % MODEL_HISTORY];

	if (version <= m->last_version)
		model_fail("version %" PRIu64 " was given after %" PRIu64, version, m->last_version);
	if (n > p->cap) {
		free(p->changes);
		p->changes = model_memory(n, sizeof(*p->changes));
		p->cap = n;
	}
	p->version_before = m->last_version;
	p->version = version;
	p->n = n;
	for (size_t i = 0; i < n; i++) {
		struct model_slot *slot = &m->slots[ops[i].key];

		p->changes[i] = (struct model_change){ ops[i].key, *slot, ops[i].to };
		p->changes[i].after.version = version;
		*slot = p->changes[i].after;
	}
	m->last_version = version;
	m->commits++;
	if (m->commits - m->base > MODEL_HISTORY)
		m->base = m->commits - MODEL_HISTORY;
}

static uint64_t model_hash(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * UINT64_C(0x9ddfea08eb382d69);
		h ^= h >> 29;
	}
	for (; n; n--, p++)
		h = (h ^ *p) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static uint64_t model_hash_entry(struct silt_slice key, struct silt_slice value, uint64_t version, uint64_t expires_ms,
                                 struct silt_slice meta)
{
	uint64_t h = model_hash(version * UINT64_C(0x9e3779b97f4a7c15) + expires_ms, key.data, key.len);

	h = model_hash(h + key.len, value.data, value.len);
	return model_hash(h + value.len, meta.data, meta.len);
}

static uint64_t model_hash_slot(const struct model *m, size_t i, uint64_t now_ms)
{
	const struct model_slot *s = &m->slots[i];
	uint8_t meta[SILT_META_MAX];

	if (!model_live(s, now_ms))
		return 0;
	return model_hash_entry(m->keys[i], model_value(s, m->scratch), s->version, s->expires_ms, model_meta(s, meta));
}

static void model_undo(struct model *m, uint64_t now_ms, uint64_t *hash)
{
	const struct model_past *p = &m->history[--m->commits % MODEL_HISTORY];

	for (size_t i = p->n; i-- > 0;) {
		size_t key = p->changes[i].key;

		*hash -= model_hash_slot(m, key, now_ms);
		m->slots[key] = p->changes[i].before;
		*hash += model_hash_slot(m, key, now_ms);
	}
	m->last_version = p->version_before;
}

static void model_redo(struct model *m)
{
	const struct model_past *p = &m->history[m->commits++ % MODEL_HISTORY];

	for (size_t i = 0; i < p->n; i++)
		m->slots[p->changes[i].key] = p->changes[i].after;
	m->last_version = p->version;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------- */

static void model_check_info(const struct model *m, const struct model_slot *s, size_t i, const struct silt_info *info)
{
	uint8_t meta[SILT_META_MAX];

	model_meta(s, meta);
	if (info->version != s->version)
		model_fail("key %zu: version %" PRIu64 ", not %" PRIu64, i, info->version, s->version);
	if (info->expires_ms != s->expires_ms)
		model_fail("key %zu: expiry %" PRIu64 ", not %" PRIu64, i, info->expires_ms, s->expires_ms);
	if (info->meta_len != s->meta_len || memcmp(info->meta, meta, s->meta_len) != 0)
		model_fail("key %zu: wrong metadata", i);
	(void)m;
}

static void model_check_value(const struct model *m, const struct model_slot *s, size_t i, struct silt_slice value)
{
	struct silt_slice want = model_value(s, m->scratch);

	if (value.len != want.len || (want.len && memcmp(value.data, want.data, want.len) != 0))
		model_fail("key %zu: wrong value of %zu bytes for one of %zu", i, value.len, want.len);
}

void model_check_get(const struct model *m, const struct model_slot *slots, size_t i, uint64_t now_ms, int rc,
                     struct silt_slice value, const struct silt_info *info)
{
	int want = model_live(&slots[i], now_ms) ? 0 : SILT_NOTFOUND;

	if (rc != want)
		model_fail("get of key %zu (\"%.*s\"): %d (%s), not %d; the twin has version %" PRIu64, i,
		           (int)(m->keys[i].len < 32 ? m->keys[i].len : 32), (const char *)m->keys[i].data, rc, silt_strerror(rc),
		           want, slots[i].version);
	if (rc != 0)
		return;
	model_check_info(m, &slots[i], i, info);
	model_check_value(m, &slots[i], i, value);
}

void model_check_entry(const struct model *m, const struct model_slot *slots, size_t i, const silt_iter *it)
{
	struct silt_slice key = silt_iter_key(it);
	struct silt_info info;

	if (model_key_cmp(&key, &m->keys[i]) != 0)
		model_fail("an iterator stands on key %zu or near, not %zu (version %" PRIu64 " of it is missing or too much)",
		           model_find(m, key), i, slots[i].version);
	silt_iter_info(it, &info);
	model_check_info(m, &slots[i], i, &info);
	model_check_value(m, &slots[i], i, silt_iter_value(it));
}

size_t model_next_live(const struct model_slot *slots, size_t i, size_t end, uint64_t now_ms)
{
	while (i < end && !model_live(&slots[i], now_ms))
		i++;
	return i < end ? i : SIZE_MAX;
}

size_t model_prev_live(const struct model_slot *slots, size_t i, size_t begin, uint64_t now_ms)
{
	while (i != SIZE_MAX && i >= begin && !model_live(&slots[i], now_ms))
		i--;
	return i != SIZE_MAX && i >= begin ? i : SIZE_MAX;
}

static silt_iter *model_iter(silt_db *db, const silt_snapshot *snap)
{
	struct silt_iter_options opts = { .snapshot = snap };
	silt_iter *it = NULL;
	int rc = silt_iter_new(db, &opts, &it);

	if (rc != 0)
		model_fail("silt_iter_new: %s", silt_strerror(rc));
	return it;
}

void model_check_all(const struct model *m, const struct model_slot *slots, silt_db *db, const silt_snapshot *snap, uint64_t now_ms)
{
	silt_iter *it = model_iter(db, snap);
	size_t i = model_next_live(slots, 0, m->n, now_ms);
	int rc;

	for (rc = silt_iter_first(it); rc == 0 && i != SIZE_MAX; rc = silt_iter_next(it)) {
		model_check_entry(m, slots, i, it);
		i = model_next_live(slots, i + 1, m->n, now_ms);
	}
	if (rc != SILT_END || i != SIZE_MAX)
		model_fail("scan forward: %s, the twin at key %zd of %zu", silt_strerror(rc), (ptrdiff_t)i, m->n);
	i = model_prev_live(slots, m->n - 1, 0, now_ms);
	for (rc = silt_iter_last(it); rc == 0 && i != SIZE_MAX; rc = silt_iter_prev(it)) {
		model_check_entry(m, slots, i, it);
		i = model_prev_live(slots, i - 1, 0, now_ms);
	}
	if (rc != SILT_END || i != SIZE_MAX)
		model_fail("scan backward: %s, the twin at key %zd of %zu", silt_strerror(rc), (ptrdiff_t)i, m->n);
	silt_iter_close(it);
}

static uint64_t model_hash_store(silt_db *db)
{
	silt_iter *it = model_iter(db, NULL);
	struct silt_info info;
	uint64_t hash = 0;
	int rc;

	for (rc = silt_iter_first(it); rc == 0; rc = silt_iter_next(it)) {
		silt_iter_info(it, &info);
		hash += model_hash_entry(silt_iter_key(it), silt_iter_value(it), info.version, info.expires_ms,
		                         (struct silt_slice){ info.meta, info.meta_len });
	}
	if (rc != SILT_END)
		model_fail("scan after recovery: %s", silt_strerror(rc));
	silt_iter_close(it);
	return hash;
}

uint64_t model_settle(struct model *m, silt_db *db, uint64_t acked, uint64_t now_ms)
{
	uint64_t want = model_hash_store(db), hash = 0, from = m->commits, newest = m->last_version;

	for (size_t i = 0; i < m->n; i++)
		hash += model_hash_slot(m, i, now_ms);
	while (hash != want) {
		if (m->commits == m->base || m->last_version <= acked) {
			fprintf(stderr, "recovery: the store equals no state from version %" PRIu64 " (acknowledged) to %" PRIu64
			        " (last written); against the first of them:\n", acked, newest);
			model_check_all(m, m->slots, db, NULL, now_ms);
			model_fail("the fingerprints differ, but nothing else does");
		}
		model_undo(m, now_ms, &hash);
	}
	/* commits that changed nothing may be there or not: the versions that are certain are those before them */
	while (hash == want && m->commits > m->base && m->last_version > acked)
		model_undo(m, now_ms, &hash);
	if (hash != want)
		model_redo(m);
	model_check_all(m, m->slots, db, NULL, now_ms);
	return from - m->commits;
}

/* ---- changes -------------------------------------------------------------------------------------------------------- */

struct model_feed {
	const struct model *m;
	uint64_t now_ms;
	uint64_t next;                    /* the commit that is due, of those in the history */
	const struct model_past *past;    /* the one that is being given; NULL: none of the history */
	size_t *last;                     /* [m->n] of `past`: 1 + the last change of a key that was not seen yet; 0 = none */
	size_t left;                      /* how many are not 0 */
};

static const struct model_past *model_due(const struct model_feed *f)
{
	return f->next < f->m->commits ? &f->m->history[f->next % MODEL_HISTORY] : NULL;
}

/* Commits that changed nothing may be there though the settling undid them: they hold no live put. */
static void model_feed_begin(struct model_feed *f, uint64_t version)
{
	const struct model_past *due = model_due(f);

	if (due && due->version < version)
		model_fail("changes: version %" PRIu64 " is missing before %" PRIu64, due->version, version);
	f->past = due && due->version == version ? due : NULL;
	for (size_t i = 0; f->past && i < f->past->n; i++) {
		f->left += f->last[f->past->changes[i].key] == 0;
		f->last[f->past->changes[i].key] = i + 1;
	}
	f->next += f->past != NULL;
}

/* The slot that this commit left key i in; each is asked for at least once. */
static const struct model_slot *model_feed_slot(struct model_feed *f, size_t i, uint64_t version)
{
	size_t n = f->last[i] & SIZE_MAX >> 1;

	if (n == 0)
		model_fail("changes: version %" PRIu64 " changes key %zu, which it did not", version, i);
	f->left -= f->last[i] == n;
	f->last[i] = n | ~(SIZE_MAX >> 1);
	return &f->past->changes[n - 1].after;
}

static void model_feed_put(struct model_feed *f, const struct silt_change *ch)
{
	size_t i = model_find(f->m, ch->key);
	struct silt_info info = { .version = ch->version, .expires_ms = ch->expires_ms, .meta_len = (uint8_t)ch->meta.len };
	const struct model_slot *s;

	if (!f->past) {
		if (ch->expires_ms == 0 || ch->expires_ms > f->now_ms)
			model_fail("changes: version %" PRIu64 " is not of the history", ch->version);
		return;
	}
	s = model_feed_slot(f, i, ch->version);
	if (!s->there)
		model_fail("changes: version %" PRIu64 " puts key %zu", ch->version, i);
	if (ch->meta.len)
		memcpy(info.meta, ch->meta.data, ch->meta.len);
	model_check_info(f->m, s, i, &info);
	model_check_value(f->m, s, i, ch->value);
}

/* Of a range's keys some may have been put again behind it, in the same batch. */
static void model_feed_delete(struct model_feed *f, const struct silt_change *ch)
{
	bool range = ch->op == SILT_CHANGE_DELETE_RANGE;
	size_t i = model_find(f->m, ch->key), end = !range ? i + 1 : ch->end.len ? model_find(f->m, ch->end) : f->m->n;

	for (; f->past && i < end; i++) {
		size_t n = f->last[i];
		const struct model_slot *s = model_feed_slot(f, i, ch->version);

		if (s->there && !range)
			model_fail("changes: version %" PRIu64 " deletes key %zu", ch->version, i);
		if (s->there && n == (n & SIZE_MAX >> 1)) {
			f->last[i] = n;           /* its put comes yet */
			f->left++;
		}
	}
}

static void model_feed_end(struct model_feed *f, uint64_t version)
{
	if (f->left)
		model_fail("changes: version %" PRIu64 " misses %zu of its keys", version, f->left);
	for (size_t i = 0; f->past && i < f->past->n; i++)
		f->last[f->past->changes[i].key] = 0;
	f->past = NULL;
}

static int model_feed_read(struct model_feed *f, silt_changes *c)
{
	struct silt_change ch;
	bool first = true;
	int rc;

	while ((rc = silt_changes_next(c, &ch)) == 0) {
		if (first)
			model_feed_begin(f, ch.version);
		if (ch.op == SILT_CHANGE_PUT)
			model_feed_put(f, &ch);
		else
			model_feed_delete(f, &ch);
		if (ch.last)
			model_feed_end(f, ch.version);
		first = ch.last;
	}
	return rc;
}

int model_check_changes(const struct model *m, silt_db *db, uint64_t *since, uint64_t now_ms)
{
	struct model_feed f = { .m = m, .now_ms = now_ms, .next = m->base };
	const struct model_past *due;
	silt_changes *c = NULL;
	int rc;

	while ((due = model_due(&f)) && due->version <= *since)
		f.next++;
	if (due && f.next == m->base && due->version_before > *since)
		*since = due->version_before;     /* what is older is forgotten */
	rc = silt_changes_new(db, *since, &c);
	if (rc == SILT_E_EXPIRED)
		return rc;
	if (rc != 0)
		model_fail("silt_changes_new after %" PRIu64 ": %s", *since, silt_strerror(rc));
	f.last = model_memory(m->n, sizeof(*f.last));
	rc = model_feed_read(&f, c);
	*since = silt_changes_version(c);
	silt_changes_close(c);
	free(f.last);
	if (rc != SILT_END && rc != SILT_E_EXPIRED)
		model_fail("silt_changes_next after %" PRIu64 ": %s", *since, silt_strerror(rc));
	due = model_due(&f);
	if (due && due->version <= *since)
		model_fail("changes: version %" PRIu64 " is missing, the feed is at %" PRIu64, due->version, *since);
	return rc == SILT_END ? 0 : rc;
}
