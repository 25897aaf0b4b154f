/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop.h - Ctrl-C and its like, for work that ends between two steps and says how far it came.
 *
 * Use       stop_begin() before the work; stop_asked() between its steps; at the end return stop_status() as the exit status.
 *           A signal that comes more than two seconds after the first ends the process at once. (Not before: timeout(1) sends its own twice.)
 */
#ifndef CTL_STOP_H
#define CTL_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* SIGINT, SIGTERM and SIGHUP are noted from now on, but for a SIGHUP that nohup(1) ignores; SIGPIPE is an error of the write that met it. */
void stop_begin(void);
/* The signal that came; 0 = none. */
int stop_asked(void);
/* Waits, but not for longer than it takes to see that a signal came: false. */
bool stop_sleep(uint64_t ms);
/* While it is on, stop_asked() is 0: what has to be done before the end is done in peace. */
void stop_hold_off(bool on);
/* What the shell expects of a process that ended by that signal: 128 + its number. */
int stop_status(void);

#endif
