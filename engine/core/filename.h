/* SPDX-License-Identifier: Apache-2.0 */
/* filename.h - the names in a store's directory, and what a name means. Numbers are printed with at least six digits. */
#ifndef CORE_FILENAME_H
#define CORE_FILENAME_H

#include <siltstone.h>

enum file_kind {
	FILE_OTHER,               /* not ours: never touched */
	FILE_LOCK, FILE_MANIFEST, FILE_WAL, FILE_TABLE,
	FILE_TMP,                 /* anything of ours that ends in .tmp: never whole */
	FILE_CHECKPOINTS, FILE_QUARANTINE,
};

enum { FILENAME_MAX_BYTES = 4096 };

/* "<dir>/000012.wal", "<dir>/000010.sst", with ".tmp" behind; into out[FILENAME_MAX_BYTES]; SILT_E_TOOBIG where it does not fit. */
int filename_wal(const char *dir, uint64_t number, bool tmp, char *out) SILT_MUST_CHECK;
int filename_table(const char *dir, uint64_t number, bool tmp, char *out) SILT_MUST_CHECK;
int filename_in(const char *dir, const char *name, char *out) SILT_MUST_CHECK;       /* "LOCK", "MANIFEST", "MANIFEST.tmp", ... */
/* The directory that holds the name of a path: "/var/db/" -> "/var", "db" -> ".", "/db" -> "/". */
int filename_parent(const char *path, char *out) SILT_MUST_CHECK;
enum file_kind filename_parse(const char *name, uint64_t *number);  /* number of WAL and table (and their .tmp), else 0 */

#endif
