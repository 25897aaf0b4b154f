/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_os.c - what the seam promises, asked of both that implement it: POSIX in a directory of its own, the simulated disk.
 */
#include "lib/test.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "lib/simdisk.h"

struct place {
	silt_os *os;
	char *dir;
	struct simdisk *disk;         /* NULL on POSIX */
	char path[8][1200];           /* of the last paths asked for */
	unsigned next_path;
};

static int place_posix(void **state)
{
	static struct place p;

	memset(&p, 0, sizeof(p));
	p.os = os_posix();
	p.dir = test_mkdir();
	*state = &p;
	return 0;
}

static int place_simdisk(void **state)
{
	static struct place p;

	memset(&p, 0, sizeof(p));
	p.disk = simdisk_new(1);
	p.os = simdisk_os(p.disk);
	p.dir = mem_strdup("/home/store");
	*state = &p;
	return p.os->mkdir(p.os, "/home") | p.os->mkdir(p.os, p.dir);
}

static int place_gone(void **state)
{
	struct place *p = *state;

	simdisk_free(p->disk);
	if (p->disk)
		mem_free(p->dir);
	else
		test_rmdir(p->dir);
	return 0;
}

static const char *at(struct place *p, const char *name)
{
	char *path = p->path[p->next_path++ % 8];

	snprintf(path, sizeof(p->path[0]), "%s/%s", p->dir, name);
	return path;
}

static struct os_file *opened(struct place *p, const char *name, unsigned flags)
{
	struct os_file *f = NULL;

	assert_int_equal(p->os->open(p->os, at(p, name), flags, &f), 0);
	assert_non_null(f);
	return f;
}

static void closed(struct place *p, struct os_file *f)
{
	assert_int_equal(p->os->close(p->os, f), 0);
}

static void make_file(struct place *p, const char *name, const char *text)
{
	struct os_file *f = opened(p, name, OS_READ | OS_WRITE | OS_CREATE);

	assert_int_equal(p->os->write(p->os, f, 0, text, strlen(text)), 0);
	closed(p, f);
}

static void assert_file(struct place *p, const char *name, const char *text)
{
	struct os_file *f = opened(p, name, OS_READ);
	char buf[200];
	size_t got;

	assert_int_equal(p->os->read(p->os, f, 0, buf, sizeof(buf) - 1, &got), 0);
	buf[got] = '\0';
	assert_string_equal(buf, text);
	closed(p, f);
}

