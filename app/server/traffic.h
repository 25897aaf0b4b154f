/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.h - what one reactor counts: answers by route, method and status, how long they took, bytes, and what went wrong on
 * connections. Each reactor has one of its own and is its only writer, so that counting is a load, an addition and a store; anyone
 * reads, and adds them up.
 *
 * Time      of a request from the moment it is whole to the last byte of its answer in the socket.
 */
#ifndef SERVER_TRAFFIC_H
#define SERVER_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_SLOTS   256u          /* (route, method) pairs, as route.h numbers them; 0 = no route of ours */
#define TRAFFIC_BUCKETS 16u           /* upper bounds of times; one more above all */
#define TRAFFIC_CODES   28u           /* statuses that are told apart; the last is all others */

enum traffic_fault {
	TRAFFIC_BAD_RECORD,           /* no FastCGI request of ours, or more than one at a time */
	TRAFFIC_TRUNCATED,            /* ended in its middle */
	TRAFFIC_TIMEOUT,              /* did not go on in time */
	TRAFFIC_PEER_GONE,            /* closed before its answer was sent */
	TRAFFIC_FAULTS,
};

struct traffic_slot {
	_Atomic uint64_t status[TRAFFIC_CODES];
	_Atomic uint64_t bucket[TRAFFIC_BUCKETS + 1];
	_Atomic uint64_t ns, request_bytes, response_bytes;        /* bodies; of the answer with its head */
};

struct traffic {                      /* all relaxed */
	struct traffic_slot slot[TRAFFIC_SLOTS];
	_Atomic uint64_t fault[TRAFFIC_FAULTS];
};

struct traffic_answer {               /* one that was sent */
	size_t slot;
	int status;
	uint64_t ns, request_bytes, response_bytes;
};

/* The owner's alone. */
void traffic_answered(struct traffic *t, const struct traffic_answer *a);
void traffic_fault(struct traffic *t, enum traffic_fault what);

/* For printing: upper bounds in ns, rising; the status of a column, 0 = any other; "timeout". */
extern const uint64_t traffic_bounds_ns[TRAFFIC_BUCKETS];
int traffic_code(size_t column);
const char *traffic_fault_name(enum traffic_fault what);
/* n of them added up, one slot at a time. */
struct traffic_sum {
	uint64_t status[TRAFFIC_CODES], bucket[TRAFFIC_BUCKETS + 1];
	uint64_t answers, ns, request_bytes, response_bytes;
};
void traffic_sum(const struct traffic *t, size_t n, size_t slot, struct traffic_sum *out);

#endif
