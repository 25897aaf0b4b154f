/* SPDX-License-Identifier: Apache-2.0 */
/* test_chain.c - the list of segments: what is found for which version, what is too much, what nobody may recycle. */
#include "lib/test.h"

#include "db/chain.h"
#include "log/log.h"

enum { SIZE = 100 };

/* Segments 5.. with bases 0, 10, 20, ... */
static struct chain chain_of(unsigned n)
{
	struct chain c = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct chain_segment *s = chain_segment_new(5 + i, 10 * i, SIZE, true);

		assert_non_null(s);
		chain_append(&c, s);
	}
	return c;
}

static uint64_t chain_number(const struct chain_segment *s)
{
	return s ? s->number : 0;
}

static void test_chain__the_newest_that_has_all_after_a_version_is_found(void **state)
{
	struct chain c = chain_of(4);

	(void)state;
	assert_int_equal(chain_number(chain_find(&c, 0)), 5);
	assert_int_equal(chain_number(chain_find(&c, 9)), 5);
	assert_int_equal(chain_number(chain_find(&c, 10)), 6);
	assert_int_equal(chain_number(chain_find(&c, 1000)), 8);
	assert_int_equal(chain_number(chain_get(&c, 7)), 7);
	assert_null(chain_get(&c, 4));
	assert_null(chain_get(&c, 9));
	chain_fini(&c);
	assert_null(c.oldest);
	assert_null(chain_find(&c, 0));
	assert_null(chain_get(&c, 5));
	assert_int_equal(chain_reach(&c), 0);
}

static void test_chain__empty_segments_share_a_base_and_the_newest_wins(void **state)
{
	struct chain c = chain_of(2);
	struct chain_segment *s = chain_segment_new(7, 10, SIZE, false);

	(void)state;
	assert_non_null(s);
	chain_append(&c, s);
	assert_int_equal(chain_number(chain_find(&c, 10)), 7);
	assert_int_equal(chain_number(chain_find(&c, 9)), 5);
	chain_fini(&c);
}

static void test_chain__prepended_ones_are_older(void **state)
{
	struct chain c = { 0 };

	(void)state;
	for (uint64_t n = 9; n > 6; n--)
		chain_prepend(&c, chain_segment_new(n, n * 10, SIZE, false));
	assert_int_equal(c.oldest->number, 7);
	assert_int_equal(c.newest->number, 9);
	assert_int_equal(c.oldest->newer->newer->number, 9);
	assert_int_equal(c.newest->older->older->number, 7);
	assert_null(chain_find(&c, 69));
	assert_int_equal(chain_reach(&c), 70);
	chain_fini(&c);
}

static void test_chain__nothing_up_to_a_broken_one_is_given(void **state)
{
	struct chain c = chain_of(4);

	(void)state;
	chain_break(&c, 6);
	chain_break(&c, 5);               /* older: says nothing new */
	assert_int_equal(c.broken, 6);
	assert_null(chain_get(&c, 6));
	assert_null(chain_find(&c, 19));
	assert_int_equal(chain_number(chain_find(&c, 20)), 7);
	assert_int_equal(chain_reach(&c), 20);
	assert_int_equal(chain_kept_bytes(&c, 7), 2 * SIZE);     /* there all the same */
	chain_fini(&c);
}

