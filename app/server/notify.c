/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - what systemd wants to hear. */
#include "server/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define NOTIFY_MESSAGE_MAX 512

static bool notify_address(const char *path, struct notify *n)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(n->address.sun_path))
		return false;
	n->address.sun_family = AF_UNIX;
	memcpy(n->address.sun_path, path, len);
	if (path[0] == '@')
		n->address.sun_path[0] = '\0';                     /* the abstract namespace: no NUL at the end */
	n->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '@' ? 0 : 1));
	return true;
}

static uint64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	unsigned long long n;

	if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	n = strtoull(usec, NULL, 10);
	return n == 0 ? 0 : n / 2000 + 1;
}

void notify_init(struct notify *n)
{
	static const struct timeval patience = { .tv_sec = 5 };        /* with one who does not read */
	const char *path = getenv("NOTIFY_SOCKET");

	memset(n, 0, sizeof(*n));
	n->fd = -1;
	if (path != NULL && notify_address(path, n))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0) {
		(void)setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		n->watchdog_ms = notify_watchdog_ms();
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void notify_fini(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
}

bool notify_send(const struct notify *n, const char *format, ...)
{
	char message[NOTIFY_MESSAGE_MAX];
	va_list args;
	int len;

	if (n->fd < 0)
		return false;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(message))
		return false;
	return sendto(n->fd, message, (size_t)len, MSG_NOSIGNAL, (const struct sockaddr *)(const void *)&n->address,
	              n->address_len) == len;
}

bool notify_store(const struct notify *n, int fd, const char *name)
{
	char message[NOTIFY_MESSAGE_MAX];
	int len = snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=%s", name);
	struct iovec text = { .iov_base = message, .iov_len = (size_t)len };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct sockaddr_un to = n->address;
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = n->address_len, .msg_iov = &text, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (n->fd < 0 || len < 0 || (size_t)len >= sizeof(message))
		return false;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(n->fd, &m, MSG_NOSIGNAL) == len;
}
