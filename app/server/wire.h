/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - FastCGI records as pure functions: is a request whole? what does it hold? and, which bytes of an answer come next? No sockets,
 * no memory.
 *
 *	record := version:1 type:1 id:2 content_length:2 padding_length:1 reserved:1 content padding      (big endian)
 *	request := BEGIN(role, flags) PARAMS* PARAMS(empty) STDIN* STDIN(empty)
 *	answer  := STDOUT* STDOUT(empty) END_REQUEST
 *
 * Limits    one request at a time on a connection, responder role only, no management records, no ABORT: exactly what nginx
 *           sends. Whatever else comes is BAD, and never gets as far as libfcgi (GET_VALUES overruns its stack).
 * Source    FastCGI 1.0 specification; records as tables after haproxy's fcgi.h.
 */
#ifndef SERVER_WIRE_H
#define SERVER_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "util/bytes.h"

#define WIRE_WINDOW    16384u         /* bytes that a reactor peeks at */
#define WIRE_HEADER    8u
#define WIRE_PARAM_MAX 65536u         /* bytes of one name or value: nginx can't send more in all */

enum wire_type {
	WIRE_BEGIN = 1, WIRE_ABORT = 2, WIRE_END = 3, WIRE_PARAMS = 4, WIRE_STDIN = 5, WIRE_STDOUT = 6, WIRE_STDERR = 7,
	WIRE_DATA = 8, WIRE_GET_VALUES = 9,
};

enum wire_verdict {
	WIRE_NEED_MORE,               /* a right beginning; it may still come whole within the window */
	WIRE_WHOLE,                   /* one request and not a byte more: reading it can't block */
	WIRE_LARGE,                   /* a right beginning of something that can't be whole within the window */
	WIRE_BAD,                     /* no request of ours, or something behind its end: close */
};

struct wire_request {                 /* a whole one */
	uint16_t id;
	bool keep;                    /* the peer wants the connection kept */
	size_t params, body;          /* bytes of its two streams */
};

/* Looks at the n bytes that wait in a socket, of which at most window (>= n) can be seen at once. *out is filled where they are WHOLE. */
enum wire_verdict wire_scan(const void *p, size_t n, size_t window, struct wire_request *out);

/* Of a whole request: the content of its records of one type (PARAMS, STDIN) without what lies between, to where there is room for it. */
void wire_join(const void *p, enum wire_type type, char *to);

struct wire_param {
	const char *name;             /* name_len bytes, and no NUL behind them */
	size_t name_len;
	const char *value;            /* a string, in place */
};

struct wire_params {                  /* where a walk over the pairs stands */
	char *at, *end;               /* the name of the next one; NULL = there is none */
	size_t name_len, value_len;
};

/* Walks over a whole PARAMS stream of n bytes, which is written to: p has room for one byte more. */
void wire_params_begin(struct wire_params *w, char *p, size_t n);
bool wire_params_next(struct wire_params *w, struct wire_param *out);

/*
 * An answer on its way: head and body are cut into STDOUT records, computed again from a position whenever the socket takes
 * more, so that nothing is copied and no list of records is kept. Example: id 1, "S: 200\r\n\r\n" (10 bytes), "hi":
 *
 *	01 06 0001 000c 04 00  "S: 200\r\n\r\nhi" 00000000  01 06 0001 0000 00 00  01 03 0001 0008 00 00  00000000 00 000000
 */
struct wire_answer {
	uint16_t id;
	struct span head, body;       /* borrowed */
	bool open;                    /* a part of a stream, and not its last: no end behind it */
};

#define WIRE_BATCH   8u               /* records a call */
#define WIRE_IOV_MAX (WIRE_BATCH * 3 + 3)

struct wire_scratch {                 /* what the iovecs point to beside head and body */
	uint8_t header[WIRE_BATCH][WIRE_HEADER];
	uint8_t trailer[3 * WIRE_HEADER];
};

/* All bytes of the answer as sent, framing included. */
uint64_t wire_answer_size(const struct wire_answer *a);
/* Fills iov (WIRE_IOV_MAX of them) with what follows position pos and returns how many; 0 only where pos is the size. */
size_t wire_answer_iov(const struct wire_answer *a, uint64_t pos, struct wire_scratch *s, struct iovec *iov);

#endif
