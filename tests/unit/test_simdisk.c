/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_simdisk.c - does the disk that loses lose what it may, and nothing else? Every harness above believes it, so each
 * claim of its header is tried over many seeds: that what may happen does happen, and what may not never does.
 */
#include "lib/test.h"

#include <pthread.h>
#include <stdbool.h>

#include "lib/simdisk.h"

enum { SEEDS = 400 };

static struct simdisk *disk;      /* of the test that runs */
static silt_os *os;

static int disk_new(void **state)
{
	(void)state;
	disk = simdisk_new(1);
	os = simdisk_os(disk);
	return 0;
}

static int disk_free(void **state)
{
	(void)state;
	simdisk_free(disk);
	return 0;
}

static struct os_file *create(const char *path)
{
	struct os_file *f = NULL;

	assert_int_equal(os->open(os, path, OS_READ | OS_WRITE | OS_CREATE, &f), 0);
	return f;
}

static void write_at(struct os_file *f, uint64_t offset, const void *bytes, size_t n)
{
	assert_int_equal(os->write(os, f, offset, bytes, n), 0);
}

static void fill(struct os_file *f, uint64_t offset, char byte, size_t n)
{
	char *bytes = malloc(n + 1);

	memset(bytes, byte, n);
	write_at(f, offset, bytes, n);
	free(bytes);
}

static void sync_file(struct os_file *f)
{
	assert_int_equal(os->datasync(os, f), 0);
}

static void sync_dir(const char *dir)
{
	assert_int_equal(os->dirsync(os, dir), 0);
}

static void close_file(struct os_file *f)
{
	assert_int_equal(os->close(os, f), 0);
}

/* A durable file with these bytes. */
static void durable(const char *path, const char *text)
{
	assert_int_equal(simdisk_write_file(disk, path, (struct silt_slice){ text, strlen(text) }), 0);
}

/* The contents, owned by the caller, or NULL where there is no file. */
static char *contents(struct simdisk *d, const char *path, size_t *len)
{
	struct silt_buf b = { 0 };
	char *text;

	if (simdisk_read_file(d, path, &b) != 0) {
		silt_buf_free(&b);
		return NULL;
	}
	text = calloc(1, b.len + 1);
	memcpy(text, b.len ? b.data : "", b.len);
	if (len)
		*len = b.len;
	silt_buf_free(&b);
	return text;
}

static bool holds(struct simdisk *d, const char *path, const char *text)
{
	char *is = contents(d, path, NULL);
	bool same = is ? text && strcmp(is, text) == 0 : !text;

	free(is);
	return same;
}

#define assert_holds(d, path, text) assert_true(holds(d, path, text))
#define assert_gone(d, path) assert_true(holds(d, path, NULL))

/* ---- bytes ----------------------------------------------------------------------------------------------------------- */

static void test_simdisk__synced_bytes_survive_every_crash(void **state)
{
	struct os_file *f = create("f");

	(void)state;
	write_at(f, 0, "first", 5);
	sync_file(f);
	write_at(f, 5, " second", 7);
	sync_file(f);
	close_file(f);
	sync_dir("/");
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, seed % 3, seed);

		assert_holds(copy, "f", "first second");
		simdisk_free(copy);
	}
}

static void test_simdisk__lose_all_and_keep_all(void **state)
{
	struct os_file *f = create("f");
	struct simdisk *lost, *kept;

	(void)state;
	write_at(f, 0, "synced", 6);
	sync_file(f);
	sync_dir("/");
	write_at(f, 0, "SYN", 3);
	write_at(f, 6, "!", 1);
	close_file(create("g"));
	assert_holds(disk, "f", "SYNced!");   /* readers see everything */
	lost = simdisk_crash_copy(disk, SIM_LOSE_ALL, 1);
	kept = simdisk_crash_copy(disk, SIM_KEEP_ALL, 1);
	assert_holds(lost, "f", "synced");
	assert_gone(lost, "g");
	assert_holds(kept, "f", "SYNced!");
	assert_holds(kept, "g", "");
	simdisk_free(lost);
	simdisk_free(kept);
	close_file(f);
}

