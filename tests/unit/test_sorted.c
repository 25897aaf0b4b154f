/* SPDX-License-Identifier: Apache-2.0 */
/* test_sorted.c - against a sorted array, with keys of every shape; estimates; readers beside the writer. */
#include "lib/test.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/thread.h"
#include "core/key.h"
#include "mem/sorted.h"

struct list {
	struct arena arena;
	struct sorted s;
};

static void list_init(struct list *l)
{
	arena_init(&l->arena, 64 << 10);
	assert_int_equal(sorted_init(&l->s, &l->arena), 0);
}

static void list_fini(struct list *l)
{
	sorted_fini(&l->s);
	arena_fini(&l->arena);
}

static void list_insert(struct list *l, struct silt_slice key, uint64_t version, struct silt_slice value)
{
	struct entry e = { .key = key, .version = version, .kind = ENTRY_PUT, .value = value };

	assert_int_equal(arena_reserve(&l->arena, sorted_cost(&e)), 0);
	sorted_insert(&l->s, &e);
}

static void assert_node(const struct node *n, struct silt_slice key, uint64_t version)
{
	struct entry e;

	assert_non_null(n);
	sorted_entry(n, &e);
	assert_true(slice_eq(e.key, key));
	assert_int_equal(e.version, version);
}

static void test_sorted__empty_has_no_ends(void **state)
{
	struct list l;

	(void)state;
	list_init(&l);
	assert_null(sorted_first(&l.s));
	assert_null(sorted_last(&l.s));
	assert_null(sorted_seek(&l.s, slice_str("a"), UINT64_MAX));
	assert_int_equal(sorted_check(&l.s), 0);
	list_fini(&l);
}

static void test_sorted__keeps_all_of_an_entry(void **state)
{
	static char big[SILT_KEY_MAX], meta[SILT_META_MAX];
	struct entry in = { .key = { big, sizeof(big) }, .version = UINT64_MAX, .kind = ENTRY_PUT, .expires_ms = 1234567890123,
	                    .meta = { meta, sizeof(meta) }, .value = slice_str("value") };
	struct entry gone = { .key = slice_str("k"), .version = 1, .kind = ENTRY_DELETE }, out;
	struct list l;

	(void)state;
	memset(big, 0xff, sizeof(big));
	memset(meta, 'm', sizeof(meta));
	list_init(&l);
	assert_int_equal(arena_reserve(&l.arena, sorted_cost(&in) + sorted_cost(&gone)), 0);
	sorted_insert(&l.s, &in);
	sorted_insert(&l.s, &gone);
	sorted_entry(sorted_last(&l.s), &out);
	assert_true(slice_eq(out.key, in.key) && slice_eq(out.meta, in.meta) && slice_eq(out.value, in.value));
	assert_true(out.version == in.version && out.kind == in.kind && out.expires_ms == in.expires_ms);
	sorted_entry(sorted_first(&l.s), &out);
	assert_true(out.kind == ENTRY_DELETE && out.value.len == 0 && out.meta.len == 0 && out.expires_ms == 0);
	list_fini(&l);
}

