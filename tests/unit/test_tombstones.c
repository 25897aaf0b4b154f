/* SPDX-License-Identifier: Apache-2.0 */
/* test_tombstones.c - the drawing of the header, and random range deletes against a table of what each key loses to whom. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/key.h"
#include "core/tombstones.h"

/* "b-p@3 f-k@5"; '*' as upper = to the last key. */
static struct tombstones *built(const char *text, const uint64_t *readers, size_t n)
{
	static char room[64];
	struct tombstones_builder b = { 0 };
	struct tombstones *l = NULL;

	snprintf(room, sizeof(room), "%s", text);
	for (char *p = room; *p; p += p[5] ? 6 : 5)
		assert_int_equal(tombstones_add(&b, slice_of(p, 1), slice_of(p + 2, p[2] != '*'), (uint64_t)(p[4] - '0')), 0);
	assert_int_equal(tombstones_build(&b, readers, n, &l), 0);
	tombstones_builder_fini(&b);
	return l;
}

/* The same way back; versions of a fragment in a row: "b-f@3 f-k@53". */
static const char *text_of(const struct tombstones *l)
{
	static char text[256];
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; l && i < l->n; i++) {
		const struct tombstone *t = &l->at[i];

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s-%.*s@", i ? " " : "", (int)t->lower.len,
		                       (const char *)t->lower.data, t->upper.len ? (int)t->upper.len : 1,
		                       t->upper.len ? (const char *)t->upper.data : "*");
		for (size_t j = 0; j < t->n; j++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%u", (unsigned)t->versions[j]);
	}
	return text;
}

