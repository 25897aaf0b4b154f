/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_percent.c - any bytes, decoded as path and as form: both agree on what is malformed and where; a
 * path's bytes compare equal to the text they came from, and encoded anew decode to themselves. Base64 and
 * the conditions get the same bytes.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/condition.h"
#include "util/base64.h"
#include "util/percent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_encode_again(struct span plain)
{
	struct bytes encoded = {0}, back = {0};
	size_t bad_at;

	for (size_t i = 0; i < plain.len; i++)
		bytes_addf(&encoded, "%%%02x", (unsigned)(unsigned char)plain.p[i]);
	assert(!encoded.bad);
	assert(percent_decode(span_of(encoded.p, encoded.len), PERCENT_FORM, &back, &bad_at));
	assert(back.len == plain.len && (plain.len == 0 || memcmp(back.p, plain.p, plain.len) == 0));
	bytes_fini(&encoded);
	bytes_fini(&back);
}

static void fuzz_percent(struct span text)
{
	struct bytes path = {0}, form = {0};
	size_t path_bad, form_bad;
	bool ok = percent_decode(text, PERCENT_PATH, &path, &path_bad);

	assert(percent_decode(text, PERCENT_FORM, &form, &form_bad) == ok && path.len == form.len);
	if (ok) {
		assert(percent_equals(span_of(path.p, path.len), text) == 1);
		assert(percent_begins(span_of(path.p, path.len), text) == 1);
		fuzz_encode_again(span_of(path.p, path.len));
	} else {
		assert(path_bad == form_bad && text.p[path_bad] == '%');
		assert(percent_equals(span_of("x", 1), text) == -1);
	}
	bytes_fini(&path);
	bytes_fini(&form);
}

static void fuzz_base64(struct span text)
{
	struct bytes plain = {0}, back = {0};
	size_t bad_at;

	if (base64_decode(text, &plain, &bad_at)) {
		assert(base64_encode(span_of(plain.p, plain.len), &back));
		assert(back.len == text.len && (text.len == 0 || memcmp(back.p, text.p, text.len) == 0));
	} else {
		assert(bad_at <= text.len);
	}
	bytes_fini(&plain);
	bytes_fini(&back);
}

static void fuzz_condition(struct span text)
{
	char *header = malloc(text.len + 1);
	struct condition c;

	assert(header != NULL);
	memcpy(header, text.p, text.len);
	header[text.len] = 0;
	if (condition_parse(header, &c)) {
		assert(!c.given || c.any || (c.n > 0 && c.n <= CONDITION_TAGS_MAX));
		assert(!condition_matches(&c, 0));
	}
	free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { size > 0 ? (const char *)data : "", size };

	fuzz_percent(text);
	fuzz_base64(text);
	fuzz_condition(text);
	return 0;
}
