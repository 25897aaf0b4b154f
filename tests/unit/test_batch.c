/* SPDX-License-Identifier: Apache-2.0 */
/* test_batch.c - the worked example, which op wins, limits, what is owned; payloads that want to do harm. */
#include "lib/simfail.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/batch.h"
#include "core/batch_reader.h"

static struct silt_slice S(const char *s)
{
	return slice_str(s);
}

static silt_batch *make(void)
{
	silt_batch *b = NULL;

	assert_int_equal(silt_batch_new(&b), 0);
	return b;
}

static void put(silt_batch *b, const char *key, const char *value)
{
	assert_int_equal(silt_batch_put(b, S(key), S(value), NULL, 0), 0);
}

/* The sealed form as "key=value key-" for reading in a test. */
static void seal_text(const silt_batch *b, char *out, size_t size)
{
	struct silt_buf payload = { 0 };
	struct batch_reader r;
	struct entry e;
	int rc;

	out[0] = '\0';
	assert_int_equal(batch_seal(b, &payload), 0);
	assert_int_equal(payload.len, silt_batch_bytes(b));
	assert_int_equal(batch_reader_init(&r, buf_slice(&payload)), 0);
	while ((rc = batch_reader_next(&r, &e)) == 0) {
		size_t n = strlen(out);

		assert_int_equal(e.version, 0);
		snprintf(out + n, size - n, "%s%.*s%s%.*s", n ? " " : "", (int)e.key.len, (const char *)e.key.data,
		         e.kind == ENTRY_PUT ? "=" : "-", (int)e.value.len, (const char *)e.value.data);
	}
	assert_int_equal(rc, SILT_END);
	buf_fini(&payload);
}

static void test_batch__worked_example(void **state)
{
	static const uint8_t want[] = { 0x02, 0x01, 0x01, 0x61, 0x00, 0x00, 0x01, 0x31, 0x02, 0x01, 0x62 };
	silt_batch *b = make();
	struct silt_buf payload = { 0 };

	(void)state;
	put(b, "a", "1");
	assert_int_equal(silt_batch_delete(b, S("b"), 0), 0);
	assert_int_equal(batch_seal(b, &payload), 0);
	assert_int_equal(payload.len, sizeof(want));
	assert_memory_equal(payload.data, want, sizeof(want));
	assert_int_equal(silt_batch_bytes(b), sizeof(want));
	assert_int_equal(silt_batch_count(b), 2);
	buf_fini(&payload);
	silt_batch_free(b);
}

static void test_batch__keeps_expiry_and_metadata(void **state)
{
	struct silt_put_options opts = { .expires_ms = UINT64_C(1789000000123), .meta = S("text/plain") };
	silt_batch *b = make();
	struct silt_buf payload = { 0 };
	struct batch_reader r;
	struct entry e;

	(void)state;
	assert_int_equal(silt_batch_put(b, S("k"), S(""), &opts, 0), 0);
	assert_int_equal(batch_seal(b, &payload), 0);
	assert_int_equal(batch_reader_init(&r, buf_slice(&payload)), 0);
	assert_int_equal(batch_reader_next(&r, &e), 0);
	assert_int_equal(e.kind, ENTRY_PUT);
	assert_true(e.expires_ms == opts.expires_ms);
	assert_true(slice_eq(e.meta, S("text/plain")));
	assert_int_equal(e.value.len, 0);
	assert_int_equal(batch_reader_next(&r, &e), SILT_END);
	buf_fini(&payload);
	silt_batch_free(b);
}

static void test_batch__last_op_on_a_key_wins(void **state)
{
	silt_batch *b = make();
	char text[256];

	(void)state;
	put(b, "a", "1");
	put(b, "b", "2");
	put(b, "a", "3");
	assert_int_equal(silt_batch_delete(b, S("b"), 0), 0);
	put(b, "a", "4");
	seal_text(b, text, sizeof(text));
	assert_string_equal(text, "b- a=4");
	assert_int_equal(silt_batch_count(b), 5);
	assert_int_equal(batch_op_count(b), 5);
	assert_true(batch_ops(b)[0].superseded && batch_ops(b)[1].superseded && batch_ops(b)[2].superseded);
	assert_false(batch_ops(b)[3].superseded || batch_ops(b)[4].superseded);
	assert_true(slice_eq(batch_op_key(b, 3), S("b")));
	silt_batch_free(b);
}

