/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - see floor.h. */
#include "floor.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLOOR_THREADS = 2, FLOOR_EVENTS = 64 };

struct floor {
	int listener;
	floor_answer_fn *answer;
	struct floor_thread {
		const struct floor *floor;
		int epoll, wake;
		struct floor_call *gone;      /* closed, and freed when no event at hand can mean it */
		_Atomic(struct floor_call *) returned;
		pthread_t thread;
	} thread[FLOOR_THREADS];
};

static void floor_watch(int epoll, int fd, unsigned events, void *what)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static void floor_close(struct floor_call *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->parked = true;
	c->next = c->thread->gone;
	c->thread->gone = c;
}

static void floor_bury(struct floor_thread *t)
{
	while (t->gone != NULL) {
		struct floor_call *c = t->gone;

		t->gone = c->next;
		free(c);
	}
}

static void floor_finish(struct floor_call *c)
{
	c->r.detached = 1;
	FCGX_Finish_r(&c->r);
	if (c->r.ipcFd < 0) {                                      /* closed in there: the peer has gone */
		c->fd = -1;
		floor_close(c);
		return;
	}
	c->r.ipcFd = -1;
}

static void floor_serve(struct floor_thread *t, struct floor_call *c, unsigned events)
{
	char byte;

	if (c->parked)
		return;
	if ((events & (EPOLLHUP | EPOLLRDHUP)) && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
		floor_close(c);
		return;
	}
	c->r.ipcFd = c->fd;
	c->r.keepConnection = 1;
	if (FCGX_Accept_r(&c->r) != 0) {
		c->fd = -1;
		floor_close(c);
		return;
	}
	c->parked = true;
	if (!t->floor->answer(c))
		return;
	c->parked = false;
	floor_finish(c);
}

static void floor_accept(struct floor_thread *t)
{
	int fd = accept4(t->floor->listener, NULL, NULL, SOCK_CLOEXEC);
	struct floor_call *c;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	FCGX_InitRequest(&c->r, -1, 0);
	c->fd = fd;
	c->thread = t;
	floor_watch(t->epoll, fd, EPOLLIN, c);
}

static void floor_take_returned(struct floor_thread *t)
{
	struct floor_call *c, *next;
	eventfd_t count;

	eventfd_read(t->wake, &count);
	for (c = atomic_exchange(&t->returned, NULL); c != NULL; c = next) {
		next = c->next;
		c->parked = false;
		floor_finish(c);
	}
}

void floor_return(struct floor_call *c)
{
	while (c != NULL) {
		struct floor_call *next = c->next, *top;
		struct floor_thread *t = c->thread;

		top = atomic_load(&t->returned);
		do
			c->next = top;
		while (!atomic_compare_exchange_weak(&t->returned, &top, c));
		if (top == NULL)                                   /* and c is its thread's from here on */
			eventfd_write(t->wake, 1);
		c = next;
	}
}

static void *floor_run(void *arg)
{
	struct floor_thread *t = arg;
	struct epoll_event events[FLOOR_EVENTS];

	floor_watch(t->epoll, t->floor->listener, EPOLLIN | EPOLLEXCLUSIVE, NULL);
	floor_watch(t->epoll, t->wake, EPOLLIN, t);
	for (;;) {
		int n = epoll_wait(t->epoll, events, FLOOR_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				floor_accept(t);
			else if (events[i].data.ptr == t)
				floor_take_returned(t);
			else
				floor_serve(t, events[i].data.ptr, events[i].events);
		}
		floor_bury(t);
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
	static struct floor f = { .listener = -1 };

	f.answer = answer;
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
	for (int i = 0; i < FLOOR_THREADS; i++) {
		struct floor_thread *t = &f.thread[i];

		t->floor = &f;
		t->epoll = epoll_create1(EPOLL_CLOEXEC);
		t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		pthread_create(&t->thread, NULL, floor_run, t);
	}
	pthread_join(f.thread[0].thread, NULL);
	return 0;
}
