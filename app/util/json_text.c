/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - JSON being printed into a buffer. */
#include "util/json_text.h"

#include "util/base64.h"
#include "util/utf8.h"

/* What stands behind the backslash; 0 = needs none; 'u' = \u00XX. */
static char json_text_escape(unsigned char c)
{
	switch (c) {
	case '"': case '\\': return (char)c;
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return c < 0x20 ? 'u' : 0;
	}
}

static void json_text_escaped(struct bytes *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', json_text_escape(c), '0', '0', hex[c >> 4], hex[c & 15] };

	bytes_add(out, text, text[1] == 'u' ? 6 : 2);
}

void json_text_string(struct bytes *out, struct span s)
{
	size_t from = 0;

	bytes_add(out, "\"", 1);
	for (size_t i = 0; i < s.len; i++) {
		if (json_text_escape((unsigned char)s.p[i]) == 0)
			continue;
		if (i > from)
			bytes_add(out, s.p + from, i - from);
		json_text_escaped(out, (unsigned char)s.p[i]);
		from = i + 1;
	}
	if (s.len > from)
		bytes_add(out, s.p + from, s.len - from);
	bytes_add(out, "\"", 1);
}

static void json_text_name(struct bytes *out, const char *name)
{
	bytes_add(out, "\"", 1);
	bytes_adds(out, name);
	bytes_add(out, "\":", 2);
}

void json_text_bytes(struct bytes *out, const char *name, const char *encoding_name, struct span s)
{
	json_text_name(out, name);
	if (utf8_valid(s)) {
		json_text_string(out, s);
		return;
	}
	bytes_add(out, "\"", 1);
	base64_encode(s, out);
	bytes_add(out, "\",", 2);
	json_text_name(out, encoding_name);
	bytes_adds(out, "\"base64\"");
}

void json_text_number(struct bytes *out, const char *name, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	json_text_name(out, name);
	bytes_add(out, digits + at, sizeof(digits) - at);
}
