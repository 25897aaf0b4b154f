/* SPDX-License-Identifier: Apache-2.0 */
/* traffic.c - what one reactor counts. */
#include "server/traffic.h"

#include <string.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

const uint64_t traffic_bounds_ns[TRAFFIC_BUCKETS] = {
	20 * US, 50 * US, 100 * US, 200 * US, 500 * US, 1 * MS, 2 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 1000 * MS,
	5000 * MS, 60000 * MS,
};

/* The commonest first; zeros are others. */
static const int traffic_codes[TRAFFIC_CODES] = {
	200, 204, 201, 404, 304, 412, 202, 206, 400, 403, 405, 409, 410, 413, 415, 421, 429, 500, 501, 502, 503, 504, 507,
};

static void traffic_add(_Atomic uint64_t *n, uint64_t more)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + more, memory_order_relaxed);
}

static size_t traffic_column(int status)
{
	size_t i = 0;

	while (i < TRAFFIC_CODES - 1 && traffic_codes[i] != status)
		i++;
	return i;
}

static size_t traffic_bucket(uint64_t ns)
{
	size_t i = 0;

	while (i < TRAFFIC_BUCKETS && ns > traffic_bounds_ns[i])
		i++;
	return i;
}

void traffic_answered(struct traffic *t, const struct traffic_answer *a)
{
	struct traffic_slot *s = &t->slot[a->slot < TRAFFIC_SLOTS ? a->slot : 0];

	traffic_add(&s->status[traffic_column(a->status)], 1);
	traffic_add(&s->bucket[traffic_bucket(a->ns)], 1);
	traffic_add(&s->ns, a->ns);
	traffic_add(&s->request_bytes, a->request_bytes);
	traffic_add(&s->response_bytes, a->response_bytes);
}

void traffic_fault(struct traffic *t, enum traffic_fault what)
{
	traffic_add(&t->fault[what], 1);
}

int traffic_code(size_t column)
{
	return traffic_codes[column];
}

const char *traffic_fault_name(enum traffic_fault what)
{
	static const char *const names[TRAFFIC_FAULTS] = {
		[TRAFFIC_BAD_RECORD] = "bad_record", [TRAFFIC_TRUNCATED] = "truncated", [TRAFFIC_TIMEOUT] = "timeout",
		[TRAFFIC_PEER_GONE] = "peer_gone",
	};

	return names[what];
}

static uint64_t traffic_read(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

void traffic_sum(const struct traffic *t, size_t n, size_t slot, struct traffic_sum *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		const struct traffic_slot *s = &t[i].slot[slot];

		for (size_t k = 0; k < TRAFFIC_CODES; k++) {
			uint64_t answers = traffic_read(&s->status[k]);

			out->status[k] += answers;
			out->answers += answers;
		}
		for (size_t k = 0; k <= TRAFFIC_BUCKETS; k++)
			out->bucket[k] += traffic_read(&s->bucket[k]);
		out->ns += traffic_read(&s->ns);
		out->request_bytes += traffic_read(&s->request_bytes);
		out->response_bytes += traffic_read(&s->response_bytes);
	}
}
