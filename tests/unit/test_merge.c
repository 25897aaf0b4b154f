/* SPDX-License-Identifier: Apache-2.0 */
/* test_merge.c - the merge against one sorted array, with children that are slices of it and can break on demand. */
#include "lib/test.h"

#include "base/mem.h"
#include "core/key.h"
#include "core/merge.h"

enum { KEYS = 40, MAX_ENTRIES = 400, MAX_CHILDREN = 9 };

/* ---- a child: an array of entries, lent out in runs of any length ---------------------------------------------------- */

struct array_iter {
	struct iter it;
	struct entry *e, *run;    /* the run is a copy, gone with the next move */
	size_t n, lo;             /* run[0] is e[lo]; run == NULL: past an end */
	uint64_t seed;            /* of lengths; 0 = runs of one */
	int *moves_left;          /* shared by all; when it falls to 0 a move breaks; NULL = never */
};

static int array_open, array_moves;

static size_t array_length(struct array_iter *a, size_t most)
{
	return a->seed ? (size_t)(test_random(&a->seed) % 12) % (most + 1) : 0;
}

static int array_leave(struct array_iter *a, int rc)
{
	mem_free(a->run);
	a->run = NULL;
	iter_stand(&a->it, NULL);
	return rc;
}

static int array_stand(struct array_iter *a, size_t at)
{
	size_t lo, hi;

	array_moves++;
	(void)array_leave(a, 0);
	if (a->moves_left && --*a->moves_left == 0)
		return SILT_E_CORRUPT;
	if (at >= a->n)
		return SILT_END;
	lo = at - array_length(a, at);
	hi = at + array_length(a, a->n - 1 - at);
	a->run = mem_dup(&a->e[lo], (hi - lo + 1) * sizeof(*a->e));
	a->lo = lo;
	a->it.cur = a->run + (at - lo);
	a->it.first = a->run;
	a->it.last = a->run + (hi - lo);
	return 0;
}

static size_t array_at(const struct array_iter *a)
{
	return a->lo + (size_t)(a->it.cur - a->run);
}

static int array_first(struct iter *it)
{
	return array_stand((struct array_iter *)it, 0);
}

static int array_last(struct iter *it)
{
	struct array_iter *a = (struct array_iter *)it;

	return array_stand(a, a->n ? a->n - 1 : 0);
}

static size_t array_find(const struct array_iter *a, struct silt_slice key, uint64_t version)
{
	size_t i = 0;

	while (i < a->n && key_cmp(a->e[i].key, a->e[i].version, key, version) < 0)
		i++;
	return i;
}

static int array_seek(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct array_iter *a = (struct array_iter *)it;

	return array_stand(a, array_find(a, key, version));
}

static int array_before(struct iter *it, struct silt_slice key, uint64_t version)
{
	struct array_iter *a = (struct array_iter *)it;
	size_t i = array_find(a, key, version);

	return array_stand(a, i ? i - 1 : a->n);
}

static int array_next(struct iter *it)
{
	struct array_iter *a = (struct array_iter *)it;

	assert_true(a->run && it->cur == it->last);
	return array_stand(a, array_at(a) + 1);
}

static int array_prev(struct iter *it)
{
	struct array_iter *a = (struct array_iter *)it;

	assert_true(a->run && it->cur == it->first);
	return array_stand(a, array_at(a) ? array_at(a) - 1 : a->n);
}

static void array_close(struct iter *it)
{
	struct array_iter *a = (struct array_iter *)it;

	array_open--;
	(void)array_leave(a, 0);
	mem_free(a->e);
	mem_free(a);
}

static const struct iter_ops array_ops = {
	.first = array_first,
	.last = array_last,
	.seek = array_seek,
	.before = array_before,
	.next = array_next,
	.prev = array_prev,
	.close = array_close,
};

static struct array_iter *array_new(int *moves_left, uint64_t seed)
{
	struct array_iter *a = mem_calloc(1, sizeof(*a));

	a->it.ops = &array_ops;
	a->e = mem_calloc(MAX_ENTRIES, sizeof(*a->e));
	a->moves_left = moves_left;
	a->seed = seed;
	array_open++;
	return a;
}

/* ---- the world: a sorted array dealt out to children --------------------------------------------------------------- */

struct world {
	char keys[KEYS][16];
	struct entry all[MAX_ENTRIES];
	size_t n;
	struct iter *children[MAX_CHILDREN];
	size_t child_count;
};

