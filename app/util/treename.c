/* SPDX-License-Identifier: Apache-2.0 */
/* treename.c - keys as paths of files below a directory, and back. */
#include "util/treename.h"

#include "util/percent.h"
#include "util/utf8.h"

#include <string.h>

/* One that can't stand for itself at i; the slash that stands between two names can. */
static bool treename_odd(struct span key, size_t i)
{
	unsigned char c = (unsigned char)key.p[i];
	size_t begin = i, end = i;

	if (c < 0x20 || c == 0x7f || c == '%')
		return true;
	if (c == '/')
		return i == 0 || i + 1 == key.len || key.p[i - 1] == '/';
	if (c != '.')
		return false;
	while (begin > 0 && key.p[begin - 1] != '/')
		begin--;
	while (end < key.len && key.p[end] != '/')
		end++;
	return end - begin == 1 || (end - begin == 2 && key.p[begin] == '.' && key.p[begin + 1] == '.');
}

/* A unit of a name, which is never cut in two: length within the path; *used bytes of the key. */
static size_t treename_unit(struct span key, size_t i, char *unit, size_t *used)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = utf8_sequence(key.p + i, key.len - i);
	unsigned char c = (unsigned char)key.p[i];

	*used = n ? n : 1;
	if (n == 0 || treename_odd(key, i)) {
		memcpy(unit, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
		return 3;
	}
	memcpy(unit, key.p + i, n);
	return n;
}

bool treename_of(struct span key, struct bytes *path)
{
	size_t name = path->len;      /* where the name at hand begins */

	for (size_t i = 0, used; i < key.len; i += used) {
		char unit[4];
		size_t n = treename_unit(key, i, unit, &used);

		if (n == 1 && unit[0] == '/') {
			bytes_add(path, "/", 1);
			name = path->len;
			continue;
		}
		if (path->len - name + n > TREENAME_MAX) {
			bytes_adds(path, "%/");
			name = path->len;
		}
		bytes_add(path, unit, n);
	}
	return !path->bad;
}

bool treename_flat(struct span rest, struct bytes *path)
{
	size_t name = path->len;

	for (size_t i = 0; i < rest.len; i++) {
		bool joined = rest.p[i] == '%' && i + 1 < rest.len && rest.p[i + 1] == '/';
		size_t n = rest.p[i] == '/' ? 3 : rest.p[i] == '%' && !joined ? 3 : utf8_sequence(rest.p + i, rest.len - i);

		if (joined) {
			i++;                             /* names are cut anew */
			continue;
		}
		if (path->len - name + n > TREENAME_MAX) {
			bytes_adds(path, "%/");
			name = path->len;
		}
		if (rest.p[i] == '/') {
			bytes_adds(path, "%2F");
		} else {
			bytes_add(path, rest.p + i, n);
			i += n - 1;
		}
	}
	return !path->bad;
}

/* May a byte be written as %XX? */
static bool treename_escaped(int byte)
{
	return byte < 0x20 || byte >= 0x7f || byte == '%' || byte == '/' || byte == '.';
}

bool treename_key(struct span path, struct bytes *key, size_t *bad_at)
{
	for (size_t i = 0; i < path.len; i++) {
		int high, low;

		if (path.p[i] != '%') {
			bytes_add(key, path.p + i, 1);
			continue;
		}
		*bad_at = i;
		if (i + 1 < path.len && path.p[i + 1] == '/') {
			i++;
			continue;
		}
		high = path.len - i > 2 ? percent_hex(path.p[i + 1]) : -1;
		low = path.len - i > 2 ? percent_hex(path.p[i + 2]) : -1;
		if (high < 0 || low < 0 || !treename_escaped(high * 16 + low))
			return false;
		bytes_add(key, &(char){ (char)(high * 16 + low) }, 1);
		i += 2;
	}
	return !key->bad;
}
