/* SPDX-License-Identifier: Apache-2.0 */
/* backup_list.c - the bytes that backup_list.h draws, written and read strictly. */
#include "ctl/backup_list.h"

#include "ctl/session.h"
#include "util/bytes.h"
#include "util/decimal.h"
#include "util/percent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKUP_LIST_HEAD "# siltstone backup 1"
#define BACKUP_LIST_END  "# end "
#define BACKUP_LIST_MOST (256u << 20)         /* a million files */

bool backup_list_name_ok(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (strcmp(name, "MANIFEST") == 0)
		return true;
	return digits >= 1 && digits <= 20 && (strcmp(name + digits, ".sst") == 0 || strcmp(name + digits, ".wal") == 0);
}

struct backup_file *backup_list_add(struct backup_list *l, const char *name)
{
	struct backup_file *f;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		struct backup_file *more = realloc(l->files, room * sizeof(*more));

		if (!more)
			return NULL;
		l->files = more;
		l->room = room;
	}
	f = &l->files[l->n++];
	*f = (struct backup_file){ 0 };
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

const struct backup_file *backup_list_find(const struct backup_list *l, uint64_t size, const unsigned char root[FILECOPY_DIGEST])
{
	for (size_t i = 0; i < l->n; i++)
		if (l->files[i].has_root && l->files[i].size == size && memcmp(l->files[i].root, root, FILECOPY_DIGEST) == 0)
			return &l->files[i];
	return NULL;
}

static int backup_list_compare(const void *a, const void *b)
{
	return strcmp(((const struct backup_file *)a)->name, ((const struct backup_file *)b)->name);
}

void backup_list_sort(struct backup_list *l)
{
	if (l->n)
		qsort(l->files, l->n, sizeof(*l->files), backup_list_compare);
}

uint64_t backup_list_bytes(const struct backup_list *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += l->files[i].size;
	return sum;
}

