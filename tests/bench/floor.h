/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.h - the least that a FastCGI responder can do, for bench-http to measure ours against: each thread owns its connections,
 * libfcgi parses and answers, and a function says what happens in between. No checks, no errors: it is a measure, not a server.
 *
 * Threads   two, each with an epoll set that holds the listening socket and the connections it accepted.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <fcgiapp.h>
#include <stdbool.h>

struct floor_thread;

struct floor_call {
	FCGX_Request r;               /* its body was not read yet */
	int fd;
	bool parked;
	struct floor_thread *thread;
	struct floor_call *next;      /* for whoever has it: the parker until floor_return(), then its thread */
};

/* True: answered. False: parked, until floor_return(). */
typedef bool floor_answer_fn(struct floor_call *c);

/* `--listen unix:PATH --db DIRECTORY`, as nginx/serve starts a responder; *dir is set before open() and the first request. */
int floor_main(int argc, char **argv, const char **dir, int (*open_dir)(const char *dir), floor_answer_fn *answer);

/* From any thread: parked calls, linked, all answered (FCGX_PutStr); each is sent by the thread that has its connection. */
void floor_return(struct floor_call *calls);

#endif
