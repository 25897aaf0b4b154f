/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.c - the heap behind mem.h, with the switch that lets tests make the n-th allocation fail.
 *
 * Rules     (1) NULL means "no memory" and nothing else: a request for 0 bytes gives a pointer.  (2) while nobody injects
 *           failures an allocation costs one relaxed load of a line that no one writes.
 * Source    counting the allocations of a scenario, then failing each in turn: nghttp2's failmalloc test.
 */
#define MEM_IMPLEMENTATION            /* the one file that may name the raw calls */
#include "base/mem.h"

#include <stdatomic.h>
#include <sys/mman.h>

/* Read by every allocation, written by tests alone; the counter below has a line of its own for rule 2. */
static atomic_bool mem_armed;

static struct {
	_Alignas(64) _Atomic uint64_t asked;    /* since mem_fail_at() armed it */
	_Atomic uint64_t fail_at;
	atomic_bool sticky;
} mem_injection;

static bool mem_injected(void)
{
	uint64_t nth, fail_at;

	nth = atomic_fetch_add_explicit(&mem_injection.asked, 1, memory_order_relaxed) + 1;
	fail_at = atomic_load_explicit(&mem_injection.fail_at, memory_order_relaxed);
	if (nth == fail_at)
		return true;
	return nth > fail_at && atomic_load_explicit(&mem_injection.sticky, memory_order_relaxed);
}

/* Refused by us: by a test's wish, or for a size that no heap can give and debugging ones abort on. */
static inline bool mem_refuses(size_t size)
{
	if (__builtin_expect(atomic_load_explicit(&mem_armed, memory_order_relaxed), false) && mem_injected())
		return true;
	return size > PTRDIFF_MAX;
}

void mem_fail_at(uint64_t n, bool sticky)
{
	atomic_store(&mem_armed, false);
	if (n == 0)
		return;
	atomic_store(&mem_injection.asked, 0);
	atomic_store(&mem_injection.fail_at, n);
	atomic_store(&mem_injection.sticky, sticky);
	atomic_store(&mem_armed, true);
}

uint64_t mem_fail_count(void)
{
	return atomic_load(&mem_injection.asked);
}

/* n * size, or more than there can be. */
static size_t mem_product(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes;
}

void *mem_alloc(size_t size)
{
	return mem_refuses(size) ? NULL : malloc(size ? size : 1);
}

void *mem_calloc(size_t n, size_t size)
{
	size_t bytes = mem_product(n, size);

	return mem_refuses(bytes) ? NULL : calloc(1, bytes ? bytes : 1);
}

void *mem_alloc_aligned(size_t align, size_t size)
{
	void *p;

	if (mem_refuses(size) || posix_memalign(&p, align, size ? size : 1))
		return NULL;
	return p;
}

void *mem_array(size_t n, size_t size)
{
	return mem_alloc(mem_product(n, size));
}

void *mem_resize(void *p, size_t n, size_t size)
{
	size_t bytes = mem_product(n, size);

	return mem_refuses(bytes) ? NULL : realloc(p, bytes ? bytes : 1);
}

void *mem_dup(const void *p, size_t n)
{
	void *copy = mem_alloc(n);

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

void mem_free(void *p)
{
	free(p);
}

void *mem_map(size_t align, size_t size)
{
	size_t room = size + align, before;
	uint8_t *p;

	if (mem_refuses(room))
		return NULL;
	p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	before = (align - ((uintptr_t)p & (align - 1))) & (align - 1);
	if (before)
		(void)munmap(p, before);
	(void)munmap(p + before + size, align - before);
	(void)madvise(p + before, size, MADV_HUGEPAGE);       /* only advice: where there are none, small pages serve */
	return p + before;
}

void mem_unmap(void *p, size_t size)
{
	(void)munmap(p, size);
}