static void test_simdisk__each_write_is_kept_or_lost_by_itself(void **state)
{
	unsigned met = 0;
	struct os_file *f = create("f");

	(void)state;
	fill(f, 0, '.', 2048);
	sync_file(f);
	sync_dir("/");
	fill(f, 0, 'a', 512);         /* one unit each: kept or lost, never torn */
	fill(f, 1024, 'b', 512);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		size_t len;
		char *is = contents(copy, "f", &len);

		assert_int_equal(len, 2048);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(is[i], i < 512 ? is[0] : i >= 1024 && i < 1536 ? is[1024] : '.');
		assert_true((is[0] == 'a' || is[0] == '.') && (is[1024] == 'b' || is[1024] == '.'));
		met |= 1u << ((is[0] == 'a') + 2 * (is[1024] == 'b'));
		free(is);
		simdisk_free(copy);
	}
	assert_int_equal(met, 0xf);   /* none, either, both: a later one without an earlier one too */
	close_file(f);
}

static void test_simdisk__torn_at_units_within_its_own_bytes(void **state)
{
	static const size_t edges[] = { 300, 512, 1024, 1536, 1700 };         /* the picture in simcrash.c */
	unsigned met = 0;
	struct os_file *f = create("f");

	(void)state;
	fill(f, 0, '.', 4096);
	sync_file(f);
	sync_dir("/");
	fill(f, 300, 'x', 1400);
	for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		size_t len;
		char *is = contents(copy, "f", &len);
		unsigned units = 0;

		assert_int_equal(len, 4096);
		for (unsigned u = 0; u < 4; u++) {
			for (size_t i = edges[u]; i < edges[u + 1]; i++)
				assert_int_equal(is[i], is[edges[u]]);
			units |= (unsigned)(is[edges[u]] == 'x') << u;
		}
		for (size_t i = 0; i < 4096; i++)
			assert_true(is[i] == '.' || (is[i] == 'x' && i >= 300 && i < 1700));
		met |= 1u << units;
		free(is);
		simdisk_free(copy);
	}
	assert_int_equal(met, 0xffff);        /* every set of units */
	close_file(f);
}

static void test_simdisk__growth_that_is_lost_is_short_or_zeros(void **state)
{
	bool shorter = false, zeros = false, whole = false;
	struct os_file *f = create("f");

	(void)state;
	fill(f, 0, '.', 100);
	sync_file(f);
	sync_dir("/");
	fill(f, 100, 'x', 2000);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		size_t len;
		char *is = contents(copy, "f", &len);

		assert_true(len >= 100 && len <= 2100);
		for (size_t i = 0; i < len; i++)
			assert_true(i < 100 ? is[i] == '.' : is[i] == 'x' || is[i] == 0);
		shorter |= len == 100;
		zeros |= len == 2100 && memchr(is, 0, len);
		whole |= len == 2100 && !memchr(is, 0, len);
		free(is);
		simdisk_free(copy);
	}
	assert_true(shorter && zeros && whole);
	close_file(f);
}

static void test_simdisk__a_crash_is_decided_by_its_seed(void **state)
{
	struct os_file *f = create("f");

	(void)state;
	sync_dir("/");
	for (unsigned i = 0; i < 40; i++)
		fill(f, i * 700, (char)('a' + i % 26), 900);
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct simdisk *a = simdisk_crash_copy(disk, SIM_MIXED, seed), *b = simdisk_crash_copy(disk, SIM_MIXED, seed);
		struct simdisk *other = simdisk_crash_copy(disk, SIM_MIXED, seed + 1);
		size_t n, m, k;
		char *x = contents(a, "f", &n), *y = contents(b, "f", &m), *z = contents(other, "f", &k);

		assert_int_equal(n, m);
		assert_memory_equal(x, y, n);
		assert_false(n == k && memcmp(x, z, n) == 0);
		free(x);
		free(y);
		free(z);
		simdisk_free(a);
		simdisk_free(b);
		simdisk_free(other);
	}
	close_file(f);
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static void test_simdisk__a_new_file_needs_its_directory_synced(void **state)
{
	bool there = false, gone = false;
	struct os_file *f = create("f");

	(void)state;
	write_at(f, 0, "data", 4);
	sync_file(f);                 /* the bytes, not the name */
	close_file(f);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);

		there |= holds(copy, "f", "data");
		gone |= holds(copy, "f", NULL);
		assert_true(holds(copy, "f", "data") || holds(copy, "f", NULL));
		simdisk_free(copy);
	}
	assert_true(there && gone);
	sync_dir("/");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_holds(disk, "f", "data");
}

static void test_simdisk__a_directory_that_is_lost_takes_its_files(void **state)
{
	(void)state;
	assert_int_equal(os->mkdir(os, "d"), 0);
	durable("d/f", "data");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_gone(disk, "d/f");
	assert_int_equal(os->mkdir(os, "d"), 0);
	sync_dir(".");
	durable("d/f", "data");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_holds(disk, "d/f", "data");
}

