/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.c - the terminal itself is asked, not stdin, which may be the data.
 *
 * Signals   what would end or stop the process while it asks is noted, the terminal made to echo again, and only then the signal raised anew,
 *           for whoever takes it.
 */
#include "ctl/secret.h"

#include "ctl/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int secret_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
enum { SECRET_SIGNALS = sizeof(secret_signals) / sizeof(secret_signals[0]) };

static volatile sig_atomic_t secret_signal;

static void secret_note(int number)
{
	secret_signal = number;
}

static void secret_catch(struct sigaction before[SECRET_SIGNALS])
{
	struct sigaction note = { .sa_handler = secret_note };

	(void)sigemptyset(&note.sa_mask);
	secret_signal = 0;
	for (int i = 0; i < SECRET_SIGNALS; i++)
		if (sigaction(secret_signals[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
			(void)sigaction(secret_signals[i], &note, NULL);
}

static void secret_let_go(const struct sigaction before[SECRET_SIGNALS])
{
	for (int i = 0; i < SECRET_SIGNALS; i++)
		(void)sigaction(secret_signals[i], &before[i], NULL);
}

/* A line; false: the terminal ended, or a signal came. */
static bool secret_line(int tty, struct bytes *out)
{
	ssize_t n;
	char c;

	while ((n = read(tty, &c, 1)) == 1 && c != '\n')
		bytes_add(out, &c, 1);
	return n == 1;
}

/* One question; the signal that ended it is in secret_signal. */
static bool secret_read(int tty, const char *what, struct bytes *out)
{
	struct termios seen, unseen;
	bool ok = tcgetattr(tty, &seen) == 0;

	if (!ok)
		return false;
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(tty, TCSAFLUSH, &unseen);        /* first: what is typed when the question is seen must not be flushed */
	(void)dprintf(tty, "%s: ", what);
	ok = secret_signal == 0 && secret_line(tty, out);
	(void)tcsetattr(tty, TCSAFLUSH, &seen);
	(void)dprintf(tty, "\n");
	return ok;
}

int secret_ask(const char *what, struct bytes *out)
{
	struct sigaction before[SECRET_SIGNALS];
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool ok;

	if (tty < 0) {
		(void)fprintf(stderr, "siltctl: there is no terminal to ask for a %s on: give --user NAME:PASSWORD\n", what);
		return SESSION_USAGE;
	}
	do {
		secret_forget(out);
		secret_catch(before);
		ok = secret_read(tty, what, out);
		secret_let_go(before);
		if (secret_signal)
			(void)raise(secret_signal);      /* SIGTSTP: and asked again when it goes on */
	} while (secret_signal == SIGTSTP);
	(void)close(tty);
	if (secret_signal)
		return 128 + secret_signal;
	if (!ok) {
		(void)fprintf(stderr, "siltctl: no %s was given\n", what);
		return SESSION_USAGE;
	}
	return bytes_add(out, "", 1) ? SESSION_OK : session_fail(what, SILT_E_NOMEM);
}

void secret_forget(struct bytes *secret)
{
	if (secret->p)
		explicit_bzero(secret->p, secret->cap);
	bytes_fini(secret);
}
