/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_check.c - is this text JSON, strictly?
 *
 * Shape     a loop with a stack of its own, so that nesting costs no C stack: a value begins
 *           (json_check_begin), and where it ends so may those around it (json_check_end) until a comma
 *           asks for the next one.
 * Names     of all objects that are open lie on one stack, the innermost object's on top; at its end they
 *           are sorted and compared, so a million members cost n log n, not a million squared.
 * Source    RFC 8259; the cases of its tests follow the questions of Seriot, "Parsing JSON is a Minefield".
 */
#include "util/json_check.h"

#include "util/percent.h"
#include "util/utf8.h"

#include <stdlib.h>
#include <string.h>

#define JSON_CHECK_NAMES_INLINE 32

struct json_name {
	struct span text;                       /* between the quotes */
};

struct json_level {
	bool object;
	size_t first_name;                      /* index on the stack of names */
};

struct json_checker {
	const char *p;
	size_t len, at;
	struct json_doc *doc;
	size_t depth;
	struct json_level level[JSON_DEPTH_MAX];
	struct json_name *names;                /* inline_names, or the heap's */
	size_t name_count, name_cap;
	struct json_name inline_names[JSON_CHECK_NAMES_INLINE];
};

static bool json_check_fail(struct json_checker *c, size_t at, const char *error)
{
	c->doc->error = error;
	c->doc->error_offset = at;
	return false;
}

static void json_check_blanks(struct json_checker *c)
{
	while (c->at < c->len &&
	       (c->p[c->at] == ' ' || c->p[c->at] == '\t' || c->p[c->at] == '\n' || c->p[c->at] == '\r'))
		c->at++;
}

/* The next byte, or 0 at the end (a NUL in the text is no better than the end: nothing may be one). */
static char json_check_peek(const struct json_checker *c)
{
	return c->at < c->len ? c->p[c->at] : 0;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* The four hex digits at p; -1 where they are none. */
static int32_t json_check_hex4(const char *p, size_t left)
{
	int32_t n = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = percent_hex(p[i]);

		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}

/* Length of the \uXXXX, or of the pair of them, at c->at; 0 = malformed or a lone surrogate. */
static size_t json_check_unicode(const struct json_checker *c)
{
	const char *p = c->p + c->at;
	size_t left = c->len - c->at;
	int32_t first = json_check_hex4(p + 2, left - 2), second;

	if (first < 0 || (first >= 0xdc00 && first <= 0xdfff))
		return 0;
	if (first < 0xd800 || first > 0xdfff)
		return 6;
	if (left < 12 || p[6] != '\\' || p[7] != 'u')
		return 0;
	second = json_check_hex4(p + 8, left - 8);
	return second >= 0xdc00 && second <= 0xdfff ? 12 : 0;
}

static bool json_check_escape(struct json_checker *c)
{
	size_t n = 2;

	if (c->len - c->at < 2)
		return json_check_fail(c, c->len, "the text ends inside a string");
	if (c->p[c->at + 1] == 'u')
		n = json_check_unicode(c);
	else if (c->p[c->at + 1] == 0 || strchr("\"\\/bfnrt", c->p[c->at + 1]) == NULL)
		n = 0;
	if (n == 0)
		return json_check_fail(c, c->at, "an escape that means no character");
	c->at += n;
	return true;
}

/* From the opening quote to behind the closing one. */
static bool json_check_string(struct json_checker *c)
{
	c->at++;
	while (c->at < c->len) {
		unsigned char byte = (unsigned char)c->p[c->at];
		size_t n;

		if (byte == '"') {
			c->at++;
			return true;
		}
		if (byte == '\\') {
			if (!json_check_escape(c))
				return false;
			continue;
		}
		if (byte < 0x20)
			return json_check_fail(c, c->at, "a raw control byte in a string");
		if (byte < 0x80) {
			c->at++;
			continue;
		}
		n = utf8_sequence(c->p + c->at, c->len - c->at);
		if (n == 0)
			return json_check_fail(c, c->at, "a string is not UTF-8");
		c->at += n;
	}
	return json_check_fail(c, c->len, "the text ends inside a string");
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The next character of a checked string, decoded. */
static uint32_t json_name_next(const char **p)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *s = *p;

	if (*s != '\\') {
		uint32_t lead = (unsigned char)*s;
		size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
		uint32_t c = n == 1 ? lead : lead & (0x7fu >> n);

		for (size_t i = 1; i < n; i++)
			c = c << 6 | ((unsigned char)s[i] & 0x3f);
		*p = s + n;
		return c;
	}
	if (s[1] == 'u') {
		uint32_t c = (uint32_t)json_check_hex4(s + 2, 4);

		*p = s + 6;
		if (c >= 0xd800 && c <= 0xdbff) {        /* checked: its other half follows */
			c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)json_check_hex4(s + 8, 4) - 0xdc00);
			*p = s + 12;
		}
		return c;
	}
	*p = s + 2;
	return (unsigned char)meant[strchr(plain, s[1]) - plain];
}