static void test_simdisk__rename_is_old_or_new_never_nothing(void **state)
{
	bool old = false, new = false;

	(void)state;
	durable("M", "old");
	durable("M.tmp", "new");
	assert_int_equal(os->rename(os, "M.tmp", "M"), 0);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		bool is_old = holds(copy, "M", "old") && holds(copy, "M.tmp", "new");
		bool is_new = holds(copy, "M", "new") && holds(copy, "M.tmp", NULL);

		assert_true(is_old || is_new);
		old |= is_old;
		new |= is_new;
		simdisk_free(copy);
	}
	assert_true(old && new);
	sync_dir("/");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_holds(disk, "M", "new");
	assert_gone(disk, "M.tmp");
}

static void test_simdisk__a_rename_may_arrive_before_the_bytes(void **state)
{
	bool empty = false;
	struct os_file *f;

	(void)state;
	durable("M", "old");
	f = create("M.tmp");
	write_at(f, 0, "new", 3);     /* the fdatasync that was forgotten */
	close_file(f);
	assert_int_equal(os->rename(os, "M.tmp", "M"), 0);
	sync_dir("/");
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);

		assert_false(holds(copy, "M", "old"));
		empty |= holds(copy, "M", "");
		simdisk_free(copy);
	}
	assert_true(empty);
}

/* Between directories: the name is in one place or in both, whichever of the two is synced, and then in the new one. */
static void test_simdisk__rename_between_directories_loses_nothing(void **state)
{
	(void)state;
	for (unsigned synced = 0; synced < 4; synced++) {       /* bits: the old one, the new one */
		bool only_old = false, only_new = false, both = false;

		assert_int_equal(os->mkdir(os, "from"), 0);
		assert_int_equal(os->mkdir(os, "to"), 0);
		sync_dir("/");
		durable("from/x", "data");
		assert_int_equal(os->rename(os, "from/x", "to/y"), 0);
		if (synced & 1)
			sync_dir("from");
		if (synced & 2)
			sync_dir("to");
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
			bool in_old = holds(copy, "from/x", "data"), in_new = holds(copy, "to/y", "data");

			assert_true(in_old || in_new);
			only_old |= in_old && !in_new;
			only_new |= in_new && !in_old;
			both |= in_old && in_new;
			simdisk_free(copy);
		}
		assert_int_equal(only_old, synced == 0);
		assert_int_equal(both, !(synced & 1));
		assert_true(only_new);
		assert_int_equal(os->unlink(os, "to/y"), 0);
		assert_int_equal(os->rmdir(os, "to"), 0);
		assert_int_equal(os->rmdir(os, "from"), 0);
	}
}

static void test_simdisk__an_unlink_may_not_have_happened(void **state)
{
	bool there = false, gone = false;

	(void)state;
	durable("f", "data");
	assert_int_equal(os->unlink(os, "f"), 0);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);

		there |= holds(copy, "f", "data");
		gone |= holds(copy, "f", NULL);
		simdisk_free(copy);
	}
	assert_true(there && gone);
	sync_dir("/");
	simdisk_crash(disk, SIM_KEEP_ALL, 1);
	assert_gone(disk, "f");
}

static void test_simdisk__hard_links_share_one_fate(void **state)
{
	struct os_file *f = create("a");
	struct os_stat st;

	(void)state;
	fill(f, 0, '.', 1024);
	sync_file(f);
	assert_int_equal(os->link(os, "a", "b"), 0);
	sync_dir("/");
	fill(f, 0, 'x', 1024);
	close_file(f);
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		char *a = contents(copy, "a", NULL), *b = contents(copy, "b", NULL);

		assert_memory_equal(a, b, 1024);
		assert_int_equal(simdisk_os(copy)->stat(simdisk_os(copy), "a", &st), 0);
		assert_int_equal(st.links, 2);
		free(a);
		free(b);
		simdisk_free(copy);
	}
}

/* ---- crashes --------------------------------------------------------------------------------------------------------- */

static void test_simdisk__handles_and_locks_die_with_the_crash(void **state)
{
	struct os_file *f = create("f");
	struct os_lock *old, *now;
	char buf[4];
	size_t got;
	uint64_t size;

	(void)state;
	write_at(f, 0, "data", 4);
	sync_file(f);
	assert_int_equal(os->lock(os, "LOCK", &old), 0);
	sync_dir("/");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_int_equal(os->read(os, f, 0, buf, 4, &got), SILT_E_IO);
	assert_int_equal(os->write(os, f, 0, "DATA", 4), SILT_E_IO);
	assert_int_equal(os->datasync(os, f), SILT_E_IO);
	assert_int_equal(os->size(os, f, &size), SILT_E_IO);
	assert_int_equal(os->close(os, f), SILT_E_IO);
	assert_int_equal(os->lock(os, "LOCK", &now), 0);      /* nobody holds it after a crash */
	os->unlock(os, old);
	assert_int_equal(os->lock(os, "LOCK", &old), SILT_E_BUSY);
	os->unlock(os, now);
	assert_holds(disk, "f", "data");
}

