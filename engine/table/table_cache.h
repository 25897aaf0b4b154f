/* SPDX-License-Identifier: Apache-2.0 */
/* table_cache.h - one struct table a file, shared by all views that hold it: number -> table, while anyone has a reference. */
#ifndef TABLE_TABLE_CACHE_H
#define TABLE_TABLE_CACHE_H

#include "table/table_reader.h"

struct table_cache;
int table_cache_new(struct env *env, struct block_cache *blocks, struct table_cache **out) SILT_MUST_CHECK;
void table_cache_free(struct table_cache *c);            /* all references must be gone */
int table_cache_get(struct table_cache *c, struct table_meta *meta, struct table **out) SILT_MUST_CHECK;  /* returns a reference; no I/O */
void table_cache_put(struct table_cache *c, struct table *t);  /* gives one back; the last closes the file */

#endif
