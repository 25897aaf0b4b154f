/* SPDX-License-Identifier: Apache-2.0 */
/* test_tombstone_block.c - the worked example byte for byte, lists there and back, and what is refused. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/key.h"
#include "table/tombstone_block.h"

static const uint8_t example[] = { 0, 1, 'b', 0, 1, 'f', 1, 3, 1, 0, 0, 1, 'k', 2, 5, 2 };

static void push(struct tombstone_writer *w, const char *lower, const char *upper, uint64_t newest, uint64_t older)
{
	uint64_t versions[] = { newest, older };
	struct tombstone t = { slice_str(lower), slice_str(upper), versions, older ? 2 : 1 };

	assert_int_equal(tombstone_writer_add(w, &t), 0);
}

static void test_tombstone_block__worked_example(void **state)
{
	struct tombstone_writer w = { 0 };
	struct tombstones *l;

	(void)state;
	push(&w, "b", "f", 3, 0);
	push(&w, "f", "k", 5, 3);
	assert_int_equal(w.raw.len, sizeof(example));
	assert_memory_equal(w.raw.data, example, sizeof(example));
	assert_int_equal(w.count, 3);
	assert_int_equal(w.min_version, 3);
	assert_int_equal(w.max_version, 5);
	assert_int_equal(tombstone_block_decode(slice_of(example, sizeof(example)), &l), 0);
	tombstones_check(l);
	assert_int_equal(l->n, 2);
	assert_int_equal(l->count, 3);
	assert_true(slice_eq(l->at[0].lower, slice_str("b")) && slice_eq(l->at[1].lower, slice_str("f")));
	assert_true(slice_eq(l->at[1].upper, slice_str("k")));
	assert_int_equal(l->at[1].versions[1], 3);
	tombstones_free(l);
	tombstone_writer_fini(&w);
}

static void same_list(const struct tombstones *a, const struct tombstones *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->min_version, b->min_version);
	assert_int_equal(a->max_version, b->max_version);
	for (size_t i = 0; i < a->n; i++) {
		assert_true(slice_eq(a->at[i].lower, b->at[i].lower) && slice_eq(a->at[i].upper, b->at[i].upper));
		assert_int_equal(a->at[i].n, b->at[i].n);
		assert_memory_equal(a->at[i].versions, b->at[i].versions, a->at[i].n * sizeof(uint64_t));
	}
}

static size_t random_bound(uint64_t *seed, uint8_t *out)
{
	size_t len = test_random(seed) % 20 ? 1 + test_random(seed) % 9 : 1 + test_random(seed) % KEY_MAX;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(test_random(seed) % 3 * 127);
	return len;
}

static void there_and_back(uint64_t *seed)
{
	static uint8_t bounds[32][2][KEY_MAX];
	struct tombstones_builder b = { 0 };
	struct tombstone_writer w = { 0 };
	struct tombstones *l = NULL, *back;

	for (size_t i = 0; i < 32; i++) {
		struct silt_slice lower = slice_of(bounds[i][0], random_bound(seed, bounds[i][0]));
		struct silt_slice upper = slice_of(bounds[i][1], random_bound(seed, bounds[i][1]));

		if (test_random(seed) % 9 == 0)
			upper.len = 0;
		if (tombstone_below(lower, upper))
			assert_int_equal(tombstones_add(&b, lower, upper, 1 + test_random(seed) % 1000000), 0);
	}
	assert_int_equal(tombstones_build(&b, NULL, 0, &l), 0);
	for (size_t i = 0; l && i < l->n; i++)
		assert_int_equal(tombstone_writer_add(&w, &l->at[i]), 0);
	if (l) {
		assert_int_equal(tombstone_block_decode(buf_slice(&w.raw), &back), 0);
		tombstones_check(back);
		same_list(l, back);
		assert_int_equal(w.count, l->count);
		assert_true(slice_eq(buf_slice(&w.lower), l->at[0].lower) && slice_eq(buf_slice(&w.upper), l->at[l->n - 1].upper));
		tombstones_free(back);
	}
	tombstones_free(l);
	tombstones_builder_fini(&b);
	tombstone_writer_fini(&w);
}

static void test_tombstone_block__there_and_back(void **state)
{
	uint64_t seed = test_seed(21);

	(void)state;
	for (unsigned i = 0; i < 400 * test_scale(); i++)
		there_and_back(&seed);
}

static void test_tombstone_block__writer_refuses(void **state)
{
	static const uint64_t down[] = { 5, 3 }, up[] = { 3, 5 }, zero[] = { 0 }, large[] = { SILT_VERSION_MAX + 1 };
	const struct tombstone cases[] = {
		{ slice_str(""), slice_str("z"), down, 2 },
		{ slice_str("m"), slice_str("m"), down, 2 },
		{ slice_str("m"), slice_str("l"), down, 2 },
		{ slice_str("m"), slice_str("n"), up, 2 },
		{ slice_str("m"), slice_str("n"), down, 0 },
		{ slice_str("m"), slice_str("n"), zero, 1 },
		{ slice_str("m"), slice_str("n"), large, 1 },
		{ slice_str("e"), slice_str("n"), down, 2 },          /* before the end of the one before */
	};
	struct tombstone_writer w = { 0 };

	(void)state;
	push(&w, "b", "f", 3, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(tombstone_writer_add(&w, &cases[i]), SILT_E_CORRUPT);
	push(&w, "f", "", 3, 0);
	assert_int_equal(tombstone_writer_add(&w, &(struct tombstone){ slice_str("m"), slice_str("n"), down, 2 }), SILT_E_CORRUPT);
	assert_int_equal(w.count, 2);
	tombstone_writer_fini(&w);
}

