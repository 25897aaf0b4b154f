/* SPDX-License-Identifier: Apache-2.0 */
/* test_ranges.c - a memtable's range deletes at every version, against a plain list; and beside readers. */
#include "lib/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "mem/ranges.h"

enum { KEYS = 64, MOST = 300 };

struct range {
	unsigned lower, upper;                            /* upper KEYS = to the last */
	uint64_t version;
};

static struct silt_slice key_of(unsigned i)
{
	static const char names[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz{";

	return i < KEYS ? slice_of(names + i, 1) : slice_of("", 0);
}

static void insert(struct ranges *r, const struct range *x)
{
	struct silt_slice lower = key_of(x->lower), upper = key_of(x->upper);

	assert_int_equal(ranges_reserve(r, 1, lower.len + upper.len), 0);
	ranges_insert(r, lower, upper, x->version);
}

static uint64_t covers(const struct range *x, size_t n, unsigned key, uint64_t max_version)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < n; i++)
		if (x[i].lower <= key && key < x[i].upper && x[i].version <= max_version && x[i].version > newest)
			newest = x[i].version;
	return newest;
}

struct painted {
	uint64_t by_key[KEYS];
	size_t calls;
};

static int paint(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	struct painted *p = ctx;

	p->calls++;
	for (unsigned k = 0; k < KEYS; k++)
		if (slice_cmp(key_of(k), lower) >= 0 && (!upper.len || slice_cmp(key_of(k), upper) < 0) && p->by_key[k] < version)
			p->by_key[k] = version;
	return 0;
}

static void check_at(const struct ranges *r, const struct range *x, size_t n, uint64_t version)
{
	struct painted some = { .calls = 0 };

	assert_int_equal(ranges_each(r, version, false, paint, &some), 0);
	for (unsigned k = 0; k < KEYS; k++) {
		uint64_t want = covers(x, n, k, version);

		assert_int_equal(ranges_cover(r, key_of(k), version), want);
		assert_int_equal(some.by_key[k], want);
	}
}

static struct range random_range(uint64_t *seed, uint64_t version)
{
	struct range x = { .lower = (unsigned)(test_random(seed) % KEYS), .version = version };

	x.upper = x.lower + 1 + (unsigned)(test_random(seed) % (KEYS - x.lower));
	if (test_random(seed) % 3 && x.upper > x.lower + 4)
		x.upper = x.lower + 4;
	return x;
}

static void test_ranges__against_a_plain_list(void **state)
{
	uint64_t seed = test_seed(5);

	(void)state;
	for (unsigned round = 0; round < 6 * test_scale(); round++) {
		struct range x[MOST];
		struct ranges r;
		uint64_t version = 10;

		ranges_init(&r);
		assert_int_equal(ranges_cover(&r, key_of(3), UINT64_MAX), 0);
		for (size_t i = 0; i < MOST; i++) {
			x[i] = random_range(&seed, version);
			insert(&r, &x[i]);
			version += test_random(&seed) % 3;        /* a batch may have several */
			if (i % 50 == 3)
				for (uint64_t v = 9; v <= version; v++)
					check_at(&r, x, i + 1, v);
			if (i % 7 == 0)
				check_at(&r, x, i + 1, UINT64_MAX);
		}
		ranges_check(&r);
		ranges_fini(&r);
	}
}

static int count_one(void *ctx, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	size_t *n = ctx;

	(void)lower;
	(void)upper;
	(void)version;
	++*n;
	return *n == 7 ? SILT_END : 0;
}

