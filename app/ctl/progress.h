/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - long work shown: on a terminal a bar with rate and time left, elsewhere a line for each tenth. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_unit { PROGRESS_BYTES, PROGRESS_ENTRIES };

struct progress {
	const char *what;             /* the command; the first word of each line */
	enum progress_unit unit;      /* bytes, unless said after progress_begin() */
	bool silent;                  /* no lines: stdout is for something else */
	uint64_t start_ms, drawn_ms, said_ms;
	uint64_t done, total;         /* total 0 = not known: no bar, and a line now and then */
	unsigned tenths;              /* said so far */
	bool terminal;
};

void progress_begin(struct progress *p, const char *what);
int progress_tell(void *ctx, uint64_t done, uint64_t total);  /* a silt_progress_fn; never ends the work */
void progress_clear(struct progress *p);                      /* the bar goes: a line is printed, or it is the end */
uint64_t progress_ms(const struct progress *p);               /* since it began */

#endif
