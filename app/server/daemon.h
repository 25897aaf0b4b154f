/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.h - the life of the process between its options and its exit status. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include "server/options.h"

/*
 * Opens the socket and the store, serves until it is told to stop, closes. argc and argv are read again at SIGHUP; o is taken over
 * then. Returns the exit status: 0 after a clean close, else 1.
 */
int daemon_run(struct options *o, int argc, char *const *argv);

#endif
