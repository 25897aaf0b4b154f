/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_text.c - the short texts that come from outside: counters, decimals, file names, times to live, lists of tags. The first byte
 * chooses. What is taken comes back when it is written anew, and nothing out of range is.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/counter.h"
#include "core/filename.h"
#include "server/condition.h"
#include "server/ttl.h"
#include "util/decimal.h"

#define CHECK(x) ((x) ? (void)0 : __builtin_trap())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_TEXT_MAX = 4096 };

static void fuzz_counter(const char *text, size_t n)
{
	char again[COUNTER_TEXT_MAX];
	int64_t v = 0, back = 0;
	size_t len;

	if (counter_parse(slice_of(text, n), &v) != 0)
		return;
	len = counter_print(v, again);
	CHECK((len == n && memcmp(again, text, n) == 0) || (v == 0 && n == 2 && memcmp(text, "-0", 2) == 0));
	CHECK(counter_parse(slice_of(again, len), &back) == 0 && back == v);
}

static void fuzz_decimal(const char *text, size_t n)
{
	static const uint64_t bounds[] = { 0, 9, 10, UINT32_MAX, UINT64_MAX / 10, UINT64_MAX };
	uint64_t all = 7, v;
	char again[32];
	bool whole = decimal_parse((struct span){ text, n }, UINT64_MAX, &all);

	if (whole) {
		snprintf(again, sizeof(again), "%llu", (unsigned long long)all);
		CHECK(strlen(again) == n && memcmp(again, text, n) == 0);
	} else {
		CHECK(all == 7);
	}
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		CHECK(decimal_parse((struct span){ text, n }, bounds[i], &v) == (whole && all <= bounds[i]));
	if (ttl_parse((struct span){ text, n }, &v))
		CHECK(whole && v == all && v >= 1 && v <= TTL_SECONDS_MAX);
}

static void fuzz_filename(const char *text, size_t n)
{
	char name[FUZZ_TEXT_MAX + 1], again[FILENAME_MAX_BYTES];
	uint64_t number = 0;
	enum file_kind kind;

	memcpy(name, text, n);
	name[n] = '\0';
	kind = filename_parse(name, &number);
	if (kind == FILE_WAL)
		CHECK(filename_wal("d", number, false, again) == 0 && strcmp(again + 2, name) == 0);
	else if (kind == FILE_TABLE)
		CHECK(filename_table("d", number, false, again) == 0 && strcmp(again + 2, name) == 0);
	else if (kind == FILE_TMP)
		CHECK(n > 4 && strcmp(name + strlen(name) - 4, ".tmp") == 0);
	else
		CHECK(number == 0);
}

static void fuzz_condition(const char *text, size_t n)
{
	char header[FUZZ_TEXT_MAX + 1];
	struct condition c;

	memcpy(header, text, n);
	header[n] = '\0';
	if (!condition_parse(header, &c))
		return;
	CHECK(c.given == (header[0] != '\0') && c.n <= CONDITION_TAGS_MAX && (!c.given || c.any || c.n >= 1));
	for (size_t i = 0; i < c.n; i++) {
		CHECK(c.versions[i] <= CONDITION_FOREIGN);
		CHECK(c.versions[i] == 0 || condition_matches(&c, c.versions[i]));
	}
	CHECK(!condition_matches(&c, 0));          /* an absent key has no version that could be named */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	size_t n = size - 1;

	if (size == 0 || n > FUZZ_TEXT_MAX)
		return 0;
	switch (data[0] % 4) {
	case 0:
		fuzz_counter(text, n);
		break;
	case 1:
		fuzz_decimal(text, n);
		break;
	case 2:
		fuzz_filename(text, n);
		break;
	default:
		fuzz_condition(text, n);
	}
	return 0;
}
