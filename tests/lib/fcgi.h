/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi.h - FastCGI records made and read by hand, for tests that play nginx, or somebody worse. Header only; failures abort the test.
 */
#ifndef TESTS_FCGI_H
#define TESTS_FCGI_H

#include "lib/test.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FCGI_BEGIN = 1, FCGI_ABORT = 2, FCGI_END = 3, FCGI_PARAMS = 4, FCGI_STDIN = 5, FCGI_STDOUT = 6, FCGI_GET_VALUES = 9 };

struct fcgi_buf {                     /* start from {0}, end with fcgi_free() */
	uint8_t *p;
	size_t len;
};

static inline void fcgi_free(struct fcgi_buf *b)
{
	free(b->p);
	*b = (struct fcgi_buf){ 0 };
}

static inline void fcgi_add(struct fcgi_buf *b, const void *p, size_t n)
{
	b->p = realloc(b->p, b->len + n + 1);
	assert_non_null(b->p);
	if (n > 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = 0;             /* so that text can be searched as a string */
}

static inline void fcgi_record(struct fcgi_buf *b, uint8_t type, uint16_t id, const void *content, size_t n, uint8_t padding)
{
	uint8_t h[8] = { 1, type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n, padding, 0 };
	static const uint8_t zeros[255];

	fcgi_add(b, h, sizeof(h));
	fcgi_add(b, content, n);
	fcgi_add(b, zeros, padding);
}

static inline void fcgi_begin(struct fcgi_buf *b, uint16_t role, bool keep)
{
	uint8_t body[8] = { (uint8_t)(role >> 8), (uint8_t)role, keep ? 1 : 0 };

	fcgi_record(b, FCGI_BEGIN, 1, body, sizeof(body), 0);
}

static inline void fcgi_length(struct fcgi_buf *b, size_t n)
{
	uint8_t four[4] = { (uint8_t)(0x80 | n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	uint8_t one = (uint8_t)n;

	fcgi_add(b, n < 128 ? &one : four, n < 128 ? 1 : 4);
}

static inline void fcgi_pair(struct fcgi_buf *b, const char *name, const void *value, size_t value_len)
{
	fcgi_length(b, strlen(name));
	fcgi_length(b, value_len);
	fcgi_add(b, name, strlen(name));
	fcgi_add(b, value, value_len);
}

/* A stream of records of at most `chunk` bytes, and its empty end. */
static inline void fcgi_stream(struct fcgi_buf *b, uint8_t type, const void *p, size_t n, size_t chunk)
{
	for (size_t at = 0; at < n; at += chunk) {
		size_t part = n - at < chunk ? n - at : chunk;

		fcgi_record(b, type, 1, (const uint8_t *)p + at, part, (uint8_t)((8 - part % 8) % 8));
	}
	fcgi_record(b, type, 1, NULL, 0, 0);
}

/* As nginx sends it: method, route, uri, length, then `more` (name, value, ..., NULL; may be NULL), then the body. */
static inline void fcgi_request(struct fcgi_buf *b, const char *method, const char *route, const char *uri,
                                const char *const *more, const void *body, size_t body_len)
{
	struct fcgi_buf params = { 0 };
	char length[32];

	snprintf(length, sizeof(length), "%zu", body_len);
	fcgi_pair(&params, "REQUEST_METHOD", method, strlen(method));
	fcgi_pair(&params, "SCRIPT_NAME", route, strlen(route));
	fcgi_pair(&params, "REQUEST_URI", uri, strlen(uri));
	fcgi_pair(&params, "CONTENT_LENGTH", length, body_len > 0 ? strlen(length) : 0);
	for (; more != NULL && *more != NULL; more += 2)
		fcgi_pair(&params, more[0], more[1], strlen(more[1]));
	fcgi_begin(b, 1, true);
	fcgi_stream(b, FCGI_PARAMS, params.p, params.len, 65528);
	fcgi_stream(b, FCGI_STDIN, body, body_len, 32768);
	fcgi_free(&params);
}

static inline void fcgi_send(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		assert_true(sent > 0);
		at += sent;
		n -= (size_t)sent;
	}
}

static inline bool fcgi_read_all(int fd, void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, (uint8_t *)p + got, n - got, 0);

		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/*
 * Reads one answer to its END_REQUEST, checking the framing, and appends what STDOUT carried. False where the peer closed, or sent
 * nothing for as long as fd's SO_RCVTIMEO.
 */
static inline bool fcgi_answer(int fd, struct fcgi_buf *out)
{
	bool ended = false;

	for (;;) {
		static uint8_t content[65535 + 255];
		uint8_t h[8];
		size_t n;

		if (!fcgi_read_all(fd, h, sizeof(h)))
			return false;
		n = (size_t)(h[4] << 8 | h[5]);
		assert_int_equal(h[0], 1);
		assert_int_equal(h[2] << 8 | h[3], 1);
		if (!fcgi_read_all(fd, content, n + h[6]))
			return false;
		if (h[1] == FCGI_END) {
			assert_true(ended);
			assert_int_equal(n, 8);
			return true;
		}
		assert_int_equal(h[1], FCGI_STDOUT);
		assert_false(ended);
		ended = n == 0;
		fcgi_add(out, content, n);
	}
}

/* The number behind "Status: ", 0 where there is none. */
static inline int fcgi_status(const struct fcgi_buf *answer)
{
	int status = 0;

	return answer->p != NULL && sscanf((const char *)answer->p, "Status: %d", &status) == 1 ? status : 0;
}

/* What follows the blank line. */
static inline const char *fcgi_body(const struct fcgi_buf *answer)
{
	const char *end = strstr((const char *)answer->p, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

#endif
