/* SPDX-License-Identifier: Apache-2.0 */
/* test_memtable.c - gets at a version, its iterator against a sorted array, readers beside the writer, no memory. */
#include "lib/simfail.h"

#include <stdatomic.h>

#include "base/thread.h"
#include "core/key.h"
#include "mem/memtable.h"

static struct memtable *make(void)
{
	struct memtable *m = NULL;

	assert_int_equal(memtable_new(7, &m), 0);
	return m;
}

static int add(struct memtable *m, const struct entry *e)
{
	int rc = memtable_reserve(m, memtable_cost(e));

	if (rc == 0)
		memtable_insert(m, e);
	return rc;
}

static void put(struct memtable *m, const char *key, uint64_t version, const char *value)
{
	struct entry e = { .key = slice_str(key), .version = version, .kind = ENTRY_PUT, .value = slice_str(value) };

	assert_int_equal(add(m, &e), 0);
}

static void test_memtable__get_finds_the_newest_at_or_below(void **state)
{
	struct entry gone = { .key = slice_str("b"), .version = 30, .kind = ENTRY_DELETE }, e;
	struct memtable *m = make();

	(void)state;
	assert_int_equal(memtable_get(m, slice_str("b"), UINT64_MAX, &e), SILT_NOTFOUND);
	assert_int_equal(memtable_max_version(m), 0);
	put(m, "b", 10, "ten");
	put(m, "b", 20, "twenty");
	assert_int_equal(add(m, &gone), 0);
	put(m, "c", 25, "other");
	assert_int_equal(memtable_get(m, slice_str("b"), 9, &e), SILT_NOTFOUND);
	assert_int_equal(memtable_get(m, slice_str("b"), 10, &e), 0);
	assert_true(slice_eq(e.value, slice_str("ten")));
	assert_int_equal(memtable_get(m, slice_str("b"), 29, &e), 0);
	assert_true(e.version == 20 && slice_eq(e.value, slice_str("twenty")));
	assert_int_equal(memtable_get(m, slice_str("b"), UINT64_MAX, &e), 0);
	assert_int_equal(e.kind, ENTRY_DELETE);
	assert_int_equal(memtable_get(m, slice_str("a"), UINT64_MAX, &e), SILT_NOTFOUND);
	assert_int_equal(memtable_get(m, slice_str("bb"), UINT64_MAX, &e), SILT_NOTFOUND);
	assert_int_equal(memtable_get(m, slice_str("d"), UINT64_MAX, &e), SILT_NOTFOUND);
	assert_int_equal(memtable_entries(m), 4);
	assert_int_equal(memtable_max_version(m), 30);
	assert_int_equal(memtable_wal_number(m), 7);
	memtable_check(m);
	memtable_unref(m);
}

static void test_memtable__bytes_are_accounted(void **state)
{
	static char big[1 << 20];
	struct entry e = { .key = slice_str("big"), .version = 1, .kind = ENTRY_PUT, .value = { big, sizeof(big) } };
	struct memtable *m = make();
	uint64_t empty = memtable_bytes(m);

	(void)state;
	assert_true(empty >= 4 << 10 && empty < 8 << 10);
	for (uint64_t v = 2; v < 10; v++)
		put(m, "small", v, "value");
	assert_int_equal(memtable_bytes(m), empty);
	assert_int_equal(add(m, &e), 0);
	assert_true(memtable_bytes(m) >= empty + sizeof(big) && memtable_bytes(m) < empty + sizeof(big) + 2 * 4096);
	for (uint64_t v = 10; v < 2000; v++)      /* chunks grow with what is in it: never twice as much */
		put(m, "small", v, "value");
	assert_true(memtable_bytes(m) < empty + sizeof(big) + 2000 * 200);
	memtable_check(m);
	memtable_unref(m);
}

/* ---- against a sorted array ------------------------------------------------------------------------------------------ */

enum { KEYS = 300, ENTRIES = 3000 };

struct pair {
	unsigned key;
	uint64_t version;
};

static struct silt_slice key_of(unsigned k, char buf[32])
{
	return slice_of(buf, (size_t)snprintf(buf, 32, "user/%04u", k));
}

static int pair_cmp(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	if (p->key != q->key)
		return p->key < q->key ? -1 : 1;
	return p->version > q->version ? -1 : p->version < q->version;
}

static void expect(const struct iter *it, int rc, const struct pair *sorted, size_t n, size_t at)
{
	char buf[32];

	if (at >= n) {
		assert_int_equal(rc, SILT_END);
		return;
	}
	assert_int_equal(rc, 0);
	assert_true(slice_eq(it->cur->key, key_of(sorted[at].key, buf)));
	assert_int_equal(it->cur->version, sorted[at].version);
}

