/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array.h - room for one more element of an array on the heap, which doubles when it is full.
 *
 * Use       struct thing *more = array_grow(things, n, &room, sizeof(*more)); if (more) { things = more; things[n++] = ..; }
 */
#ifndef UTIL_ARRAY_H
#define UTIL_ARRAY_H

#include <stddef.h>

/* The array (NULL = none yet), perhaps elsewhere, with *room above n. NULL: no memory, and all is as it was. */
void *array_grow(void *array, size_t n, size_t *room, size_t size);

#endif
