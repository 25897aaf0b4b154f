/* SPDX-License-Identifier: Apache-2.0 */
/* multi_get.c - many keys in one call, all read at one version. */
#include <siltstone.h>
#include <stdio.h>
#include <string.h>

enum { N = 4 };

int main(int argc, char **argv)
{
	static const char *const names[N] = { "ada", "brian", "nobody", "dennis" };
	struct silt_buf values[N] = { { NULL, 0, 0 } };
	struct silt_lookup items[N];
	int rc, found = 0;
	silt_db *db;

	if (argc != 2 || silt_open(argv[1], NULL, &db) != 0)
		return 1;
	rc = silt_put(db, (struct silt_slice){ "ada", 3 }, (struct silt_slice){ "1815", 4 }, NULL);
	if (rc == 0)
		rc = silt_put(db, (struct silt_slice){ "brian", 5 }, (struct silt_slice){ "1942", 4 }, NULL);
	if (rc == 0)
		rc = silt_put(db, (struct silt_slice){ "dennis", 6 }, (struct silt_slice){ "1941", 4 }, NULL);
	for (int i = 0; i < N; i++)
		items[i] = (struct silt_lookup){ .key = { names[i], strlen(names[i]) }, .value = &values[i] };
	if (rc == 0)
		rc = silt_multi_get(db, NULL, 0, items, N);
	for (int i = 0; i < N && rc == 0; i++) {
		found += items[i].code == 0;
		printf("%s: %.*s\n", names[i], (int)values[i].len, items[i].code == 0 ? (const char *)values[i].data : "");
		silt_buf_free(&values[i]);
	}
	return silt_close(db) != 0 || rc != 0 || found != 3 || items[2].code != SILT_NOTFOUND;
}