static void test_memtable_iter__agrees_with_a_sorted_array(void **state)
{
	struct pair *pairs = mem_calloc(ENTRIES, sizeof(*pairs));
	struct memtable *m = make();
	uint64_t seed = test_seed(23);
	size_t at = ENTRIES;
	struct iter *it;
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ENTRIES; i++) {
		pairs[i] = (struct pair){ (unsigned)(test_random(&seed) % KEYS), i + 1 };
		put(m, key_of(pairs[i].key, buf).data, i + 1, "v");
	}
	qsort(pairs, ENTRIES, sizeof(*pairs), pair_cmp);
	it = memtable_iter(m);
	assert_non_null(it);
	memtable_unref(m);                        /* the iterator's reference keeps it */
	for (int i = 0; i < 20000; i++) {
		uint64_t dice = test_random(&seed) % 30;

		if (dice == 0) {
			expect(it, it->ops->first(it), pairs, ENTRIES, at = 0);
		} else if (dice == 1) {
			expect(it, it->ops->last(it), pairs, ENTRIES, at = ENTRIES - 1);
		} else if (dice < 5 || at >= ENTRIES) {
			struct pair p = { (unsigned)(test_random(&seed) % (KEYS + 5)), test_random(&seed) % (ENTRIES + 100) };

			for (at = 0; at < ENTRIES && pair_cmp(&pairs[at], &p) < 0;)
				at++;
			expect(it, it->ops->seek(it, key_of(p.key, buf), p.version), pairs, ENTRIES, at);
		} else if (dice < 17) {
			expect(it, iter_next(it), pairs, ENTRIES, ++at);
		} else {
			at = at ? at - 1 : ENTRIES;
			expect(it, iter_prev(it), pairs, ENTRIES, at);
		}
	}
	iter_close(it);
	mem_free(pairs);
}

/* ---- one writer, several readers --------------------------------------------------------------------------------------- */

struct race {
	struct memtable *m;
	_Atomic uint64_t published, mistakes;
};

static void *race_write(void *arg)
{
	struct race *r = arg;
	uint64_t seed = 5;
	char buf[32];

	for (uint64_t v = 1; v <= 20000; v++) {
		struct silt_slice key = key_of((unsigned)(test_random(&seed) % KEYS), buf);
		struct entry e = { .key = key, .version = v, .kind = ENTRY_PUT, .value = { &v, sizeof(v) } };

		assert_int_equal(add(r->m, &e), 0);
		atomic_store_explicit(&r->published, v, memory_order_release);
	}
	return NULL;
}

/* What was seen of a key once is never older later; the value is the one of its version. */
static void *race_get(void *arg)
{
	struct race *r = arg;
	uint64_t newest[KEYS] = { 0 }, seed = 77, published, value;
	struct entry e;
	char buf[32];

	do {
		unsigned k = (unsigned)(test_random(&seed) % KEYS);
		int rc;

		published = atomic_load_explicit(&r->published, memory_order_acquire);
		rc = memtable_get(r->m, key_of(k, buf), published, &e);
		if (rc == SILT_NOTFOUND) {
			atomic_fetch_add(&r->mistakes, newest[k] != 0);
			continue;
		}
		memcpy(&value, e.value.data, sizeof(value));
		atomic_fetch_add(&r->mistakes, value != e.version || e.version > published || e.version < newest[k]);
		newest[k] = e.version;
	} while (published < 20000);
	return NULL;
}

static void test_memtable__readers_beside_the_writer(void **state)
{
	struct race r = { .m = make() };
	pthread_t writer, readers[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(thread_start(&readers[i], "reader", race_get, &r), 0);
	assert_int_equal(thread_start(&writer, "writer", race_write, &r), 0);
	thread_join(writer);
	for (int i = 0; i < 3; i++)
		thread_join(readers[i]);
	assert_int_equal(atomic_load(&r.mistakes), 0);
	assert_int_equal(memtable_entries(r.m), 20000);
	memtable_check(r.m);
	memtable_unref(r.m);
}

static int scenario(void)
{
	static char value[3000];
	struct memtable *m = NULL;
	struct iter *it = NULL;
	int rc = memtable_new(1, &m);

	for (uint64_t v = 1; v <= 300 && rc == 0; v++) {
		struct entry e = { .key = slice_str("key"), .version = v, .kind = ENTRY_PUT, .value = { value, sizeof(value) } };

		rc = add(m, &e);
		memtable_check(m);
	}
	if (rc == 0) {
		it = memtable_iter(m);
		rc = it ? it->ops->first(it) : SILT_E_NOMEM;
	}
	iter_close(it);
	memtable_unref(m);
	return rc;
}

static void test_memtable__every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(simfail_each_allocation(scenario) >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memtable__get_finds_the_newest_at_or_below),
		cmocka_unit_test(test_memtable__bytes_are_accounted),
		cmocka_unit_test(test_memtable_iter__agrees_with_a_sorted_array),
		cmocka_unit_test(test_memtable__readers_beside_the_writer),
		cmocka_unit_test(test_memtable__every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
