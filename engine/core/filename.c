/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filename.c - names to meanings and back. A name counts as ours only if it is spelt as we would spell it: "12.wal" and
 * "0000012.wal" are strangers, so that two names never mean one file.
 */
#include "core/filename.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILENAME_DIGITS = 6 };

static int filename_fits(int printed)
{
	return printed > 0 && printed < FILENAME_MAX_BYTES ? 0 : SILT_E_TOOBIG;
}

static int filename_numbered(const char *dir, uint64_t number, const char *suffix, bool tmp, char *out)
{
	return filename_fits(snprintf(out, FILENAME_MAX_BYTES, "%s/%0*" PRIu64 "%s%s", dir, FILENAME_DIGITS, number, suffix,
	                              tmp ? ".tmp" : ""));
}

int filename_wal(const char *dir, uint64_t number, bool tmp, char *out)
{
	return filename_numbered(dir, number, ".wal", tmp, out);
}

int filename_table(const char *dir, uint64_t number, bool tmp, char *out)
{
	return filename_numbered(dir, number, ".sst", tmp, out);
}

int filename_in(const char *dir, const char *name, char *out)
{
	return filename_fits(snprintf(out, FILENAME_MAX_BYTES, "%s/%s", dir, name));
}

static size_t filename_without_slashes(const char *path, size_t n)
{
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

int filename_parent(const char *path, char *out)
{
	size_t n = filename_without_slashes(path, strlen(path));

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n == 0)
		return filename_fits(snprintf(out, FILENAME_MAX_BYTES, "."));
	n = filename_without_slashes(path, n);
	if (n >= FILENAME_MAX_BYTES)
		return SILT_E_TOOBIG;
	memcpy(out, path, n);
	out[n] = '\0';
	return 0;
}

/* The number that starts a name, and where it ends; NULL where it is none of ours (0, a spare leading zero, over 64 bits). */
static const char *filename_number(const char *name, uint64_t *number)
{
	const char *p = name;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return NULL;
		v = v * 10 + digit;
	}
	if (v == 0 || p - name < FILENAME_DIGITS || (p - name > FILENAME_DIGITS && *name == '0'))
		return NULL;
	*number = v;
	return p;
}

enum file_kind filename_parse(const char *name, uint64_t *number)
{
	static const struct {
		const char *name;
		enum file_kind kind;
	} fixed[] = {
		{ "LOCK", FILE_LOCK },
		{ "MANIFEST", FILE_MANIFEST },
		{ "MANIFEST.tmp", FILE_TMP },
		{ "checkpoints", FILE_CHECKPOINTS },
		{ "quarantine", FILE_QUARANTINE },
	};
	static const struct {
		const char *suffix;
		enum file_kind kind;
	} numbered[] = {
		{ ".wal", FILE_WAL },
		{ ".sst", FILE_TABLE },
		{ ".wal.tmp", FILE_TMP },
		{ ".sst.tmp", FILE_TMP },
	};
	const char *suffix;
	uint64_t n;

	*number = 0;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(name, fixed[i].name) == 0)
			return fixed[i].kind;
	suffix = filename_number(name, &n);
	if (!suffix)
		return FILE_OTHER;
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		if (strcmp(suffix, numbered[i].suffix) == 0) {
			*number = n;
			return numbered[i].kind;
		}
	}
	return FILE_OTHER;
}
