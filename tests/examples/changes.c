/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes.c - following what is written: one thread counts, another prints each change as it comes, and goes on where it stopped after
 * the store was opened again.
 */
#include <siltstone.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { WRITES = 5 };

static struct silt_slice text(char *room, size_t size, int i)
{
	return (struct silt_slice){ room, (size_t)snprintf(room, size, "%d", i) };
}

static void *count(void *arg)
{
	silt_db *db = arg;
	char room[16];

	for (int i = 1; i <= WRITES; i++)
		if (silt_put(db, (struct silt_slice){ "counter", 7 }, text(room, sizeof(room), i), NULL) != 0)
			return db;
	return NULL;
}

static void show(const struct silt_change *ch)
{
	printf("%" PRIu64 " %s %.*s %.*s%s\n", ch->version, ch->op == SILT_CHANGE_PUT ? "put" : "delete", (int)ch->key.len,
	       (const char *)ch->key.data, (int)ch->value.len, (const char *)ch->value.data, ch->last ? "" : " ...");
}

/* From *version on until n changes came; *version moves with them. */
static int follow(silt_db *db, uint64_t *version, int n)
{
	struct silt_change ch;
	silt_changes *c;
	int rc = silt_changes_new(db, *version, &c);

	if (rc != 0)
		return rc;
	while (n > 0 && (rc == 0 || rc == SILT_END)) {
		rc = silt_changes_next(c, &ch);
		if (rc == 0) {
			show(&ch);
			n--;
		} else if (rc == SILT_END && silt_changes_wait(db, silt_changes_version(c), 10000) != 0) {
			rc = SILT_TRY_AGAIN;      /* nothing for ten seconds */
		}
	}
	*version = silt_changes_version(c);
	silt_changes_close(c);
	return rc;
}

int main(int argc, char **argv)
{
	struct silt_options opts;
	uint64_t version = 0, oldest;
	void *failed = NULL;
	pthread_t writer;
	silt_db *db;
	int rc;

	silt_options_init(&opts);
	opts.change_log_size = 256 << 20;         /* a quarter of a GiB of log, for those who come late */
	if (argc != 2 || silt_open(argv[1], &opts, &db) != 0)
		return 1;
	if (pthread_create(&writer, NULL, count, db) != 0)
		return 1;
	rc = follow(db, &version, WRITES);
	pthread_join(writer, &failed);
	if (silt_delete(db, (struct silt_slice){ "counter", 7 }, NULL) != 0 || silt_close(db) != 0 || rc != 0 || failed)
		return 1;
	if (silt_open(argv[1], &opts, &db) != 0)
		return 1;
	rc = follow(db, &version, 1);             /* the delete, which nobody had seen */
	silt_changes_reach(db, &oldest, NULL);
	return silt_close(db) != 0 || rc != 0 || version != WRITES + 1 || oldest != 0;
}
