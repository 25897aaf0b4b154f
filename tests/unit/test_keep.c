/* SPDX-License-Identifier: Apache-2.0 */
/* test_keep.c - each rule as a table of cases, then every history of a small universe against what its readers see. */
#include "lib/test.h"

#include "base/mem.h"
#include "job/keep.h"

enum { NOW = 100000, GRACE = 60000, LIVE_TO = NOW, DEAD_AT = NOW - GRACE };

static struct entry keep_entry(const char *key, uint64_t version, char kind)
{
	struct entry e = { .key = slice_str(key), .version = version, .kind = kind == 'd' ? ENTRY_DELETE : ENTRY_PUT };

	if (kind == 'x')
		e.expires_ms = DEAD_AT;
	if (kind == 'l')
		e.expires_ms = DEAD_AT + 1;
	return e;
}

static const struct keep_case {
	const char *what;
	uint64_t readers[4];
	size_t reader_count;
	bool bottom;
	const char *entries;      /* newest first: key letter, version digit, kind (p, d, x expired, l expiring later), space */
	const char *verdicts;     /* K as is, D as a delete, . dropped */
	const char *ranges;       /* versions of range deletes over "a" */
} keep_cases[] = {
	{ "a lone put stays", { 9 }, 1, true, "a5p", "K", NULL },
	{ "an older put is hidden", { 9 }, 1, false, "a5p a4p a1p", "K..", NULL },
	{ "another key hides nothing", { 9 }, 1, false, "a5p b4p c1p", "KKK", NULL },
	{ "a key that starts like the last one is another", { 9 }, 1, false, "a5p A4p", "KK", NULL },
	{ "each stratum keeps its newest", { 3, 6, 8 }, 3, false, "a9p a8p a7p a5p a4p a2p a1p", "KK.K.K.", NULL },
	{ "at a reader is below it", { 4, 9 }, 2, false, "a5p a4p", "KK", NULL },
	{ "above a reader is above it", { 3, 9 }, 2, false, "a5p a4p", "K.", NULL },
	{ "the unpublished stay and hide nothing", { 5 }, 1, true, "a8p a7d a6x a5p a4p", "KKKK.", NULL },
	{ "a delete stays where something may lie below", { 9 }, 1, false, "a5d a4p", "K.", NULL },
	{ "a delete goes at the bottom", { 9 }, 1, true, "a5d a4p a3p", "...", NULL },
	{ "a lone delete goes at the bottom", { 9 }, 1, true, "a5d", ".", NULL },
	{ "a delete above a reader stays at the bottom", { 4, 9 }, 2, true, "a5d a4p", "KK", NULL },
	{ "deletes at and below the first reader go", { 4, 9 }, 2, true, "a5p a4d a3p", "K..", NULL },
	{ "an expired put becomes a delete", { 9 }, 1, false, "a5x", "D", NULL },
	{ "an expired put goes at the bottom, and does not uncover", { 9 }, 1, true, "a5x a4p", "..", NULL },
	{ "expired for a reader, too", { 4, 9 }, 2, true, "a5p a4x", "K.", NULL },
	{ "expired above a reader's put", { 4, 9 }, 2, true, "a5x a4p", "DK", NULL },
	{ "within its grace it stays", { 9 }, 1, true, "a5l", "K", NULL },
	{ "hidden and expired is hidden", { 9 }, 1, false, "a5p a4x", "K.", NULL },
	{ "a range delete hides what is older", { 9 }, 1, false, "a6p a5p a4p a3d b3p", "K...K", "5" },
	{ "what is as new was written behind it", { 9 }, 1, false, "a5p a4p", "K.", "5" },
	{ "a reader below it sees what it hides", { 4, 9 }, 2, false, "a4p a3p", "K.", "5" },
	{ "and does not see what another hid before", { 4, 9 }, 2, false, "a4p a3p", "K.", "53" },
	{ "each for its readers", { 4, 9 }, 2, false, "a7p a6p a3p a1p", "K.K.", "62" },
	{ "unpublished it hides nothing", { 4 }, 1, false, "a4p", "K", "5" },
	{ "an unpublished entry stays below an unpublished one", { 4 }, 1, false, "a6p a4p", "KK", "7" },
	{ "a delete under it goes", { 9 }, 1, false, "a4d", ".", "5" },
	{ "an expired put under it goes, and is no delete", { 9 }, 1, false, "a4x", ".", "5" },
};

