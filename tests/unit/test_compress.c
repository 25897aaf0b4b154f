/* SPDX-License-Identifier: Apache-2.0 */
/* test_compress.c - the stored form of blocks: its bytes, the way back, what is not worth it, hostile bodies. */
#include "lib/test.h"

#include "base/mem.h"
#include "table/compress.h"
#include "table/table.h"

static const enum silt_compression all[] = { SILT_COMPRESS_NONE, SILT_COMPRESS_LZ4, SILT_COMPRESS_ZSTD };

static void text(struct silt_buf *b, size_t n)
{
	b->len = 0;
	assert_int_equal(buf_reserve(b, n + COMPRESS_TAIL_BYTES), 0);
	for (size_t i = 0; i < n; i++)
		((char *)b->data)[i] = "siltstone settles in layers; "[i * i % 29];
	b->len = n;
}

static void noise(struct silt_buf *b, size_t n, uint64_t *seed)
{
	text(b, n);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)b->data)[i] = (uint8_t)(test_random(seed) >> 32);
}

static void test_compress__worked_example(void **state)
{
	static const uint8_t want[] = { 'a', 'b', 'c', 3, 0, 0, 0, 2, 0, 0, 0, 0 };
	struct silt_buf raw = { 0 };
	struct silt_slice stored;
	struct compress c;

	(void)state;
	compress_init(&c, SILT_COMPRESS_LZ4);
	assert_int_equal(buf_append(&raw, "abc", 3), 0);
	assert_int_equal(compress_pack(&c, &raw, 2, &stored), 0);
	assert_int_equal(stored.len, sizeof(want));
	assert_memory_equal(stored.data, want, sizeof(want));
	compress_fini(&c);
	buf_fini(&raw);
}

static void round_trip(struct compress *c, struct silt_buf *raw, enum silt_compression want)
{
	struct silt_buf copy = { 0 };
	struct compress_packed p;
	struct silt_slice stored;
	uint8_t *back;

	assert_int_equal(buf_set(&copy, buf_slice(raw)), 0);
	assert_int_equal(compress_pack(c, raw, 7, &stored), 0);
	assert_int_equal(compress_open(stored, &p), 0);
	assert_int_equal(p.how, want);
	assert_int_equal(p.items, 7);
	assert_int_equal(p.raw_bytes, copy.len);
	back = mem_alloc(p.raw_bytes);
	assert_non_null(back);
	assert_int_equal(compress_unpack(&p, NULL, back), 0);
	assert_memory_equal(back, copy.data, copy.len);
	mem_free(back);
	buf_fini(&copy);
}

static void test_compress__there_and_back(void **state)
{
	static const size_t sizes[] = { 1, 30, 500, 4096, 65536, 3000000 };
	uint64_t seed = test_seed(5);
	struct silt_buf raw = { 0 };

	(void)state;
	for (size_t how = 0; how < 3; how++) {
		struct compress c;

		compress_init(&c, all[how]);
		for (size_t i = 0; i < 6; i++) {
			text(&raw, sizes[i]);
			round_trip(&c, &raw, sizes[i] < 100 ? SILT_COMPRESS_NONE : all[how]);
			noise(&raw, sizes[i], &seed);
			round_trip(&c, &raw, SILT_COMPRESS_NONE);
		}
		compress_fini(&c);
	}
	buf_fini(&raw);
}

static void test_compress__less_than_an_eighth_is_not_worth_it(void **state)
{
	uint64_t seed = test_seed(6);
	struct silt_buf raw = { 0 };
	struct silt_slice stored;

	(void)state;
	for (size_t how = 1; how < 3; how++) {
		for (size_t same = 0; same <= 8192; same += 512) {
			struct compress_packed p;
			struct compress c;

			compress_init(&c, all[how]);
			noise(&raw, 8192, &seed);
			memset(raw.data, 'x', same);
			assert_int_equal(compress_pack(&c, &raw, 1, &stored), 0);
			assert_int_equal(compress_open(stored, &p), 0);
			if (p.how != SILT_COMPRESS_NONE)
				assert_true(p.body.len <= 8192 - 1024);
			else
				assert_true(same < 2048);
			compress_fini(&c);
		}
	}
	buf_fini(&raw);
}

