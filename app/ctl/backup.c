/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.c - a backup made: what a checkpoint holds, in a new directory of the set.
 *
 * Order     a checkpoint of the store; NAME.unfinished made; each table linked to where an earlier backup has it, or copied and synced;
 *           log and manifest copied; the checkpoint removed; the whole read and verified; SHA256SUMS written; renamed to NAME; then what is
 *           too old goes.
 * The same  is a table whose footer's digest and size are those of one in an earlier backup: the footer is the root of the digests of all
 *           its bytes, so that neither number nor time has to be believed (a store that was restored gives numbers again).
 * Cut short by Ctrl-C or a failure, NAME.unfinished stays and is said; the next backup links what is whole in it, then removes it. After
 *           a full disk it is removed at once.
 */
#include "ctl/backup_check.h"
#include "ctl/backup_look.h"
#include "ctl/backup_set.h"
#include "ctl/backup_source.h"
#include "ctl/backup_sums.h"
#include "ctl/commands.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "ctl/text.h"
#include "util/array.h"
#include "util/json_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct backup_earlier {               /* what may be linked to */
	char name[BACKUP_SET_NAME];
	struct backup_list list;
	bool unfinished;              /* its digests are not known: the files are read for them */
};

struct backup {
	const struct args *a;
	struct backup_set set;
	struct backup_source source;
	struct filecopy copy;
	struct progress progress;
	bool quiet;                   /* --json where nobody looks */
	struct backup_earlier *earlier;       /* the newest first */
	size_t earlier_count, earlier_room;
	char name[BACKUP_SET_NAME], unfinished[BACKUP_SET_NAME + 16];
	bool begun;                   /* the directory is there */
	struct bytes path;            /* of it */
	struct filecopy_dir dir;
	struct backup_list list;
	uint64_t copied, linked;      /* bytes */
};

static int backup_fail(const char *path, const char *name, const char *what)
{
	int error = errno;

	(void)fprintf(stderr, "siltctl: %s/%s: %s: %s\n", path, name, what, strerror(error));
	return SESSION_UNREADABLE;
}

/* ---- what there is already --------------------------------------------------------------------------------------------------- */

/* The tables of an unfinished one that are whole; its list is not written yet. */
static int backup_scan(const struct filecopy_dir *dir, struct backup_list *l)
{
	int own = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = SESSION_OK;
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *e;

	if (!d) {
		if (own >= 0)
			(void)close(own);
		return backup_fail(dir->path, ".", "can't be listed");
	}
	while (status == SESSION_OK && (e = readdir(d)) != NULL) {
		struct backup_file *f = backup_list_name_ok(e->d_name) ? backup_list_add(l, e->d_name) : NULL;

		if (f)
			f->has_root = filecopy_root(dir, f->name, &f->size, f->root);
		else if (backup_list_name_ok(e->d_name))
			status = session_fail(dir->path, SILT_E_NOMEM);
	}
	(void)closedir(d);
	return status;
}

static int backup_know(struct backup *b, const char *name, bool unfinished)
{
	struct backup_earlier *more = array_grow(b->earlier, b->earlier_count, &b->earlier_room, sizeof(*more)), *e;
	struct bytes path = { 0 };
	struct filecopy_dir dir;
	int status;

	if (!more)
		return session_fail(b->set.dir.path, SILT_E_NOMEM);
	b->earlier = more;
	e = &more[b->earlier_count++];
	*e = (struct backup_earlier){ .unfinished = unfinished };
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	status = backup_set_enter(&b->set.dir, name, &path, &dir);
	if (status == SESSION_OK)
		status = unfinished ? backup_scan(&dir, &e->list) : backup_sums_read(&e->list, &dir);
	backup_set_leave(&dir);
	bytes_fini(&path);
	if (status != SESSION_OK)
		(void)fprintf(stderr, "siltctl: %s/%s: nothing is taken from it\n", b->set.dir.path, name);
	return SESSION_OK;                /* a damaged backup is no reason to make none */
}

