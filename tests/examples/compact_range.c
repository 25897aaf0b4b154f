/* SPDX-License-Identifier: Apache-2.0 */
/* compact_range.c - what was deleted in a range leaves the disk now, and not when it comes to it. */
#include <siltstone.h>

#include <stdio.h>
#include <string.h>

enum { ENTRIES = 20000 };

static struct silt_slice text(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

static int fill_or_clear(silt_db *db, int fill)
{
	silt_batch *b = NULL;
	char key[32];
	int rc = silt_batch_new(&b);

	for (int i = 0; i < ENTRIES && rc == 0; i++) {
		snprintf(key, sizeof(key), "day/1/%06d", i);
		rc = fill ? silt_batch_put(b, text(key), text("a line of a log"), NULL, 0) : silt_batch_delete(b, text(key), 0);
	}
	if (rc == 0)
		rc = silt_write(db, b, 0, NULL);
	silt_batch_free(b);
	return rc;
}

static unsigned long long entries(silt_db *db)
{
	struct silt_stats st;
	unsigned long long n = 0;

	silt_stats(db, &st);
	for (int l = 0; l < SILT_LEVELS; l++)
		n += st.table_entries[l];
	return n;
}

int main(int argc, char **argv)
{
	silt_db *db = NULL;
	int rc = silt_open(argc > 1 ? argv[1] : "example-compact-range", NULL, &db);

	if (rc == 0)
		rc = fill_or_clear(db, 1);
	if (rc == 0)
		rc = silt_flush(db);
	if (rc == 0)
		rc = fill_or_clear(db, 0);
	if (rc == 0)
		rc = silt_flush(db);
	if (rc == 0)
		printf("before: %llu entries in tables\n", entries(db));
	if (rc == 0)
		rc = silt_compact_range(db, text("day/1/"), text("day/2/"));
	if (rc == 0)
		printf("after: %llu\n", entries(db));
	else
		fprintf(stderr, "compact_range: %s\n", silt_strerror(rc));
	if (silt_close(db) != 0)
		return 1;
	return rc != 0;
}