/* Against a twin that knows the last op of each key; far more ops than a walk would serve, and copies in between. */
static void test_batch__last_op_wins_among_many(void **state)
{
	enum { KEYS = 500, OPS = 5000 };
	uint64_t seed = test_seed(11);
	size_t last[KEYS], live = 0;
	silt_batch *b = make();

	(void)state;
	memset(last, 0xff, sizeof(last));
	for (size_t i = 0; i < OPS; i++) {
		size_t k = test_random(&seed) % KEYS;
		char key[32], value[32];

		snprintf(key, sizeof(key), "key%zu", k);
		snprintf(value, sizeof(value), "%zu", i);
		if (i == OPS / 2) {
			silt_batch *copy = NULL;

			assert_int_equal(batch_copy(b, &copy), 0);
			silt_batch_free(b);
			b = copy;
		}
		if (test_random(&seed) % 4)
			put(b, key, value);
		else
			assert_int_equal(silt_batch_delete(b, S(key), 0), 0);
		last[k] = i;
	}
	for (size_t i = 0; i < OPS; i++) {
		size_t k = (size_t)atoi((const char *)batch_op_key(b, i).data + 3);

		assert_int_equal(batch_ops(b)[i].superseded, last[k] != i);
		live += last[k] == i;
	}
	struct silt_buf payload = { 0 };
	struct batch_reader r;
	struct entry e;

	assert_int_equal(batch_seal(b, &payload), 0);
	assert_int_equal(payload.len, silt_batch_bytes(b));
	assert_int_equal(batch_reader_init(&r, buf_slice(&payload)), 0);
	assert_int_equal(r.left, live);
	while (batch_reader_next(&r, &e) == 0)
		live--;
	assert_int_equal(live, 0);
	buf_fini(&payload);
	silt_batch_free(b);
}

static void test_batch__clear_starts_over(void **state)
{
	silt_batch *b = make();
	char text[256];

	(void)state;
	for (int i = 0; i < 100; i++)
		put(b, i % 2 ? "x" : "y", "1");
	assert_int_equal(silt_batch_require(b, S("x"), SILT_COND_MATCH, NULL, 0), 0);
	assert_true(batch_wants_lookup(b));
	silt_batch_clear(b);
	assert_false(batch_wants_lookup(b));
	assert_int_equal(silt_batch_count(b), 0);
	assert_int_equal(batch_cond_count(b), 0);
	assert_int_equal(silt_batch_bytes(b), 1);
	put(b, "z", "2");
	seal_text(b, text, sizeof(text));
	assert_string_equal(text, "z=2");
	silt_batch_free(b);
	silt_batch_free(NULL);
}