static int backup_know_all(struct backup *b)
{
	int status = SESSION_OK;

	if (b->a->given & ARGS_FULL)
		return status;
	for (size_t i = b->set.unfinished_count; status == SESSION_OK && i-- > 0;)
		status = backup_know(b, b->set.unfinished[i].text, true);
	for (size_t i = b->set.whole_count; status == SESSION_OK && i-- > 0;)
		status = backup_know(b, b->set.whole[i].text, false);
	return status;
}

/* ---- one file ---------------------------------------------------------------------------------------------------------------- */

/* Linked to where it was found; its digest is what was known of it. false: it could not be, so it is copied. */
static bool backup_link(struct backup *b, struct backup_file *f, const struct backup_earlier *e, const struct backup_file *same)
{
	struct bytes path = { 0 };
	struct filecopy_found found = { 0 };
	struct filecopy_dir dir;
	struct filecopy look = { 0 };     /* silent: these bytes count once */
	struct stat st;
	bool ok = backup_set_enter(&b->set.dir, e->name, &path, &dir) == SESSION_OK;

	ok = ok && fstatat(dir.fd, same->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)st.st_size == f->size;
	memcpy(f->digest, same->digest, SHA256_BYTES);
	if (ok && e->unfinished) {
		ok = filecopy_run(&look, &dir, same->name, NULL, &found) == SESSION_OK;
		memcpy(f->digest, found.digest, SHA256_BYTES);
	}
	ok = ok && linkat(dir.fd, same->name, b->dir.fd, f->name, 0) == 0;
	backup_set_leave(&dir);
	bytes_fini(&path);
	if (ok)
		filecopy_advance(&b->copy, f->size);
	return ok;
}

static const struct backup_file *backup_find(const struct backup *b, const struct backup_file *f, const struct backup_earlier **where)
{
	for (size_t i = 0; f->has_root && i < b->earlier_count; i++) {
		const struct backup_file *same = backup_list_find(&b->earlier[i].list, f->size, f->root);

		if (same) {
			*where = &b->earlier[i];
			return same;
		}
	}
	return NULL;
}

