/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_syncput.c - writes every body into a file and syncs it before answering, one request at a time: durable writes without
 * group commit. The file was written once before, so that a sync has no blocks to allocate: the fastest form of this design.
 */
#include "floor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SYNCPUT_FILE = 64 << 20, SYNCPUT_BODY = 64 << 10 };

static int syncput_fd;
static off_t syncput_end;
static pthread_mutex_t syncput_lock = PTHREAD_MUTEX_INITIALIZER;

static int syncput_open(const char *dir)
{
	char *zeros = calloc(1, SYNCPUT_BODY);
	char path[4096];

	snprintf(path, sizeof(path), "%s/log", dir);
	syncput_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (syncput_fd < 0 || zeros == NULL)
		return -1;
	for (off_t at = 0; at < SYNCPUT_FILE; at += SYNCPUT_BODY)
		if (pwrite(syncput_fd, zeros, SYNCPUT_BODY, at) != SYNCPUT_BODY)
			return -1;
	free(zeros);
	return fdatasync(syncput_fd);
}

static bool syncput_answer(struct floor_call *c)
{
	static const char answer[] = "Status: 204 No Content\r\n\r\n";
	char body[SYNCPUT_BODY];
	int n = FCGX_GetStr(body, sizeof(body), c->r.in);

	pthread_mutex_lock(&syncput_lock);
	if (syncput_end + n > SYNCPUT_FILE)
		syncput_end = 0;
	if (pwrite(syncput_fd, body, (size_t)n, syncput_end) != n || fdatasync(syncput_fd) < 0)
		abort();
	syncput_end += n;
	pthread_mutex_unlock(&syncput_lock);
	FCGX_PutStr(answer, sizeof(answer) - 1, c->r.out);
	return true;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;

	return floor_main(argc, argv, &dir, syncput_open, syncput_answer);
}
