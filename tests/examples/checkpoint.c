/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - the store as it was, kept beside while it goes on, and opened as a store of its own. */
#include <siltstone.h>

#include <stdio.h>
#include <string.h>

static struct silt_slice text(const char *s)
{
	return (struct silt_slice){ s, strlen(s) };
}

static int print_one(void *ctx, const struct silt_checkpoint_info *info)
{
	(void)ctx;
	printf("%s: version %llu, %llu tables\n", info->name, (unsigned long long)info->version, (unsigned long long)info->tables);
	return 0;
}

/* What "color" was when the checkpoint was made. */
static int look_back(const char *dir)
{
	struct silt_options opts;
	struct silt_buf value = { 0 };
	silt_db *old = NULL;
	int rc;

	silt_options_init(&opts);
	opts.create = false;
	opts.read_only = true;
	rc = silt_open(dir, &opts, &old);
	if (rc == 0)
		rc = silt_get(old, text("color"), NULL, 0, &value, NULL);
	if (rc == 0)
		printf("then: %.*s\n", (int)value.len, (const char *)value.data);
	silt_buf_free(&value);
	silt_close(old);
	return rc;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "example-checkpoint";
	char old[4096];
	silt_db *db = NULL;
	int rc = silt_open(dir, NULL, &db);

	if (rc == 0)
		rc = silt_put(db, text("color"), text("blue"), NULL);
	if (rc == 0)
		rc = silt_checkpoint(db, "before", NULL);
	if (rc == 0)
		rc = silt_put(db, text("color"), text("red"), NULL);
	if (rc == 0)
		rc = silt_checkpoint_list(db, print_one, NULL);
	if (rc == 0) {
		snprintf(old, sizeof(old), "%s/checkpoints/before", dir);
		rc = look_back(old);
	}
	if (rc == 0)
		rc = silt_checkpoint_remove(db, "before");
	if (rc != 0)
		fprintf(stderr, "checkpoint: %s\n", silt_strerror(rc));
	if (silt_close(db) != 0)
		return 1;
	return rc != 0;
}
