/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json.c - any bytes as JSON: what json_check() accepts json-c must parse, in its strict mode; where a
 * fault is reported it lies in the text; the members that were found are values of their own, and their
 * names are what json-c calls them.
 */
#include <assert.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With a NUL behind it: json-c can't know before that a number has ended. */
static struct json_object *fuzz_parse(struct span text)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	struct json_object *parsed;
	char *copy = malloc(text.len + 1);

	assert(tokener != NULL && copy != NULL);
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
	assert(json_tokener_get_error(tokener) == json_tokener_success);
	free(copy);
	json_tokener_free(tokener);
	return parsed;
}

static void fuzz_member(const struct json_member *m, struct json_object *whole)
{
	struct json_doc doc;
	char name[256];

	assert(json_check(m->value, &doc) && doc.kind == m->kind);
	json_object_put(fuzz_parse(m->value));
	if (m->name.len >= sizeof(name) || memchr(m->name.p, '\\', m->name.len) != NULL)
		return;
	memcpy(name, m->name.p, m->name.len);
	name[m->name.len] = 0;
	assert(json_name_is(m->name, name));
	assert(json_object_object_get_ex(whole, name, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct json_object *whole;
	struct json_doc doc;

	if (!json_check(text, &doc)) {
		assert(doc.error != NULL && doc.error_offset <= size);
		return 0;
	}
	assert(doc.error == NULL);
	whole = fuzz_parse(text);
	for (size_t i = 0; i < doc.member_count && i < JSON_MEMBERS_MAX; i++)
		fuzz_member(&doc.member[i], whole);
	json_object_put(whole);
	return 0;
}
