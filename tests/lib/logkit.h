/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logkit.h - what the tests of engine/log share: an environment that remembers its last message, on the simulated disk or in a
 * directory of its own; logs whose payloads follow from their versions, so that a wrong record shows itself; what a judge saw.
 */
#ifndef TESTS_LOGKIT_H
#define TESTS_LOGKIT_H

#include "lib/test.h"

#include "core/filename.h"
#include "lib/simdisk.h"
#include "log/judge.h"
#include "log/segment.h"
#include "log/writer.h"

struct logkit {
	struct simdisk *disk;             /* borrowed; NULL = POSIX */
	char *dir;                        /* owned; "/db" on the simulated disk */
	struct env env;
	unsigned reports;
	char message[1024];               /* the last report */
	char paths[4][FILENAME_MAX_BYTES];/* given by logkit_wal() in turn */
	unsigned next_path;
};

void logkit_init(struct logkit *k, struct simdisk *disk);
/* The same on another disk with the same names (a crash copy); needs no fini. */
void logkit_on(struct logkit *k, struct simdisk *disk);
void logkit_fini(struct logkit *k);

/* The path of WAL segment `number`; valid until the fourth call after it. */
const char *logkit_wal(struct logkit *k, uint64_t number);
bool logkit_exists(struct logkit *k, const char *path);
void logkit_slurp(struct logkit *k, const char *path, struct silt_buf *out);
void logkit_spill(struct logkit *k, const char *path, struct silt_slice bytes);      /* in place; synced on the simulated disk */
void logkit_flip(struct logkit *k, const char *path, uint64_t offset, uint8_t mask);

/* A new segment with a writer; asserts that it can be had. */
struct log_writer *logkit_create(struct logkit *k, uint64_t number, uint64_t capacity);

/* What DATA of this version carries: 0 to 299 bytes that follow from it. */
struct silt_slice logkit_payload(uint64_t version, uint8_t room[300]);
void logkit_add(struct log_writer *w, uint64_t version);            /* reserves and adds DATA */
void logkit_group(struct log_writer *w, uint64_t from, uint64_t to);/* one appended group of versions from..to */

struct logkit_seen {
	uint64_t versions[4096];          /* of DATA, in order */
	size_t n;
	uint64_t skips;
	bool wrong;                       /* some DATA did not carry what it was given */
	struct log_end end;
};
/* Judges WAL segments first..last; the outcome of log_judge(). */
int logkit_judge(struct logkit *k, uint64_t first, uint64_t last, struct logkit_seen *out);
/* Did it see exactly the versions from..to (none where to < from), each with its own payload? */
bool logkit_saw(const struct logkit_seen *seen, uint64_t from, uint64_t to);

#endif
