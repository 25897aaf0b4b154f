/* SPDX-License-Identifier: Apache-2.0 */
/* dbkit.c - see dbkit.h. */
#include "lib/test.h"

#include "db/db.h"
#include "lib/dbkit.h"

static void dbkit_log(void *ctx, enum silt_log_level level, const char *message)
{
	struct dbkit *k = ctx;
	size_t used, n = strlen(message);

	pthread_mutex_lock(&k->mu);
	used = strlen(k->log);
	if (level == SILT_LOG_ERROR)
		snprintf(k->last_error, sizeof(k->last_error), "%s", message);
	if (used + n + 2 > sizeof(k->log))
		used = 0;
	snprintf(k->log + used, sizeof(k->log) - used, "%s\n", message);
	pthread_mutex_unlock(&k->mu);
}

bool dbkit_logged(struct dbkit *k, const char *text)
{
	bool there;

	pthread_mutex_lock(&k->mu);
	there = strstr(k->log, text) != NULL;
	pthread_mutex_unlock(&k->mu);
	return there;
}

void dbkit_init(struct dbkit *k)
{
	dbkit_init_on(k, simdisk_new(1));
}

void dbkit_init_on(struct dbkit *k, struct simdisk *disk)
{
	memset(k, 0, sizeof(*k));
	k->disk = disk;
	assert_non_null(k->disk);
	assert_int_equal(pthread_mutex_init(&k->mu, NULL), 0);
	k->opts = simdisk_options(k->disk);
	k->opts.log = dbkit_log;
	k->opts.log_ctx = k;
	k->opts.sync_interval_ms = 60000;         /* what is synced, a test says, and not a clock */
}

void dbkit_fini(struct dbkit *k)
{
	if (k->db)
		(void)silt_close(k->db);
	simdisk_free(k->disk);
	pthread_mutex_destroy(&k->mu);
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

/* Nothing more reaches the disk: not even a part of the seal that a failed write could leave there. */
static void dbkit_stop(struct dbkit *k)
{
	simdisk_fail_at(k->disk, SIM_ANY, 1, SILT_E_IO, true);
	(void)db_set_fault(k->db, SILT_E_IO, "everything");
	(void)dbkit_close(k);
}

void dbkit_crash(struct dbkit *k, enum simdisk_policy policy, uint64_t seed)
{
	dbkit_stop(k);
	simdisk_crash(k->disk, policy, seed);
}

void dbkit_kill(struct dbkit *k)
{
	dbkit_stop(k);
	simdisk_fail_at(k->disk, SIM_ANY, 0, 0, false);
}

void dbkit_settle(struct dbkit *k)
{
	mutex_lock(&k->db->mu);
	while (!k->db->next_wal && !k->db->next_wal_error)
		cond_wait(&k->db->changed, &k->db->mu);
	mutex_unlock(&k->db->mu);
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

/* ---- the directory as it lies ------------------------------------------------------------------------------------------ */

enum { DBKIT_FILES = 256, DBKIT_LINE = 96 };

struct dbkit_image {
	struct dbkit *k;
	const char *dir;
	char lines[DBKIT_FILES][DBKIT_LINE];
	size_t n;
};

/* FNV-1a */
static uint64_t dbkit_hash(const struct silt_buf *b)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < b->len; i++)
		h = (h ^ ((uint8_t *)b->data)[i]) * UINT64_C(0x100000001b3);
	return h;
}

static int dbkit_image_file(void *ctx, const char *name)
{
	struct dbkit_image *m = ctx;
	struct silt_buf bytes = { 0 };
	char path[512];

	assert_true(m->n < DBKIT_FILES);
	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	if (simdisk_read_file(m->k->disk, path, &bytes) == 0)
		snprintf(m->lines[m->n], DBKIT_LINE, "%.60s %zu %016llx\n", path, bytes.len,
		         (unsigned long long)dbkit_hash(&bytes));
	else
		snprintf(m->lines[m->n], DBKIT_LINE, "%.60s/\n", path);
	m->n++;
	silt_buf_free(&bytes);
	return 0;
}

static int dbkit_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void dbkit_image(struct dbkit *k, struct silt_buf *out)
{
	struct dbkit_image m = { .k = k, .dir = "db" };
	silt_os *os = simdisk_os(k->disk);

	(void)os->list(os, m.dir, dbkit_image_file, &m);
	m.dir = "db/quarantine";
	(void)os->list(os, m.dir, dbkit_image_file, &m);
	qsort(m.lines, m.n, DBKIT_LINE, dbkit_compare);
	out->len = 0;
	for (size_t i = 0; i < m.n; i++)
		assert_int_equal(buf_append(out, m.lines[i], strlen(m.lines[i])), 0);
	assert_int_equal(buf_append(out, "", 1), 0);
}

bool dbkit_exists(struct dbkit *k, const char *path)
{
	silt_os *os = simdisk_os(k->disk);
	struct os_stat st;

	return os->stat(os, path, &st) == 0;
}

void dbkit_unlink(struct dbkit *k, const char *path)
{
	silt_os *os = simdisk_os(k->disk);

	assert_int_equal(os->unlink(os, path), 0);
	assert_int_equal(os->dirsync(os, "db"), 0);
}
