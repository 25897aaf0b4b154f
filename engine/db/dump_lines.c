/* SPDX-License-Identifier: Apache-2.0 */
/* dump_lines.c - see dump_lines.h. */
#include "db/dump_lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void dump_line(struct dump *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d->line, sizeof(d->line), format, args);
	va_end(args);
	d->fn(d->ctx, d->line);
}

const char *dump_text(struct dump *d, int slot, struct silt_slice s, size_t shown)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = s.data;
	char *out = d->text[slot];
	size_t n = 0;

	out[n++] = '"';
	for (size_t i = 0; i < s.len && i < shown; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
			out[n++] = (char)p[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[p[i] >> 4];
		out[n++] = hex[p[i] & 15];
	}
	memcpy(out + n, s.len > shown ? "\"..." : "\"", s.len > shown ? 5 : 2);
	return out;
}

void dump_range(struct dump *d, const char *indent, struct silt_slice lower, struct silt_slice upper, uint64_t version)
{
	char text[32] = "";

	if (version)
		(void)snprintf(text, sizeof(text), " version %" PRIu64, version);
	dump_line(d, "%sdelete from %s to %s%s", indent, dump_text(d, 0, lower, SILT_KEY_MAX),
	          upper.len ? dump_text(d, 1, upper, SILT_KEY_MAX) : "the last", text);
}

void dump_entry(struct dump *d, const char *indent, const struct entry *e)
{
	char more[640] = "", version[32] = "";
	size_t n = 0;

	if (e->version)
		(void)snprintf(version, sizeof(version), " version %" PRIu64, e->version);
	if (e->kind == ENTRY_RANGE_DELETE) {
		dump_range(d, indent, e->key, e->value, e->version);
		return;
	}
	if (e->kind == ENTRY_DELETE) {
		dump_line(d, "%sdelete %s%s", indent, dump_text(d, 0, e->key, SILT_KEY_MAX), version);
		return;
	}
	if (e->expires_ms)
		n += (size_t)snprintf(more, sizeof(more), " expires %" PRIu64, e->expires_ms);
	if (e->meta.len)
		(void)snprintf(more + n, sizeof(more) - n, " meta %s", dump_text(d, 1, e->meta, 128));
	dump_line(d, "%sput %s%s%s value of %zu bytes %s", indent, dump_text(d, 0, e->key, SILT_KEY_MAX), version, more,
	          e->value.len, dump_text(d, 1, e->value, DUMP_VALUE_SHOWN));
}
