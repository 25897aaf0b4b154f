/* SPDX-License-Identifier: Apache-2.0 */
/* take.c - a queue that several workers may take from: the delete gives what it removed, to one of them alone. */
#include <siltstone.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct silt_slice job = { "job/0001", 8 };
	struct silt_buf work = { NULL, 0, 0 };
	silt_db *db;
	int first, second;

	if (argc != 2 || silt_open(argv[1], NULL, &db) != 0)
		return 1;
	if (silt_put(db, job, (struct silt_slice){ "sweep the floor", 15 }, NULL) != 0)
		return 1;
	first = silt_take(db, job, &work, NULL, NULL);
	printf("one worker: %s, %.*s\n", silt_strerror(first), (int)work.len, (const char *)work.data);
	second = silt_take(db, job, &work, NULL, NULL);
	printf("another: %s\n", silt_strerror(second));
	silt_buf_free(&work);
	return silt_close(db) != 0 || first != 0 || second != SILT_NOTFOUND;
}