static void test_simdisk__a_copy_leaves_the_original_going(void **state)
{
	struct os_file *f = create("f"), *in_copy;
	struct simdisk *copy;
	silt_os *copy_os;

	(void)state;
	write_at(f, 0, "one", 3);
	sync_file(f);
	sync_dir("/");
	write_at(f, 3, "two", 3);
	copy = simdisk_crash_copy(disk, SIM_LOSE_ALL, 1);
	copy_os = simdisk_os(copy);
	write_at(f, 0, "ONE", 3);
	sync_file(f);
	assert_int_equal(copy_os->open(copy_os, "f", OS_READ | OS_WRITE, &in_copy), 0);
	assert_int_equal(copy_os->write(copy_os, in_copy, 0, "c", 1), 0);
	assert_int_equal(copy_os->close(copy_os, in_copy), 0);
	assert_holds(copy, "f", "cne");
	assert_holds(disk, "f", "ONEtwo");
	simdisk_free(copy);
	close_file(f);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_holds(disk, "f", "ONEtwo");
}

static void test_simdisk__what_a_crash_left_is_synced(void **state)
{
	struct os_file *f = create("f");
	char *first;

	(void)state;
	fill(f, 0, 'x', 10000);
	simdisk_crash(disk, SIM_KEEP_ALL, 1);
	(void)os->close(os, f);
	first = contents(disk, "f", NULL);
	for (uint64_t seed = 0; seed < 20; seed++) {
		simdisk_crash(disk, SIM_LOSE_ALL, seed);
		assert_holds(disk, "f", first);
	}
	free(first);
}

enum { TWIN_SIZE = 4096 };

/* What each byte of the twin's file is, and what it may be after a crash. */
struct twin {
	uint8_t is[TWIN_SIZE];
	bool may[TWIN_SIZE][256];
};

static void twin_settle(struct twin *t)
{
	memset(t->may, 0, sizeof(t->may));
	for (size_t i = 0; i < TWIN_SIZE; i++)
		t->may[i][t->is[i]] = true;
}

static void twin_write(struct twin *t, struct os_file *f, uint64_t *random)
{
	size_t offset = test_random(random) % TWIN_SIZE, n = test_random(random) % ((TWIN_SIZE - offset) / 4 + 1);

	for (size_t i = offset; i < offset + n; i++) {
		t->is[i] = (uint8_t)test_random(random);
		t->may[i][t->is[i]] = true;
	}
	write_at(f, offset, t->is + offset, n);
}

static void twin_read(struct os_file *f, uint8_t bytes[TWIN_SIZE])
{
	size_t got;

	assert_int_equal(os->read(os, f, 0, bytes, TWIN_SIZE, &got), 0);
	assert_int_equal(got, TWIN_SIZE);
}

/* A naive twin: random writes, syncs and crashes on one file, beside what each byte may be. */
static void test_simdisk__twin(void **state)
{
	static struct twin t;
	uint64_t random = test_seed(23);
	struct os_file *f = create("f");
	uint8_t bytes[TWIN_SIZE];

	(void)state;
	write_at(f, 0, t.is, TWIN_SIZE);
	sync_file(f);
	sync_dir("/");
	twin_settle(&t);
	for (unsigned step = 0; step < 2000 * test_scale(); step++) {
		twin_write(&t, f, &random);
		twin_read(f, bytes);
		assert_memory_equal(bytes, t.is, TWIN_SIZE);
		if (test_random(&random) % 10 == 0) {
			sync_file(f);
			twin_settle(&t);
		}
		if (test_random(&random) % 20 == 0) {
			simdisk_crash(disk, test_random(&random) % 3, step);
			(void)os->close(os, f);
			assert_int_equal(os->open(os, "f", OS_READ | OS_WRITE, &f), 0);
			twin_read(f, t.is);
			for (size_t i = 0; i < TWIN_SIZE; i++)
				assert_true(t.may[i][t.is[i]]);
			twin_settle(&t);
		}
	}
	close_file(f);
}

/* ---- failures -------------------------------------------------------------------------------------------------------- */

