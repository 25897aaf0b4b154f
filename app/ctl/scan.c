/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - entries in order, a line each. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/text.h"
#include "util/json_text.h"

#include <stdio.h>
#include <string.h>

static struct silt_slice scan_slice(const struct bytes *b)
{
	return (struct silt_slice){ b->p, b->len };
}

static int scan_cmp(const struct bytes *a, const struct bytes *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int d = n ? memcmp(a->p, b->p, n) : 0;

	return d ? d : (a->len > b->len) - (a->len < b->len);
}

/* The first key behind all that begin with the prefix: "ab" -> "ac", "a\xff" -> "b", "\xff" -> none. */
static bool scan_behind(const struct bytes *prefix, struct bytes *out)
{
	size_t n = prefix->len;

	while (n && (unsigned char)prefix->p[n - 1] == 0xff)
		n--;
	if (n == 0)
		return true;
	if (!bytes_add(out, prefix->p, n))
		return false;
	out->p[n - 1]++;
	return true;
}

/* What lies in [start, end) and begins with the prefix, as bounds. Empty = none. */
static bool scan_bounds(const struct args *a, struct bytes *behind, struct silt_iter_options *o)
{
	o->lower = scan_slice(scan_cmp(&a->start, &a->prefix) > 0 ? &a->start : &a->prefix);
	if (!scan_behind(&a->prefix, behind))
		return false;
	if (behind->len && (a->end.len == 0 || scan_cmp(behind, &a->end) < 0))
		o->upper = scan_slice(behind);
	else
		o->upper = scan_slice(&a->end);
	return true;
}

static void scan_print_json(const silt_iter *it, bool keys_only, struct bytes *out)
{
	struct silt_slice key = silt_iter_key(it), value = silt_iter_value(it);
	struct silt_info info;

	silt_iter_info(it, &info);
	bytes_adds(out, "{");
	json_text_bytes(out, "key", "key_encoding", span_of(key.data, key.len));
	bytes_adds(out, ",");
	json_text_number(out, "version", info.version);
	if (info.expires_ms) {
		bytes_adds(out, ",");
		json_text_number(out, "expires_ms", info.expires_ms);
	}
	if (!keys_only) {
		bytes_adds(out, ",");
		json_text_bytes(out, "value", "encoding", span_of(value.data, value.len));
	}
	bytes_adds(out, "}\n");
}

static void scan_print_line(const silt_iter *it, bool keys_only, struct bytes *out)
{
	struct silt_slice key = silt_iter_key(it), value = silt_iter_value(it);

	text_escape(span_of(key.data, key.len), out);
	if (!keys_only) {
		bytes_adds(out, "\t");
		text_escape(span_of(value.data, value.len), out);
	}
	bytes_adds(out, "\n");
}

static int scan_print(silt_iter *it, const struct args *a)
{
	bool back = a->given & ARGS_REVERSE, keys_only = a->given & ARGS_KEYS_ONLY;
	uint64_t left = a->given & ARGS_LIMIT ? a->limit : UINT64_MAX;
	struct bytes line = { 0 };
	int rc = 0;

	if (left)
		rc = back ? silt_iter_last(it) : silt_iter_first(it);
	for (; left && rc == 0; rc = --left == 0 ? 0 : back ? silt_iter_prev(it) : silt_iter_next(it)) {
		bytes_clear(&line);
		if (a->given & ARGS_JSON)
			scan_print_json(it, keys_only, &line);
		else
			scan_print_line(it, keys_only, &line);
		if (line.bad) {
			rc = SILT_E_NOMEM;
			break;
		}
		(void)fwrite(line.p, 1, line.len, stdout);
		if (ferror(stdout))
			break;                    /* session_flush() says it */
	}
	bytes_fini(&line);
	return rc == SILT_END ? 0 : rc;
}

int scan_command(const struct args *a)
{
	struct silt_iter_options o = { .flags = SILT_NO_FILL };
	struct bytes behind = { 0 };
	silt_iter *it = NULL;
	struct session s;
	int status, rc;

	if (!args_allow(a, ARGS_DB | ARGS_JSON | ARGS_ESCAPED | ARGS_PREFIX | ARGS_START | ARGS_END | ARGS_LIMIT | ARGS_REVERSE |
	                ARGS_KEYS_ONLY, 0))
		return SESSION_USAGE;
	status = session_open(&s, a);
	if (status != SESSION_OK)
		return status;
	rc = scan_bounds(a, &behind, &o) ? silt_iter_new(s.db, &o, &it) : SILT_E_NOMEM;
	if (rc == 0)
		rc = scan_print(it, a);
	if (rc != 0)
		status = session_fail(a->dir, rc);
	silt_iter_close(it);
	session_close(&s);
	bytes_fini(&behind);
	return status;
}