static void test_ranges__each(void **state)
{
	struct ranges r;
	struct painted all = { .calls = 0 };
	size_t n = 0;

	(void)state;
	ranges_init(&r);
	assert_int_equal(ranges_each(&r, UINT64_MAX, true, paint, &all), 0);
	for (unsigned i = 0; i < 21; i++)                 /* a queue cut from its front: one fragment a list is left */
		insert(&r, &(struct range){ 0, 1 + i, 1 + i });
	assert_int_equal(ranges_each(&r, UINT64_MAX, true, paint, &all), 0);
	assert_int_equal(all.calls, 21);
	all.calls = 0;
	assert_int_equal(ranges_each(&r, UINT64_MAX, false, paint, &all), 0);
	assert_int_equal(all.calls, 3);                   /* 21 = 10101b */
	all.calls = 0;
	assert_int_equal(ranges_each(&r, 5, true, paint, &all), 0);
	assert_int_equal(all.calls, 5);
	assert_int_equal(ranges_each(&r, UINT64_MAX, true, count_one, &n), SILT_END);
	assert_int_equal(n, 7);
	ranges_fini(&r);
}

/* Ten thousand of them, nested and in a row: what they take stays near to n log n. */
static void test_ranges__memory(void **state)
{
	char lower[16], upper[16];
	struct ranges r;

	(void)state;
	ranges_init(&r);
	for (unsigned i = 0; i < 10000; i++) {
		int a = snprintf(lower, sizeof(lower), "%06u", 500000 - i), b = snprintf(upper, sizeof(upper), "%06u", 500000 + i);

		if (i % 2)
			b = snprintf(upper, sizeof(upper), "%06u", 500001 - i);
		else
			a = snprintf(lower, sizeof(lower), "%06u", 400000 - i);
		assert_int_equal(ranges_reserve(&r, 1, (size_t)(a + b)), 0);
		ranges_insert(&r, slice_of(lower, (size_t)a), slice_of(upper, (size_t)b), 1 + i);
	}
	ranges_check(&r);
	assert_true(r.arena.bytes < 10000u * 14 * 2 * 40 * 2);
	ranges_fini(&r);
}

static void test_ranges__reserved_as_a_batch(void **state)
{
	struct ranges r;
	uint64_t seed = test_seed(9);

	(void)state;
	ranges_init(&r);
	for (uint64_t version = 1; version < 40; version++) {
		size_t n = 1 + test_random(&seed) % 30;
		uint64_t chunks;

		assert_int_equal(ranges_reserve(&r, n, 2 * n), 0);
		chunks = r.arena.bytes;
		for (size_t i = 0; i < n; i++) {
			struct range x = random_range(&seed, version);

			ranges_insert(&r, key_of(x.lower), key_of(x.upper), version);
		}
		assert_int_equal(r.arena.bytes, chunks);      /* nothing was asked for in between */
	}
	mem_fail_at(1, false);
	assert_int_equal(ranges_reserve(&r, 100000, 200000), SILT_E_NOMEM);
	mem_fail_at(0, false);
	ranges_check(&r);
	ranges_fini(&r);
}

/* ---- beside readers -------------------------------------------------------------------------------------------------- */

static struct beside {
	struct ranges r;
	struct range x[2000];
	_Atomic size_t published;
} P;

static void *reads(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;
	size_t n;

	do {
		unsigned key = (unsigned)(test_random(&seed) % KEYS);

		n = atomic_load_explicit(&P.published, memory_order_acquire);
		if (n == 0)
			continue;
		n = 1 + test_random(&seed) % n;
		if (ranges_cover(&P.r, key_of(key), P.x[n - 1].version) != covers(P.x, n, key, UINT64_MAX))
			return arg;
	} while (n < 1900);
	return NULL;
}

static void test_ranges__beside_readers(void **state)
{
	pthread_t threads[2];
	uint64_t seed = test_seed(3);

	(void)state;
	ranges_init(&P.r);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reads, (void *)(uintptr_t)(i + 17)), 0);
	for (size_t i = 0; i < 2000; i++) {
		P.x[i] = random_range(&seed, i + 1);
		insert(&P.r, &P.x[i]);
		atomic_store_explicit(&P.published, i + 1, memory_order_release);
	}
	for (size_t i = 0; i < 2; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	ranges_check(&P.r);
	ranges_fini(&P.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges__against_a_plain_list),
		cmocka_unit_test(test_ranges__each),
		cmocka_unit_test(test_ranges__memory),
		cmocka_unit_test(test_ranges__reserved_as_a_batch),
		cmocka_unit_test(test_ranges__beside_readers),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