static int list_nothing(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return 0;
}

/* One call of each kind, on a disk with "f" (open) and "d"; anything it makes it removes. */
static int call(enum simdisk_call kind, struct os_file *f)
{
	struct os_file *g = NULL;
	struct os_lock *l = NULL;
	struct os_stat st;
	uint64_t n;
	size_t got;
	char buf[8];
	int rc;

	switch (kind) {
	case SIM_OPEN:
	case SIM_CLOSE:
		rc = os->open(os, "f", OS_READ, &g);
		return rc ? rc : os->close(os, g);
	case SIM_READ:
		return os->read(os, f, 0, buf, 4, &got);
	case SIM_WRITE:
		return os->write(os, f, 0, "data", 4);
	case SIM_DATASYNC:
		return os->datasync(os, f);
	case SIM_RENAME:
		rc = os->rename(os, "d", "e");
		return rc ? rc : os->rename(os, "e", "d");
	case SIM_LINK:
	case SIM_UNLINK:
		rc = os->link(os, "f", "g");
		return rc && rc != SILT_E_BUSY ? rc : os->unlink(os, "g");    /* busy: an unlink failed before */
	case SIM_MKDIR:
	case SIM_RMDIR:
		rc = os->mkdir(os, "m");
		return rc && rc != SILT_E_BUSY ? rc : os->rmdir(os, "m");
	case SIM_STAT:
		return os->stat(os, "f", &st);
	case SIM_LIST:
		return os->list(os, "/", list_nothing, NULL);
	case SIM_DIRSYNC:
		return os->dirsync(os, "/");
	case SIM_LOCK:
		rc = os->lock(os, "LOCK", &l);
		os->unlock(os, l);
		return rc;
	case SIM_FREE_SPACE:
		return os->free_space(os, "/", &n);
	case SIM_SIZE:
		return os->size(os, f, &n);
	case SIM_RANDOM:
		return os->random(os, buf, sizeof(buf));
	case SIM_ANY:
	case SIM_CALLS:
		break;
	}
	return 0;
}

static void test_simdisk__every_call_can_fail_once_or_for_good(void **state)
{
	struct os_file *f;

	(void)state;
	durable("f", "data");
	assert_int_equal(os->mkdir(os, "d"), 0);
	assert_int_equal(os->open(os, "f", OS_READ | OS_WRITE, &f), 0);
	for (enum simdisk_call kind = SIM_OPEN; kind < SIM_CALLS; kind++) {
		uint64_t before = simdisk_calls(disk, kind), any = simdisk_calls(disk, SIM_ANY);

		assert_int_equal(call(kind, f), 0);
		assert_true(simdisk_calls(disk, kind) > before);
		assert_true(simdisk_calls(disk, SIM_ANY) > any);
		simdisk_fail_at(disk, kind, 1, SILT_E_IO, false);
		assert_int_equal(call(kind, f), SILT_E_IO);
		assert_string_not_equal(os->error_text(os), "");
		assert_int_equal(call(kind, f), 0);
		simdisk_fail_at(disk, kind, 1, SILT_E_NOSPACE, true);
		for (int i = 0; i < 3; i++)
			assert_int_equal(call(kind, f), SILT_E_NOSPACE);
		simdisk_fail_at(disk, kind, 0, 0, false);
		assert_int_equal(call(kind, f), 0);
	}
	close_file(f);
}

static void test_simdisk__the_nth_call_fails(void **state)
{
	struct os_file *f = create("f");

	(void)state;
	for (uint64_t n = 1; n < 20; n++) {
		simdisk_fail_at(disk, SIM_WRITE, n, SILT_E_IO, false);
		for (uint64_t i = 1; i < 25; i++) {
			assert_int_equal(call(SIM_WRITE, f), i == n ? SILT_E_IO : 0);
			assert_int_equal(call(SIM_STAT, f), 0);       /* another kind does not count */
		}
		simdisk_fail_at(disk, SIM_ANY, n, SILT_E_IO, false);
		for (uint64_t i = 1; i < 25; i++)
			assert_int_equal(call(i % 2 ? SIM_WRITE : SIM_STAT, f), i == n ? SILT_E_IO : 0);
	}
	close_file(f);
}

