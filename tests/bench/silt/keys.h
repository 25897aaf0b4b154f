/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.h - which keys and values a run has, and in which order and how often they are asked for.
 *
 * A store of n keys holds the even numbers below 2n; the odd ones are missing, each between two that are there. Index i is number 2i.
 *
 *   16 (12 to 64)   decimal digits, zeros before them, after 16 of which letters come first:  0000000000001998
 *   mixed           eight tenants of one long prefix each, and a tail of 0 to 23 bytes:       tenant/0003/collections/settings/0000000000001998abcdef
 * Either way the order of keys is that of their numbers.
 *
 * A value's first word is its index; the rest are bytes that no compressor makes smaller.
 */
#ifndef BENCH_SILT_KEYS_H
#define BENCH_SILT_KEYS_H

#include "engine.h"

enum { KEYS_MAX = 96, KEYS_DIGITS = 16, KEYS_POOL = 1 << 20 };

struct keys {
	uint64_t count;
	unsigned length;                 /* 0 = mixed */
	size_t value_size;
	double zipf_zeta, zipf_alpha, zipf_eta;
	const char *pool;                /* KEYS_POOL + value_size random bytes */
};

/* What one thread needs to make keys and values. */
struct keys_hand {
	const struct keys *keys;
	uint64_t random;
	char key[KEYS_MAX];
	char *value;
};

int keys_init(struct keys *k, uint64_t count, unsigned length, size_t value_size);
void keys_fini(struct keys *k);

int keys_take(struct keys_hand *h, const struct keys *k, uint64_t seed);
void keys_drop(struct keys_hand *h);

uint64_t keys_random(struct keys_hand *h);                 /* 64 random bits */
uint64_t keys_below(struct keys_hand *h, uint64_t n);      /* evenly, 0..n-1 */
uint64_t keys_zipf(struct keys_hand *h, uint64_t n);       /* rank 0 the most often, theta 0.99; n near keys->count */
uint64_t keys_shuffle(uint64_t i, uint64_t n);             /* a fixed permutation of 0..n-1 */

/* Both are the hand's own and live until its next one. */
struct bench_bytes keys_key(struct keys_hand *h, uint64_t number);
struct bench_bytes keys_value(struct keys_hand *h, uint64_t index);

#endif
