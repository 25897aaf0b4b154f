/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_engine.c - the engine behind store.h: values, types, conditions, old values, many writers,
   opening again, the log. */
#include "lib/storekit.h"

static int setup(void **state)
{
	struct storekit *k = storekit_new();

	k->opts.filter_bits_per_key = 12;
	k->opts.block_size = 2048;
	k->opts.compaction_trigger = 3;
	k->opts.compression = 0;
	k->opts.compression_bottom = 1;
	storekit_open(k);
	*state = k;
	return 0;
}

static int write_one(struct storekit *k, const struct store_write *w)
{
	return storekit_write(k, w, 0);
}

static struct store_write put_of(const char *key, const char *value)
{
	return (struct store_write){ .op = STORE_PUT, .key = span_str(key), .value = span_str(value) };
}

static void holds(struct storekit *k, const char *key, const char *value, const char *type)
{
	struct bytes got = {0};
	struct store_entry e;

	bytes_adds(&got, "what was there before");
	assert_int_equal(k->store->ops->get(k->store, span_str(key), 0, &got, &e), STORE_OK);
	assert_true(span_eq(span_of(got.p, got.len), value));
	assert_string_equal(e.content_type, type);
	bytes_fini(&got);
}

static int get_code(struct storekit *k, const char *key)
{
	struct store_entry e;

	return k->store->ops->get(k->store, span_str(key), 0, NULL, &e);
}

static void test_store_engine__values_types_and_expiry(void **state)
{
	struct storekit *k = *state;
	struct store_write w = put_of("k", "v");
	struct store_entry e;
	char type[256];

	assert_int_equal(get_code(k, "k"), STORE_NOTFOUND);
	assert_int_equal(write_one(k, &w), STORE_OK);
	holds(k, "k", "v", "");
	memset(type, 't', 255);
	type[255] = 0;
	w.content_type = type;
	w.expires_ms = UINT64_C(4102444800000);
	assert_int_equal(write_one(k, &w), STORE_OK);
	holds(k, "k", "v", type);
	assert_int_equal(k->store->ops->get(k->store, span_str("k"), STORE_NO_WAIT, NULL, &e), STORE_OK);
	assert_true(e.expires_ms == w.expires_ms && e.version == k->last.version);
	w.expires_ms = 1;                     /* long ago */
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_int_equal(get_code(k, "k"), STORE_NOTFOUND);
}

static void test_store_engine__tells_what_was_there_where_it_is_asked(void **state)
{
	struct storekit *k = *state;
	struct store_write w = put_of("k", "one");
	uint64_t first;

	w.want_existed = true;
	w.content_type = "text/plain";
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_false(k->last.existed);
	first = k->last.version;
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_true(k->last.existed && k->last.old.version == first && k->last.version > first);
	assert_string_equal(k->last.old.content_type, "text/plain");
	assert_string_equal(k->old_value, "");
	w.want_existed = false;
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_false(k->last.existed);        /* not asked */
	w.op = STORE_DELETE;
	w.want_old_value = true;
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_true(k->last.existed);
	assert_string_equal(k->old_value, "one");
	assert_int_equal(get_code(k, "k"), STORE_NOTFOUND);
}

static void test_store_engine__conditions(void **state)
{
	struct storekit *k = *state;
	struct store_write w = put_of("k", "v");
	uint64_t versions[2] = { UINT64_C(1) << 53, 0 };
	struct store_cond present = { .none_match = false }, absent = { .none_match = true };
	struct store_cond listed = { .none_match = false, .versions = versions, .n = 2 };

	w.cond_count = 1;
	w.conds = &present;
	assert_int_equal(write_one(k, &w), STORE_CONFLICT);
	assert_int_equal(k->last.current, 0);
	w.conds = &listed;                    /* 0 is no version: an absent key matches nothing */
	assert_int_equal(write_one(k, &w), STORE_CONFLICT);
	w.conds = &absent;
	assert_int_equal(write_one(k, &w), STORE_OK);
	versions[1] = k->last.version;
	assert_int_equal(write_one(k, &w), STORE_CONFLICT);
	assert_true(k->last.current == versions[1]);
	w.conds = &listed;
	assert_int_equal(write_one(k, &w), STORE_OK);
	assert_int_equal(write_one(k, &w), STORE_CONFLICT);
	listed.none_match = true;
	assert_int_equal(write_one(k, &w), STORE_OK);
}