/* Keys sort as their index; some share a prefix of 8 bytes and more, one is the start of another. */
static void world_keys(struct world *w)
{
	for (int i = 0; i < KEYS; i++)
		snprintf(w->keys[i], sizeof(w->keys[i]), i % 3 ? "prefix%04d%c" : "prefix%04d", i / 3, 'a' + i % 3);
}

static void world_init(struct world *w, uint64_t *seed, size_t children, int *moves_left)
{
	uint64_t often = 1 + test_random(seed) % 8;           /* one child has so many entries in a row, about */
	size_t of = 0;

	memset(w, 0, sizeof(*w));
	world_keys(w);
	w->child_count = children;
	for (size_t i = 0; i < children; i++)
		w->children[i] = &array_new(moves_left, *seed % 3 ? *seed + i : 0)->it;
	for (int k = 0; k < KEYS; k++) {
		uint64_t version = 1000;

		for (uint64_t v = test_random(seed) % 5; v > 0 && children; v--) {
			struct array_iter *child;
			struct entry e = { .key = slice_str(w->keys[k]), .kind = ENTRY_PUT };

			if (test_random(seed) % often == 0)
				of = test_random(seed) % children;
			child = (struct array_iter *)w->children[of];
			version -= 1 + test_random(seed) % 100;
			e.version = version;
			e.value = slice_of(&w->all[w->n], 0);         /* tells which one it is */
			w->all[w->n++] = e;
			child->e[child->n++] = e;
		}
	}
}

static void expect(const struct world *w, const struct iter *it, int rc, size_t at)
{
	if (at >= w->n) {
		assert_int_equal(rc, SILT_END);
		return;
	}
	assert_int_equal(rc, 0);
	assert_true(slice_eq(it->cur->key, w->all[at].key));
	assert_int_equal(it->cur->version, w->all[at].version);
}

static size_t world_seek(const struct world *w, struct silt_slice key, uint64_t version)
{
	size_t i = 0;

	while (i < w->n && key_cmp(w->all[i].key, w->all[i].version, key, version) < 0)
		i++;
	return i;
}

/* Random moves on the merge and on the array; `at` = w->n when past an end (then only first, last and seek). */
static void walk(const struct world *w, struct iter *it, uint64_t *seed, int moves)
{
	size_t at = w->n;
	bool forward = true;

	while (moves--) {
		uint64_t dice = test_random(seed) % 40;
		const char *key = w->keys[test_random(seed) % KEYS];
		uint64_t version = 400 + test_random(seed) % 700;

		if (dice == 0) {
			at = 0;
			expect(w, it, it->ops->first(it), at);
		} else if (dice == 1) {
			at = w->n ? w->n - 1 : 0;
			expect(w, it, it->ops->last(it), at);
		} else if (dice <= 3 || (at >= w->n && dice % 2)) {
			at = world_seek(w, slice_str(key), version);
			expect(w, it, it->ops->seek(it, slice_str(key), version), at);
		} else if (dice <= 5 || at >= w->n) {
			at = world_seek(w, slice_str(key), version);
			at = at ? at - 1 : w->n;
			expect(w, it, it->ops->before(it, slice_str(key), version), at);
		} else {
			forward ^= dice <= 12;                        /* about six steps one way */
			at = forward ? at + 1 : at ? at - 1 : w->n;
			expect(w, it, forward ? iter_next(it) : iter_prev(it), at);
		}
	}
}

static void test_merge__agrees_with_one_sorted_array(void **state)
{
	uint64_t seed = test_seed(3);

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct world w;
		struct iter *it = NULL;

		world_init(&w, &seed, (size_t)round % (MAX_CHILDREN + 1), NULL);
		assert_int_equal(merge_iter_new(w.children, w.child_count, &it), 0);
		walk(&w, it, &seed, 300);
		iter_close(it);
	}
	assert_int_equal(array_open, 0);
}

static void test_merge__nothing_to_merge_is_the_end(void **state)
{
	struct iter *it = NULL;

	(void)state;
	assert_int_equal(merge_iter_new(NULL, 0, &it), 0);
	assert_int_equal(it->ops->first(it), SILT_END);
	assert_int_equal(it->ops->last(it), SILT_END);
	assert_int_equal(it->ops->seek(it, slice_str("a"), 1), SILT_END);
	assert_int_equal(iter_next(it), SILT_END);
	assert_int_equal(iter_prev(it), SILT_END);
	iter_close(it);
}

