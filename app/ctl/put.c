/* SPDX-License-Identifier: Apache-2.0 */
/* put.c - one value written: an operand, a file, or what comes on stdin. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* All of a file, NULL or "-" = stdin, but not more than a value may have. */
static int put_read(const char *path, struct bytes *out)
{
	bool is_stdin = !path || strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "rb");
	const char *name = is_stdin ? "stdin" : path;
	int status = SESSION_OK;
	size_t n = 1;

	while (f && n && status == SESSION_OK) {
		if (!bytes_reserve(out, 64 << 10)) {
			status = session_fail(name, SILT_E_NOMEM);
		} else {
			n = fread(out->p + out->len, 1, out->cap - out->len, f);
			out->len += n;
			if (out->len > SILT_VALUE_MAX)
				status = session_fail(name, SILT_E_TOOBIG);
		}
	}
	if (!f || ferror(f)) {
		(void)fprintf(stderr, "siltctl: %s: %s\n", name, strerror(errno));
		status = SESSION_UNREADABLE;
	}
	if (f && !is_stdin)
		(void)fclose(f);
	return status;
}

static int put_value(const struct args *a, struct bytes *out)
{
	if (a->operands < 2)
		return put_read(a->file, out);
	if (a->file) {
		(void)fprintf(stderr, "siltctl put: a value as well as --file\n");
		return SESSION_USAGE;
	}
	return bytes_adds(out, a->operand[1]) ? SESSION_OK : session_fail("put", SILT_E_NOMEM);
}

static int put_entry(const struct args *a, struct entry *e)
{
	e->meta = span_str(a->content_type);
	e->ttl_s = a->ttl_s;
	if (entry_is_type(e->meta))
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl put: --content-type has at most 255 visible ASCII characters\n");
	return SESSION_USAGE;
}

int put_command(const struct args *a)
{
	struct bytes key = { 0 }, value = { 0 };
	struct target_cond conds[2];
	struct target *t = NULL;
	struct entry e = { 0 };
	uint64_t version = 0;
	size_t n;
	int status = SESSION_USAGE;

	if (args_allow_some(a, ARGS_TARGET | ARGS_JSON | ARGS_ESCAPED | ARGS_FILE | ARGS_TTL | ARGS_CONTENT_TYPE | ARGS_IF_MATCH |
	                    ARGS_IF_NONE_MATCH | ARGS_CREATE, 1, 2))
		status = target_key(a, a->operand[0], &key);
	if (status == SESSION_OK)
		status = target_conds(a, conds, &n);
	if (status == SESSION_OK)
		status = put_entry(a, &e);
	if (status == SESSION_OK)
		status = put_value(a, &value);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_WRITE, &t);
	if (status == SESSION_OK) {
		stop_begin();                    /* it is done, or said to be in doubt */
		e.key = span_of(key.p, key.len);
		e.value = span_of(value.p ? value.p : "", value.len);
		status = t->ops->put(t, &e, conds, n, &version);
	}
	if (status == SESSION_OK)
		(void)printf(a->given & ARGS_JSON ? "{\"version\":%" PRIu64 "}\n" : "version %" PRIu64 "\n", version);
	target_close(t);
	bytes_fini(&key);
	bytes_fini(&value);
	return status;
}
