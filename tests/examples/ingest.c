/* SPDX-License-Identifier: Apache-2.0 */
/* ingest.c - a million sorted entries become part of a store at one moment, without passing its log. */
#include <siltstone.h>

#include <stdio.h>

enum { ENTRIES = 1000000 };

static int add_all(silt_ingest *in)
{
	char key[32], value[64];
	int rc = 0;

	for (int i = 0; i < ENTRIES && rc == 0; i++) {
		int n = snprintf(key, sizeof(key), "user/%08d", i), m = snprintf(value, sizeof(value), "the value of %d", i);

		rc = silt_ingest_add(in, (struct silt_slice){ key, (size_t)n }, (struct silt_slice){ value, (size_t)m }, NULL);
	}
	return rc;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "example-ingest";
	struct silt_buf value = { 0 };
	silt_ingest *in = NULL;
	silt_db *db = NULL;
	uint64_t version = 0;
	int rc = silt_open(dir, NULL, &db);

	if (rc == 0)
		rc = silt_ingest_begin(db, &in);
	if (rc == 0)
		rc = add_all(in);
	if (rc == 0)
		rc = silt_ingest_commit(in, &version);
	silt_ingest_end(in);
	if (rc == 0)
		rc = silt_get(db, (struct silt_slice){ "user/00123456", 13 }, NULL, 0, &value, NULL);
	if (rc == 0)
		printf("%d entries at version %llu; one of them: %.*s\n", ENTRIES, (unsigned long long)version, (int)value.len,
		       (const char *)value.data);
	else
		fprintf(stderr, "ingest: %s\n", silt_strerror(rc));
	silt_buf_free(&value);
	if (silt_close(db) != 0)
		return 1;
	return rc != 0;
}
