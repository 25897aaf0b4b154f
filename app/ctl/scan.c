/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - entries in order, a line each. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/target.h"
#include "ctl/text.h"

struct scan {
	bool json;
	struct bytes line;
};

static int scan_print(void *ctx, const struct entry *e)
{
	struct scan *s = ctx;

	bytes_clear(&s->line);
	if (s->json) {
		entry_print(&s->line, e);
	} else {
		text_escape(e->key, &s->line);
		if (e->value.p) {
			bytes_adds(&s->line, "\t");
			text_escape(e->value, &s->line);
		}
	}
	bytes_adds(&s->line, "\n");
	return s->line.bad ? session_fail("scan", SILT_E_NOMEM) : session_print(span_of(s->line.p, s->line.len));
}

int scan_command(const struct args *a)
{
	struct scan s = { .json = a->given & ARGS_JSON };
	struct bytes behind = { 0 };
	struct target_scanned done;
	struct target_range range;
	struct target *t = NULL;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET | ARGS_RANGE | ARGS_JSON | ARGS_LIMIT | ARGS_REVERSE | ARGS_KEYS_ONLY, 0))
		status = target_range(a, &behind, &range);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_OK) {
		stop_begin();
		if (a->given & ARGS_LIMIT)
			range.limit = a->limit;
		status = t->ops->scan(t, &range, scan_print, &s, &done);
	}
	target_close(t);
	bytes_fini(&behind);
	bytes_fini(&s.line);
	return status;
}
