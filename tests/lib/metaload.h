/* SPDX-License-Identifier: Apache-2.0 */
/* metaload.h - the meta of a table from its file alone, for tests and fuzzers that have no manifest. Header only. */
#ifndef TESTS_METALOAD_H
#define TESTS_METALOAD_H

#include "table/table_load.h"

/* 0: returned owned, its number is 0; else as table_load_root(). */
static inline int metaload(struct env *env, const char *path, struct table_meta **out)
{
	struct table_file f = { 0 };
	struct table_root r = { 0 };
	struct table_meta *m;
	int rc = table_file_open(env, path, &f);

	*out = NULL;
	if (rc == 0)
		rc = table_load_root(&f, NULL, &r);
	if (rc < 0)
		goto out;
	m = properties_meta(&r.properties, r.digest);
	if (!m) {
		rc = SILT_E_NOMEM;
		goto out;
	}
	m->size = f.size;
	*out = m;
out:
	table_root_fini(&r);
	table_file_close(&f);
	return rc;
}

#endif