static void test_compress__tails_that_lie(void **state)
{
	uint8_t bytes[100 + COMPRESS_TAIL_BYTES] = { 0 };
	uint8_t *tail = bytes + 100;
	struct compress_packed p;

	(void)state;
	for (size_t n = 0; n < COMPRESS_TAIL_BYTES; n++)
		assert_int_equal(compress_open(slice_of(bytes, n), &p), SILT_E_CORRUPT);
	codec_put32(tail, 100);
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), 0);
	codec_put32(tail, 101);                                 /* stored as it is, but of another length */
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), SILT_E_CORRUPT);
	tail[8] = SILT_COMPRESS_LZ4;
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), 0);
	codec_put32(tail, 100);                                 /* compressed to what it was */
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), SILT_E_CORRUPT);
	codec_put32(tail, TABLE_RAW_MAX);
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), 0);
	codec_put32(tail, TABLE_RAW_MAX + 1);
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), SILT_E_CORRUPT);
	codec_put32(tail, 200);
	tail[8] = 3;
	assert_int_equal(compress_open(slice_of(bytes, sizeof(bytes)), &p), SILT_E_CORRUPT);
}

/* Another answer than the right bytes must be an error or bytes within the room: a sanitizer watches the room. */
static void test_compress__hostile_bodies(void **state)
{
	uint64_t seed = test_seed(7);
	struct silt_buf raw = { 0 }, stored = { 0 };
	struct unpackers u = { .idle = { NULL } };
	uint8_t right[2000];
	unsigned refused = 0;

	(void)state;
	for (size_t how = 1; how < 3; how++) {
		struct silt_slice s;
		struct compress c;

		compress_init(&c, all[how]);
		text(&raw, 2000);
		assert_int_equal(compress_pack(&c, &raw, 1, &s), 0);
		assert_int_equal(buf_set(&stored, s), 0);
		for (unsigned i = 0; i < 4000; i++) {
			uint8_t *bytes = stored.data;
			size_t at = test_random(&seed) % (stored.len - 1), cut = i % 4 ? 0 : at;
			uint8_t mask = (uint8_t)(1u << test_random(&seed) % 8);
			struct compress_packed p;

			bytes[at] ^= mask;
			if (compress_open(slice_of(bytes + cut, stored.len - cut), &p) == 0 && p.raw_bytes < 1 << 20) {
				uint8_t *room = mem_alloc(p.raw_bytes);

				assert_non_null(room);
				refused += compress_unpack(&p, &u, room) == SILT_E_CORRUPT;
				mem_free(room);
			}
			bytes[at] ^= mask;
			assert_int_equal(compress_open(buf_slice(&stored), &p), 0);
			assert_int_equal(compress_unpack(&p, &u, right), 0);    /* a context that met damage is as good as new */
			assert_memory_equal(right, raw.data, 2000);
		}
		compress_fini(&c);
	}
	assert_true(refused > 1000);
	unpackers_fini(&u);
	buf_fini(&raw);
	buf_fini(&stored);
}

static void test_compress__without_memory(void **state)
{
	struct silt_buf raw = { 0 };
	struct silt_slice stored;

	(void)state;
	for (size_t how = 0; how < 3; how++) {
		for (uint64_t n = 1;; n++) {
			struct compress c;
			int rc;

			compress_init(&c, all[how]);
			text(&raw, 4096);
			mem_fail_at(n, false);
			rc = compress_pack(&c, &raw, 1, &stored);
			mem_fail_at(0, false);
			compress_fini(&c);
			assert_true(rc == 0 || rc == SILT_E_NOMEM);
			if (rc == 0)
				break;
		}
	}
	buf_fini(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compress__worked_example),
		cmocka_unit_test(test_compress__there_and_back),
		cmocka_unit_test(test_compress__less_than_an_eighth_is_not_worth_it),
		cmocka_unit_test(test_compress__tails_that_lie),
		cmocka_unit_test(test_compress__hostile_bodies),
		cmocka_unit_test(test_compress__without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