static void test_tombstones__fragments(void **state)
{
	static const struct {
		const char *written;
		uint64_t readers[3];
		size_t n;
		const char *want;
	} cases[] = {
		{ "", { 9 }, 1, "" },
		{ "b-p@3", { 9 }, 1, "b-p@3" },
		{ "b-p@3 f-k@5", { 9 }, 1, "b-f@3 f-k@5 k-p@3" },
		{ "b-p@3 f-k@5", { 4, 9 }, 2, "b-f@3 f-k@53 k-p@3" },
		{ "b-p@3 f-k@5", { 0 }, 0, "b-f@3 f-k@53 k-p@3" },
		{ "b-p@3 f-k@5", { 2 }, 1, "b-f@3 f-k@53 k-p@3" },           /* above the last reader all are kept */
		{ "b-p@5 f-k@3", { 9 }, 1, "b-p@5" },
		{ "b-p@5 f-k@3", { 3 }, 1, "b-f@5 f-k@53 k-p@5" },           /* at a reader is below it */
		{ "b-p@5 f-k@3", { 2, 9 }, 2, "b-p@5" },
		{ "b-d@3 d-f@3", { 9 }, 1, "b-f@3" },                        /* what touches and says the same is one */
		{ "b-d@3 d-f@4", { 9 }, 1, "b-d@3 d-f@4" },
		{ "b-d@3 e-f@3", { 9 }, 1, "b-d@3 e-f@3" },
		{ "b-d@3 b-d@3", { 0 }, 0, "b-d@3" },
		{ "b-*@3 d-f@4", { 9 }, 1, "b-d@3 d-f@4 f-*@3" },
		{ "b-*@3 d-*@4", { 9 }, 1, "b-d@3 d-*@4" },
		{ "a-b@1 a-c@2 a-d@3 a-e@4", { 9 }, 1, "a-e@4" },            /* a queue cut from its front */
		{ "a-b@1 a-c@2 a-d@3 a-e@4", { 0 }, 0, "a-b@4321 b-c@432 c-d@43 d-e@4" },
		{ "c-d@2 a-f@1 e-g@3", { 9 }, 1, "a-c@1 c-d@2 d-e@1 e-g@3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tombstones *l = built(cases[i].written, cases[i].readers, cases[i].n);

		assert_string_equal(text_of(l), cases[i].want);
		if (l)
			tombstones_check(l);
		tombstones_free(l);
	}
}

static void test_tombstones__asking(void **state)
{
	static const uint64_t readers[] = { 4, 9 };
	struct tombstones *l = built("b-p@3 f-k@5 r-*@7", readers, 2);

	(void)state;
	assert_int_equal(l->n, 4);
	assert_int_equal(l->count, 5);
	assert_int_equal(l->min_version, 3);
	assert_int_equal(l->max_version, 7);
	assert_int_equal(tombstones_cover(l, slice_str("a"), 9), 0);
	assert_int_equal(tombstones_cover(l, slice_str("b"), 9), 3);
	assert_int_equal(tombstones_cover(l, slice_str("b"), 3), 3);
	assert_int_equal(tombstones_cover(l, slice_str("b"), 2), 0);
	assert_int_equal(tombstones_cover(l, slice_str("f"), 9), 5);
	assert_int_equal(tombstones_cover(l, slice_str("f"), 4), 3);
	assert_int_equal(tombstones_cover(l, slice_str("jzz"), 5), 5);
	assert_int_equal(tombstones_cover(l, slice_str("k"), 9), 3);
	assert_int_equal(tombstones_cover(l, slice_str("p"), 9), 0);
	assert_int_equal(tombstones_cover(l, slice_str("qzzz"), 9), 0);
	assert_int_equal(tombstones_cover(l, tombstone_last(slice_of(NULL, 0)), 9), 7);
	assert_int_equal(tombstones_cover(NULL, slice_str("b"), 9), 0);
	assert_null(tombstones_at(NULL, slice_str("b")));
	assert_int_equal(tombstone_above(tombstones_at(l, slice_str("f")), 2), 3);
	assert_int_equal(tombstone_above(tombstones_at(l, slice_str("f")), 3), 5);
	assert_int_equal(tombstone_above(tombstones_at(l, slice_str("f")), 5), 0);
	tombstones_free(l);
}

static void test_tombstones__last_key_below_a_bound(void **state)
{
	struct silt_slice last;

	(void)state;
	last = tombstone_last(slice_of("a\0", 2));
	assert_true(slice_eq(last, slice_str("a")));
	last = tombstone_last(slice_str("b"));
	assert_true(slice_eq(last, slice_str("b")));
	last = tombstone_last(slice_of("\0", 1));         /* nothing is before it */
	assert_int_equal(last.len, 1);
	last = tombstone_last(slice_of(NULL, 0));
	assert_int_equal(last.len, KEY_MAX);
	for (size_t i = 0; i < last.len; i++)
		assert_int_equal(((const uint8_t *)last.data)[i], 0xff);
}

/* ---- random ---------------------------------------------------------------------------------------------------------- */

enum { KEYS = 24, MOST = 40 };

static struct silt_slice key_of(unsigned i)
{
	static char names[KEYS][2];

	names[i][0] = (char)('a' + i / 2);
	names[i][1] = 0;
	return slice_of(names[i], 1 + i % 2);             /* "a", "a\0", "b", "b\0" ... */
}

struct range {
	unsigned lower, upper;                            /* upper KEYS = to the last */
	uint64_t version;
};

/* What the list must say: of the versions over a key, the newest of each reader, and all above the last. */
static void check_key(const struct tombstones *l, const struct range *r, size_t n, unsigned key, const uint64_t *readers,
                      size_t reader_count)
{
	struct tombstones_cursor c = { l, test_random(&(uint64_t){ 7 + key }) % (l->n + 1) };
	const struct tombstone *t = tombstones_seek(&c, key_of(key));

	assert_ptr_equal(t, tombstones_at(l, key_of(key)));
	for (size_t j = 0; j <= reader_count; j++) {
		uint64_t to = j < reader_count ? readers[j] : UINT64_MAX, newest = 0;

		for (size_t i = 0; i < n; i++)
			if (r[i].lower <= key && key < r[i].upper && r[i].version <= to && r[i].version > newest)
				newest = r[i].version;
		assert_int_equal(tombstones_cover(l, key_of(key), to), newest);
	}
	for (size_t i = 0; i < n; i++)                    /* unpublished */
		if (r[i].lower <= key && key < r[i].upper && (!reader_count || r[i].version > readers[reader_count - 1]))
			assert_int_equal(tombstones_cover(l, key_of(key), r[i].version), r[i].version);
	for (size_t i = 0; t && i + 1 < t->n; i++) {      /* and no more than that */
		size_t j = 0;

		while (j < reader_count && readers[j] < t->versions[i + 1])
			j++;
		assert_true(j == reader_count || readers[j] < t->versions[i]);
	}
}

static void check_random(uint64_t *seed)
{
	struct range r[MOST];
	uint64_t readers[4], version = 1;
	size_t n = 1 + test_random(seed) % MOST, reader_count = test_random(seed) % 5;
	struct tombstones_builder b = { 0 };
	struct tombstones *l = NULL, *again = NULL;

	for (size_t i = 0; i < n; i++) {
		r[i].lower = (unsigned)(test_random(seed) % KEYS);
		r[i].upper = r[i].lower + 1 + (unsigned)(test_random(seed) % (KEYS - r[i].lower));
		r[i].version = version;
		version += test_random(seed) % 3;
		assert_int_equal(tombstones_add(&b, key_of(r[i].lower), r[i].upper < KEYS ? key_of(r[i].upper) : slice_of("", 0),
		                                r[i].version), 0);
	}
	for (size_t i = 0; i < reader_count; i++)
		readers[i] = (i ? readers[i - 1] : 0) + 1 + test_random(seed) % (version / 2 + 1);
	assert_int_equal(tombstones_build(&b, readers, reader_count, &l), 0);
	tombstones_check(l);
	for (unsigned key = 0; key < KEYS; key++)
		check_key(l, r, n, key, readers, reader_count);
	b.count = 0;
	assert_int_equal(tombstones_add_list(&b, l), 0);
	assert_int_equal(tombstones_build(&b, readers, reader_count, &again), 0);      /* building again changes nothing */
	assert_int_equal(l->n, again->n);
	assert_int_equal(l->count, again->count);
	for (unsigned key = 0; key < KEYS; key++)
		check_key(again, r, n, key, readers, reader_count);
	tombstones_builder_fini(&b);
	tombstones_free(l);
	tombstones_free(again);
}

static void test_tombstones__random(void **state)
{
	uint64_t seed = test_seed(11);

	(void)state;
	for (unsigned i = 0; i < 3000 * test_scale(); i++)
		check_random(&seed);
}

static void test_tombstones__cursor_both_ways(void **state)
{
	struct tombstones *l = built("b-c@3 d-e@5 g-h@1 k-m@2", NULL, 0);
	struct tombstones_cursor c = { .list = l };
	char key[2] = "";

	(void)state;
	for (int i = 0; i < 52; i++) {
		key[0] = (char)('a' + (i < 26 ? i : 51 - i));
		assert_ptr_equal(tombstones_seek(&c, slice_str(key)), tombstones_at(l, slice_str(key)));
	}
	c.list = NULL;
	assert_null(tombstones_seek(&c, slice_str("b")));
	tombstones_free(l);
}

static void test_tombstones__out_of_memory(void **state)
{
	struct tombstones_builder b = { 0 };
	struct tombstones *l = NULL;
	uint64_t nth;

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(tombstones_add(&b, key_of((unsigned)i), slice_of("", 0), 1 + i), 0);
	for (nth = 1;; nth++) {
		int rc;

		mem_fail_at(nth, false);
		rc = tombstones_build(&b, NULL, 0, &l);
		mem_fail_at(0, false);
		if (rc == 0)
			break;
		assert_int_equal(rc, SILT_E_NOMEM);
		assert_null(l);
	}
	assert_true(nth > 5);
	tombstones_check(l);
	tombstones_free(l);
	for (nth = 0; b.count < b.room; nth++)
		assert_int_equal(tombstones_add(&b, key_of(0), key_of(2), 99), 0);
	mem_fail_at(1, false);
	assert_int_equal(tombstones_add(&b, key_of(0), key_of(2), 99), SILT_E_NOMEM);
	mem_fail_at(0, false);
	tombstones_builder_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tombstones__fragments),
		cmocka_unit_test(test_tombstones__asking),
		cmocka_unit_test(test_tombstones__last_key_below_a_bound),
		cmocka_unit_test(test_tombstones__random),
		cmocka_unit_test(test_tombstones__cursor_both_ways),
		cmocka_unit_test(test_tombstones__out_of_memory),
	};

	return cmocka_run_group_tests_name("tombstones", tests, NULL, NULL);
}
