/* SPDX-License-Identifier: Apache-2.0 */
/* input.c - one buffer, of which the beginning is taken: what is left moves to its front when more is read. */
#include "ctl/input.h"

#include "ctl/session.h"
#include "ctl/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_PIECE = 256 << 10 };

struct input {
	int fd;
	const char *name;             /* borrowed from the command line */
	struct bytes buffer;
	size_t at;                    /* of it: what was taken */
	uint64_t taken, size;
};

static int input_fail(const char *name, int error)
{
	(void)fprintf(stderr, "siltctl: %s: %s\n", name, strerror(error));
	return SESSION_UNREADABLE;
}

int input_open(const char *path, struct input **out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct input *in = calloc(1, sizeof(*in));
	struct stat st;

	if (!in)
		return session_fail(path, SILT_E_NOMEM);
	in->name = is_stdin ? "stdin" : path;
	in->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0 || fstat(in->fd, &st) != 0) {
		int status = input_fail(in->name, errno);

		input_close(in);
		return status;
	}
	if (S_ISREG(st.st_mode))
		in->size = (uint64_t)st.st_size;
	*out = in;
	return SESSION_OK;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->fd > STDIN_FILENO)
		(void)close(in->fd);
	bytes_fini(&in->buffer);
	free(in);
}

const char *input_name(const struct input *in)
{
	return in->name;
}

struct span input_at_hand(const struct input *in)
{
	return in->buffer.len > in->at ? span_of(in->buffer.p + in->at, in->buffer.len - in->at) : span_of("", 0);
}

int input_more(struct input *in, bool *ended)
{
	ssize_t n;

	if (in->at) {
		in->buffer.len -= in->at;
		memmove(in->buffer.p, in->buffer.p + in->at, in->buffer.len);
		in->at = 0;
	}
	if (!bytes_reserve(&in->buffer, INPUT_PIECE))
		return session_fail(in->name, SILT_E_NOMEM);
	do {
		n = read(in->fd, in->buffer.p + in->buffer.len, INPUT_PIECE);
	} while (n < 0 && errno == EINTR && !stop_asked());
	*ended = n == 0;
	if (n < 0)
		return stop_asked() ? stop_status() : input_fail(in->name, errno);
	in->buffer.len += (size_t)n;
	return SESSION_OK;
}

void input_take(struct input *in, size_t n)
{
	in->at += n;
	in->taken += n;
}

int input_take_mark(struct input *in)
{
	static const char mark[] = "\xef\xbb\xbf";
	bool ended = false;
	int status = SESSION_OK;
	struct span s;

	for (;;) {
		s = input_at_hand(in);
		if (s.len >= 3 || ended || status != SESSION_OK || (s.len > 0 && memcmp(s.p, mark, s.len) != 0))
			break;
		status = input_more(in, &ended);
	}
	if (status == SESSION_OK && s.len >= 3 && memcmp(s.p, mark, 3) == 0)
		input_take(in, 3);
	return status;
}

uint64_t input_taken(const struct input *in)
{
	return in->taken;
}

uint64_t input_size(const struct input *in)
{
	return in->size;
}