/* Keys that equal prefixes can't tell apart: padding against real zeros, ends inside and behind the first 8 bytes. */
static void test_sorted__orders_keys_that_share_their_prefix(void **state)
{
	static const struct silt_slice sorted[] = {
		{ "\0", 1 }, { "\0\0", 2 }, { "\0\0\0\0\0\0\0\0", 8 }, { "\0\0\0\0\0\0\0\0\0", 9 }, { "\0\0\0\0\0\0\0\0\1", 9 },
		{ "a", 1 }, { "a\0", 2 }, { "abcdefgh", 8 }, { "abcdefgh\0", 9 }, { "abcdefghi", 9 }, { "abcdefghij", 10 },
		{ "abcdefghj", 9 }, { "b", 1 }, { "\x7f", 1 }, { "\x80", 1 }, { "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9 },
	};
	enum { N = sizeof(sorted) / sizeof(sorted[0]) };
	const struct node *n;
	struct list l;

	(void)state;
	list_init(&l);
	for (size_t i = 0; i < N; i++)
		list_insert(&l, sorted[i * 7 % N], 9, slice_str(""));
	assert_int_equal(sorted_check(&l.s), N);
	n = sorted_first(&l.s);
	for (size_t i = 0; i < N; i++, n = sorted_next(n)) {
		assert_node(n, sorted[i], 9);
		assert_ptr_equal(sorted_seek(&l.s, sorted[i], 9), n);
		assert_ptr_equal(sorted_seek(&l.s, sorted[i], UINT64_MAX), n);
		assert_ptr_equal(sorted_seek(&l.s, sorted[i], 8), sorted_next(n));
	}
	assert_null(n);
	list_fini(&l);
}

/* ---- the twin: a sorted array of (key, version) ---------------------------------------------------------------------- */

struct pair {
	uint64_t key, version;
};

static struct silt_slice pair_key(const struct pair *p, char buf[32])
{
	return slice_of(buf, (size_t)snprintf(buf, 32, "%0*lu", p->key % 5 ? 12 : 4, (unsigned long)p->key));
}

static int pair_cmp(const void *a, const void *b)
{
	char x[32], y[32];
	const struct pair *p = a, *q = b;

	return key_cmp(pair_key(p, x), p->version, pair_key(q, y), q->version);
}

static void check_against(const struct list *l, const struct pair *sorted, size_t n, uint64_t *seed)
{
	const struct node *node = sorted_first(&l->s), *back = sorted_last(&l->s);
	char buf[32];

	assert_int_equal(sorted_check(&l->s), n);
	for (size_t i = 0; i < n; i++) {
		assert_node(node, pair_key(&sorted[i], buf), sorted[i].version);
		assert_node(back, pair_key(&sorted[n - 1 - i], buf), sorted[n - 1 - i].version);
		node = sorted_next(node);
		back = sorted_prev(&l->s, back);
	}
	assert_null(node);
	assert_null(back);
	for (int i = 0; i < 500; i++) {
		struct pair p = { test_random(seed) % 700, test_random(seed) % 5000 };
		size_t at = 0;

		while (at < n && pair_cmp(&sorted[at], &p) < 0)
			at++;
		node = sorted_seek(&l->s, pair_key(&p, buf), p.version);
		if (at < n)
			assert_node(node, pair_key(&sorted[at], buf), sorted[at].version);
		else
			assert_null(node);
	}
}

/* Random keys with runs of ascending ones and many versions each. */
static void test_sorted__agrees_with_a_sorted_array(void **state)
{
	enum { N = 4000 };
	uint64_t seed = test_seed(17), key = 0;
	struct pair *pairs = mem_calloc(N, sizeof(*pairs));
	struct list l;
	char buf[32];

	(void)state;
	list_init(&l);
	for (size_t i = 0; i < N; i++) {
		key = test_random(&seed) % 3 ? (key + 1) % 700 : test_random(&seed) % 700;
		pairs[i] = (struct pair){ key, i + 1 };
		list_insert(&l, pair_key(&pairs[i], buf), pairs[i].version, slice_str("v"));
		if (i % 1000 == 999 || i == 10) {
			struct pair *sorted = mem_dup(pairs, (i + 1) * sizeof(*pairs));

			qsort(sorted, i + 1, sizeof(*sorted), pair_cmp);
			check_against(&l, sorted, i + 1, &seed);
			mem_free(sorted);
		}
	}
	mem_free(pairs);
	list_fini(&l);
}

/* ---- the places ------------------------------------------------------------------------------------------------------- */

/* Keys whose first difference lies anywhere: inside and far behind the first 8 bytes, and at the end of a shorter one. */
static struct silt_slice shape_key(unsigned shape, uint64_t i, char buf[80])
{
	uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15) >> 20;
	int n;

	switch (shape) {
	case 0:                                   /* ascending, digits */
		n = snprintf(buf, 80, "%016lu", (unsigned long)i);
		break;
	case 1:                                   /* descending */
		n = snprintf(buf, 80, "%016lu", (unsigned long)(1000000 - i));
		break;
	case 2:                                   /* random, digits */
		n = snprintf(buf, 80, "%016lu", (unsigned long)(x % 100000000));
		break;
	case 3:                                   /* runs of ascending ones, interleaved; long prefixes; all lengths */
		n = snprintf(buf, 80, "a/long/prefix/of/every/key/%lu/%lu", (unsigned long)(x % 7), (unsigned long)i);
		break;
	case 4:                                   /* each the beginning of others */
		n = (int)(1 + i % 70);
		memset(buf, (int)(i / 70 % 3), (size_t)n);
		buf[n - 1] = (char)(x % 5);
		break;
	default:                                  /* random bytes */
		memcpy(buf, &x, sizeof(x));
		n = 6;
	}
	return slice_of(buf, (size_t)n);
}

static void check_shape(const struct list *l, unsigned shape, uint64_t n)
{
	char buf[80];

	assert_int_equal(sorted_check(&l->s), n);
	for (uint64_t i = 1; i <= n; i++)
		assert_node(sorted_seek(&l->s, shape_key(shape, i, buf), i), shape_key(shape, i, buf), i);
}

static void test_sorted__finds_keys_of_every_shape(void **state)
{
	enum { N = 12000 };
	char buf[80];

	(void)state;
	for (unsigned shape = 0; shape < 6; shape++) {
		struct list l;

		list_init(&l);
		for (uint64_t i = 1; i <= N; i++)
			list_insert(&l, shape_key(shape, i, buf), i, slice_str("v"));
		assert_true(l.s.places.whole);
		check_shape(&l, shape, N);
		list_fini(&l);
	}
}

