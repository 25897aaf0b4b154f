/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c - a main() for a fuzz target where there is no libFuzzer: gives it each file of each directory, or each file, named on
 * the command line. Exits with 0 where there was something to give and the target came back from all of it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned driver_seen;

static int driver_fail(const char *path)
{
	perror(path);
	return -1;
}

/* The input lies in memory of exactly its size, so that a sanitizer sees a read past its end. */
static int driver_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;
	int rc = -1;

	if (!f)
		return driver_fail(path);
	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		goto out;
	data = malloc(size ? (size_t)size : 1);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size)
		goto out;
	printf("%s\n", path);
	fflush(stdout);                            /* the last one printed is the one that ended the target */
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	driver_seen++;
	rc = 0;
out:
	free(data);
	fclose(f);
	return rc < 0 ? driver_fail(path) : 0;
}

static int driver_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char file[4096];
	int rc = 0;

	if (!dir)
		return driver_fail(path);
	while (rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path, e->d_name) < (int)sizeof(file))
			rc = driver_file(file);
	}
	closedir(dir);
	return rc;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) != 0)
			return driver_fail(argv[i]) != 0;
		if ((S_ISDIR(st.st_mode) ? driver_dir(argv[i]) : driver_file(argv[i])) < 0)
			return 1;
	}
	printf("%u inputs\n", driver_seen);
	return driver_seen == 0;
}