/* needed, bytes to keep -> numbers that go as surplus, the one that is recycled then; 0 = none */
static void test_chain__what_is_kept_is_counted_in_whole_files(void **state)
{
	static const struct {
		uint64_t needed, keep, surplus, spare;
	} cases[] = {
		{ 5, 0, 0, 0 },   { 6, 0, 0, 5 },          { 8, 0, 2, 7 },           { 8, SIZE - 1, 2, 7 }, { 8, SIZE, 1, 6 },
		{ 8, 199, 1, 6 }, { 8, 2 * SIZE, 0, 5 },   { 8, 3 * SIZE - 1, 0, 5 },{ 8, 3 * SIZE, 0, 0 }, { 8, UINT64_MAX, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chain c = chain_of(4);
		struct chain_segment *s;
		uint64_t n = 0;

		while ((s = chain_pop_surplus(&c, cases[i].needed, cases[i].keep))) {
			assert_int_equal(s->number, 5 + n++);
			chain_unref(s);
		}
		assert_int_equal(n, cases[i].surplus);
		s = chain_pop_spare(&c, cases[i].needed, cases[i].keep);
		assert_int_equal(chain_number(s), cases[i].spare);
		chain_unref(s);
		assert_true(chain_kept_bytes(&c, cases[i].needed) <= cases[i].keep);
		assert_true(c.newest->number == 8 && c.newest->older == (c.oldest == c.newest ? NULL : c.newest->older));
		chain_fini(&c);
	}
}

/* (!) */
static void test_chain__what_is_read_is_not_recycled(void **state)
{
	struct chain c = chain_of(3);
	struct chain_segment *held = chain_get(&c, 5), *s;

	(void)state;
	held->refs++;
	assert_null(chain_pop_spare(&c, 7, 0));
	s = chain_pop_surplus(&c, 7, 0);  /* it may lose its name */
	assert_ptr_equal(s, held);
	chain_unref(s);
	assert_null(chain_get(&c, 5));
	assert_int_equal(held->number, 5);
	chain_unref(held);
	s = chain_pop_spare(&c, 7, 0);
	assert_int_equal(chain_number(s), 6);
	chain_unref(s);
	chain_fini(&c);
}

static void test_chain__places_lead_near_a_version(void **state)
{
	struct chain_segment *s = chain_segment_new(1, 100, 80 << 20, true);
	uint64_t step = s->place_step, offset = LOG_PAGE;
	struct chain_place p = chain_place_of(s, 100);

	(void)state;
	assert_true(p.version == 100 && p.offset == LOG_PAGE);
	for (uint64_t v = 101; offset + 1000 < (80 << 20); v++) {
		offset += 1000;
		chain_note(s, v, offset);
	}
	assert_true(s->place_count >= 2000 && s->place_count <= s->place_cap);
	for (uint64_t v = 100; v < 100 + (80 << 20) / 1000 - 10; v += 7) {
		p = chain_place_of(s, v);
		assert_true(p.version <= v);
		assert_int_equal(p.offset, LOG_PAGE + (p.version - 100) * 1000);
		assert_true((v - p.version) * 1000 <= step + 1000);
	}
	assert_int_equal(s->end, LOG_PAGE);       /* noted is not readable */
	chain_advance(s, offset);
	assert_int_equal(s->end, offset);
	chain_unref(s);
}

static void test_chain__a_tiny_segment_and_a_leap_over_many_steps(void **state)
{
	struct chain_segment *s = chain_segment_new(1, 0, 256 << 10, true);
	struct chain_place p;

	(void)state;
	chain_note(s, 1, LOG_PAGE + 8);
	chain_note(s, 2, 200 << 10);
	chain_note(s, 3, 256 << 10);
	chain_note(s, 3, 256 << 10);
	assert_int_equal(s->place_count, 2);
	p = chain_place_of(s, 1);
	assert_true(p.version == 0 && p.offset == LOG_PAGE);
	p = chain_place_of(s, 2);
	assert_true(p.version == 2 && p.offset == 200 << 10);
	chain_unref(s);
	chain_unref(NULL);
}

static void test_chain__only_the_newest_keep_their_places(void **state)
{
	struct chain c = { 0 };
	struct chain_segment *s;
	unsigned placed = 0;

	(void)state;
	chain_prepend(&c, chain_segment_new(1, 0, 1 << 20, false));
	for (uint64_t n = 2; n < 200; n++) {
		s = chain_segment_new(n, n, 1 << 20, true);
		chain_note(s, n, 100 << 10);
		chain_append(&c, s);
	}
	for (s = c.oldest; s; s = s->newer) {
		struct chain_place p = chain_place_of(s, s->base);

		placed += s->places != NULL;
		assert_int_equal(p.offset, s->places ? 100 << 10 : LOG_PAGE);
		assert_int_equal(p.version, s->base);
	}
	assert_int_equal(placed, 64);
	assert_int_equal(c.placed_count, 64);
	assert_int_equal(c.placed->number, 136);
	while ((s = chain_pop_spare(&c, 150, 0)))
		chain_unref(s);
	assert_int_equal(c.placed_count, 50);
	assert_ptr_equal(c.placed, c.oldest);
	chain_fini(&c);
	assert_null(c.placed);
	assert_int_equal(c.placed_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain__the_newest_that_has_all_after_a_version_is_found),
		cmocka_unit_test(test_chain__empty_segments_share_a_base_and_the_newest_wins),
		cmocka_unit_test(test_chain__prepended_ones_are_older),
		cmocka_unit_test(test_chain__nothing_up_to_a_broken_one_is_given),
		cmocka_unit_test(test_chain__what_is_kept_is_counted_in_whole_files),
		cmocka_unit_test(test_chain__what_is_read_is_not_recycled),
		cmocka_unit_test(test_chain__places_lead_near_a_version),
		cmocka_unit_test(test_chain__a_tiny_segment_and_a_leap_over_many_steps),
		cmocka_unit_test(test_chain__only_the_newest_keep_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
