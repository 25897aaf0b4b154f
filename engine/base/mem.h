/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - the engine's only door to the heap: overflow-checked, and able to fail on demand for tests.
 *
 * Every allocation may return NULL, and callers turn that into SILT_E_NOMEM; 0 bytes is a pointer too, to be freed as any.
 * Including this header poisons the raw calls: include foreign headers before it.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, warn_unused_result));   /* zeroed */
void *mem_alloc_aligned(size_t align, size_t size) __attribute__((malloc, warn_unused_result)); /* freed by mem_free */
void *mem_array(size_t n, size_t size) __attribute__((malloc, warn_unused_result));    /* not zeroed */
void *mem_resize(void *p, size_t n, size_t size) __attribute__((warn_unused_result));  /* p stays valid on NULL */
void *mem_dup(const void *p, size_t n) __attribute__((warn_unused_result));
char *mem_strdup(const char *s) __attribute__((warn_unused_result));
void mem_free(void *p);
/* Zeroed pages of their own, huge ones where the system has them; align: a power of two from a page up. Size in multiples of it. */
void *mem_map(size_t align, size_t size) __attribute__((warn_unused_result));
void mem_unmap(void *p, size_t size);

/*
 * Tests: the n-th allocation from now (1 = the next one) fails, in any thread; 0 = never. With `sticky` all later ones too.
 * mem_fail_count() = how many were asked for since n was last set to anything but 0; UINT64_MAX only counts. The one mutable
 * global of the engine, for tests alone.
 */
void mem_fail_at(uint64_t n, bool sticky);
uint64_t mem_fail_count(void);

#ifndef MEM_IMPLEMENTATION
#pragma GCC poison malloc calloc realloc reallocarray free strdup strndup strcpy strcat sprintf
#endif

#endif
