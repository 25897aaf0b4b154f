/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_parked.c - durable writes with group commit and no store: requests are parked, one thread takes all that wait, writes 160 bytes
 * for each in one call, syncs once, and gives them back to be answered. The file was written once before, so that a sync has no
 * blocks to allocate, and is used as a ring.
 */
#include "floor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARKED_FILE = 64 << 20, PARKED_RECORD = 160, PARKED_GROUP = 4096 };

static int parked_fd;
static pthread_mutex_t parked_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t parked_some = PTHREAD_COND_INITIALIZER;
static struct floor_call *parked_calls;

static struct floor_call *parked_take(void)
{
	struct floor_call *c;

	pthread_mutex_lock(&parked_lock);
	while (parked_calls == NULL)
		pthread_cond_wait(&parked_some, &parked_lock);
	c = parked_calls;
	parked_calls = NULL;
	pthread_mutex_unlock(&parked_lock);
	return c;
}

static void *parked_run(void *unused)
{
	static const char answer[] = "Status: 204 No Content\r\n\r\n";
	static char records[PARKED_GROUP * PARKED_RECORD];
	off_t end = 0;

	for (;;) {
		struct floor_call *calls = parked_take();
		size_t size = 0;

		for (struct floor_call *c = calls; c != NULL; c = c->next) {
			if (size == sizeof(records))
				abort();
			memset(records + size, 'r', PARKED_RECORD);
			size += PARKED_RECORD;
			FCGX_PutStr(answer, sizeof(answer) - 1, c->r.out);
		}
		if (end + (off_t)size > PARKED_FILE)
			end = 0;
		if (pwrite(parked_fd, records, size, end) != (ssize_t)size || fdatasync(parked_fd) < 0)
			abort();
		end += (off_t)size;
		floor_return(calls);
	}
	return unused;
}

static int parked_open(const char *dir)
{
	static char zeros[64 << 10];
	char path[4096];
	pthread_t thread;

	snprintf(path, sizeof(path), "%s/log", dir);
	parked_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (parked_fd < 0)
		return -1;
	for (off_t at = 0; at < PARKED_FILE; at += (off_t)sizeof(zeros))
		if (pwrite(parked_fd, zeros, sizeof(zeros), at) != (ssize_t)sizeof(zeros))
			return -1;
	return fdatasync(parked_fd) < 0 ? -1 : pthread_create(&thread, NULL, parked_run, NULL);
}

static bool parked_answer(struct floor_call *c)
{
	char body[64 << 10];
	bool first;

	(void)FCGX_GetStr(body, sizeof(body), c->r.in);
	pthread_mutex_lock(&parked_lock);
	first = parked_calls == NULL;
	c->next = parked_calls;
	parked_calls = c;
	pthread_mutex_unlock(&parked_lock);
	if (first)
		pthread_cond_signal(&parked_some);
	return false;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;

	return floor_main(argc, argv, &dir, parked_open, parked_answer);
}