static void test_store_engine__flush_compact_and_stats(void **state)
{
	struct storekit *k = *state;
	struct store_stats stats;
	struct store_write w;
	uint64_t entries;
	char key[16];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		w = put_of(key, "value");
		assert_int_equal(write_one(k, &w), STORE_OK);
	}
	assert_int_equal(k->store->ops->flush(k->store, &entries), STORE_OK);
	assert_int_equal(entries, 100);
	assert_int_equal(k->store->ops->flush(k->store, &entries), STORE_OK);
	assert_int_equal(entries, 0);
	holds(k, "key77", "value", "");
	assert_int_equal(k->store->ops->compact(k->store), STORE_OK);
	k->store->ops->stats(k->store, &stats);
	for (size_t i = 0; i < stats.n; i++)
		if (strcmp(stats.item[i].name, "table_entries") == 0)
			assert_int_equal(stats.item[i].value, 100);
	assert_string_equal(stats.fault, "");
	assert_int_equal(k->store->ops->ready(k->store), STORE_OK);
}

static void test_store_engine__what_it_refuses(void **state)
{
	struct storekit *k = *state;
	struct store_write w = put_of("", "v");
	struct store *second = (struct store *)k;
	char *large = calloc(1, 3u << 20);

	assert_int_equal(k->store->ops->write(k->store, &w, 0, storekit_note, k), STORE_E_INTERNAL);
	w = put_of("k", "");
	w.value = span_of(large, 3u << 20);   /* over half of a segment */
	assert_int_equal(k->store->ops->write(k->store, &w, 0, storekit_note, k), STORE_E_TOOBIG);
	free(large);
	assert_int_equal(store_engine_open(&k->opts, &second), STORE_E_BUSY);
	assert_ptr_equal(second, k);          /* untouched */
	assert_true(k->logged > 0);
}

/* A directory that can't be made: a failure of the operating system, told by the log. */
static void test_store_engine__a_place_that_is_none(void **state)
{
	struct store_engine_options o = { .dir = "/dev/null/store",
		                          .filter_bits_per_key = -1,
		                          .compression = -1,
		                          .compression_bottom = -1 };
	struct store *none = NULL;

	(void)state;
	assert_int_equal(store_engine_open(&o, &none), STORE_E_IO);
	assert_null(none);
}

static void test_store_engine__opens_again_with_what_was_acknowledged(void **state)
{
	struct storekit *k = *state;
	struct store_write w = put_of("k", "kept");

	w.content_type = "a/b";
	assert_int_equal(write_one(k, &w), STORE_OK);
	storekit_close(k);
	storekit_open(k);
	holds(k, "k", "kept", "a/b");
}

enum { WRITERS = 4, ROUNDS = 400 };

struct writer {
	struct storekit *k;
	int number;
};

/* Values and keys are gone as soon as write() has returned: the store must have its own copy. */
static void *write_many(void *arg)
{
	struct writer *me = arg;
	struct storekit *k = me->k;

	for (int i = 0; i < ROUNDS; i++) {
		struct store_cond absent = { .none_match = true };
		char *key = malloc(32), *value = malloc(32);
		struct store_write w = { .op = STORE_PUT,
			                 .conds = &absent,
			                 .cond_count = (size_t)(i & 1),
			                 .want_existed = (i & 2) != 0 };

		w.key = span_of(key, (size_t)snprintf(key, 32, "%d/%d", me->number, i));
		w.value = span_of(value, (size_t)snprintf(value, 32, "value %d", i));
		if (k->store->ops->write(k->store, &w, STORE_ASYNC, storekit_note, k) != STORE_OK)
			abort();
		free(key);
		free(value);
	}
	return NULL;
}

static void test_store_engine__many_writers_borrow_nothing(void **state)
{
	struct storekit *k = *state;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	char key[32], value[32];

	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ k, i };
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	storekit_wait(k, WRITERS * ROUNDS);
	for (int i = 0; i < WRITERS * ROUNDS; i++) {
		snprintf(key, sizeof(key), "%d/%d", i / ROUNDS, i % ROUNDS);
		snprintf(value, sizeof(value), "value %d", i % ROUNDS);
		holds(k, key, value, "");
	}
}

static void test_store_engine__every_code_has_words(void **state)
{
	(void)state;
	for (int code = STORE_E_UNSUPPORTED; code <= STORE_TRY_AGAIN; code++) {
		assert_non_null(store_strerror(code));
		assert_true(code == STORE_E_INTERNAL ||
		            strcmp(store_strerror(code), store_strerror(STORE_E_INTERNAL)) != 0);
	}
	assert_string_equal(store_strerror(-99), store_strerror(STORE_E_INTERNAL));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, storekit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_store_engine__values_types_and_expiry),
		T(test_store_engine__tells_what_was_there_where_it_is_asked),
		T(test_store_engine__conditions),
		T(test_store_engine__flush_compact_and_stats),
		T(test_store_engine__what_it_refuses),
		cmocka_unit_test(test_store_engine__a_place_that_is_none),
		T(test_store_engine__opens_again_with_what_was_acknowledged),
		T(test_store_engine__many_writers_borrow_nothing),
		cmocka_unit_test(test_store_engine__every_code_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
