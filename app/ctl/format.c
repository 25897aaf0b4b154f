/* SPDX-License-Identifier: Apache-2.0 */
/* format.c - the forms that an export can have. */
#include "ctl/format.h"

#include "ctl/session.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *format_column_name(enum format_column column)
{
	static const char *const names[FORMAT_COLUMNS] = {
		"key", "key_encoding", "value", "encoding", "version", "expires_at", "content_type", "content_type_encoding",
	};

	return names[column];
}

static enum format format_by_name(const char *path)
{
	size_t n = strlen(path);
	struct stat st;

	if (n > 4 && strcmp(path + n - 4, ".csv") == 0)
		return FORMAT_CSV;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? FORMAT_FILES : FORMAT_LINES;
}

int format_of(const struct args *a, const char *path, enum format *out)
{
	static const char *const names[] = { [FORMAT_LINES] = "ndjson", [FORMAT_CSV] = "csv", [FORMAT_FILES] = "files" };

	if (!a->format) {
		*out = path ? format_by_name(path) : FORMAT_LINES;
		return SESSION_OK;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(a->format, names[i]) == 0) {
			*out = (enum format)i;
			return SESSION_OK;
		}
	}
	(void)fprintf(stderr, "siltctl: --format: \"%s\" is none: it is ndjson, csv or files\n", a->format);
	return SESSION_USAGE;
}
