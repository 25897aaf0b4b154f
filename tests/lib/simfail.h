/* SPDX-License-Identifier: Apache-2.0 */
/* simfail.h - the n-th failure of whatever may fail: one kind of call of a simulated disk, or an allocation. Header only. */
#ifndef TESTS_SIMFAIL_H
#define TESTS_SIMFAIL_H

#include "lib/test.h"

#include "base/mem.h"
#include "lib/simdisk.h"

#define SIMFAIL_MEMORY SIM_CALLS          /* as the kind: allocations; the code is SILT_E_NOMEM then */

struct simfail {
	struct simdisk *disk;
	enum simdisk_call kind;
	uint64_t before;
};

/* The n-th from now on fails with this code; it alone, or all later ones, too. */
static inline struct simfail simfail_begin(struct simdisk *d, enum simdisk_call kind, uint64_t n, int code, bool sticky)
{
	struct simfail f = { .disk = d, .kind = kind };

	if (kind == SIMFAIL_MEMORY) {
		mem_fail_at(n, sticky);
	} else {
		f.before = simdisk_calls(d, kind);
		simdisk_fail_at(d, kind, n, code, sticky);
	}
	return f;
}

/* No failure any more. Returns how many there were that might have failed: fewer than n, and nothing did. */
static inline uint64_t simfail_end(const struct simfail *f)
{
	uint64_t asked;

	if (f->kind == SIMFAIL_MEMORY) {
		asked = mem_fail_count();
		mem_fail_at(0, false);
	} else {
		asked = simdisk_calls(f->disk, f->kind) - f->before;
		simdisk_fail_at(f->disk, f->kind, 0, 0, false);
	}
	return asked;
}

/* Runs it with its first allocation failing, then with its second, ... until none did: each run but the last is out of memory. How many runs. */
static inline uint64_t simfail_each_allocation(int (*scenario)(void))
{
	uint64_t n = 0;
	int rc;

	do {
		mem_fail_at(++n, false);
		rc = scenario();
		mem_fail_at(0, false);
		assert_true(rc == 0 || rc == SILT_E_NOMEM);
	} while (rc != 0);
	return n;
}

#endif
