/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys.c - see keys.h.
 * Sources: zipf after Gray et al., "Quickly generating billion-record synthetic databases", SIGMOD 1994, as YCSB has it; the permutation is a
 * Feistel network of four rounds that walks until it is back in range; random bits by splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
 */
#include "keys.h"

#include <math.h>
#include <stdlib.h>

static const double keys_theta = 0.99;

static uint64_t keys_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void keys_init_zipf(struct keys *k)
{
	double zeta2 = 1 + pow(0.5, keys_theta);

	k->zipf_zeta = 0;
	for (uint64_t i = 1; i <= k->count; i++)
		k->zipf_zeta += 1 / pow((double)i, keys_theta);
	k->zipf_alpha = 1 / (1 - keys_theta);
	k->zipf_eta = (1 - pow(2.0 / (double)k->count, 1 - keys_theta)) / (1 - zeta2 / k->zipf_zeta);
}

int keys_init(struct keys *k, uint64_t count, unsigned length, size_t value_size)
{
	size_t words = (KEYS_POOL + value_size) / sizeof(uint64_t) + 1;
	uint64_t *pool = malloc(words * sizeof(*pool));

	if (pool == NULL)
		return -1;
	for (size_t i = 0; i < words; i++)
		pool[i] = keys_mix((i + 1) * UINT64_C(0x9e3779b97f4a7c15));
	*k = (struct keys){ .count = count, .length = length, .value_size = value_size, .pool = (const char *)pool };
	keys_init_zipf(k);
	return 0;
}

void keys_fini(struct keys *k)
{
	free((void *)(uintptr_t)k->pool);
	k->pool = NULL;
}

int keys_take(struct keys_hand *h, const struct keys *k, uint64_t seed)
{
	*h = (struct keys_hand){ .keys = k, .random = keys_mix(seed + 1) };
	h->value = malloc(k->value_size + sizeof(uint64_t));
	return h->value == NULL ? -1 : 0;
}

void keys_drop(struct keys_hand *h)
{
	free(h->value);
}

uint64_t keys_random(struct keys_hand *h)
{
	h->random += UINT64_C(0x9e3779b97f4a7c15);
	return keys_mix(h->random);
}

uint64_t keys_below(struct keys_hand *h, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)keys_random(h) * n) >> 64);
}

uint64_t keys_zipf(struct keys_hand *h, uint64_t n)
{
	const struct keys *k = h->keys;
	double u = (double)(keys_random(h) >> 11) * 0x1p-53, uz = u * k->zipf_zeta;
	uint64_t rank;

	if (uz < 1)
		return 0;
	if (uz < 1 + pow(0.5, keys_theta))
		return 1;
	rank = (uint64_t)((double)n * pow(k->zipf_eta * u - k->zipf_eta + 1, k->zipf_alpha));
	return rank < n ? rank : n - 1;
}

uint64_t keys_shuffle(uint64_t i, uint64_t n)
{
	unsigned half = 1;
	uint64_t mask;

	while (half < 32 && (UINT64_C(1) << (2 * half)) < n)
		half++;
	mask = (UINT64_C(1) << half) - 1;
	do {
		uint64_t left = i >> half, right = i & mask;

		for (unsigned round = 1; round <= 4; round++) {
			uint64_t next = left ^ (keys_mix(right + round * UINT64_C(0x9e3779b97f4a7c15)) & mask);

			left = right;
			right = next;
		}
		i = left << half | right;
	} while (i >= n);
	return i;
}

static void keys_digits(char *to, unsigned digits, uint64_t number)
{
	while (digits > 0) {
		to[--digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

static size_t keys_mixed(const struct keys *k, char *to, uint64_t number)
{
	static const char prefix[] = "tenant/0000/collections/settings/", tail[] = "abcdefghijklmnopqrstuvwx";
	size_t n = sizeof(prefix) - 1, extra = keys_mix(number) % 24;

	memcpy(to, prefix, n);
	keys_digits(to + 7, 4, number * 4 / (k->count + 1));       /* of numbers below 2n: eight tenants, and those added later */
	keys_digits(to + n, KEYS_DIGITS, number);
	memcpy(to + n + KEYS_DIGITS, tail, extra);
	return n + KEYS_DIGITS + extra;
}

struct bench_bytes keys_key(struct keys_hand *h, uint64_t number)
{
	unsigned length = h->keys->length, letters = length > KEYS_DIGITS ? length - KEYS_DIGITS : 0;

	if (length == 0)
		return (struct bench_bytes){ h->key, keys_mixed(h->keys, h->key, number) };
	memset(h->key, 'k', letters);
	keys_digits(h->key + letters, length - letters, number);
	return (struct bench_bytes){ h->key, length };
}

struct bench_bytes keys_value(struct keys_hand *h, uint64_t index)
{
	size_t at = keys_random(h) & (KEYS_POOL - 1) & ~(size_t)7;

	memcpy(h->value, h->keys->pool + at, h->keys->value_size);
	memcpy(h->value, &index, h->keys->value_size < sizeof(index) ? h->keys->value_size : sizeof(index));
	return (struct bench_bytes){ h->value, h->keys->value_size };
}
