/* SPDX-License-Identifier: Apache-2.0 */
/* test_unpackers.c - contexts are lent to one at a time, and kept up to a number. */
#include "lib/test.h"

#include "table/unpackers.h"

#include <pthread.h>
#include <zstd.h>

enum { MANY = UNPACKERS + 4, THREADS = 4, ROUNDS = 3000, BYTES = 2000 };

static void test_unpackers__who_has_one_has_it_alone(void **state)
{
	struct unpackers u = { .idle = { NULL } };
	void *had[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		had[i] = unpackers_take(&u);
		assert_non_null(had[i]);
		for (int j = 0; j < i; j++)
			assert_ptr_not_equal(had[i], had[j]);
	}
	for (int i = 0; i < MANY; i++)
		unpackers_give(&u, had[i]);                     /* those beyond the number are freed */
	for (int i = 0; i < UNPACKERS; i++)
		assert_ptr_equal(unpackers_take(&u), had[i]);
	for (int i = 0; i < UNPACKERS; i++)
		unpackers_give(&u, had[i]);
	unpackers_fini(&u);
}

static void test_unpackers__without_a_set(void **state)
{
	void *context = unpackers_take(NULL);

	(void)state;
	assert_non_null(context);
	unpackers_give(NULL, context);
	unpackers_give(NULL, NULL);
}

static void *unpack_often(void *arg)
{
	static _Atomic int next;
	char raw[BYTES], back[BYTES], stored[2 * BYTES];
	struct unpackers *u = arg;
	size_t n;

	memset(raw, 'a' + next++, sizeof(raw));
	n = ZSTD_compress(stored, sizeof(stored), raw, sizeof(raw), 1);
	for (int i = 0; i < ROUNDS; i++) {
		void *context = unpackers_take(u);

		if (!context || ZSTD_decompressDCtx(context, back, sizeof(back), stored, n) != BYTES || memcmp(raw, back, BYTES) != 0)
			return u;                               /* not what was packed */
		unpackers_give(u, context);
	}
	return NULL;
}

static void test_unpackers__threads(void **state)
{
	struct unpackers u = { .idle = { NULL } };
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, unpack_often, &u), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(t[i], &wrong), 0);
		assert_null(wrong);
	}
	unpackers_fini(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unpackers__who_has_one_has_it_alone),
		cmocka_unit_test(test_unpackers__without_a_set),
		cmocka_unit_test(test_unpackers__threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