/* The tree is a help: without memory for it, for a time or for good, an insert can't fail and all is found. */
static void test_sorted__needs_no_memory_for_its_places(void **state)
{
	enum { N = 3000 };
	char buf[80];

	(void)state;
	for (unsigned shape = 0; shape < 6; shape++) {
		for (uint64_t from = 1; from < N; from = from * 3 + 40) {
			struct list l;

			list_init(&l);
			assert_int_equal(arena_reserve(&l.arena, 1 << 20), 0);
			for (uint64_t i = 1; i <= N; i++) {
				if (i == from || i == from + from / 2)
					mem_fail_at(i == from, true);
				list_insert(&l, shape_key(shape, i, buf), i, slice_str("v"));
			}
			mem_fail_at(0, false);
			check_shape(&l, shape, N);
			list_fini(&l);
		}
	}
}

static void test_sorted__counts_what_lies_between(void **state)
{
	enum { N = 20000 };
	uint64_t seed = test_seed(5), low;
	char a[80], b[80];
	struct list l;

	(void)state;
	list_init(&l);
	for (uint64_t i = 0; i < N; i++)          /* each number below N once */
		list_insert(&l, shape_key(0, i * 7919 % N, a), 1, slice_str("v"));
	for (int i = 0; i < 2000; i++) {
		uint64_t from = test_random(&seed) % N, to = test_random(&seed) % (N + 1), many = from < to ? to - from : 0;
		struct silt_slice none = { NULL, 0 }, lower = from ? shape_key(0, from, a) : none, upper = to < N ? shape_key(0, to, b) : none;
		uint64_t about = sorted_estimate(&l.s, lower, upper, &low);

		if (many < 1024) {
			assert_int_equal(about, many);
			assert_int_equal(low, many);
		} else {
			assert_true(low == 1024 && about >= many && about <= many + 1);
		}
	}
	list_fini(&l);
}

/* Places looked for before the insert, for another version that then never came, and not at all. */
static void test_sorted__an_expected_entry_comes_where_it_belongs(void **state)
{
	uint64_t random = 7, n = 4000;
	struct list l;

	(void)state;
	list_init(&l);
	for (uint64_t version = 1; version <= n; version++) {
		char key[16], other[16];
		struct entry e = { .version = version, .kind = ENTRY_PUT }, given_up = { .version = version - 1, .kind = ENTRY_PUT };

		random = random * 6364136223846793005u + 1442695040888963407u;
		e.key = slice_of(key, (size_t)snprintf(key, sizeof(key), "%06u", (unsigned)(random >> 44)));
		given_up.key = slice_of(other, (size_t)snprintf(other, sizeof(other), "%06u", (unsigned)(random >> 20) & 0xfffff));
		assert_int_equal(arena_reserve(&l.arena, sorted_cost(&e)), 0);
		if (version % 3)
			sorted_expect(&l.s, version % 3 == 1 ? &e : &given_up);
		sorted_insert(&l.s, &e);
		assert_node(sorted_seek(&l.s, e.key, version), e.key, version);
	}
	assert_int_equal(sorted_check(&l.s), n);
	list_fini(&l);
}

static void test_sorted__cost_is_an_upper_bound(void **state)
{
	static char bytes[5000];
	struct list l;

	(void)state;
	list_init(&l);
	for (size_t i = 0; i < 3000; i++) {
		struct entry e = { .key = { bytes, 1 + i % 100 }, .version = i + 1, .kind = ENTRY_PUT, .value = { bytes, i } };
		uint8_t *p;

		assert_int_equal(arena_reserve(&l.arena, sorted_cost(&e)), 0);
		p = l.arena.p;
		sorted_insert(&l.s, &e);
		assert_true((size_t)(l.arena.p - p) <= sorted_cost(&e));
	}
	assert_int_equal(sorted_check(&l.s), 3000);
	list_fini(&l);
}

/* ---- readers beside the writer ---------------------------------------------------------------------------------------- */

enum { RACE_INSERTS = 20000, RACE_KEYS = 3000 };

struct race {
	struct list l;
	_Atomic uint64_t inserted;        /* versions 1..inserted are there */
	_Atomic uint64_t mistakes;
};