static int backup_file(struct backup *b, struct backup_file *f)
{
	const struct backup_earlier *where = NULL;
	const struct backup_file *same = backup_find(b, f, &where);
	struct filecopy_found found;
	int status;

	if (same && backup_link(b, f, where, same)) {
		b->linked += f->size;
		return SESSION_OK;
	}
	if (stop_asked())
		return stop_status();
	status = filecopy_run(&b->copy, &b->source.dir, f->name, &b->dir, &found);
	f->size = found.size;
	memcpy(f->digest, found.digest, SHA256_BYTES);
	b->copied += found.size;
	return status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------- */

/* Names and sizes, and of tables what they are. */
static int backup_list_source(struct backup *b)
{
	int status = backup_scan(&b->source.dir, &b->list);

	for (size_t i = 0; status == SESSION_OK && i < b->list.n; i++) {
		struct backup_file *f = &b->list.files[i];
		struct stat st;

		if (fstatat(b->source.dir.fd, f->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return backup_fail(b->source.dir.path, f->name, "can't be read");
		f->size = (uint64_t)st.st_size;
	}
	backup_list_sort(&b->list);
	b->copy.total = backup_list_bytes(&b->list);
	b->list.version = b->source.version;
	return status;
}

/* Said before anything is written, where it can be known. */
static int backup_fits(const struct backup *b)
{
	const struct backup_earlier *where;
	char need[TEXT_SIZE], have[TEXT_SIZE];
	struct statvfs vfs;
	uint64_t bytes = 0, room;

	for (size_t i = 0; i < b->list.n; i++)
		if (!backup_find(b, &b->list.files[i], &where))
			bytes += b->list.files[i].size;
	if (fstatvfs(b->set.dir.fd, &vfs) != 0)
		return SESSION_OK;
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (bytes <= room)
		return SESSION_OK;
	(void)fprintf(stderr, "siltctl: %s: this backup needs %s, and there are %s free: make room (--keep N removes old backups), "
	              "nothing was written\n", b->set.dir.path, text_size(bytes, need), text_size(room, have));
	return SESSION_UNREADABLE;
}

static int backup_begin(struct backup *b)
{
	(void)snprintf(b->unfinished, sizeof(b->unfinished), "%s.unfinished", b->name);
	if (mkdirat(b->set.dir.fd, b->unfinished, 0750) != 0)
		return backup_fail(b->set.dir.path, b->unfinished, "can't be made");
	b->begun = true;
	return backup_set_enter(&b->set.dir, b->unfinished, &b->path, &b->dir);
}

static int backup_copy(struct backup *b)
{
	int status = SESSION_OK;

	for (size_t i = 0; status == SESSION_OK && i < b->list.n; i++)
		status = backup_file(b, &b->list.files[i]);
	return status == SESSION_OK ? filecopy_sync(&b->dir) : status;
}

/* The engine opens what was copied; it and the checkpoint agree on the version. */
static int backup_verify(struct backup *b)
{
	uint64_t version = 0;
	int status = backup_check_store(b->a, b->path.p, !(b->a->given & ARGS_QUICK), b->quiet, &version);

	if (status == SESSION_DAMAGED && b->linked)
		(void)fprintf(stderr, "siltctl: where the damage is in a file that an earlier backup has too, --full copies it anew\n");
	else if (status == SESSION_DAMAGED)
		(void)fprintf(stderr, "siltctl: verify the store itself: what was copied is what was read from it\n");
	if (status != SESSION_OK || version == b->list.version)
		return status;
	(void)fprintf(stderr, "siltctl: %s: holds version %" PRIu64 ", and the checkpoint was of %" PRIu64 "\n", b->path.p, version,
	              b->list.version);
	return SESSION_DAMAGED;
}

static int backup_finish(struct backup *b)
{
	int status = backup_sums_write(&b->copy, &b->list, &b->dir);

	if (status == SESSION_OK)
		status = filecopy_sync(&b->dir);
	if (status != SESSION_OK)
		return status;
	if (renameat(b->set.dir.fd, b->unfinished, b->set.dir.fd, b->name) != 0)
		return backup_fail(b->set.dir.path, b->name, "can't be named");
	b->begun = false;
	return filecopy_sync(&b->set.dir);
}

/* ---- before and behind it ------------------------------------------------------------------------------------------------------ */

static int backup_print(const struct backup *b)
{
	char all[TEXT_SIZE], copied[TEXT_SIZE], linked[TEXT_SIZE];
	uint64_t bytes = backup_list_bytes(&b->list);
	struct bytes out = { 0 };
	int status;

	if (!(b->a->given & ARGS_JSON)) {
		(void)printf("backup: %s/%s, version %" PRIu64 ": %zu files of %s, %s copied, %s linked%s\n", b->set.dir.path, b->name,
		             b->list.version, b->list.n, text_size(bytes, all), text_size(b->copied, copied), text_size(b->linked, linked),
		             b->a->given & ARGS_QUICK ? "" : "; verified");
		return SESSION_OK;
	}
	bytes_adds(&out, "{");
	json_text_bytes(&out, "path", "path_encoding", span_str(b->set.dir.path));
	bytes_addf(&out, ",\"name\":\"%s\",\"version\":%" PRIu64 ",\"files\":%zu,\"bytes\":%" PRIu64 ",\"copied_bytes\":%" PRIu64
	           ",\"linked_bytes\":%" PRIu64 ",\"verified\":%s}\n", b->name, b->list.version, b->list.n, bytes, b->copied, b->linked,
	           b->a->given & ARGS_QUICK ? "false" : "true");
	status = out.bad ? session_fail(b->set.dir.path, SILT_E_NOMEM) : session_print(span_of(out.p, out.len));
	bytes_fini(&out);
	return status;
}

/* What is not to be kept any more: unfinished ones, of which everything was taken over, and the oldest. */
static int backup_clear_away(struct backup *b)
{
	size_t keep = b->a->given & ARGS_KEEP ? (size_t)b->a->keep : SIZE_MAX;
	int status = SESSION_OK;

	for (size_t i = 0; status == SESSION_OK && i < b->set.unfinished_count; i++)
		status = backup_set_erase(&b->set.dir, b->set.unfinished[i].text);
	for (size_t i = 0; status == SESSION_OK && keep < SIZE_MAX && b->set.whole_count + 1 - i > keep; i++) {
		status = backup_set_remove(&b->set, b->set.whole[i].text);
		if (status == SESSION_OK && !(b->a->given & ARGS_JSON))
			(void)printf("backup: %s/%s removed\n", b->set.dir.path, b->set.whole[i].text);
	}
	return status;
}

/* It is not whole: said, and kept where the next one can use it. */
static void backup_leave_unfinished(struct backup *b, int status)
{
	progress_clear(&b->progress);
	if (b->copy.full || status == SESSION_DAMAGED || b->copied + b->linked == 0) {
		(void)backup_set_erase(&b->set.dir, b->unfinished);
		(void)fprintf(stderr, "siltctl: %s: no backup was made; what was copied is removed again%s\n", b->set.dir.path,
		              b->copy.full ? "; make room (--keep N removes old backups), and run it again" : "");
	} else {
		(void)fprintf(stderr, "siltctl: %s/%s: not finished, and no backup; the next one goes on from it\n", b->set.dir.path,
		              b->unfinished);
	}
}

/* *stayed: why the checkpoint could not be removed; the backup is one all the same. */
static int backup_make(struct backup *b, int *stayed)
{
	int status = backup_list_source(b);

	if (status == SESSION_OK)
		status = backup_fits(b);
	if (status == SESSION_OK)
		status = backup_begin(b);
	if (status == SESSION_OK)
		status = backup_copy(b);
	progress_clear(&b->progress);
	*stayed = backup_source_drop(&b->source);
	if (status == SESSION_OK)
		status = backup_verify(b);
	if (status == SESSION_OK)
		status = backup_finish(b);
	return status;
}

static int backup_run(struct backup *b)
{
	time_t now = time(NULL);
	struct tm tm;
	int status = backup_set_open_to_write(&b->set, b->a->operand[0]), stayed = SESSION_OK, printed;

	if (status == SESSION_OK)
		status = backup_set_name(&b->set, now, b->name);
	if (status == SESSION_OK)
		status = backup_know_all(b);
	if (status != SESSION_OK)
		return status;
	(void)gmtime_r(&now, &tm);
	(void)strftime(b->list.made, sizeof(b->list.made), "%Y-%m-%dT%H:%M:%SZ", &tm);
	status = backup_source_take(&b->source, b->a, b->name);
	if (status == SESSION_OK)
		status = backup_make(b, &stayed);
	else
		stayed = backup_source_drop(&b->source);
	if (b->begun)
		backup_leave_unfinished(b, status);
	if (status != SESSION_OK)
		return status;
	printed = backup_print(b);
	status = backup_clear_away(b);
	return status != SESSION_OK ? status : stayed != SESSION_OK ? stayed : printed;
}

static void backup_fini(struct backup *b)
{
	for (size_t i = 0; i < b->earlier_count; i++)
		backup_list_fini(&b->earlier[i].list);
	free(b->earlier);
	backup_list_fini(&b->list);
	backup_set_leave(&b->dir);
	bytes_fini(&b->path);
	backup_set_close(&b->set);
}

int backup_command(const struct args *a)
{
	struct backup b = { .a = a, .dir = { .fd = -1 }, .set = { .dir = { .fd = -1 }, .lock = -1 } };
	int status;

	if (a->given & ARGS_LIST)
		return args_allow(a, ARGS_LIST | ARGS_JSON, 1) ? backup_look_list(a) : SESSION_USAGE;
	if (a->given & ARGS_VERIFY)
		return args_allow(a, ARGS_VERIFY | ARGS_JSON, 1) ? backup_look_verify(a) : SESSION_USAGE;
	if (!args_allow(a, ARGS_TARGET | ARGS_JSON | ARGS_KEEP | ARGS_FULL | ARGS_QUICK, 1))
		return SESSION_USAGE;
	stop_begin();
	progress_begin(&b.progress, "backup");
	b.quiet = (a->given & ARGS_JSON) && !b.progress.terminal;
	b.copy.progress = b.quiet ? NULL : &b.progress;
	status = backup_run(&b);
	backup_fini(&b);
	return status;
}
