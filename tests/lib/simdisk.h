/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simdisk.h - a disk that loses, tears and fails: struct silt_os over memory (tests only).
 *
 * Model     a file is synced bytes plus a list of unsynced writes; a directory is synced entries plus a list of unsynced
 *           name operations. simdisk_crash() decides for each unsynced write and name operation by seed: kept, lost, or (writes) torn at
 *           a 512-byte unit; a kept later write may stand without a lost earlier one. An open handle dies with the crash.
 *           A datasync or dirsync that failed leaves what it was to sync in doubt: no later one makes it durable.
 *           A write that failed may have left a part of itself. A new file's name needs a dirsync of its directory, and a
 *           new directory's one of its parent ("/" or "." for the root, which is always there).
 * Failures  the n-th call of a kind (or of any) from now fails with a code, once or for good. A failed call did nothing,
 *           but for the three above and close, which always closes. simdisk_crash() ends all failures.
 *           To pull the plug on an engine that is open: fail SIM_ANY at 1, sticky; close the engine; crash the disk.
 * Threads   any.
 */
#ifndef TESTS_SIMDISK_H
#define TESTS_SIMDISK_H

#include "os/os.h"

struct simdisk;
enum simdisk_call {
	SIM_ANY, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_DATASYNC, SIM_RENAME, SIM_LINK, SIM_UNLINK, SIM_MKDIR, SIM_RMDIR, SIM_STAT, SIM_LIST,
	SIM_DIRSYNC, SIM_LOCK, SIM_FREE_SPACE, SIM_SIZE, SIM_RANDOM, SIM_CLOSE, SIM_CALLS
};
enum simdisk_policy { SIM_LOSE_ALL, SIM_KEEP_ALL, SIM_MIXED };

struct simdisk *simdisk_new(uint64_t seed);
void simdisk_free(struct simdisk *d);                         /* handles must be closed; NULL is fine */
silt_os *simdisk_os(struct simdisk *d);
/* For a store on it: small sizes, so that everything happens soon, and all room may be used. d NULL: on no disk yet. */
struct silt_options simdisk_options(struct simdisk *d);
void simdisk_crash(struct simdisk *d, enum simdisk_policy policy, uint64_t seed);  /* what is left is synced; every handle answers SILT_E_IO for good */
/* A copy of the disk as a crash now would leave it; the original goes on. For crashes at every sync point. */
struct simdisk *simdisk_crash_copy(struct simdisk *d, enum simdisk_policy policy, uint64_t seed);
void simdisk_fail_at(struct simdisk *d, enum simdisk_call kind, uint64_t n, int code, bool sticky);   /* n = 1: the next one; 0 = never */
uint64_t simdisk_calls(struct simdisk *d, enum simdisk_call kind);      /* since simdisk_new(), failed ones too */
void simdisk_set_free(struct simdisk *d, uint64_t bytes);     /* room left: writes that grow past it are SILT_E_NOSPACE */
void simdisk_set_clock(struct simdisk *d, uint64_t wall_ms);  /* stands until set; mono_ns moves by itself */
/* Called before (`before` true) and after each DATASYNC, DIRSYNC and RENAME (path: the new name), whether it fails or not,
 * outside the disk's lock; for crash points. */
void simdisk_on_sync(struct simdisk *d, void (*fn)(void *ctx, enum simdisk_call kind, const char *path, bool before), void *ctx);
int simdisk_flip(struct simdisk *d, const char *path, uint64_t offset, uint8_t mask);   /* damage: 0, or SILT_NOTFOUND (also past the end) */
int simdisk_read_file(struct simdisk *d, const char *path, struct silt_buf *out);       /* replaces out: silt_buf_free() it */
int simdisk_write_file(struct simdisk *d, const char *path, struct silt_slice bytes);   /* whole and synced, the name too */

#endif
