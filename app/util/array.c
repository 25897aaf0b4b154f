/* SPDX-License-Identifier: Apache-2.0 */
/* array.c - room for one more. */
#include "util/array.h"

#include <stdint.h>
#include <stdlib.h>

enum { ARRAY_FIRST_ROOM = 16 };

void *array_grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room == 0 ? ARRAY_FIRST_ROOM : *room;
	void *grown;

	if (n < *room)
		return array;
	if (more > SIZE_MAX / 2 / size)
		return NULL;
	while (more <= n)
		more *= 2;
	grown = realloc(array, more * size);
	if (grown != NULL)
		*room = more;
	return grown;
}
