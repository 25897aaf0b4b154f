/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine.c - making quarantine/, and finding free names in it. */
#include "db/quarantine.h"

#include <stdio.h>

#include "core/filename.h"

int quarantine_make(struct env *env, char *dir)
{
	silt_os *os = env->os;
	int rc = filename_in(env->dir, "quarantine", dir);

	if (rc < 0)
		return rc;
	rc = os->mkdir(os, dir);
	if (rc == 0 || rc == SILT_E_BUSY)
		rc = os->dirsync(os, env->dir);
	return rc == 0 ? 0 : report(&env->rep, rc < 0 ? rc : SILT_E_IO, "%s: can't be made: %s", dir, os->error_text(os));
}

int quarantine_path(struct env *env, const char *name, char *out)
{
	char numbered[FILENAME_MAX_BYTES];
	struct os_stat st;
	int rc = 0;

	for (unsigned n = 0; rc == 0; n++) {
		(void)snprintf(numbered, sizeof(numbered), n ? "quarantine/%s.%u" : "quarantine/%s", name, n);
		rc = filename_in(env->dir, numbered, out);
		if (rc == 0)
			rc = env->os->stat(env->os, out, &st);
	}
	if (rc == SILT_NOTFOUND)
		return 0;
	return report(&env->rep, rc, "%s: %s", out, env->os->error_text(env->os));
}
