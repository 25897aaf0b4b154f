/* SPDX-License-Identifier: Apache-2.0 */
/* owner.c - the effective user and group of the directory; the real ones lead back. */
#include "ctl/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool owner_enter(const char *dir)
{
	struct stat st;

	if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0)
		return true;
	(void)fprintf(stderr, "siltctl: %s: becoming its owner: %s\n", dir, strerror(errno));
	owner_leave();
	return false;
}

void owner_leave(void)
{
	if (geteuid() != getuid())
		(void)!seteuid(getuid());
	if (getegid() != getgid())
		(void)!setegid(getgid());
}

void owner_mend(const char *dir)
{
	DIR *d = geteuid() == 0 ? opendir(dir) : NULL;
	const struct dirent *e;
	struct stat st, file;

	if (!d)
		return;
	while (fstat(dirfd(d), &st) == 0 && st.st_uid != 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, "..") != 0 && fstatat(dirfd(d), e->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && file.st_uid == 0 &&
		    fchownat(dirfd(d), e->d_name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
			(void)fprintf(stderr, "siltctl: %s/%s: giving it to the store's owner: %s\n", dir, e->d_name, strerror(errno));
	(void)closedir(d);
}
