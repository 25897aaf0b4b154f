/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - see floor.h. */
#include "floor.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLOOR_THREADS = 2, FLOOR_EVENTS = 64 };

struct floor {
	int listener;
	floor_answer_fn *answer;
};

static void floor_watch(int epoll, int fd, unsigned events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static void floor_serve(const struct floor *f, FCGX_Request *r, int fd)
{
	char c;

	if (recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		close(fd);
		return;
	}
	r->ipcFd = fd;
	r->keepConnection = 1;
	if (FCGX_Accept_r(r) != 0)
		return;
	f->answer(r);
	r->detached = 1;
	FCGX_Finish_r(r);
	r->ipcFd = -1;
}

static void *floor_run(void *arg)
{
	const struct floor *f = arg;
	struct epoll_event events[FLOOR_EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	FCGX_Request r;

	FCGX_InitRequest(&r, -1, 0);
	floor_watch(epoll, f->listener, EPOLLIN | EPOLLEXCLUSIVE);
	for (;;) {
		int n = epoll_wait(epoll, events, FLOOR_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != f->listener) {
				floor_serve(f, &r, fd);
				continue;
			}
			fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
			if (fd >= 0)
				floor_watch(epoll, fd, EPOLLIN);
		}
	}
	return NULL;
}

static int floor_listen(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 4096) < 0)
		return -1;
	return fd;
}

int floor_main(int argc, char **argv, const char **dir, int (*open_dir)(const char *dir), floor_answer_fn *answer)
{
	struct floor f = { .listener = -1, .answer = answer };
	pthread_t thread[FLOOR_THREADS];

	FCGX_Init();
	signal(SIGTERM, SIG_DFL);               /* which libfcgi has taken, and swallows */
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--db") == 0)
			*dir = argv[i + 1];
		if (strcmp(argv[i], "--listen") == 0)
			f.listener = floor_listen(argv[i + 1] + strlen("unix:"));
	}
	if (f.listener < 0 || *dir == NULL || (open_dir != NULL && open_dir(*dir) < 0))
		return 1;
	for (int i = 0; i < FLOOR_THREADS; i++)
		pthread_create(&thread[i], NULL, floor_run, &f);
	pthread_join(thread[0], NULL);
	return 0;
}