void backup_list_fini(struct backup_list *l)
{
	free(l->files);
	*l = (struct backup_list){ 0 };
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

int backup_list_write(const struct backup_list *l, const struct filecopy_dir *dir)
{
	unsigned char digest[FILECOPY_DIGEST];
	char hex[FILECOPY_HEX];
	struct bytes out = { 0 };
	int status;

	bytes_addf(&out, BACKUP_LIST_HEAD "\n# version %" PRIu64 "\n# made %s\n", l->version, l->made);
	for (size_t i = 0; i < l->n; i++) {
		const struct backup_file *f = &l->files[i];

		bytes_addf(&out, "# %" PRIu64 " %s\n", f->size, f->has_root ? filecopy_hex(f->root, hex) : "-");
		bytes_addf(&out, "%s  %s\n", filecopy_hex(f->digest, hex), f->name);
	}
	filecopy_digest(out.p, out.len, digest);
	bytes_addf(&out, BACKUP_LIST_END "%s\n", filecopy_hex(digest, hex));
	status = out.bad ? session_fail(dir->path, SILT_E_NOMEM) : filecopy_write(dir, BACKUP_LIST_NAME, out.p, out.len);
	bytes_fini(&out);
	return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

struct backup_list_reader {
	struct span left;
	struct span line;             /* the current one, without its newline */
	size_t number;
};

static bool backup_list_next(struct backup_list_reader *r)
{
	const char *end = r->left.len ? memchr(r->left.p, '\n', r->left.len) : NULL;

	r->number++;
	if (!end)
		return false;
	r->line = span_of(r->left.p, (size_t)(end - r->left.p));
	r->left = span_of(end + 1, r->left.len - r->line.len - 1);
	return true;
}

/* What is left of the line behind `words`. */
static bool backup_list_behind(const struct backup_list_reader *r, const char *words, struct span *rest)
{
	size_t n = strlen(words);

	if (r->line.len < n || memcmp(r->line.p, words, n) != 0)
		return false;
	*rest = span_of(r->line.p + n, r->line.len - n);
	return true;
}

static bool backup_list_unhex(struct span text, unsigned char out[FILECOPY_DIGEST])
{
	if (text.len != FILECOPY_HEX - 1)
		return false;
	for (size_t i = 0; i < FILECOPY_DIGEST; i++) {
		int high = percent_hex(text.p[2 * i]), low = percent_hex(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

static bool backup_list_head(struct backup_list *l, struct backup_list_reader *r)
{
	struct span rest;

	if (!backup_list_next(r) || !span_eq(r->line, BACKUP_LIST_HEAD))
		return false;
	if (!backup_list_next(r) || !backup_list_behind(r, "# version ", &rest) || !decimal_parse(rest, SILT_VERSION_MAX, &l->version))
		return false;
	if (!backup_list_next(r) || !backup_list_behind(r, "# made ", &rest) || rest.len != strlen("2026-11-21T21:30:00Z"))
		return false;
	memcpy(l->made, rest.p, rest.len);
	l->made[rest.len] = '\0';
	return true;
}

/* "# 65536 5f0c..1b", which is the current line, and the line behind it. */
static bool backup_list_file(struct backup_list *l, struct backup_list_reader *r)
{
	struct backup_file f = { 0 }, *added;
	struct span rest, size;
	const char *blank;

	if (!backup_list_behind(r, "# ", &rest) || !(blank = memchr(rest.p, ' ', rest.len)))
		return false;
	size = span_of(rest.p, (size_t)(blank - rest.p));
	rest = span_of(blank + 1, rest.len - size.len - 1);
	f.has_root = !span_eq(rest, "-");
	if (!decimal_parse(size, INT64_MAX, &f.size) || (f.has_root && !backup_list_unhex(rest, f.root)))
		return false;
	if (!backup_list_next(r) || r->line.len < FILECOPY_HEX + 1 || !backup_list_unhex(span_of(r->line.p, FILECOPY_HEX - 1), f.digest))
		return false;
	rest = span_of(r->line.p + FILECOPY_HEX - 1, r->line.len - (FILECOPY_HEX - 1));
	if (rest.len < 3 || rest.len - 2 >= sizeof(f.name) || rest.p[0] != ' ' || rest.p[1] != ' ' || memchr(rest.p, '\0', rest.len))
		return false;
	memcpy(f.name, rest.p + 2, rest.len - 2);
	if (!backup_list_name_ok(f.name) || !(added = backup_list_add(l, f.name)))
		return false;
	*added = f;
	return true;
}

static bool backup_list_end(const struct backup_list_reader *r, const char *begin)
{
	unsigned char said[FILECOPY_DIGEST], is[FILECOPY_DIGEST];
	struct span rest;

	if (!backup_list_behind(r, BACKUP_LIST_END, &rest) || !backup_list_unhex(rest, said) || r->left.len != 0)
		return false;
	filecopy_digest(begin, (size_t)(r->line.p - begin), is);
	return memcmp(said, is, sizeof(is)) == 0;
}

static bool backup_list_parse(struct backup_list *l, struct backup_list_reader *r)
{
	const char *begin = r->left.p;
	struct span rest;

	if (!backup_list_head(l, r))
		return false;
	while (backup_list_next(r)) {
		if (backup_list_behind(r, BACKUP_LIST_END, &rest))
			return backup_list_end(r, begin);
		if (!backup_list_file(l, r))
			return false;
	}
	return false;
}

int backup_list_read(struct backup_list *l, const struct filecopy_dir *dir)
{
	struct bytes text = { 0 };
	struct backup_list_reader r = { 0 };
	int status = filecopy_read(dir, BACKUP_LIST_NAME, BACKUP_LIST_MOST, &text);

	*l = (struct backup_list){ 0 };
	r.left = span_of(text.p, text.len);
	if (status == SESSION_OK && !backup_list_parse(l, &r)) {
		(void)fprintf(stderr, "siltctl: %s/" BACKUP_LIST_NAME ": line %zu: not as it was written\n", dir->path, r.number);
		status = SESSION_DAMAGED;
	}
	if (status != SESSION_OK)
		backup_list_fini(l);
	bytes_fini(&text);
	return status;
}
