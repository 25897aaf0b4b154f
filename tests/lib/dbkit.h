/* SPDX-License-Identifier: Apache-2.0 */
/* dbkit.h - a small store on a simulated disk, with the last message it logged; for the tests of db/. */
#ifndef TESTS_DBKIT_H
#define TESTS_DBKIT_H

#include <siltstone.h>

#include <pthread.h>

#include "lib/simdisk.h"

struct dbkit {
	struct simdisk *disk;
	struct silt_options opts;         /* small sizes, so that everything happens soon */
	silt_db *db;
	char last_error[1024];            /* newest message at SILT_LOG_ERROR */
	char log[8192];                   /* all messages, the oldest cut off */
	pthread_mutex_t mu;               /* guards both: the store's threads speak, too */
};

void dbkit_init(struct dbkit *k);                         /* a new disk; not open yet */
void dbkit_init_on(struct dbkit *k, struct simdisk *disk);/* takes the disk: a crash copy, mostly */
void dbkit_fini(struct dbkit *k);                         /* closes what is open */
int dbkit_open(struct dbkit *k);
int dbkit_close(struct dbkit *k);
void dbkit_crash(struct dbkit *k, enum simdisk_policy policy, uint64_t seed);     /* the machine dies; the handle is closed after */
void dbkit_kill(struct dbkit *k);                         /* the process dies: what was written stays, in the page cache alone */
/* Waits until the next log segment is made ahead: from then on the store's threads call the disk no more on their own. */
void dbkit_settle(struct dbkit *k);
int dbkit_put(struct dbkit *k, const char *key, const char *value);
int dbkit_put_async(struct dbkit *k, const char *key, const char *value);
int dbkit_delete(struct dbkit *k, const char *key);
/* The value as a string in a buffer that the next call reuses; NULL = not found; anything else fails the test. */
const char *dbkit_get(struct dbkit *k, const char *key);
size_t dbkit_files(struct dbkit *k, const char *dir, const char *suffix);          /* how many names end so */
/* A text: each file of db/ and db/quarantine/ with its size and a hash of its bytes, sorted; to see that nothing changed. */
void dbkit_image(struct dbkit *k, struct silt_buf *out);
bool dbkit_logged(struct dbkit *k, const char *text);     /* does a message have it? */
bool dbkit_exists(struct dbkit *k, const char *path);
void dbkit_unlink(struct dbkit *k, const char *path);     /* durably; asserts that it was there */

#define STR(s) ((struct silt_slice){ (s), strlen(s) })

#endif