static void keep_run_case(const struct keep_case *c)
{
	struct keep_rules rules = { c->readers, c->reader_count, NOW, GRACE };
	char got[16] = "";
	struct tombstones_builder b = { 0 };
	struct tombstones *ranges = NULL;
	struct keep k;
	size_t n = 0;

	for (const char *p = c->ranges; p && *p; p++)
		assert_int_equal(tombstones_add(&b, slice_str("a"), slice_str("b"), (uint64_t)(*p - '0')), 0);
	assert_int_equal(tombstones_build(&b, c->readers, c->reader_count, &ranges), 0);
	tombstones_builder_fini(&b);
	keep_init(&k, &rules);
	k.ranges.list = ranges;
	for (const char *p = c->entries;; p += 4) {
		char key[2] = { p[0], 0 };
		struct entry e = keep_entry(key, (uint64_t)(p[1] - '0'), p[2]);
		enum keep_verdict verdict;

		assert_int_equal(keep_decide(&k, &e, c->bottom, &verdict), 0);
		got[n++] = "KD."[verdict];
		if (!p[3])
			break;
	}
	if (strcmp(got, c->verdicts) != 0)
		print_error("%s\n", c->what);
	assert_string_equal(got, c->verdicts);
	keep_fini(&k);
	tombstones_free(ranges);
}

static void test_keep__cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(keep_cases) / sizeof(keep_cases[0]); i++)
		keep_run_case(&keep_cases[i]);
}

/* ---- every history of one key ------------------------------------------------------------------------------------------ */

enum { VERSIONS = 6, HISTORY = 4, ABSENT = 0 };

struct history {
	uint64_t version[HISTORY + 1];  /* newest first; the last may be what lies below the output: version 0 */
	char kind[HISTORY + 1];
	size_t n;
};

/* Which version's value does a reader see? ABSENT where none. What lies below is seen as VERSIONS + 1. */
static uint64_t history_see(const struct history *h, uint64_t reader)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->version[i] <= reader)
			return h->kind[i] == 'p' || h->kind[i] == 'l' ? (h->version[i] ? h->version[i] : VERSIONS + 1) : ABSENT;
	return ABSENT;
}

static void history_push(struct history *h, uint64_t version, char kind)
{
	h->version[h->n] = version;
	h->kind[h->n++] = kind;
}

static bool history_has(const struct history *h, uint64_t version)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->version[i] == version)
			return true;
	return false;
}

static struct history history_keep(const struct history *h, const struct keep_rules *rules, bool bottom, uint64_t *dropped)
{
	struct history out = { .n = 0 };
	struct keep k;

	keep_init(&k, rules);
	for (size_t i = 0; i < h->n; i++) {
		struct entry e = keep_entry("key", h->version[i], h->kind[i]);
		enum keep_verdict verdict;

		assert_int_equal(keep_decide(&k, &e, bottom, &verdict), 0);
		if (verdict != KEEP_NOT)
			history_push(&out, h->version[i], verdict == KEEP_AS_DELETE ? 'd' : h->kind[i]);
	}
	*dropped = k.dropped;
	keep_fini(&k);
	return out;
}