static void test_batch__limits(void **state)
{
	static char big[SILT_KEY_MAX + 1];
	struct silt_put_options opts = { .meta = { big, SILT_META_MAX } };
	struct silt_slice nowhere = { NULL, 3 }, huge = { big, (size_t)SILT_VALUE_MAX + 1 };
	silt_batch *b = make();

	(void)state;
	assert_int_equal(silt_batch_put(b, slice_of(big, SILT_KEY_MAX), S("v"), &opts, 0), 0);
	assert_int_equal(silt_batch_put(b, slice_of(big, SILT_KEY_MAX + 1), S("v"), NULL, 0), SILT_E_TOOBIG);
	opts.meta.len++;
	assert_int_equal(silt_batch_put(b, S("k"), S("v"), &opts, 0), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_put(b, S("k"), huge, NULL, 0), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_put(b, S(""), S("v"), NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_put(b, nowhere, S("v"), NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_put(b, S("k"), nowhere, NULL, 0), SILT_E_MISUSE);
	opts.meta = nowhere;
	assert_int_equal(silt_batch_put(b, S("k"), S("v"), &opts, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_put(b, S("k"), S("v"), NULL, 1u << 9), SILT_E_MISUSE);
	assert_int_equal(silt_batch_put(NULL, S("k"), S("v"), NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete(b, slice_of(big, SILT_KEY_MAX + 1), 0), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_delete(b, S(""), 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_delete(b, S("k"), 4), SILT_E_MISUSE);
	assert_int_equal(silt_batch_require(b, S(""), SILT_COND_MATCH, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_require(b, S("k"), SILT_COND_MATCH, NULL, 1), SILT_E_MISUSE);
	assert_int_equal(silt_batch_require(b, S("k"), (enum silt_cond)7, NULL, 0), SILT_E_MISUSE);
	assert_int_equal(silt_batch_require(b, slice_of(big, SILT_KEY_MAX + 1), SILT_COND_MATCH, NULL, 0), SILT_E_TOOBIG);
	assert_int_equal(silt_batch_count(b), 1);
	assert_int_equal(batch_cond_count(b), 0);
	silt_batch_free(b);
}

static void test_batch__conditions_and_reports_are_owned(void **state)
{
	uint64_t versions[] = { 7, 9 };
	char key[] = "key";
	silt_batch *b = make(), *copy = NULL;

	(void)state;
	assert_false(batch_wants_lookup(b));
	put(b, "p", "1");
	assert_false(batch_wants_lookup(b));
	assert_int_equal(silt_batch_require(b, S(key), SILT_COND_NONE_MATCH, versions, 2), 0);
	assert_int_equal(silt_batch_require(b, S("other"), SILT_COND_MATCH, NULL, 0), 0);
	memset(key, 'x', 3);
	versions[0] = versions[1] = 0;
	assert_int_equal(batch_copy(b, &copy), 0);
	silt_batch_free(b);
	assert_true(batch_wants_lookup(copy));
	assert_int_equal(batch_cond_count(copy), 2);
	assert_true(slice_eq(batch_conds(copy)[0].key, S("key")));
	assert_int_equal(batch_conds(copy)[0].cond, SILT_COND_NONE_MATCH);
	assert_int_equal(batch_conds(copy)[0].n, 2);
	assert_int_equal(batch_conds(copy)[0].versions[1], 9);
	assert_int_equal(batch_conds(copy)[1].n, 0);
	silt_batch_free(copy);

	b = make();
	assert_int_equal(silt_batch_delete(b, S("k"), SILT_OP_REPORT_VALUE), 0);
	assert_true(batch_wants_lookup(b));
	assert_int_equal(batch_ops(b)[0].flags, SILT_OP_REPORT | SILT_OP_REPORT_VALUE);
	silt_batch_free(b);
}

/* Every prefix of a good payload is refused, and so is every byte behind its end. */
static void test_batch_reader__refuses_what_is_cut_or_too_long(void **state)
{
	struct silt_put_options opts = { .expires_ms = 300, .meta = S("m") };
	struct silt_buf payload = { 0 };
	struct batch_reader r;
	silt_batch *b = make();
	struct entry e;

	(void)state;
	assert_int_equal(silt_batch_put(b, S("key"), S("value"), &opts, 0), 0);
	assert_int_equal(silt_batch_delete(b, S("gone"), 0), 0);
	assert_int_equal(batch_seal(b, &payload), 0);
	for (size_t n = 0; n < payload.len; n++) {
		uint8_t *cut = mem_dup(payload.data, n);
		int rc = batch_reader_init(&r, slice_of(cut, n));

		while (rc == 0)
			rc = batch_reader_next(&r, &e);
		assert_int_equal(rc, SILT_E_CORRUPT);
		mem_free(cut);
	}
	assert_int_equal(buf_append(&payload, "", 1), 0);
	assert_int_equal(batch_reader_init(&r, buf_slice(&payload)), 0);
	assert_int_equal(batch_reader_next(&r, &e), 0);
	assert_int_equal(batch_reader_next(&r, &e), 0);
	assert_int_equal(batch_reader_next(&r, &e), SILT_E_CORRUPT);
	buf_fini(&payload);
	silt_batch_free(b);
}

static void test_batch_reader__refuses_hostile_fields(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t n;
	} cases[] = {
#define CASE(what, bytes) { what, bytes, sizeof(bytes) - 1 }
		CASE("kind 0", "\x01\x00\x01" "a"),
		CASE("kind 3", "\x01\x03\x01" "a"),
		CASE("empty key", "\x01\x02\x00"),
		CASE("key length past the end", "\x01\x02\x7f" "a"),
		CASE("key length of 64 bits", "\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "a"),
		CASE("value length past the end", "\x01\x01\x01" "a\x00\x00\xff\xff\x03"),
		CASE("more ops promised than there are", "\xff\xff\xff\xff\x0f\x02\x01" "a"),
		CASE("a count that never ends", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *bytes = mem_dup(cases[i].bytes, cases[i].n);
		struct batch_reader r;
		struct entry e;
		int rc = batch_reader_init(&r, slice_of(bytes, cases[i].n));

		while (rc == 0)
			rc = batch_reader_next(&r, &e);
		if (rc != SILT_E_CORRUPT)
			fail_msg("%s: %d", cases[i].what, rc);
		mem_free(bytes);
	}
}

/* One walk through everything that allocates; 0, or SILT_E_NOMEM with nothing leaked. */
static int scenario(void)
{
	silt_batch *b = NULL, *copy = NULL;
	struct silt_buf payload = { 0 };
	const uint64_t versions[] = { 1, 2, 3 };
	char key[16];
	int rc;

	rc = silt_batch_new(&b);
	for (int i = 0; i < 100 && rc == 0; i++) {
		snprintf(key, sizeof(key), "%d", i % 70);
		rc = silt_batch_put(b, S(key), S("some value"), NULL, 0);
	}
	for (int i = 0; i < 5 && rc == 0; i++)
		rc = silt_batch_require(b, S("c"), SILT_COND_MATCH, versions, 3);
	if (rc == 0)
		rc = batch_copy(b, &copy);
	if (rc == 0)
		rc = batch_seal(copy, &payload);
	buf_fini(&payload);
	silt_batch_free(copy);
	silt_batch_free(b);
	return rc;
}

static void test_batch__every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(simfail_each_allocation(scenario) >= 15);
}

/* A batch that met a failure is as it was, and takes the op when there is memory again. */
static void test_batch__a_failed_add_changes_nothing(void **state)
{
	silt_batch *b = make();
	size_t failures = 0;
	char key[16];

	(void)state;
	for (int i = 0; i < 200; i++) {
		size_t count = silt_batch_count(b), bytes = silt_batch_bytes(b);

		snprintf(key, sizeof(key), "%d", i % 90);
		mem_fail_at(1, true);
		int rc = silt_batch_put(b, S(key), S("v"), NULL, SILT_OP_REPORT);
		mem_fail_at(0, false);
		if (rc == 0)
			continue;
		failures++;
		assert_int_equal(rc, SILT_E_NOMEM);
		assert_int_equal(silt_batch_count(b), count);
		assert_int_equal(silt_batch_bytes(b), bytes);
		assert_int_equal(silt_batch_put(b, S(key), S("v"), NULL, SILT_OP_REPORT), 0);
	}
	assert_true(failures > 3);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(batch_ops(b)[i].superseded, i < 110);
	silt_batch_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch__worked_example),
		cmocka_unit_test(test_batch__keeps_expiry_and_metadata),
		cmocka_unit_test(test_batch__last_op_on_a_key_wins),
		cmocka_unit_test(test_batch__last_op_wins_among_many),
		cmocka_unit_test(test_batch__clear_starts_over),
		cmocka_unit_test(test_batch__limits),
		cmocka_unit_test(test_batch__conditions_and_reports_are_owned),
		cmocka_unit_test(test_batch_reader__refuses_what_is_cut_or_too_long),
		cmocka_unit_test(test_batch_reader__refuses_hostile_fields),
		cmocka_unit_test(test_batch__every_allocation_may_fail),
		cmocka_unit_test(test_batch__a_failed_add_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