static uint64_t race_key(uint64_t version)
{
	return version * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

static struct silt_slice race_key_bytes(uint64_t version, char buf[32])
{
	return slice_of(buf, (size_t)snprintf(buf, 32, "k%06lu", (unsigned long)(race_key(version) % RACE_KEYS)));
}

static void *race_write(void *arg)
{
	struct race *r = arg;
	char buf[32];

	for (uint64_t v = 1; v <= RACE_INSERTS; v++) {
		struct silt_slice key = race_key_bytes(v, buf);

		list_insert(&r->l, key, v, key);
		atomic_store_explicit(&r->inserted, v, memory_order_release);
	}
	return NULL;
}

/* Entries in order, each whole (its value is its key); returns how many at or below `version`. */
static uint64_t race_walk(struct race *r, bool forward, uint64_t version)
{
	const struct node *n = forward ? sorted_first(&r->l.s) : sorted_last(&r->l.s);
	struct entry e, last = { .version = 0 };
	uint64_t seen = 0;

	for (; n; n = forward ? sorted_next(n) : sorted_prev(&r->l.s, n)) {
		sorted_entry(n, &e);
		if (!slice_eq(e.key, e.value))
			atomic_fetch_add(&r->mistakes, 1);
		if (last.version) {
			int d = key_cmp(last.key, last.version, e.key, e.version);

			if (forward ? d >= 0 : d <= 0)
				atomic_fetch_add(&r->mistakes, 1);
		}
		last = e;
		seen += e.version <= version;
	}
	return seen;
}

/* A zigzag: what was met going one way is met again going back, although the writer goes on (rule 4). */
static void race_zigzag(struct race *r, uint64_t *seed)
{
	const struct node *path[64], *n;
	char buf[32];
	size_t len = 0;

	n = sorted_seek(&r->l.s, race_key_bytes(test_random(seed) % RACE_INSERTS, buf), UINT64_MAX);
	for (; n && len < 64; n = sorted_next(n))
		path[len++] = n;
	if (len == 0)
		return;
	n = path[len - 1];
	for (size_t i = len - 1; i-- > 0;) {
		/* others may have come in between, but path[i] must be among them */
		do
			n = sorted_prev(&r->l.s, n);
		while (n && n != path[i]);
		if (!n) {
			atomic_fetch_add(&r->mistakes, 1);
			return;
		}
	}
}

/* What was there is found at once, whatever is split meanwhile. */
static void race_find(struct race *r, uint64_t version, uint64_t *seed)
{
	uint64_t v = version ? 1 + test_random(seed) % version : 0;
	const struct node *n;
	struct entry e;
	char buf[32];

	if (!v)
		return;
	n = sorted_seek(&r->l.s, race_key_bytes(v, buf), v);
	if (n)
		sorted_entry(n, &e);
	if (!n || e.version != v || !slice_eq(e.key, race_key_bytes(v, buf)))
		atomic_fetch_add(&r->mistakes, 1);
}

static void *race_read(void *arg)
{
	struct race *r = arg;
	uint64_t seed = 99, version;

	do {
		version = atomic_load_explicit(&r->inserted, memory_order_acquire);
		if (race_walk(r, true, version) != version)
			atomic_fetch_add(&r->mistakes, 1);
		version = atomic_load_explicit(&r->inserted, memory_order_acquire);
		if (race_walk(r, false, version) != version)
			atomic_fetch_add(&r->mistakes, 1);
		for (int i = 0; i < 50; i++)
			race_zigzag(r, &seed);
		for (int i = 0; i < 2000; i++)
			race_find(r, atomic_load_explicit(&r->inserted, memory_order_acquire), &seed);
	} while (version < RACE_INSERTS);
	return NULL;
}

static void test_sorted__readers_see_all_that_was_there_before(void **state)
{
	struct race r = { .inserted = 0 };
	pthread_t writer, readers[3];

	(void)state;
	list_init(&r.l);
	for (int i = 0; i < 3; i++)
		assert_int_equal(thread_start(&readers[i], "reader", race_read, &r), 0);
	assert_int_equal(thread_start(&writer, "writer", race_write, &r), 0);
	thread_join(writer);
	for (int i = 0; i < 3; i++)
		thread_join(readers[i]);
	assert_int_equal(atomic_load(&r.mistakes), 0);
	assert_int_equal(sorted_check(&r.l.s), RACE_INSERTS);
	list_fini(&r.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted__empty_has_no_ends),
		cmocka_unit_test(test_sorted__keeps_all_of_an_entry),
		cmocka_unit_test(test_sorted__orders_keys_that_share_their_prefix),
		cmocka_unit_test(test_sorted__agrees_with_a_sorted_array),
		cmocka_unit_test(test_sorted__finds_keys_of_every_shape),
		cmocka_unit_test(test_sorted__needs_no_memory_for_its_places),
		cmocka_unit_test(test_sorted__counts_what_lies_between),
		cmocka_unit_test(test_sorted__an_expected_entry_comes_where_it_belongs),
		cmocka_unit_test(test_sorted__cost_is_an_upper_bound),
		cmocka_unit_test(test_sorted__readers_see_all_that_was_there_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
