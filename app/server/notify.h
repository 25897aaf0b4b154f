/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - what systemd wants to hear (sd_notify(3), the documented protocol): a datagram of NAME=value lines to $NOTIFY_SOCKET.
 * Without that variable, everything here does nothing.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;                       /* -1: nobody listens */
	struct sockaddr_un address;
	socklen_t address_len;
	uint64_t watchdog_ms;         /* say WATCHDOG=1 this often: half of what is allowed; 0 = not wanted */
};

/* Reads the environment, and takes what it read out of it: no child should speak in our name. */
void notify_init(struct notify *n);
void notify_fini(struct notify *n);
/* "READY=1\nSTATUS=..."; false where it could not be sent, which changes nothing. */
bool notify_send(const struct notify *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* FDSTORE=1: whoever is started after us gets a copy of fd, under this name among LISTEN_FDNAMES. False where it could not be sent; whether there was
   room for it (FileDescriptorStoreMax) nobody tells. */
bool notify_store(const struct notify *n, int fd, const char *name);

#endif
