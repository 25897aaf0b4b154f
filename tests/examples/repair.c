/* SPDX-License-Identifier: Apache-2.0 */
/* repair.c - what a stopped store has lost, one line a finding; "apply" as second word repairs it. */
#include <siltstone.h>

#include <stdio.h>
#include <string.h>

static void print(void *ctx, const struct silt_finding *finding)
{
	(void)ctx;
	puts(finding->text);
}

static int make_one(const char *dir)
{
	silt_db *db = NULL;
	int rc = silt_open(dir, NULL, &db);

	if (rc == 0)
		rc = silt_put(db, (struct silt_slice){ "key", 3 }, (struct silt_slice){ "value", 5 }, NULL);
	if (rc == 0)
		rc = silt_flush(db);
	return silt_close(db) == 0 ? rc : -1;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "example-repair";
	unsigned flags = argc > 2 && strcmp(argv[2], "apply") == 0 ? SILT_REPAIR_APPLY : 0;
	struct silt_repair_result result = { 0 };
	int rc = argc > 1 ? 0 : make_one(dir);

	if (rc == 0)
		rc = silt_repair(dir, NULL, flags, print, NULL, &result);
	if (rc != 0 && result.findings == 0) {
		fprintf(stderr, "repair: %s\n", silt_strerror(rc));
		return 1;
	}
	printf("%llu findings; %llu entries lost; %s\n", (unsigned long long)result.findings, (unsigned long long)result.entries_lost,
	       result.repaired ? "repaired" : "nothing changed");
	return rc != 0;
}
