/* SPDX-License-Identifier: Apache-2.0 */
/* shutdown.c - a running server flushed, synced and ended. */
#include "ctl/commands.h"
#include "ctl/http.h"
#include "ctl/look.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"

#include <stdio.h>

static int shutdown_say(const struct args *a, struct http *h, const struct http_answer *answer)
{
	struct bytes message = { 0 };
	struct span object;
	int status = SESSION_OK;

	if (!look_object(span_of(answer->body.p, answer->body.len), &object) || !look_text(object, "message", &message))
		status = http_odd(h, answer);
	else if (a->given & ARGS_JSON)
		(void)printf("%.*s\n", (int)answer->body.len, answer->body.p);
	else
		text_show(stdout, span_of(message.p, message.len));
	if (status == SESSION_OK && !(a->given & ARGS_JSON))
		(void)putchar('\n');
	bytes_fini(&message);
	return status;
}

int shutdown_command(const struct args *a)
{
	struct http_request r = { .method = "POST", .path = "/shutdown", .silence_s = HTTP_WAIT_FOR_EVER };
	struct http_answer answer = { 0 };
	struct http *h = NULL;
	int status = SESSION_USAGE;

	if (!args_allow(a, (ARGS_TARGET & ~ARGS_DB) | ARGS_JSON, 0))
		return status;
	if (!a->url) {
		(void)fprintf(stderr, "siltctl shutdown: --url says which server\n");
		return status;
	}
	status = http_open(a, &h);
	stop_begin();
	if (status == SESSION_OK)
		status = http_ask(h, &r, &answer);
	if (status == SESSION_OK)
		status = answer.status == 200 ? shutdown_say(a, h, &answer) : http_odd(h, &answer);
	http_close(h);
	http_answer_fini(&answer);
	return status;
}