static void assert_absent(struct place *p, const char *name)
{
	struct os_stat st;

	assert_int_equal(p->os->stat(p->os, at(p, name), &st), SILT_NOTFOUND);
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static void test_os__what_was_written_is_read(void **state)
{
	struct place *p = *state;
	struct os_file *f = opened(p, "f", OS_READ | OS_WRITE | OS_CREATE);
	uint64_t random = test_seed(19), size;
	static uint8_t naive[300000], buf[300000];
	size_t got, len = 0;

	memset(naive, 0, sizeof(naive));
	for (int i = 0; i < 200; i++) {
		size_t offset = test_random(&random) % 200000, n = test_random(&random) % 30000;

		for (size_t k = 0; k < n; k++)
			naive[offset + k] = (uint8_t)test_random(&random);
		assert_int_equal(p->os->write(p->os, f, offset, naive + offset, n), 0);
		if (n && offset + n > len)
			len = offset + n;
		if (i % 20 == 0)
			assert_int_equal(p->os->datasync(p->os, f), 0);
		offset = test_random(&random) % 250000;
		n = test_random(&random) % 40000;
		assert_int_equal(p->os->read(p->os, f, offset, buf, n, &got), 0);
		assert_int_equal(got, offset >= len ? 0 : n < len - offset ? n : len - offset);
		assert_memory_equal(buf, naive + offset, got);
	}
	assert_int_equal(p->os->size(p->os, f, &size), 0);
	assert_int_equal(size, len);
	p->os->range_sync(p->os, f, 0, len);
	p->os->drop_cache(p->os, f);
	assert_int_equal(p->os->read(p->os, f, 0, buf, sizeof(buf), &got), 0);
	assert_int_equal(got, len);
	assert_memory_equal(buf, naive, len);
	closed(p, f);
}

static void test_os__a_hole_reads_as_zeros(void **state)
{
	struct place *p = *state;
	struct os_file *f = opened(p, "f", OS_READ | OS_WRITE | OS_CREATE);
	static uint8_t buf[100001], zeros[100000];
	size_t got;

	assert_int_equal(p->os->write(p->os, f, 100000, "x", 1), 0);
	assert_int_equal(p->os->read(p->os, f, 0, buf, sizeof(buf), &got), 0);
	assert_int_equal(got, sizeof(buf));
	assert_memory_equal(buf, zeros, sizeof(zeros));
	assert_int_equal(buf[100000], 'x');
	closed(p, f);
}

static void test_os__open_says_what_is_there(void **state)
{
	struct place *p = *state;
	struct os_file *f = NULL;

	assert_int_equal(p->os->open(p->os, at(p, "f"), OS_READ, &f), SILT_NOTFOUND);
	assert_int_equal(p->os->open(p->os, at(p, "f"), OS_READ | OS_WRITE, &f), SILT_NOTFOUND);
	assert_int_equal(p->os->open(p->os, at(p, "no/f"), OS_WRITE | OS_CREATE, &f), SILT_NOTFOUND);
	make_file(p, "f", "text");
	assert_int_equal(p->os->open(p->os, at(p, "f"), OS_READ | OS_WRITE | OS_CREATE, &f), SILT_E_BUSY);
	assert_int_equal(p->os->open(p->os, at(p, "f/below"), OS_READ, &f), SILT_E_IO);
	assert_int_equal(p->os->open(p->os, p->dir, OS_WRITE, &f), SILT_E_IO);
	assert_null(f);               /* untouched on failure */
	assert_file(p, "f", "text");
}

static void test_os__handles_do_what_they_were_opened_for(void **state)
{
	struct place *p = *state;
	struct os_file *f;
	char buf[4];
	size_t got = 77;

	make_file(p, "f", "text");
	f = opened(p, "f", OS_READ);
	assert_int_equal(p->os->write(p->os, f, 0, "x", 1), SILT_E_IO);
	closed(p, f);
	f = opened(p, "f", OS_WRITE);
	assert_int_equal(p->os->read(p->os, f, 0, buf, 4, &got), SILT_E_IO);
	assert_int_equal(got, 77);
	closed(p, f);
	assert_int_equal(p->os->close(p->os, NULL), 0);
	assert_file(p, "f", "text");
}

static void test_os__read_full_wants_all(void **state)
{
	struct place *p = *state;
	struct os_file *f;
	char buf[8];

	make_file(p, "f", "12345678");
	f = opened(p, "f", OS_READ);
	assert_int_equal(os_read_full(p->os, f, 0, buf, 8), 0);
	assert_memory_equal(buf, "12345678", 8);
	assert_int_equal(os_read_full(p->os, f, 1, buf, 8), SILT_E_CORRUPT);
	assert_int_equal(os_read_full(p->os, f, 100, buf, 1), SILT_E_CORRUPT);
	assert_int_equal(os_read_full(p->os, f, 8, buf, 0), 0);
	closed(p, f);
}

/* Not every file system can say it; what is said to be there is right, and all of it. */
static void test_os__read_now_gives_all_or_nothing(void **state)
{
	struct place *p = *state;
	struct os_file *f;
	char buf[8];

	make_file(p, "f", "12345678");
	f = opened(p, "f", OS_READ);
	for (int i = 0; i < 20; i++) {
		if (p->os->read_now(p->os, f, 2, buf, 6))
			assert_memory_equal(buf, "345678", 6);
		assert_false(p->os->read_now(p->os, f, 3, buf, 6));
	}
	closed(p, f);
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static void test_os__rename_replaces_whole(void **state)
{
	struct place *p = *state;
	struct os_file *old;
	char buf[4] = "";
	size_t got;

	make_file(p, "M", "old");
	make_file(p, "M.tmp", "new");
	old = opened(p, "M", OS_READ);
	assert_int_equal(p->os->rename(p->os, at(p, "M.tmp"), at(p, "M")), 0);
	assert_file(p, "M", "new");
	assert_absent(p, "M.tmp");
	assert_int_equal(p->os->read(p->os, old, 0, buf, 3, &got), 0);
	assert_string_equal(buf, "old");      /* a reader keeps what it opened */
	closed(p, old);
	assert_int_equal(p->os->rename(p->os, at(p, "M.tmp"), at(p, "M")), SILT_NOTFOUND);
	assert_int_equal(p->os->rename(p->os, at(p, "M"), at(p, "no/M")), SILT_NOTFOUND);
	assert_file(p, "M", "new");
}

static void test_os__rename_into_another_directory(void **state)
{
	struct place *p = *state;

	assert_int_equal(p->os->mkdir(p->os, at(p, "quarantine")), 0);
	make_file(p, "x", "doubtful");
	assert_int_equal(p->os->rename(p->os, at(p, "x"), at(p, "quarantine/x")), 0);
	assert_absent(p, "x");
	assert_file(p, "quarantine/x", "doubtful");
	assert_int_equal(p->os->rename(p->os, at(p, "quarantine"), at(p, "quarantine/in")), SILT_E_IO);
	assert_int_equal(p->os->rename(p->os, at(p, "quarantine"), at(p, "q2")), 0);
	assert_file(p, "q2/x", "doubtful");
	assert_int_equal(p->os->mkdir(p->os, at(p, "full")), 0);
	make_file(p, "full/y", "");
	assert_int_equal(p->os->rename(p->os, at(p, "q2"), at(p, "full")), SILT_E_BUSY);
	assert_int_equal(p->os->rename(p->os, at(p, "full/y"), at(p, "q2")), SILT_E_IO);
	assert_int_equal(p->os->unlink(p->os, at(p, "full/y")), 0);
	assert_int_equal(p->os->rename(p->os, at(p, "q2"), at(p, "full")), 0);
	assert_file(p, "full/x", "doubtful");
}

static void test_os__links_share_bytes_and_are_counted(void **state)
{
	struct place *p = *state;
	struct os_stat st;
	struct os_file *f;

	make_file(p, "a", "one");
	assert_int_equal(p->os->link(p->os, at(p, "a"), at(p, "b")), 0);
	assert_int_equal(p->os->link(p->os, at(p, "a"), at(p, "b")), SILT_E_BUSY);
	assert_int_equal(p->os->link(p->os, at(p, "no"), at(p, "c")), SILT_NOTFOUND);
	assert_int_equal(p->os->stat(p->os, at(p, "a"), &st), 0);
	assert_int_equal(st.links, 2);
	f = opened(p, "b", OS_WRITE);
	assert_int_equal(p->os->write(p->os, f, 0, "two", 3), 0);
	closed(p, f);
	assert_file(p, "a", "two");
	/* two names of one file: rename does nothing */
	assert_int_equal(p->os->rename(p->os, at(p, "a"), at(p, "b")), 0);
	assert_file(p, "a", "two");
	assert_int_equal(p->os->unlink(p->os, at(p, "a")), 0);
	assert_int_equal(p->os->stat(p->os, at(p, "b"), &st), 0);
	assert_int_equal(st.links, 1);
	assert_file(p, "b", "two");
}

static void test_os__an_unlinked_file_lives_by_its_handle(void **state)
{
	struct place *p = *state;
	struct os_file *f;
	char buf[4] = "";
	size_t got;

	make_file(p, "f", "abc");
	f = opened(p, "f", OS_READ | OS_WRITE);
	assert_int_equal(p->os->unlink(p->os, at(p, "f")), 0);
	assert_absent(p, "f");
	assert_int_equal(p->os->unlink(p->os, at(p, "f")), SILT_NOTFOUND);
	assert_int_equal(p->os->write(p->os, f, 1, "x", 1), 0);
	assert_int_equal(p->os->read(p->os, f, 0, buf, 3, &got), 0);
	assert_string_equal(buf, "axc");
	closed(p, f);
}

static void test_os__directories(void **state)
{
	struct place *p = *state;
	struct os_stat st;

	assert_int_equal(p->os->mkdir(p->os, at(p, "d")), 0);
	assert_int_equal(p->os->mkdir(p->os, at(p, "d")), SILT_E_BUSY);
	assert_int_equal(p->os->mkdir(p->os, at(p, "no/d")), SILT_NOTFOUND);
	assert_int_equal(p->os->stat(p->os, at(p, "d"), &st), 0);
	assert_true(st.is_dir);
	make_file(p, "d/f", "");
	assert_int_equal(p->os->rmdir(p->os, at(p, "d")), SILT_E_BUSY);
	assert_int_equal(p->os->rmdir(p->os, at(p, "d/f")), SILT_E_IO);
	assert_int_equal(p->os->unlink(p->os, at(p, "d")), SILT_E_IO);
	assert_int_equal(p->os->unlink(p->os, at(p, "d/f")), 0);
	assert_int_equal(p->os->rmdir(p->os, at(p, "d")), 0);
	assert_int_equal(p->os->rmdir(p->os, at(p, "d")), SILT_NOTFOUND);
	assert_int_equal(p->os->dirsync(p->os, p->dir), 0);
	assert_int_equal(p->os->dirsync(p->os, at(p, "d")), SILT_NOTFOUND);
	make_file(p, "f", "");
	assert_int_equal(p->os->dirsync(p->os, at(p, "f")), SILT_E_IO);
}

static void test_os__stat_tells_size_and_space(void **state)
{
	struct place *p = *state;
	struct os_file *f = opened(p, "f", OS_WRITE | OS_CREATE);
	static char bytes[50000];
	struct os_stat st;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(p->os->write(p->os, f, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(p->os->datasync(p->os, f), 0);
	closed(p, f);
	assert_int_equal(p->os->stat(p->os, at(p, "f"), &st), 0);
	assert_int_equal(st.size, sizeof(bytes));
	assert_int_equal(st.links, 1);
	assert_true(st.allocated >= sizeof(bytes));
	assert_false(st.is_dir);
}

struct listed {
	struct place *p;
	unsigned seen;                /* bits: the names are "0".."9" */
	unsigned calls;
	unsigned stop_after;
};

static int list_digit(void *ctx, const char *name)
{
	struct listed *l = ctx;
	struct os_stat st;

	assert_int_equal(strlen(name), 1);
	assert_int_equal(l->p->os->stat(l->p->os, at(l->p, name), &st), 0);   /* the disk may be used meanwhile */
	l->seen |= 1u << (name[0] - '0');
	return ++l->calls == l->stop_after ? 42 : 0;
}

static void test_os__list_gives_each_name_once(void **state)
{
	struct place *p = *state;
	struct listed l = { .p = p }, stopped = { .p = p, .stop_after = 3 };

	for (char name[2] = "0"; name[0] <= '9'; name[0]++)
		make_file(p, name, "");
	assert_int_equal(p->os->list(p->os, p->dir, list_digit, &l), 0);
	assert_int_equal(l.seen, 0x3ff);
	assert_int_equal(l.calls, 10);
	assert_int_equal(p->os->list(p->os, p->dir, list_digit, &stopped), 42);
	assert_int_equal(stopped.calls, 3);
	assert_int_equal(p->os->list(p->os, at(p, "no"), list_digit, &l), SILT_NOTFOUND);
	assert_int_equal(p->os->list(p->os, at(p, "1"), list_digit, &l), SILT_E_IO);
}

static void test_os__a_lock_is_held_by_one(void **state)
{
	struct place *p = *state;
	struct os_lock *one = NULL, *two = NULL;

	assert_int_equal(p->os->lock(p->os, at(p, "LOCK"), &one), 0);
	assert_int_equal(p->os->lock(p->os, at(p, "LOCK"), &two), SILT_E_BUSY);
	assert_null(two);
	assert_int_equal(p->os->lock(p->os, at(p, "LOCK2"), &two), 0);
	p->os->unlock(p->os, two);
	p->os->unlock(p->os, one);
	p->os->unlock(p->os, NULL);
	assert_int_equal(p->os->lock(p->os, at(p, "LOCK"), &two), 0);
	p->os->unlock(p->os, two);
	assert_int_equal(p->os->lock(p->os, at(p, "no/LOCK"), &two), SILT_NOTFOUND);
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static void test_os__space_time_and_chance(void **state)
{
	struct place *p = *state;
	uint64_t space = 0, before;
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	assert_int_equal(p->os->free_space(p->os, p->dir, &space), 0);
	assert_true(space > 0);
	assert_int_equal(p->os->free_space(p->os, at(p, "no"), &space), SILT_NOTFOUND);
	assert_true(p->os->wall_ms(p->os) > UINT64_C(1600000000000)); /* after 2020 */
	before = p->os->mono_ns(p->os);
	assert_true(p->os->mono_ns(p->os) >= before);
	assert_int_equal(p->os->random(p->os, a, sizeof(a)), 0);
	assert_int_equal(p->os->random(p->os, b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(p->os->random(p->os, a, 0), 0);
}

static void test_os__a_failure_has_a_text(void **state)
{
	struct place *p = *state;
	struct os_file *f;

	assert_int_equal(p->os->open(p->os, at(p, "f"), OS_READ, &f), SILT_NOTFOUND);
	assert_memory_equal(p->os->error_text(p->os), "open: ", 6);
	assert_int_equal(p->os->rename(p->os, at(p, "f"), at(p, "g")), SILT_NOTFOUND);
	assert_memory_equal(p->os->error_text(p->os), "rename: ", 8);
	assert_true(strlen(p->os->name) > 0);
}

struct writer {
	struct place *p;
	struct os_file *f;
	uint64_t offset;
};

static void *write_pages(void *arg)
{
	struct writer *w = arg;
	char page[512];
	uintptr_t bad = 0;
	size_t got;

	for (int i = 0; i < 100; i++) {
		uint64_t offset = w->offset + (uint64_t)i * sizeof(page);

		memset(page, 'a' + i % 26, sizeof(page));
		bad |= w->p->os->write(w->p->os, w->f, offset, page, sizeof(page)) != 0;
		bad |= w->p->os->read(w->p->os, w->f, offset, page, sizeof(page), &got) != 0 || got != sizeof(page);
		bad |= page[0] != 'a' + i % 26 || page[511] != page[0];
		bad |= i % 10 == 0 && w->p->os->datasync(w->p->os, w->f) != 0;
	}
	return (void *)bad;
}

static void test_os__threads_share_a_file(void **state)
{
	struct place *p = *state;
	struct os_file *f = opened(p, "f", OS_READ | OS_WRITE | OS_CREATE);
	struct writer w[4];
	pthread_t t[4];
	void *bad;

	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct writer){ p, f, i * 51200 };
		assert_int_equal(pthread_create(&t[i], NULL, write_pages, &w[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
	closed(p, f);
}

/* ---- POSIX alone ----------------------------------------------------------------------------------------------------- */

static void test_os__posix_modes_and_memory(void **state)
{
	struct place *p = *state;
	struct os_file *f = NULL;
	struct os_lock *l = NULL;
	struct stat st;
	mode_t mask = umask(0);

	make_file(p, "f", "");
	assert_int_equal(p->os->mkdir(p->os, at(p, "d")), 0);
	umask(mask);
	assert_int_equal(stat(at(p, "f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(at(p, "d"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	mem_fail_at(1, true);
	assert_int_equal(p->os->open(p->os, at(p, "g"), OS_WRITE | OS_CREATE, &f), SILT_E_NOMEM);
	assert_int_equal(p->os->lock(p->os, at(p, "LOCK"), &l), SILT_E_NOMEM);
	mem_fail_at(0, false);
	assert_absent(p, "g");
	assert_string_equal(p->os->error_text(p->os), "stat: No such file or directory");
}

static void test_os__posix_full_disk_is_nospace(void **state)
{
	silt_os *os = os_posix();
	struct os_file *f;

	(void)state;
	if (os->open(os, "/dev/full", OS_WRITE, &f) != 0)
		skip();
	assert_int_equal(os->write(os, f, 0, "x", 1), SILT_E_NOSPACE);
	assert_string_equal(os->error_text(os), "pwrite: No space left on device");
	assert_int_equal(os->close(os, f), 0);
}

#define ON_BOTH(test) \
	{ #test " (posix)", test, place_posix, place_gone, NULL }, { #test " (simdisk)", test, place_simdisk, place_gone, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_os__what_was_written_is_read),
		ON_BOTH(test_os__a_hole_reads_as_zeros),
		ON_BOTH(test_os__open_says_what_is_there),
		ON_BOTH(test_os__handles_do_what_they_were_opened_for),
		ON_BOTH(test_os__read_full_wants_all),
		ON_BOTH(test_os__read_now_gives_all_or_nothing),
		ON_BOTH(test_os__rename_replaces_whole),
		ON_BOTH(test_os__rename_into_another_directory),
		ON_BOTH(test_os__links_share_bytes_and_are_counted),
		ON_BOTH(test_os__an_unlinked_file_lives_by_its_handle),
		ON_BOTH(test_os__directories),
		ON_BOTH(test_os__stat_tells_size_and_space),
		ON_BOTH(test_os__list_gives_each_name_once),
		ON_BOTH(test_os__a_lock_is_held_by_one),
		ON_BOTH(test_os__space_time_and_chance),
		ON_BOTH(test_os__a_failure_has_a_text),
		ON_BOTH(test_os__threads_share_a_file),
		cmocka_unit_test_setup_teardown(test_os__posix_modes_and_memory, place_posix, place_gone),
		cmocka_unit_test(test_os__posix_full_disk_is_nospace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
