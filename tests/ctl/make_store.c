/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_store.c - a store for siltctl to look at: make_store DIR [hold]
 *
 * 2000 keys "key/0000".."key/1999" with "value of N" repeated; every tenth deleted again; tables in two levels; then in the log only
 * "log" = "newest", a key and a value that are no text, and a key of a TAB and a newline. Ends without closing, as a killed process would.
 * hold     keeps the store open until stdin ends, and says "open" when it is.
 */
#include <siltstone.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "make_store: %s: %s\n", what, silt_strerror(rc));
	_exit(1);
}

static struct silt_slice slice(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

static void put_range(silt_db *db, int from, int to)
{
	char key[32], value[512];

	for (int i = from; i < to; i++) {
		struct silt_put_options opts = { .meta = slice("text/plain") };
		silt_batch *b = NULL;

		snprintf(key, sizeof(key), "key/%04d", i);
		snprintf(value, sizeof(value), "value of %d: %0*d", i, 40 + i % 200, i);
		check(silt_batch_new(&b), "silt_batch_new");
		check(silt_batch_put(b, slice(key), slice(value), &opts, 0), "silt_batch_put");
		check(silt_write(db, b, SILT_ASYNC, NULL), "silt_write");
		silt_batch_free(b);
	}
}

static void delete_tenths(silt_db *db)
{
	char key[32];

	for (int i = 0; i < 2000; i += 10) {
		silt_batch *b = NULL;

		snprintf(key, sizeof(key), "key/%04d", i);
		check(silt_batch_new(&b), "silt_batch_new");
		check(silt_batch_delete(b, slice(key), 0), "silt_batch_delete");
		check(silt_write(db, b, SILT_ASYNC, NULL), "silt_write");
		silt_batch_free(b);
	}
}

static void put_strangers(silt_db *db)
{
	static const char key[] = "\x00\xff\x01", value[] = "\xfe\x00 bytes";

	check(silt_put(db, slice("log"), slice("newest"), NULL), "silt_put");
	check(silt_put(db, slice("a\tb\nc"), slice("back\\slash \xc3\xa9"), NULL), "silt_put");
	check(silt_put(db, (struct silt_slice){ key, sizeof(key) - 1 }, (struct silt_slice){ value, sizeof(value) - 1 }, NULL),
	      "silt_put");
}

int main(int argc, char **argv)
{
	struct silt_options o;
	silt_db *db = NULL;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "hold") != 0)) {
		fprintf(stderr, "usage: make_store DIR [hold]\n");
		return 2;
	}
	silt_options_init(&o);
	o.memtable_size = 256 << 10;
	o.wal_segment_size = 1 << 20;
	o.table_size = 64 << 10;
	o.min_free_space = 0;
	check(silt_open(argv[1], &o, &db), "silt_open");
	put_range(db, 0, 2000);
	check(silt_compact(db), "silt_compact");
	delete_tenths(db);
	check(silt_flush(db), "silt_flush");
	put_strangers(db);
	if (argc == 3) {
		printf("open\n");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	fflush(NULL);
	_exit(0);
}
