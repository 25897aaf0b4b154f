/* SPDX-License-Identifier: Apache-2.0 */
/* approximate.c - how much is there between two keys, without reading it. */
#include <siltstone.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct silt_estimate e = { 0 };
	silt_batch *b = NULL;
	silt_db *db;
	int rc;

	if (argc != 2 || silt_open(argv[1], NULL, &db) != 0)
		return 1;
	rc = silt_batch_new(&b);
	for (int i = 0; i < 10000 && rc == 0; i++) {
		char key[16];
		int n = snprintf(key, sizeof(key), "user/%05d", i);

		rc = silt_batch_put(b, (struct silt_slice){ key, (size_t)n }, (struct silt_slice){ "some value", 10 }, NULL, 0);
	}
	if (rc == 0)
		rc = silt_write(db, b, 0, NULL);
	silt_batch_free(b);
	if (rc == 0)
		rc = silt_compact(db);            /* from here on each key is stored once */
	if (rc == 0)
		rc = silt_approximate(db, (struct silt_slice){ "user/02000", 10 }, (struct silt_slice){ "user/04000", 10 }, &e);
	printf("about %" PRIu64 " entries (%" PRIu64 "..%" PRIu64 "), %" PRIu64 " bytes\n", e.entries, e.entries_low, e.entries_high,
	       e.disk_bytes);
	return silt_close(db) != 0 || rc != 0 || e.entries_low > 2000 || e.entries_high < 2000;
}
