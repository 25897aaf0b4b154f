/* SPDX-License-Identifier: Apache-2.0 */
/* range_delete.c - a day of measurements goes with one small record, and the next one's first takes its place in the same batch. */
#include <siltstone.h>

#include <stdio.h>
#include <string.h>

static struct silt_slice text(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

static int fill(silt_db *db, const char *day)
{
	char key[64];
	silt_batch *b = NULL;
	int rc = silt_batch_new(&b);

	for (int i = 0; i < 1440 && rc == 0; i++) {
		snprintf(key, sizeof(key), "%s/%02d:%02d", day, i / 60, i % 60);
		rc = silt_batch_put(b, text(key), text("21.5"), NULL, 0);
	}
	if (rc == 0)
		rc = silt_write(db, b, 0, NULL);
	silt_batch_free(b);
	return rc;
}

/* From the first key up to a day, in one batch with what stands for it; the last operation on a key counts. */
static int forget_before(silt_db *db, const char *day)
{
	const struct silt_slice first = { NULL, 0 };
	silt_batch *b = NULL;
	int rc = silt_batch_new(&b);

	if (rc == 0)
		rc = silt_batch_delete_range(b, first, text(day));
	if (rc == 0)
		rc = silt_batch_put(b, text("2026-01-01/mean"), text("20.9"), NULL, 0);
	if (rc == 0)
		rc = silt_write(db, b, 0, NULL);
	silt_batch_free(b);
	return rc;
}

static int count(silt_db *db, unsigned *n)
{
	silt_iter *it = NULL;
	int rc = silt_iter_new(db, NULL, &it);

	if (rc != 0)
		return rc;
	for (rc = silt_iter_first(it); rc == 0; rc = silt_iter_next(it))
		++*n;
	silt_iter_close(it);
	return rc == SILT_END ? 0 : rc;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "example-range-delete";
	unsigned n = 0;
	silt_db *db = NULL;
	int rc = silt_open(dir, NULL, &db);

	if (rc == 0)
		rc = fill(db, "2026-01-01");
	if (rc == 0)
		rc = fill(db, "2026-01-02");
	if (rc == 0)
		rc = forget_before(db, "2026-01-02");
	if (rc == 0)
		rc = count(db, &n);
	if (rc == 0)
		printf("%u entries are left: a day and a mean\n", n);
	else
		fprintf(stderr, "range_delete: %s\n", silt_strerror(rc));
	if (silt_close(db) != 0)
		return 1;
	return rc != 0 || n != 1441;
}