static void test_simdisk__a_failed_call_did_nothing(void **state)
{
	struct os_file *f = NULL;

	(void)state;
	durable("f", "data");
	simdisk_fail_at(disk, SIM_ANY, 1, SILT_E_IO, true);
	assert_int_equal(os->open(os, "g", OS_WRITE | OS_CREATE, &f), SILT_E_IO);
	assert_null(f);
	assert_int_equal(os->rename(os, "f", "g"), SILT_E_IO);
	assert_int_equal(os->link(os, "f", "g"), SILT_E_IO);
	assert_int_equal(os->mkdir(os, "g"), SILT_E_IO);
	assert_int_equal(os->unlink(os, "f"), SILT_E_IO);
	simdisk_fail_at(disk, SIM_ANY, 0, 0, false);
	assert_holds(disk, "f", "data");
	assert_int_equal(os->open(os, "g", OS_READ, &f), SILT_NOTFOUND);
}

static void test_simdisk__a_failed_write_may_leave_a_part(void **state)
{
	bool none = false, some = false;
	struct os_file *f = create("f");

	(void)state;
	for (int i = 0; i < 100; i++) {
		char buf[8] = "";
		size_t got, part;

		write_at(f, 0, "........", 8);
		simdisk_fail_at(disk, SIM_WRITE, 1, SILT_E_IO, false);
		assert_int_equal(os->write(os, f, 0, "abcdefgh", 8), SILT_E_IO);
		assert_int_equal(os->read(os, f, 0, buf, 8, &got), 0);
		for (part = 0; part < 8 && buf[part] != '.'; part++)
			assert_int_equal(buf[part], "abcdefgh"[part]);
		assert_true(part < 8);
		none |= part == 0;
		some |= part > 0;
	}
	assert_true(none && some);
	close_file(f);
}

/* After a failed sync its writes are in doubt for good; what was written later can be synced. */
static void test_simdisk__a_sync_after_a_failed_one_proves_nothing(void **state)
{
	bool lost = false, kept = false;
	struct os_file *f = create("f");

	(void)state;
	fill(f, 0, '.', 1024);
	sync_file(f);
	sync_dir("/");
	fill(f, 0, 'a', 512);
	simdisk_fail_at(disk, SIM_DATASYNC, 1, SILT_E_IO, false);
	assert_int_equal(os->datasync(os, f), SILT_E_IO);
	fill(f, 512, 'b', 512);
	sync_file(f);                 /* says 0, and lies about the first half */
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		char *is = contents(copy, "f", NULL);

		assert_true(is[0] == 'a' || is[0] == '.');
		assert_int_equal(is[512], 'b');
		lost |= is[0] == '.';
		kept |= is[0] == 'a';
		free(is);
		simdisk_free(copy);
	}
	assert_true(lost && kept);
	/* writing it again and syncing does make it durable, whatever became of the first */
	fill(f, 0, 'c', 512);
	sync_file(f);
	close_file(f);
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);
		char *is = contents(copy, "f", NULL);

		assert_true(is[0] == 'c' && is[511] == 'c' && is[512] == 'b');
		free(is);
		simdisk_free(copy);
	}
}

static void test_simdisk__a_failed_dirsync_leaves_names_in_doubt(void **state)
{
	bool lost = false, kept = false;

	(void)state;
	close_file(create("f"));
	simdisk_fail_at(disk, SIM_DIRSYNC, 1, SILT_E_IO, false);
	assert_int_equal(os->dirsync(os, "/"), SILT_E_IO);
	close_file(create("g"));
	sync_dir("/");
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct simdisk *copy = simdisk_crash_copy(disk, SIM_MIXED, seed);

		assert_holds(copy, "g", "");
		lost |= holds(copy, "f", NULL);
		kept |= holds(copy, "f", "");
		simdisk_free(copy);
	}
	assert_true(lost && kept);
}

static void test_simdisk__pulling_the_plug(void **state)
{
	struct os_file *f = create("f");

	(void)state;
	write_at(f, 0, "data", 4);
	sync_file(f);
	sync_dir("/");
	simdisk_fail_at(disk, SIM_ANY, 1, SILT_E_IO, true);
	assert_int_equal(os->unlink(os, "f"), SILT_E_IO);     /* what an engine does while it closes */
	assert_int_equal(os->close(os, f), SILT_E_IO);
	simdisk_crash(disk, SIM_MIXED, 1);
	assert_int_equal(os->open(os, "f", OS_READ, &f), 0);  /* and the power is back */
	close_file(f);
	assert_holds(disk, "f", "data");
}

