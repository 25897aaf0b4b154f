/* SPDX-License-Identifier: Apache-2.0 */
/* counter.c - counting without losing a step: alone, and beside other writes in one batch. */
#include <siltstone.h>
#include <stdio.h>

static int visit(silt_db *db, const char *page, size_t len, int64_t *count)
{
	struct silt_slice key = { page, len };
	struct silt_result res = { 0 };
	silt_batch *b;
	int rc = silt_batch_new(&b);

	if (rc != 0)
		return rc;
	rc = silt_batch_add(b, key, 1, NULL, SILT_OP_REPORT);
	if (rc == 0)
		rc = silt_batch_put(b, (struct silt_slice){ "last", 4 }, key, NULL, 0);
	if (rc == 0)
		rc = silt_write(db, b, 0, &res);  /* both, or neither */
	if (rc == 0)
		*count = res.reports[0].sum;
	silt_result_fini(&res);
	silt_batch_free(b);
	return rc;
}

int main(int argc, char **argv)
{
	int64_t count = 0, sum = 0;
	silt_db *db;
	int rc, full;

	if (argc != 2 || silt_open(argv[1], NULL, &db) != 0)
		return 1;
	rc = visit(db, "/index", 6, &count);
	if (rc == 0)
		rc = visit(db, "/index", 6, &count);
	if (rc == 0)
		rc = silt_add(db, (struct silt_slice){ "balance", 7 }, -40, &sum, NULL);
	printf("visits %lld, balance %lld\n", (long long)count, (long long)sum);
	/* what has no sum is an answer, and nothing was written */
	full = silt_add(db, (struct silt_slice){ "balance", 7 }, INT64_MIN, &sum, NULL);
	printf("%s; the last page is no number: %s\n", silt_strerror(full),
	       silt_strerror(silt_add(db, (struct silt_slice){ "last", 4 }, 1, NULL, NULL)));
	return silt_close(db) != 0 || rc != 0 || count != 2 || sum != -40 || full != SILT_OVERFLOW;
}
