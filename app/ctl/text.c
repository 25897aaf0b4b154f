/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - escaping by the rules of text.h, and sizes for people. */
#include "ctl/text.h"

#include "util/percent.h"
#include "util/utf8.h"

#include <string.h>

static const char text_letters[] = "\\\\t\tn\nr\r";       /* pairs: the letter, the byte it means */

static bool text_escape_byte(unsigned char c, struct bytes *out)
{
	for (size_t i = 0; i < sizeof(text_letters) - 1; i += 2)
		if ((unsigned char)text_letters[i + 1] == c)
			return bytes_addf(out, "\\%c", text_letters[i]);
	return bytes_addf(out, "\\x%02x", c);
}

/* U+0080 to U+009F: to a terminal they may be what ESC and a letter are. */
static bool text_is_c1(const char *p, size_t n)
{
	return n == 2 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;
}

void text_escape(struct span in, struct bytes *out)
{
	for (size_t i = 0; i < in.len;) {
		unsigned char c = (unsigned char)in.p[i];
		size_t n = utf8_sequence(in.p + i, in.len - i);

		if (n == 0 || c < 0x20 || c == 0x7f || c == '\\' || text_is_c1(in.p + i, n)) {
			text_escape_byte(c, out);
			i++;
		} else {
			bytes_add(out, in.p + i, n);
			i += n;
		}
	}
}

/* What stands behind a backslash at p: how many bytes it takes, 0 = no escape; *byte is what it means. */
static size_t text_read_escape(const char *p, size_t left, char *byte)
{
	int high, low;

	for (size_t i = 0; left && i < sizeof(text_letters) - 1; i += 2) {
		if (*p == text_letters[i]) {
			*byte = text_letters[i + 1];
			return 1;
		}
	}
	if (left < 3 || *p != 'x' || (high = percent_hex(p[1])) < 0 || (low = percent_hex(p[2])) < 0)
		return 0;
	*byte = (char)(high * 16 + low);
	return 3;
}

bool text_unescape(struct span in, struct bytes *out, size_t *bad_at)
{
	for (size_t i = 0; i < in.len; i++) {
		char byte = in.p[i];

		*bad_at = i;
		if (byte == '\\') {
			size_t n = text_read_escape(in.p + i + 1, in.len - i - 1, &byte);

			if (n == 0)
				return false;
			i += n;
		}
		if (!bytes_add(out, &byte, 1))
			return false;
	}
	return true;
}

void text_show(FILE *f, struct span s)
{
	struct bytes text = { 0 };

	text_escape(s, &text);
	if (!text.bad && text.len)
		(void)fwrite(text.p, 1, text.len, f);
	bytes_fini(&text);
}

const char *text_size(uint64_t bytes, char *out)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double v = (double)bytes;
	size_t unit = 0;

	while (v >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1024;
		unit++;
	}
	(void)snprintf(out, TEXT_SIZE, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return out;
}
