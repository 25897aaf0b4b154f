/* SPDX-License-Identifier: Apache-2.0 */
/* dbkit.c - see dbkit.h. */
#include "lib/test.h"

#include "lib/dbkit.h"

static void dbkit_log(void *ctx, enum silt_log_level level, const char *message)
{
	struct dbkit *k = ctx;
	size_t used = strlen(k->log), n = strlen(message);

	if (level == SILT_LOG_ERROR)
		snprintf(k->last_error, sizeof(k->last_error), "%s", message);
	if (used + n + 2 > sizeof(k->log))
		used = 0;
	snprintf(k->log + used, sizeof(k->log) - used, "%s\n", message);
}

void dbkit_init(struct dbkit *k)
{
	memset(k, 0, sizeof(*k));
	k->disk = simdisk_new(1);
	assert_non_null(k->disk);
	silt_options_init(&k->opts);
	k->opts.os = simdisk_os(k->disk);
	k->opts.log = dbkit_log;
	k->opts.log_ctx = k;
	k->opts.memory = 8 << 20;
	k->opts.memtable_size = 64 << 10;
	k->opts.wal_segment_size = 256 << 10;
	k->opts.table_size = 64 << 10;
	k->opts.level_base_size = 256 << 10;
	k->opts.min_free_space = 0;
}

void dbkit_fini(struct dbkit *k)
{
	if (k->db)
		(void)silt_close(k->db);
	simdisk_free(k->disk);
}

int dbkit_open(struct dbkit *k)
{
	k->last_error[0] = '\0';
	return silt_open("db", &k->opts, &k->db);
}

int dbkit_close(struct dbkit *k)
{
	int rc = silt_close(k->db);

	k->db = NULL;
	return rc;
}

void dbkit_crash(struct dbkit *k, enum simdisk_policy policy, uint64_t seed)
{
	simdisk_fail_at(k->disk, SIM_ANY, 1, SILT_E_IO, true);    /* the plug is pulled: nothing more reaches the disk */
	(void)dbkit_close(k);
	simdisk_crash(k->disk, policy, seed);
}

int dbkit_put(struct dbkit *k, const char *key, const char *value)
{
	return silt_put(k->db, STR(key), STR(value), NULL);
}

int dbkit_put_async(struct dbkit *k, const char *key, const char *value)
{
	silt_batch *b;
	int rc = silt_batch_new(&b);

	assert_int_equal(rc, 0);
	rc = silt_batch_put(b, STR(key), STR(value), NULL, 0);
	if (rc == 0)
		rc = silt_write(k->db, b, SILT_ASYNC, NULL);
	silt_batch_free(b);
	return rc;
}

int dbkit_delete(struct dbkit *k, const char *key)
{
	return silt_delete(k->db, STR(key), NULL);
}

const char *dbkit_get(struct dbkit *k, const char *key)
{
	static char text[4096];
	struct silt_buf value = { 0 };
	int rc = silt_get(k->db, STR(key), NULL, 0, &value, NULL);

	if (rc == 0)
		snprintf(text, sizeof(text), "%.*s", (int)value.len, value.len ? (char *)value.data : "");
	silt_buf_free(&value);
	if (rc != 0 && rc != SILT_NOTFOUND)
		fail_msg("get %s: %s (%s)", key, silt_strerror(rc), k->last_error);
	return rc == 0 ? text : NULL;
}

struct dbkit_count {
	const char *suffix;
	size_t n;
};

static int dbkit_count(void *ctx, const char *name)
{
	struct dbkit_count *c = ctx;
	size_t a = strlen(name), b = strlen(c->suffix);

	c->n += a >= b && strcmp(name + a - b, c->suffix) == 0;
	return 0;
}

size_t dbkit_files(struct dbkit *k, const char *dir, const char *suffix)
{
	struct dbkit_count c = { suffix, 0 };
	silt_os *os = simdisk_os(k->disk);

	(void)os->list(os, dir, dbkit_count, &c);
	return c.n;
}
