/* SPDX-License-Identifier: Apache-2.0 */
/* screen.c - ECMA-48 sequences that every terminal since xterm knows: alternate screen, cursor, home, erase. */
#include "ctl/screen.h"

#include "util/utf8.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SCREEN_ROWS = 24, SCREEN_COLUMNS = 80 };

static bool screen_put(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(STDOUT_FILENO, p, n);

		if (put < 0 && errno != EINTR)
			return false;
		p += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
	return true;
}

static bool screen_puts(const char *s)
{
	return screen_put(s, strlen(s));
}

/* True: it is another than before. */
static bool screen_measure(struct screen *s)
{
	struct winsize w = { 0 };
	int rows = s->rows, columns = s->columns;

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	s->rows = w.ws_row > 0 ? w.ws_row : SCREEN_ROWS;
	s->columns = w.ws_col > 0 ? w.ws_col : SCREEN_COLUMNS;
	return rows != s->rows || columns != s->columns;
}

bool screen_take(struct screen *s)
{
	struct termios t;

	*s = (struct screen){ .err = -1, .kept = -1 };
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &s->before) != 0)
		return false;
	t = s->before;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 0;
	t.c_cc[VSUSP] = t.c_cc[VQUIT] = _POSIX_VDISABLE;
	s->kept = memfd_create("stderr", MFD_CLOEXEC);
	s->err = dup(STDERR_FILENO);
	if (s->kept < 0 || s->err < 0 || tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) != 0) {
		screen_give_back(s);
		return false;
	}
	s->taken = true;
	(void)fflush(stderr);
	(void)dup2(s->kept, STDERR_FILENO);
	(void)screen_measure(s);
	(void)screen_puts("\x1b[?1049h\x1b[?25l\x1b[2J");
	return true;
}

void screen_give_back(struct screen *s)
{
	if (s->taken) {
		(void)screen_puts("\x1b[?25h\x1b[?1049l");
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
		(void)fflush(stderr);
		(void)dup2(s->err, STDERR_FILENO);
	}
	if (s->err >= 0)
		(void)close(s->err);
	if (s->kept >= 0)
		(void)close(s->kept);
	bytes_fini(&s->picture);
	*s = (struct screen){ .err = -1, .kept = -1 };
}

/* How many bytes of a line fit into the columns; sequences take none. */
static size_t screen_fit(const char *p, size_t n, int columns)
{
	size_t at = 0;

	while (at < n && columns > 0) {
		size_t step = utf8_sequence(p + at, n - at);

		if (p[at] == '\x1b') {
			while (at < n && !(p[at] >= 'a' && p[at] <= 'z'))
				at++;
			at += at < n;
			continue;
		}
		at += step ? step : 1;
		columns--;
	}
	return at;
}

bool screen_show(struct screen *s)
{
	const char *p = s->picture.p, *end = p ? p + s->picture.len : p;
	struct bytes out = { 0 };
	bool ok;

	(void)screen_measure(s);
	bytes_adds(&out, "\x1b[H");
	for (int row = 0; p && p < end && row < s->rows; row++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol ? eol : end) - p);

		if (row > 0)
			bytes_adds(&out, "\r\n");
		bytes_add(&out, p, screen_fit(p, n, s->columns));
		bytes_adds(&out, "\x1b[m\x1b[K");
		p += n + 1;
	}
	bytes_adds(&out, "\x1b[J");
	ok = !out.bad && screen_put(out.p, out.len);
	bytes_fini(&out);
	return ok;
}

int screen_key(struct screen *s, unsigned ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	if (poll(&p, 1, (int)ms) > 0)
		return read(STDIN_FILENO, &c, 1) == 1 ? (unsigned char)c : -1;
	return screen_measure(s) ? -1 : 0;
}

void screen_said(struct screen *s, struct bytes *out)
{
	char text[1024];
	off_t size = lseek(s->kept, 0, SEEK_END), from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
	ssize_t n = size > 0 ? pread(s->kept, text, sizeof(text), from) : 0;
	ssize_t begin;

	bytes_clear(out);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	for (begin = n; begin > 0 && text[begin - 1] != '\n';)
		begin--;
	if (n > begin)
		bytes_add(out, text + begin, (size_t)(n - begin));
	if (size > 0 && ftruncate(s->kept, 0) == 0)
		(void)lseek(s->kept, 0, SEEK_SET);
}
