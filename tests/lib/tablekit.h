/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tablekit.h - what the tests of engine/table share: entries kept in a plain sorted array as the naive twin, one table made of them
 * on the simulated disk, and the two compared.
 */
#ifndef TESTS_TABLEKIT_H
#define TESTS_TABLEKIT_H

#include "lib/test.h"

#include "lib/logkit.h"
#include "lib/simdisk.h"
#include "table/table_reader.h"
#include "table/table_writer.h"

enum { TABLEKIT_NUMBER = 12 };

struct tablekit {
	struct simdisk *disk;
	struct logkit kit;                /* the environment, and what it last reported */
	struct block_cache *cache;
	struct entry *entries;            /* the twin: in key_cmp order once sorted; their bytes are owned */
	size_t count, room;
	struct tombstones *ranges;        /* NULL = none */
	char path[FILENAME_MAX_BYTES];    /* of the table */
	struct table_meta *meta;
	struct table *table;
};

void tablekit_init(struct tablekit *k, uint64_t cache_bytes);
void tablekit_fini(struct tablekit *k);

/* Copies; in any order, tablekit_sort() puts them right and drops all but one of the same key and version. */
void tablekit_add(struct tablekit *k, const struct entry *e);
void tablekit_put(struct tablekit *k, const char *key, uint64_t version, const char *value);
/* n puts "key000", ... of two versions each, a newer delete of every tenth. */
void tablekit_fill(struct tablekit *k, unsigned n);
/* "b-p@3 f-k@5", built for the readers (0 = all versions kept); replaces; '*' as upper = to the last key. */
void tablekit_ranges(struct tablekit *k, const char *text, const uint64_t *readers, size_t n);
void tablekit_sort(struct tablekit *k);
/* How the keys of random entries look. */
enum tablekit_shape { TABLEKIT_SHORT, TABLEKIT_PREFIXED, TABLEKIT_BINARY, TABLEKIT_LONG, TABLEKIT_VERSIONS, TABLEKIT_SHAPES };
void tablekit_random(struct tablekit *k, enum tablekit_shape shape, size_t n, uint64_t *seed);   /* sorted */

extern const struct table_settings tablekit_small;    /* blocks of a few entries */
/* Writes the twin's entries as a table; on 0 k->meta is set. */
int tablekit_write(struct tablekit *k, const struct table_settings *s);
void tablekit_reopen(struct tablekit *k);             /* a fresh struct table over k->meta, with an empty cache of the same size */
void tablekit_build(struct tablekit *k, const struct table_settings *s);   /* write and reopen; asserts */

/* The twin's answer among the entries: newest version of key at or below max_version, or NULL. */
const struct entry *tablekit_get(const struct tablekit *k, struct silt_slice key, uint64_t max_version);
size_t tablekit_seek(const struct tablekit *k, struct silt_slice key, uint64_t version);
bool tablekit_same(const struct entry *a, const struct entry *b);
/* table_get() with its hash; on 0 the entry is compared with the twin's. Returns what table_get() did. */
int tablekit_ask(struct tablekit *k, struct silt_slice key, uint64_t max_version, unsigned flags);
/* Asserts that each key at each of its versions, between and around them, is answered as the twin answers. */
void tablekit_check_gets(struct tablekit *k);
/* The entries forward and backward, and seeks to each. */
void tablekit_check_iter(struct tablekit *k, unsigned flags);

#endif
