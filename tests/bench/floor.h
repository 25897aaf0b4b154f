/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor.h - the least that a FastCGI responder can do, for http_quick to measure ours against: each thread owns its connections,
 * libfcgi parses and answers, and a function says what happens in between. No checks, no errors: it is a measure, not a server.
 *
 * Threads   two, each with an epoll set that holds the listening socket and the connections it accepted.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <fcgiapp.h>

/* Answers one request, whose body was not read yet. */
typedef void floor_answer_fn(FCGX_Request *r);

/* `--listen unix:PATH --db DIRECTORY`, as nginx/serve starts a responder; *dir is set before open() and the first request. */
int floor_main(int argc, char **argv, const char **dir, int (*open_dir)(const char *dir), floor_answer_fn *answer);

#endif
