/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - the whole terminal taken for a picture that is drawn anew, and given back as it was.
 *
 * Keys come at once and unseen; what is written to stderr meanwhile is kept, so that it does not lie across the picture: its last line can
 * be shown in it. Ctrl-C is a signal (stop.h); Ctrl-Z and Ctrl-\ do nothing, so that no end leaves the terminal taken.
 */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include "util/bytes.h"

#include <termios.h>

struct screen {
	bool taken;
	struct termios before;
	int err, kept;                /* stderr itself, and the file that stands for it */
	int rows, columns;
	struct bytes picture;         /* lines that each end in a newline; longer ones are cut */
};

/* False: stdin and stdout are not a terminal, and nothing was done. */
bool screen_take(struct screen *s);
void screen_give_back(struct screen *s);      /* also where it was not taken */
/* Shows s->picture, as much as there is room for. False: the terminal is gone. */
bool screen_show(struct screen *s);
/* A key, or 0 after that time; -1 where the terminal has gone or changed its size. */
int screen_key(struct screen *s, unsigned ms);
/* The last line on stderr since the last time it was asked for; empty where there is none. */
void screen_said(struct screen *s, struct bytes *out);

#endif
