/* SPDX-License-Identifier: Apache-2.0 */
/* table_meta.c - one allocation holds the struct and both its keys, so that a reference is all that keeps them alive. */
#include "core/table_meta.h"
#include "base/mem.h"

#include <stdatomic.h>

struct table_meta *table_meta_new(struct silt_slice smallest, struct silt_slice largest)
{
	struct table_meta *m = mem_alloc(sizeof(*m) + smallest.len + largest.len);
	char *keys;

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	keys = (char *)(m + 1);
	if (smallest.len)
		memcpy(keys, smallest.data, smallest.len);
	if (largest.len)
		memcpy(keys + smallest.len, largest.data, largest.len);
	m->smallest = slice_of(keys, smallest.len);
	m->largest = slice_of(keys + smallest.len, largest.len);
	atomic_init(&m->refs, 1);
	return m;
}

struct table_meta *table_meta_ref(struct table_meta *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void table_meta_unref(struct table_meta *m)
{
	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		mem_free(m);
}
