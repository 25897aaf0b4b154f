/* SPDX-License-Identifier: Apache-2.0 */
/* get.c - one value, as it is or with what is known of it. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/target.h"

static int get_print_json(const struct bytes *value, struct entry *e)
{
	struct bytes out = { 0 };
	int status;

	e->value = span_of(value->p ? value->p : "", value->len);
	entry_print(&out, e);
	status = bytes_add(&out, "\n", 1) && !out.bad ? session_print(span_of(out.p, out.len)) : session_fail("get", SILT_E_NOMEM);
	bytes_fini(&out);
	return status;
}

int get_command(const struct args *a)
{
	struct bytes key = { 0 }, value = { 0 };
	struct target *t = NULL;
	struct entry e;
	int status = SESSION_USAGE;

	if (args_allow(a, ARGS_TARGET | ARGS_JSON | ARGS_ESCAPED, 1))
		status = target_key(a, a->operand[0], &key);
	if (status == SESSION_OK)
		status = target_open(a, TARGET_READ, &t);
	if (status == SESSION_OK)
		status = t->ops->get(t, span_of(key.p, key.len), &value, &e);
	if (status == SESSION_OK && (a->given & ARGS_JSON))
		status = get_print_json(&value, &e);
	else if (status == SESSION_OK && value.len)
		status = session_print(span_of(value.p, value.len));
	target_close(t);
	bytes_fini(&key);
	bytes_fini(&value);
	return status;
}
