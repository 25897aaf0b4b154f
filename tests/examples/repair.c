/* SPDX-License-Identifier: Apache-2.0 */
/* repair.c - a table with a damaged block: told what a repair would lose, then repaired, and the rest found again. */
#include <siltstone.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 1000 };

static void print(void *ctx, const struct silt_finding *finding)
{
	(void)ctx;
	puts(finding->text);
}

static int make_one(const char *dir)
{
	char key[16], value[100] = "a value";
	silt_batch *b = NULL;
	silt_db *db = NULL;
	int rc = silt_batch_new(&b), closed;

	for (int i = 0; i < KEYS && rc == 0; i++) {
		snprintf(key, sizeof(key), "key %04d", i);
		rc = silt_batch_put(b, (struct silt_slice){ key, strlen(key) }, (struct silt_slice){ value, sizeof(value) }, NULL, 0);
	}
	if (rc == 0)
		rc = silt_open(dir, NULL, &db);
	if (rc == 0)
		rc = silt_write(db, b, 0, NULL);
	if (rc == 0)
		rc = silt_flush(db);
	silt_batch_free(b);
	closed = silt_close(db);
	return rc ? rc : closed;
}

/* One byte of the first block of the only table. */
static int damage(const char *dir)
{
	char pattern[4096];
	glob_t tables;
	FILE *f = NULL;
	int c = EOF;

	snprintf(pattern, sizeof(pattern), "%s/*.sst", dir);
	if (glob(pattern, 0, NULL, &tables) == 0)
		f = fopen(tables.gl_pathv[0], "r+b");
	if (f && fseek(f, 50, SEEK_SET) == 0 && (c = fgetc(f)) != EOF && fseek(f, 50, SEEK_SET) == 0)
		fputc(c ^ 1, f);
	globfree(&tables);
	return f && fclose(f) == 0 && c != EOF ? 0 : SILT_E_IO;
}

static int find_last(const char *dir)
{
	struct silt_buf value = { 0 };
	silt_db *db = NULL;
	int rc = silt_open(dir, NULL, &db);

	if (rc == 0)
		rc = silt_get(db, (struct silt_slice){ "key 0999", 8 }, NULL, 0, &value, NULL);
	silt_buf_free(&value);
	return silt_close(db) == 0 ? rc : SILT_E_IO;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "example-repair";
	struct silt_repair_result told = { 0 }, done = { 0 };
	int rc = make_one(dir);

	if (rc == 0)
		rc = damage(dir);
	if (rc == 0 && silt_repair(dir, NULL, 0, print, NULL, &told) != SILT_E_CORRUPT)     /* tells, and changes nothing */
		rc = SILT_E_MISUSE;
	if (rc == 0)
		rc = silt_repair(dir, NULL, SILT_REPAIR_APPLY, NULL, NULL, &done);
	if (rc == 0)
		rc = find_last(dir);
	if (rc != 0) {
		fprintf(stderr, "repair: %s\n", silt_strerror(rc));
		return 1;
	}
	printf("%llu entries lost, %llu saved: %s\n", (unsigned long long)done.entries_lost, (unsigned long long)done.entries_saved,
	       done.repaired ? "repaired" : "nothing changed");
	return !done.repaired || done.entries_lost != told.entries_lost || done.entries_lost + done.entries_saved != KEYS;
}
