/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - reactors and workers as one thing that is started, drained and freed; and what handlers may ask of it.
 *
 * Life      server_new() -> server_start() -> requests are answered ... -> server_drain() -> drained_fd is readable
 *           -> server_join() -> the store is closed -> server_free(). In this order: while reactors run, handlers use the store;
 *           and a thread of the store may still be waking a reactor that has taken its letter and ended.
 * Drain     accepts nothing more, answers what is in flight, what comes on kept connections gets 503, and when nothing is in
 *           flight any more and SERVER_LINGER_MS have passed, the connections are closed. Where there is a successor (handing_over)
 *           what comes is answered, and each connection is handed over as soon as nothing is in flight on it.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/logger.h"
#include "server/request.h"
#include "store/store.h"

#define SERVER_LINGER_MS 300          /* answers 503 on kept connections this long rather than a closed socket, which is a 502 */

struct feed;                          /* feed.h */
struct joblist;                          /* joblist.h */
struct traffic;                       /* traffic.h */

struct server_limits {
	uint64_t max_value_size;      /* bytes; default 16 MiB */
	uint64_t max_request_size;    /* bytes; default 32 MiB */
	uint64_t max_parked;          /* requests; default 4096 */
	uint64_t max_wait_ms;         /* for a worker; whoever would wait longer is refused; 0 = no bound; default 5 s */
	uint64_t max_page_entries;    /* of a list, in one answer; default 10,000 */
	uint64_t max_page_size;       /* bytes of a list's answer, but for one entry that is larger; default 8 MiB */
	uint64_t max_batch_ops;       /* operations, and conditions, of a batch; default 1000 */
	uint64_t max_streams;         /* lists on their way as lines, at once; default 64 */
	uint64_t max_stream_ms;       /* that one of them may take in all; 0 = no bound; default 1 h */
	uint64_t max_answer_bytes;    /* of large answers held at once for readers; 0 = 512 MiB */
	uint64_t max_body_bytes;      /* bytes of bodies held at once by all requests in flight; 0 = 4 max_request_size */
};

struct server_gauges {                /* of this moment */
	uint64_t connections, workers, queued;
};

struct server {
	struct store *store;          /* [c] */
	struct server_limits limits;  /* [c] */
	bool durability_async;        /* [c] default of ?durability= */
	const char *const *hosts;     /* [c] host names that are ours (without port), NULL-ended; NULL = any */
	uint64_t start_mono_ms;       /* [c] */
	_Atomic uint64_t requests;    /* answered so far */
	_Atomic uint64_t streams;     /* lists on their way as lines; handlers refuse more than limits.max_streams */
	_Atomic uint64_t parked;      /* counted by the reactor; handlers refuse to park more than limits.max_parked */
	_Atomic bool stopping;        /* set by server_stop(); new requests get 503 */
	_Atomic bool handing_over;    /* stopping, and the listening socket outlives us: what comes on kept connections is still served, each
	                                 then handed over, or closed; what comes on new ones waits for our successor. Before server_drain() */
	_Atomic bool flushing_last;   /* /shutdown is writing everything out: others get 503; taken back where that fails */
	void (*stop)(struct server *s);          /* asks main to drain and close; async-signal-safe */
	struct joblist *jobs;            /* [c] what takes long; joblist.h */
	struct feed *feed;            /* [c] those who wait for changes; NULL = nobody can */
	void (*gauges)(struct server *s, struct server_gauges *out);     /* [c] NULL = not known */
	struct traffic *traffic;      /* [c] one for each reactor, which alone writes it */
	size_t traffic_count;         /* [c] */
	bool socket_activated;        /* [c] systemd started us: the next request would again */
	/* for the reactors and main, no business of handlers */
	bool (*hand_over)(void *ctx, int fd);    /* [c] while handing over: gives a copy of a connection to our successor; NULL = there is no way */
	void *hand_over_ctx;          /* [c] */
	enum route_result (*dispatch)(struct request *r);        /* [c] route_dispatch(), or a test's own */
	struct logger *log;           /* [c] */
	_Atomic uint64_t body_bytes;  /* held now */
	_Atomic uint64_t answer_bytes;/* the same of large answers */
	int stop_fd;                  /* [c] an eventfd: readable once stop() was called */
	int drained_fd;               /* [c] an eventfd: readable once every reactor has ended */
	_Atomic size_t running;       /* reactors that have not */
};

/* It ends, and nobody goes on with what comes: what has not begun is refused. */
static inline bool server_refuses(const struct server *s)
{
	return atomic_load_explicit(&s->stopping, memory_order_acquire) && !atomic_load_explicit(&s->handing_over, memory_order_relaxed);
}

struct server_setup {                 /* borrowed; what it points to must outlive the server */
	int listen_fd;                /* non-blocking, listening; stays the caller's */
	unsigned reactors, workers;   /* threads; at least 1 */
	uint64_t request_timeout_ms;  /* for a request that began to arrive to be whole */
	uint64_t transfer_timeout_ms; /* for a large body in all, and for a reader of an answer between two signs of life */
	struct store *store;
	struct logger *log;
	struct server_limits limits;
	bool durability_async, socket_activated;
	const char *const *hosts;
	enum route_result (*dispatch)(struct request *r);
	bool (*hand_over)(void *ctx, int fd);
	void *hand_over_ctx;
};

/* 0, or an errno. FCGX_Init() has been called. */
int server_new(const struct server_setup *setup, struct server **out);
int server_start(struct server *s);
/* A connection that a predecessor handed over, as if it had been accepted now. Ours from here on. */
void server_adopt(struct server *s, int fd);
/* Asks every reactor for a sign of life; true if all have given the one that was asked for last time. For the watchdog. */
bool server_alive(struct server *s);
/* Any thread; returns at once. */
void server_drain(struct server *s);
/* Drains and waits for all threads. */
void server_join(struct server *s);
/* NULL is fine; a server that was not joined is, first. */
void server_free(struct server *s);

#endif
