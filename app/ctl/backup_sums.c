/* SPDX-License-Identifier: Apache-2.0 */
/* backup_sums.c - written last, so that a directory that has it is whole. */
#include "ctl/backup_sums.h"

#include "ctl/session.h"

#include <stdio.h>

#define BACKUP_SUMS_MOST (256u << 20)         /* bytes: a million files */

int backup_sums_write(struct filecopy *c, const struct backup_list *l, const struct filecopy_dir *dir)
{
	struct bytes out = { 0 };
	int status;

	backup_list_print(l, &out);
	status = out.bad ? session_fail(dir->path, SILT_E_NOMEM) : filecopy_write(c, dir, BACKUP_SUMS_NAME, out.p, out.len);
	bytes_fini(&out);
	return status;
}

int backup_sums_read(struct backup_list *l, const struct filecopy_dir *dir)
{
	struct bytes text = { 0 };
	size_t line;
	int status = filecopy_read(dir, BACKUP_SUMS_NAME, BACKUP_SUMS_MOST, &text);

	*l = (struct backup_list){ 0 };
	if (status == SESSION_OK && !backup_list_parse(l, span_of(text.p, text.len), &line)) {
		(void)fprintf(stderr, "siltctl: %s/" BACKUP_SUMS_NAME ": line %zu: not as it was written\n", dir->path, line);
		status = SESSION_DAMAGED;
	}
	bytes_fini(&text);
	return status;
}
