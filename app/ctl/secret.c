/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - the terminal itself is asked, not stdin, which may be the data. */
#include "ctl/secret.h"

#include "ctl/session.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

int secret_ask(const char *what, struct bytes *out)
{
	FILE *tty = fopen("/dev/tty", "r+");
	struct termios seen, unseen;
	int c = EOF;

	if (!tty || tcgetattr(fileno(tty), &seen) != 0) {
		(void)fprintf(stderr, "siltctl: there is no terminal to ask for a %s on: give --user NAME:PASSWORD\n", what);
		if (tty)
			(void)fclose(tty);
		return SESSION_USAGE;
	}
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	(void)fprintf(tty, "%s: ", what);
	(void)fflush(tty);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &unseen);
	while ((c = fgetc(tty)) != EOF && c != '\n')
		bytes_add(out, &(char){ (char)c }, 1);
	(void)tcsetattr(fileno(tty), TCSAFLUSH, &seen);
	(void)fputc('\n', tty);
	(void)fclose(tty);
	return bytes_add(out, "", 1) ? SESSION_OK : session_fail(what, SILT_E_NOMEM);
}

void secret_forget(struct bytes *secret)
{
	if (secret->p)
		explicit_bzero(secret->p, secret->cap);
	bytes_fini(secret);
}
