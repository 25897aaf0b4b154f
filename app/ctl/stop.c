/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - a signal handler can reach nothing but a static: the one there is in siltctl. */
#include "ctl/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_signal;

static void stop_note(int number)
{
	stop_signal = number;
}

void stop_begin(void)
{
	struct sigaction note = { .sa_handler = stop_note, .sa_flags = (int)SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(&note.sa_mask);
	(void)sigaction(SIGINT, &note, NULL);
	(void)sigaction(SIGTERM, &note, NULL);
	(void)sigaction(SIGHUP, &note, NULL);
	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int stop_asked(void)
{
	return stop_signal;
}

void stop_forget(void)
{
	stop_signal = 0;
}

int stop_status(void)
{
	return 128 + stop_signal;
}
