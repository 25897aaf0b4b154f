/* SPDX-License-Identifier: Apache-2.0 */
/* pinned.c - reading a large value where it lies: no copy, no allocation. */
#include <siltstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct silt_slice key = { "picture", 7 };
	struct silt_pin pin = { .value = { NULL, 0 } };
	size_t len = 100000, sum = 0;
	char *picture = malloc(len);
	silt_db *db;
	int rc;

	if (argc != 2 || !picture)
		return 1;
	memset(picture, 1, len);
	rc = silt_open(argv[1], NULL, &db);
	if (rc != 0) {
		fprintf(stderr, "%s: %s\n", argv[1], silt_strerror(rc));
		free(picture);
		return 1;
	}
	rc = silt_put(db, key, (struct silt_slice){ picture, len }, NULL);
	if (rc == 0)
		rc = silt_get_pinned(db, key, NULL, 0, &pin, NULL);
	for (size_t i = 0; i < pin.value.len; i++)
		sum += ((const unsigned char *)pin.value.data)[i];
	silt_pin_release(&pin);           /* the value is not to be touched from here on */
	printf("%zu bytes, sum %zu: %s\n", len, sum, silt_strerror(rc));
	free(picture);
	return silt_close(db) != 0 || rc != 0 || sum != len;
}
