/* SPDX-License-Identifier: Apache-2.0 */
/* repair_plan.c - telling and gathering. */
#include "db/repair_plan.h"

#include <stdarg.h>
#include <stdio.h>

enum { REPAIR_TEXT = 1024 };

void repair_say(struct repair *r, struct silt_finding *f, const char *format, ...)
{
	char text[REPAIR_TEXT];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	f->text = text;
	r->sum.findings++;
	if (r->fn)
		r->fn(r->ctx, f);
	f->text = NULL;
}

int repair_set_aside(struct repair *r, const char *name)
{
	return buf_append(&r->aside, name, strlen(name) + 1);
}