static int refused(const void *bytes, size_t n)
{
	uint8_t *own = mem_dup(bytes, n);                           /* of exactly this size: a sanitizer sees a read past it */
	struct tombstones *l = NULL;
	int rc = tombstone_block_decode(slice_of(own, n), &l);

	if (rc == 0)
		tombstones_check(l);
	tombstones_free(l);
	mem_free(own);
	return rc;
}

static void test_tombstone_block__nonsense_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "", 0 },                                          /* none is no block */
		{ "\0\0" "\0\1f" "\1\3", 7 },                       /* no lower */
		{ "\1\1b" "\0\1f" "\1\3", 8 },                      /* shares with nothing */
		{ "\0\1b" "\2\0" "\1\3", 7 },                       /* shares more than there is */
		{ "\0\1b" "\1\0" "\1\3", 7 },                       /* upper is lower */
		{ "\0\1b" "\0\1a" "\1\3", 8 },
		{ "\0\1b" "\0\1f" "\0\3", 8 },                      /* no version */
		{ "\0\1b" "\0\1f" "\1\0", 8 },                      /* version 0 */
		{ "\0\1b" "\0\1f" "\2\5\0", 9 },                    /* a gap of 0 */
		{ "\0\1b" "\0\1f" "\2\5\5", 9 },                    /* down to 0 */
		{ "\0\1b" "\0\1f" "\2\5\6", 9 },
		{ "\0\1b" "\0\1f" "\1\xff\xff\xff\xff\xff\xff\xff\x7f", 15 },              /* over the largest version */
		{ "\0\1b" "\0\1f" "\xff\xff\x03\5\1", 11 },         /* more versions than bytes */
		{ "\0\1b" "\0\1f" "\1\3" "\0\1e" "\0\1g" "\1\3", 16 },                     /* overlap */
		{ "\0\1b" "\0\0" "\1\3" "\0\1c" "\0\1g" "\1\3", 15 },                      /* behind the last key */
		{ "\0\x81\x20", 3 },                                /* 4097 bytes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (refused(cases[i].bytes, cases[i].n) != SILT_E_CORRUPT)
			fail_msg("case %zu", i);
	for (size_t n = 1; n < sizeof(example); n++)
		assert_int_equal(refused(example, n), n == 8 ? 0 : SILT_E_CORRUPT);
	for (size_t bit = 0; bit < sizeof(example) * 8; bit++) {
		uint8_t bytes[sizeof(example)];

		memcpy(bytes, example, sizeof(example));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)refused(bytes, sizeof(bytes));
	}
}

static void test_tombstone_block__out_of_memory(void **state)
{
	struct tombstones *l = NULL;
	int rc = -1;

	(void)state;
	for (uint64_t n = 1; rc != 0; n++) {
		mem_fail_at(n, false);
		rc = tombstone_block_decode(slice_of(example, sizeof(example)), &l);
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
	}
	tombstones_free(l);
	rc = -1;
	for (uint64_t n = 1; rc != 0; n++) {
		struct tombstone_writer w = { 0 };
		struct tombstone t = { slice_str("b"), slice_str("f"), &(uint64_t){ 3 }, 1 };

		mem_fail_at(n, false);
		rc = tombstone_writer_add(&w, &t);
		mem_fail_at(0, false);
		assert_true(rc == 0 || (rc == SILT_E_NOMEM && w.raw.len == 0 && w.count == 0));
		tombstone_writer_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tombstone_block__worked_example),
		cmocka_unit_test(test_tombstone_block__there_and_back),
		cmocka_unit_test(test_tombstone_block__writer_refuses),
		cmocka_unit_test(test_tombstone_block__nonsense_is_refused),
		cmocka_unit_test(test_tombstone_block__out_of_memory),
	};

	return cmocka_run_group_tests_name("tombstone_block", tests, NULL, NULL);
}