static int json_name_compare(struct span a, struct span b)
{
	const char *pa = a.p, *pb = b.p, *enda = a.p + a.len, *endb = b.p + b.len;

	while (pa < enda && pb < endb) {
		uint32_t ca = json_name_next(&pa), cb = json_name_next(&pb);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return (pa < enda) - (pb < endb);
}

bool json_name_is(struct span name, const char *plain)
{
	return json_name_compare(name, span_str(plain)) == 0;
}

static int json_check_order(const void *a, const void *b)
{
	const struct json_name *x = a, *y = b;
	int order = json_name_compare(x->text, y->text);

	return order != 0 ? order : (x->text.p > y->text.p) - (x->text.p < y->text.p);
}

/* The names of the object that ends here are all different. */
static bool json_check_names(struct json_checker *c, size_t first)
{
	struct json_name *names = c->names + first;
	size_t n = c->name_count - first, at = SIZE_MAX;

	c->name_count = first;
	if (n > 1)
		qsort(names, n, sizeof(*names), json_check_order);
	for (size_t i = 1; i < n; i++) {
		size_t offset = (size_t)(names[i].text.p - c->p) - 1;

		if (offset < at && json_name_compare(names[i - 1].text, names[i].text) == 0)
			at = offset;
	}
	return at == SIZE_MAX || json_check_fail(c, at, "a member's name for the second time");
}

static bool json_check_names_grow(struct json_checker *c)
{
	struct json_name *more;
	size_t cap = c->name_cap * 2;

	if (c->names == c->inline_names) {
		more = malloc(cap * sizeof(*more));
		if (more != NULL)
			memcpy(more, c->inline_names, sizeof(c->inline_names));
	} else {
		more = realloc(c->names, cap * sizeof(*more));
	}
	if (more == NULL) {
		c->doc->no_memory = true;
		return json_check_fail(c, c->at, "no memory to check it");
	}
	c->names = more;
	c->name_cap = cap;
	return true;
}

/* "name" and its colon, up to where the value begins. */
static bool json_check_name(struct json_checker *c)
{
	size_t start;

	json_check_blanks(c);
	start = c->at;
	if (json_check_peek(c) != '"')
		return json_check_fail(c, c->at, "expected a member's name in double quotes");
	if (!json_check_string(c))
		return false;
	if (c->name_count == c->name_cap && !json_check_names_grow(c))
		return false;
	c->names[c->name_count++].text = span_of(c->p + start + 1, c->at - start - 2);
	if (c->depth == 1 && ++c->doc->member_count <= JSON_MEMBERS_MAX)
		c->doc->member[c->doc->member_count - 1].name = c->names[c->name_count - 1].text;
	json_check_blanks(c);
	if (json_check_peek(c) != ':')
		return json_check_fail(c, c->at, "expected a colon");
	c->at++;
	return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

static size_t json_check_digits(struct json_checker *c)
{
	size_t start = c->at;

	while (c->at < c->len && c->p[c->at] >= '0' && c->p[c->at] <= '9')
		c->at++;
	return c->at - start;
}

/* -?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)? */
static bool json_check_number(struct json_checker *c)
{
	size_t start = c->at, whole;

	if (json_check_peek(c) == '-')
		c->at++;
	whole = c->at;
	if (json_check_digits(c) == 0 || (c->p[whole] == '0' && c->at - whole > 1))
		return json_check_fail(c, start, "not a number");
	if (json_check_peek(c) == '.') {
		c->at++;
		if (json_check_digits(c) == 0)
			return json_check_fail(c, start, "not a number");
	}
	if (json_check_peek(c) == 'e' || json_check_peek(c) == 'E') {
		c->at++;
		if (json_check_peek(c) == '+' || json_check_peek(c) == '-')
			c->at++;
		if (json_check_digits(c) == 0)
			return json_check_fail(c, start, "not a number");
	}
	return true;
}

static bool json_check_literal(struct json_checker *c, const char *word)
{
	size_t n = strlen(word);

	if (c->len - c->at < n || memcmp(c->p + c->at, word, n) != 0)
		return json_check_fail(c, c->at, "expected a value");
	c->at += n;
	return true;
}

static bool json_check_push(struct json_checker *c, bool object)
{
	if (c->depth == JSON_DEPTH_MAX)
		return json_check_fail(c, c->at, "nested too deep");
	c->level[c->depth].object = object;
	c->level[c->depth].first_name = c->name_count;
	c->depth++;
	c->at++;
	return true;
}

/* The bracket at c->at closes the innermost level. */
static bool json_check_pop(struct json_checker *c)
{
	c->at++;
	c->depth--;
	return !c->level[c->depth].object || json_check_names(c, c->level[c->depth].first_name);
}

/* What kind of value begins with this byte; anything that is none is taken for a number, and fails there. */
enum json_kind json_kind_of(char first)
{
	switch (first) {
	case '{': return JSON_OBJECT;
	case '[': return JSON_ARRAY;
	case '"': return JSON_STRING;
	case 't': case 'f': return JSON_BOOL;
	case 'n': return JSON_NULL;
	default: return JSON_NUMBER;
	}
}

/* Where the kept member of the outermost object begins or ends; NULL where this value is none. */
static struct json_member *json_check_member(struct json_checker *c)
{
	if (c->depth != 1 || !c->level[0].object || c->doc->member_count > JSON_MEMBERS_MAX)
		return NULL;
	return &c->doc->member[c->doc->member_count - 1];
}

/* The brackets that open a value; *inside where it holds something, which comes next. */
static bool json_check_open(struct json_checker *c, bool object, bool *inside)
{
	if (!json_check_push(c, object))
		return false;
	json_check_blanks(c);
	if (json_check_peek(c) == (object ? '}' : ']'))
		return json_check_pop(c);
	*inside = true;
	return !object || json_check_name(c);
}

/* A value begins at c->at. */
static bool json_check_begin(struct json_checker *c, bool *inside)
{
	struct json_member *member;
	enum json_kind kind;
	char first;

	json_check_blanks(c);
	first = json_check_peek(c);
	kind = json_kind_of(first);
	if (c->depth == 0)
		c->doc->kind = kind;
	member = json_check_member(c);
	if (member != NULL) {
		member->kind = kind;
		member->value.p = c->p + c->at;
	}
	*inside = false;
	switch (kind) {
	case JSON_OBJECT: return json_check_open(c, true, inside);
	case JSON_ARRAY: return json_check_open(c, false, inside);
	case JSON_STRING: return json_check_string(c);
	case JSON_BOOL: return json_check_literal(c, first == 't' ? "true" : "false");
	case JSON_NULL: return json_check_literal(c, "null");
	default: break;
	}
	if (first != '-' && (first < '0' || first > '9'))
		return json_check_fail(c, c->at, "expected a value");
	return json_check_number(c);
}

/* A value ended at c->at: so may those around it. *more where another value must follow. */
static bool json_check_end(struct json_checker *c, bool *more)
{
	*more = false;
	for (;;) {
		struct json_member *member = json_check_member(c);
		bool object;
		char next;

		if (member != NULL)
			member->value.len = (size_t)(c->p + c->at - member->value.p);
		json_check_blanks(c);
		if (c->depth == 0)
			return c->at == c->len ||
			       json_check_fail(c, c->at, "something behind the end of the value");
		object = c->level[c->depth - 1].object;
		next = json_check_peek(c);
		if (next == ',') {
			c->at++;
			*more = true;
			return !object || json_check_name(c);
		}
		if (next != (object ? '}' : ']'))
			return json_check_fail(c, c->at, object ? "expected , or }" : "expected , or ]");
		if (!json_check_pop(c))
			return false;
	}
}

bool json_check(struct span text, struct json_doc *doc)
{
	struct json_checker c;
	bool ok, more = true;

	/* not the arrays: a check of 30 bytes would spend most of its time clearing them */
	c.p = text.p;
	c.len = text.len;
	c.at = c.depth = c.name_count = 0;
	c.doc = doc;
	c.names = c.inline_names;
	c.name_cap = JSON_CHECK_NAMES_INLINE;
	doc->kind = JSON_NULL;
	doc->member_count = doc->error_offset = 0;
	doc->error = NULL;
	doc->no_memory = false;
	do {
		bool inside;

		ok = json_check_begin(&c, &inside) && (inside || json_check_end(&c, &more));
	} while (ok && more);
	if (c.names != c.inline_names)
		free(c.names);
	return ok;
}