static void test_simdisk__a_full_disk(void **state)
{
	struct os_file *f = create("f"), *g;
	uint64_t room, size;
	char bytes[1000];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	fill(f, 0, '.', 500);
	simdisk_set_free(disk, 1000);
	assert_int_equal(os->free_space(os, "/", &room), 0);
	assert_int_equal(room, 1000);
	write_at(f, 0, bytes, 500);   /* overwriting takes no room */
	write_at(f, 500, bytes, 400);
	assert_int_equal(os->free_space(os, "/", &room), 0);
	assert_int_equal(room, 600);
	g = create("g");
	assert_int_equal(os->write(os, g, 0, bytes, 601), SILT_E_NOSPACE);
	assert_int_equal(os->size(os, g, &size), 0);
	assert_int_equal(size, 600);  /* what there was room for */
	assert_int_equal(os->write(os, f, 900, "x", 1), SILT_E_NOSPACE);
	assert_int_equal(os->unlink(os, "g"), 0);
	assert_int_equal(os->write(os, f, 900, "x", 1), SILT_E_NOSPACE);
	close_file(g);                /* the last that held it */
	write_at(f, 900, bytes, 600);
	assert_int_equal(os->write(os, f, 1500, "x", 1), SILT_E_NOSPACE);
	simdisk_set_free(disk, 1);
	write_at(f, 1500, "x", 1);
	close_file(f);
}

/* ---- the test's side ------------------------------------------------------------------------------------------------- */

static void test_simdisk__a_flip_is_read_and_stays(void **state)
{
	struct os_file *f;

	(void)state;
	durable("f", "abcdef");
	assert_int_equal(simdisk_flip(disk, "f", 2, 0x20), 0);
	assert_holds(disk, "f", "abCdef");
	assert_int_equal(os->open(os, "f", OS_WRITE, &f), 0);
	write_at(f, 0, "ABC", 3);     /* on its way */
	close_file(f);
	assert_int_equal(simdisk_flip(disk, "f", 0, 0x20), 0);
	assert_holds(disk, "f", "aBCdef");
	assert_int_equal(simdisk_flip(disk, "f", 6, 1), SILT_NOTFOUND);
	assert_int_equal(simdisk_flip(disk, "no", 0, 1), SILT_NOTFOUND);
	simdisk_crash(disk, SIM_KEEP_ALL, 1);
	assert_holds(disk, "f", "aBCdef");
	assert_int_equal(simdisk_flip(disk, "f", 5, 0xff), 0);
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_int_equal(simdisk_flip(disk, "f", 5, 0xff), 0);
	assert_holds(disk, "f", "aBCdef");
}

static void test_simdisk__write_file_replaces_and_is_durable(void **state)
{
	(void)state;
	durable("f", "a long text");
	durable("f", "short");
	assert_holds(disk, "f", "short");
	assert_int_equal(os->rename(os, "f", "g"), 0);
	durable("g", "there");
	simdisk_crash(disk, SIM_LOSE_ALL, 1);
	assert_holds(disk, "g", "there");
	assert_int_equal(simdisk_write_file(disk, "no/f", (struct silt_slice){ "", 0 }), SILT_NOTFOUND);
}