/* Before and after, with and without something older below, each reader sees the same; the unpublished is untouched; and it is the least. */
static void history_judge(const struct history *h, const struct keep_rules *rules, bool bottom)
{
	uint64_t published = rules->snapshots[rules->snapshot_count - 1], dropped;
	struct history after = history_keep(h, rules, bottom, &dropped), before = *h;

	assert_int_equal(after.n + dropped, before.n);
	for (size_t i = 0; i < before.n; i++)
		if (before.version[i] > published)
			assert_true(history_has(&after, before.version[i]));
	for (size_t i = 1; i < after.n; i++)
		assert_true(after.version[i - 1] > after.version[i]);
	if (after.n > 0 && bottom && after.version[after.n - 1] <= rules->snapshots[0])
		assert_true(strchr("pl", after.kind[after.n - 1]));
	assert_true(after.n <= rules->snapshot_count + (VERSIONS - published));
	if (!bottom) {
		history_push(&before, 0, 'p');
		history_push(&after, 0, 'p');
	}
	for (size_t i = 0; i < rules->snapshot_count; i++)
		assert_int_equal(history_see(&before, rules->snapshots[i]), history_see(&after, rules->snapshots[i]));
	for (uint64_t later = published + 1; later <= VERSIONS; later++)
		assert_int_equal(history_see(&before, later), history_see(&after, later));
}

/* All kinds for the versions in `mask` (bit v - 1 = version v). */
static size_t history_all_kinds(unsigned mask, const struct keep_rules *rules)
{
	unsigned n = (unsigned)__builtin_popcount(mask), total = 1u << (2 * n);

	for (unsigned kinds = 0; kinds < total; kinds++) {
		struct history h = { .n = 0 };

		for (uint64_t v = VERSIONS; v >= 1; v--)
			if (mask >> (v - 1) & 1)
				history_push(&h, v, "pdxl"[kinds >> (2 * h.n) & 3]);
		history_judge(&h, rules, false);
		history_judge(&h, rules, true);
	}
	return total;
}

static void test_keep__every_small_history_reads_the_same(void **state)
{
	size_t seen = 0;

	(void)state;
	for (unsigned readers = 1; readers < 1u << VERSIONS; readers++) {
		uint64_t snapshots[VERSIONS];
		struct keep_rules rules = { snapshots, 0, NOW, GRACE };

		for (uint64_t v = 1; v <= VERSIONS; v++)
			if (readers >> (v - 1) & 1)
				snapshots[rules.snapshot_count++] = v;
		for (unsigned mask = 1; mask < 1u << VERSIONS; mask++)
			if (__builtin_popcount(mask) <= HISTORY)
				seen += history_all_kinds(mask, &rules);
	}
	assert_true(seen > 100000);
}

static void test_keep__no_clock_below_the_grace_expires_nothing(void **state)
{
	static const uint64_t readers[] = { 9 };
	struct keep_rules rules = { readers, 1, GRACE - 1, GRACE };
	struct entry e = { .key = slice_str("a"), .version = 1, .kind = ENTRY_PUT, .expires_ms = 1 };
	enum keep_verdict verdict;
	struct keep k;

	(void)state;
	keep_init(&k, &rules);
	assert_int_equal(keep_decide(&k, &e, true, &verdict), 0);
	assert_int_equal(verdict, KEEP_AS_IS);
	keep_fini(&k);
}

static void test_keep__without_memory_it_says_so_and_forgets_nothing(void **state)
{
	static const uint64_t readers[] = { 9 };
	struct keep_rules rules = { readers, 1, NOW, GRACE };
	struct entry e = keep_entry("a", 2, 'p'), older = keep_entry("a", 1, 'p');
	enum keep_verdict verdict = KEEP_AS_IS;
	struct keep k;

	(void)state;
	keep_init(&k, &rules);
	mem_fail_at(1, false);
	assert_int_equal(keep_decide(&k, &e, false, &verdict), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_int_equal(keep_decide(&k, &older, false, &verdict), 0);
	assert_int_equal(verdict, KEEP_AS_IS);
	keep_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep__cases),
		cmocka_unit_test(test_keep__every_small_history_reads_the_same),
		cmocka_unit_test(test_keep__no_clock_below_the_grace_expires_nothing),
		cmocka_unit_test(test_keep__without_memory_it_says_so_and_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
