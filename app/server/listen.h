/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.h - where the listening socket comes from: systemd (LISTEN_FDS), else standard input where it listens (spawn-fcgi,
 * StandardInput=socket), else a unix socket of our own.
 *
 * Rules     (1) what somebody gave is neither unlinked nor shut down.
 *           (2) a path is taken over only where nobody answers behind it; at the end it is unlinked only if it is still ours.
 *           (3) beside its socket systemd may pass connections that our predecessor left with it (notify_store() under LISTEN_KEPT): they
 *           are served as if they were accepted.
 *           (4) whoever may connect may crash libfcgi: permissions are set before the socket listens.
 */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

enum listen_source { LISTEN_SYSTEMD, LISTEN_STDIN, LISTEN_OWN };

struct listener {
	int fd;
	enum listen_source source;
	int *kept;                    /* connections, ours until somebody takes them */
	size_t kept_count;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];   /* LISTEN_OWN */
	dev_t device;                 /* of the path when it was made ... */
	ino_t inode;                  /* ... to know it again */
};

struct listen_options {
	const char *address;          /* "unix:/path" or "/path"; NULL or "" = none */
	mode_t mode;
	const char *group;            /* NULL or "" = leave it */
};

#define LISTEN_ERROR_MAX 512
#define LISTEN_KEPT "connection"      /* their name */

/* 0, or -1 with a message for people in error[LISTEN_ERROR_MAX]. Takes the LISTEN_* variables out of the environment. */
int listen_open(const struct listen_options *o, struct listener *out, char *error);
void listen_close(struct listener *l);
/* For the log: "systemd's socket", or the path. */
const char *listen_name(const struct listener *l);

#endif
