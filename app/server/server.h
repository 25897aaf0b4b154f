/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - what handlers may ask of the process they run in. Made by main.c, read by all, [c] but for the atomics. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "store/store.h"

struct server_limits {
	uint64_t max_value_size;      /* bytes; default 16 MiB */
	uint64_t max_request_size;    /* bytes; default 32 MiB */
	uint64_t max_parked;          /* requests; default 4096 */
};

struct server {
	struct store *store;          /* [c] */
	struct server_limits limits;  /* [c] */
	bool durability_async;        /* [c] default of ?durability= */
	const char *const *hosts;     /* [c] host names that are ours (without port), NULL-ended; NULL = any */
	uint64_t start_mono_ms;       /* [c] */
	_Atomic uint64_t requests;    /* answered so far */
	_Atomic uint64_t parked;      /* counted by the reactor; handlers refuse to park more than limits.max_parked */
	_Atomic bool stopping;        /* set by server_stop(); new requests get 503 */
	_Atomic bool flushing_last;   /* /shutdown is writing everything out: others get 503; taken back where that fails */
	void (*stop)(struct server *s);          /* asks main to drain and close; async-signal-safe */
	bool socket_activated;        /* [c] systemd started us: the next request would again */
};

#endif
