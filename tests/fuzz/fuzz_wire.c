/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_wire.c - any bytes on the FastCGI socket: each beginning is judged in a way that what follows can't contradict, and what is
 * called whole is given to libfcgi, which must come to its end without an error and without asking for one byte more, and must find
 * the parameters and the body that we find.
 */
#include <assert.h>
#include <fcgiapp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* May `later` be said of more bytes, where `sooner` was said of fewer? */
static int fuzz_may_follow(enum wire_verdict sooner, enum wire_verdict later)
{
	switch (sooner) {
	case WIRE_NEED_MORE:
		return 1;
	case WIRE_LARGE:
		return later == WIRE_LARGE || later == WIRE_BAD;
	default:
		return later == WIRE_BAD;
	}
}

static void fuzz_same_params(const uint8_t *data, const struct wire_request *w, char *const *theirs)
{
	char *joined = malloc(w->params + 1);
	struct wire_params walk;
	struct wire_param p;

	if (joined == NULL)
		abort();
	assert(strcmp(*theirs++, "FCGI_ROLE=RESPONDER") == 0);        /* libfcgi's own */
	wire_join(data, WIRE_PARAMS, joined);
	wire_params_begin(&walk, joined, w->params);
	for (; wire_params_next(&walk, &p); theirs++) {
		assert(*theirs != NULL);
		assert(memcmp(*theirs, p.name, p.name_len) == 0 && (*theirs)[p.name_len] == '=');
		assert(strcmp(*theirs + p.name_len + 1, p.value) == 0);
	}
	assert(*theirs == NULL);
	free(joined);
}

static void fuzz_same_body(const uint8_t *data, const struct wire_request *w, FCGX_Stream *in)
{
	char *ours = malloc(w->body + 1), *theirs = malloc(w->body + 1);

	if (ours == NULL || theirs == NULL)
		abort();
	wire_join(data, WIRE_STDIN, ours);
	assert(FCGX_GetStr(theirs, (int)w->body + 1, in) == (int)w->body);
	assert(memcmp(ours, theirs, w->body) == 0);
	free(ours);
	free(theirs);
}

static void fuzz_libfcgi_agrees(const uint8_t *data, size_t size, const struct wire_request *w)
{
	struct timeval patience = { .tv_usec = 50000 };
	FCGX_Request r;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    write(fds[1], data, size) != (ssize_t)size || FCGX_InitRequest(&r, -1, 0) != 0)
		abort();
	r.ipcFd = fds[0];
	r.keepConnection = r.detached = 1;
	assert(FCGX_Accept_r(&r) == 0);
	assert(FCGX_GetError(r.in) == 0);
	assert(r.requestId == w->id && !r.keepConnection == !w->keep);
	fuzz_same_params(data, w, r.envp);
	fuzz_same_body(data, w, r.in);
	assert(FCGX_GetError(r.in) == 0);
	FCGX_Free(&r, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ready;
	enum wire_verdict last = WIRE_NEED_MORE;
	struct wire_request request;

	if (!ready && FCGX_Init() != 0)
		abort();
	ready = 1;
	if (size > WIRE_WINDOW)
		size = WIRE_WINDOW;
	for (size_t n = 0; n <= size; n += n + 1 < size ? size / 64 + 1 : 1) {
		enum wire_verdict v = wire_scan(data, n, WIRE_WINDOW, &request);

		assert(fuzz_may_follow(last, v));
		last = v;
	}
	if (wire_scan(data, size, WIRE_WINDOW, &request) == WIRE_WHOLE)
		fuzz_libfcgi_agrees(data, size, &request);
	return 0;
}