static void test_simdisk__chance_and_clock_are_given(void **state)
{
	struct simdisk *twin = simdisk_new(1), *other = simdisk_new(2);
	uint8_t a[16], b[16], c[16];

	(void)state;
	assert_int_equal(os->random(os, a, sizeof(a)), 0);
	assert_int_equal(simdisk_os(twin)->random(simdisk_os(twin), b, sizeof(b)), 0);
	assert_int_equal(simdisk_os(other)->random(simdisk_os(other), c, sizeof(c)), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	simdisk_set_clock(disk, 12345);
	assert_int_equal(os->wall_ms(os), 12345);
	assert_int_equal(os->wall_ms(os), 12345);
	simdisk_free(twin);
	simdisk_free(other);
}

/* A copy that began again would give a recycled log segment the salt that its old records were written with. */
static void test_simdisk__chance_goes_on_in_a_copy(void **state)
{
	struct simdisk *copy;
	uint8_t a[16], b[16];

	(void)state;
	assert_int_equal(os->random(os, a, sizeof(a)), 0);
	copy = simdisk_crash_copy(disk, SIM_KEEP_ALL, 1);         /* the seed of `disk` */
	assert_int_equal(simdisk_os(copy)->random(simdisk_os(copy), b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	simdisk_free(copy);
}

struct heard {
	char text[256];
	bool copied;
};

static void hear(void *ctx, enum simdisk_call kind, const char *path, bool before)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	snprintf(h->text + n, sizeof(h->text) - n, "%s%s %s;", before ? "" : "/",
	         kind == SIM_DATASYNC ? "datasync" : kind == SIM_DIRSYNC ? "dirsync" : "rename", path);
	simdisk_free(simdisk_crash_copy(disk, SIM_MIXED, n)); /* the disk's lock is free */
	h->copied = true;
}

static void test_simdisk__sync_points_are_told(void **state)
{
	struct heard h = { "", false };
	struct os_file *f = create("f");

	(void)state;
	simdisk_on_sync(disk, hear, &h);
	sync_file(f);
	assert_int_equal(os->rename(os, "f", "g"), 0);
	simdisk_fail_at(disk, SIM_DIRSYNC, 1, SILT_E_IO, false);
	assert_int_equal(os->dirsync(os, "/"), SILT_E_IO);
	simdisk_on_sync(disk, NULL, NULL);
	sync_file(f);
	close_file(f);
	assert_string_equal(h.text, "datasync f;/datasync f;rename g;/rename g;dirsync /;/dirsync /;");
	assert_true(h.copied);
}

static void *churn(void *arg)
{
	char name[8] = "t0", to[8] = "u0", buf[64];
	uintptr_t bad = 0;
	struct os_file *f;
	size_t got;

	name[1] = to[1] = *(char *)arg;
	for (int i = 0; i < 200; i++) {
		bad |= os->open(os, name, OS_READ | OS_WRITE | OS_CREATE, &f) != 0;
		bad |= os->write(os, f, 0, name, sizeof(name)) != 0;
		bad |= os->datasync(os, f) != 0;
		bad |= os->read(os, f, 0, buf, sizeof(buf), &got) != 0 || got != sizeof(name);
		bad |= os->close(os, f) != 0;
		bad |= os->rename(os, name, to) != 0 || os->dirsync(os, "/") != 0 || os->unlink(os, to) != 0;
		if (i % 20 == 0)
			simdisk_free(simdisk_crash_copy(disk, SIM_MIXED, (uint64_t)i));
	}
	return (void *)bad;
}

static void test_simdisk__threads_may_share_it(void **state)
{
	static char names[] = "abcd";
	pthread_t t[4];
	void *bad;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, &names[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
}

#define ON_A_DISK(test) cmocka_unit_test_setup_teardown(test, disk_new, disk_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_DISK(test_simdisk__synced_bytes_survive_every_crash),
		ON_A_DISK(test_simdisk__lose_all_and_keep_all),
		ON_A_DISK(test_simdisk__each_write_is_kept_or_lost_by_itself),
		ON_A_DISK(test_simdisk__torn_at_units_within_its_own_bytes),
		ON_A_DISK(test_simdisk__growth_that_is_lost_is_short_or_zeros),
		ON_A_DISK(test_simdisk__a_crash_is_decided_by_its_seed),
		ON_A_DISK(test_simdisk__a_new_file_needs_its_directory_synced),
		ON_A_DISK(test_simdisk__a_directory_that_is_lost_takes_its_files),
		ON_A_DISK(test_simdisk__rename_is_old_or_new_never_nothing),
		ON_A_DISK(test_simdisk__a_rename_may_arrive_before_the_bytes),
		ON_A_DISK(test_simdisk__rename_between_directories_loses_nothing),
		ON_A_DISK(test_simdisk__an_unlink_may_not_have_happened),
		ON_A_DISK(test_simdisk__hard_links_share_one_fate),
		ON_A_DISK(test_simdisk__handles_and_locks_die_with_the_crash),
		ON_A_DISK(test_simdisk__a_copy_leaves_the_original_going),
		ON_A_DISK(test_simdisk__what_a_crash_left_is_synced),
		ON_A_DISK(test_simdisk__twin),
		ON_A_DISK(test_simdisk__every_call_can_fail_once_or_for_good),
		ON_A_DISK(test_simdisk__the_nth_call_fails),
		ON_A_DISK(test_simdisk__a_failed_call_did_nothing),
		ON_A_DISK(test_simdisk__a_failed_write_may_leave_a_part),
		ON_A_DISK(test_simdisk__a_sync_after_a_failed_one_proves_nothing),
		ON_A_DISK(test_simdisk__a_failed_dirsync_leaves_names_in_doubt),
		ON_A_DISK(test_simdisk__pulling_the_plug),
		ON_A_DISK(test_simdisk__a_full_disk),
		ON_A_DISK(test_simdisk__a_flip_is_read_and_stays),
		ON_A_DISK(test_simdisk__write_file_replaces_and_is_durable),
		ON_A_DISK(test_simdisk__chance_and_clock_are_given),
		ON_A_DISK(test_simdisk__chance_goes_on_in_a_copy),
		ON_A_DISK(test_simdisk__sync_points_are_told),
		ON_A_DISK(test_simdisk__threads_may_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
