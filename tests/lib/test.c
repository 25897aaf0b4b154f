/* SPDX-License-Identifier: Apache-2.0 */
/* test.c - seeds that can be given again, chance, scratch directories. */
#include "lib/test.h"

#include <ftw.h>
#include <inttypes.h>
#include <sys/stat.h>

uint64_t test_seed(uint64_t fallback)
{
	const char *given = getenv("SILT_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : fallback;

	if (seed == 0)
		seed = 1;             /* xorshift stands still at 0 */
	print_message("SILT_SEED=%" PRIu64 "\n", seed);
	return seed;
}

/* Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016. */
uint64_t test_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

char *test_mkdir(void)
{
	const char *root = getenv("TMPDIR");
	char path[1024];
	char *dir;

	snprintf(path, sizeof(path), "%s/silt-test-XXXXXX", root && *root ? root : "/tmp");
	assert_non_null(mkdtemp(path));
	dir = strdup(path);
	assert_non_null(dir);
	return dir;
}

static int test_remove(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* A test may have taken away the rights that removing needs. */
static int test_unprotect(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)where;
	if (kind == FTW_D || kind == FTW_DNR)
		(void)chmod(path, (st->st_mode & 07777) | 0700);
	return 0;
}

void test_rmdir(char *dir)
{
	if (!dir)
		return;
	(void)nftw(dir, test_unprotect, 16, FTW_PHYS);
	assert_int_equal(nftw(dir, test_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(dir);
}

unsigned test_scale(void)
{
	const char *soak = getenv("SILT_SOAK");
	unsigned long n = soak ? strtoul(soak, NULL, 10) : 1;

	return n == 0 ? 1 : (unsigned)n;
}