/* The same entry in children 0 and 2: both come, the lower index first, and the other way round on the way back. */
static void test_merge__identical_entries_keep_their_order(void **state)
{
	static const char *const values[3][2] = { { "a0", "b0" }, { "a1", "-" }, { "a2", "b2" } };
	static const char *const want[] = { "a0", "a1", "a2", "b0", "b2" };
	struct iter *children[3], *it = NULL;

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct array_iter *a = array_new(NULL, c);

		for (size_t k = 0; k < (c == 1 ? 1 : 2); k++)
			a->e[a->n++] = (struct entry){ .key = slice_str(k ? "b" : "a"), .version = 5, .kind = ENTRY_PUT,
			                               .value = slice_str(values[c][k]) };
		children[c] = &a->it;
	}
	assert_int_equal(merge_iter_new(children, 3, &it), 0);
	for (size_t turn = 0; turn < 5; turn++) {
		size_t i;
		int rc = it->ops->first(it);

		for (i = 0; i < turn; i++)
			rc = iter_next(it);
		assert_int_equal(rc, 0);
		for (i = turn; i-- > 0;) {
			assert_int_equal(iter_prev(it), 0);
			assert_true(slice_eq(it->cur->value, slice_str(want[i])));
		}
		for (i = 1; i < 5; i++) {
			assert_int_equal(iter_next(it), 0);
			assert_true(slice_eq(it->cur->value, slice_str(want[i])));
		}
		assert_int_equal(iter_next(it), SILT_END);
	}
	iter_close(it);
}

/* Whichever move breaks, the merge says so at once, goes on saying so, and recovers by first when the child does. */
static void test_merge__a_broken_child_breaks_the_merge(void **state)
{
	uint64_t seed = test_seed(5);

	(void)state;
	for (int when = 1; when < 120; when++) {
		int left = when, rc;
		struct world w;
		struct iter *it = NULL;
		size_t seen = 0;

		world_init(&w, &seed, 2 + (size_t)when % 5, &left);
		assert_int_equal(merge_iter_new(w.children, w.child_count, &it), 0);
		for (rc = it->ops->first(it); rc == 0 && seen < w.n / 2; rc = iter_next(it))
			expect(&w, it, rc, seen++);
		while (rc == 0)
			rc = iter_prev(it);
		if (left <= 0) {
			assert_int_equal(rc, SILT_E_CORRUPT);
			assert_int_equal(iter_next(it), SILT_E_CORRUPT);
			assert_int_equal(iter_prev(it), SILT_E_CORRUPT);
		} else {
			assert_int_equal(rc, SILT_END);
		}
		left = INT32_MAX;
		expect(&w, it, it->ops->first(it), 0);
		iter_close(it);
	}
	assert_int_equal(array_open, 0);
}

/* Steps in one direction move one child each: no child is sought again. */
static void test_merge__a_step_moves_one_child(void **state)
{
	uint64_t seed = test_seed(9);
	struct iter *it = NULL;
	struct world w;
	int before;

	(void)state;
	world_init(&w, &seed, 7, NULL);
	assert_int_equal(merge_iter_new(w.children, w.child_count, &it), 0);
	assert_int_equal(it->ops->first(it), 0);
	before = array_moves;
	while (iter_next(it) == 0)
		;
	assert_true((size_t)(array_moves - before) <= w.n);
	iter_close(it);
}

static void test_merge__out_of_memory_closes_the_children(void **state)
{
	uint64_t seed = test_seed(1);
	struct iter *it = NULL;
	struct world w;

	(void)state;
	world_init(&w, &seed, 4, NULL);
	mem_fail_at(1, false);
	assert_int_equal(merge_iter_new(w.children, w.child_count, &it), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_null(it);
	assert_int_equal(array_open, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge__agrees_with_one_sorted_array),
		cmocka_unit_test(test_merge__nothing_to_merge_is_the_end),
		cmocka_unit_test(test_merge__identical_entries_keep_their_order),
		cmocka_unit_test(test_merge__a_broken_child_breaks_the_merge),
		cmocka_unit_test(test_merge__a_step_moves_one_child),
		cmocka_unit_test(test_merge__out_of_memory_closes_the_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
