/* SPDX-License-Identifier: Apache-2.0 */
/* backup_list.c - the bytes that backup_list.h draws, written and read strictly. */
#include "util/backup_list.h"

#include "util/array.h"
#include "util/bytes.h"
#include "util/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKUP_LIST_HEAD "# siltstone backup 1"
#define BACKUP_LIST_END  "# end "
#define BACKUP_LIST_VERSION_MAX ((UINT64_C(1) << 53) - 1)

bool backup_list_name_ok(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (strcmp(name, "MANIFEST") == 0)
		return true;
	return digits >= 1 && digits <= 20 && (strcmp(name + digits, ".sst") == 0 || strcmp(name + digits, ".wal") == 0);
}

struct backup_file *backup_list_add(struct backup_list *l, const char *name)
{
	struct backup_file *more = array_grow(l->files, l->n, &l->room, sizeof(*more)), *f;

	if (!more)
		return NULL;
	l->files = more;
	f = &l->files[l->n++];
	*f = (struct backup_file){ 0 };
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return f;
}

const struct backup_file *backup_list_find(const struct backup_list *l, uint64_t size, const unsigned char root[SHA256_BYTES])
{
	for (size_t i = 0; i < l->n; i++)
		if (l->files[i].has_root && l->files[i].size == size && memcmp(l->files[i].root, root, SHA256_BYTES) == 0)
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

void backup_list_print(const struct backup_list *l, struct bytes *out)
{
	unsigned char digest[SHA256_BYTES];
	size_t begin = out->len;
	char hex[SHA256_HEX];

	bytes_addf(out, BACKUP_LIST_HEAD "\n# version %" PRIu64 "\n# made %s\n", l->version, l->made);
	for (size_t i = 0; i < l->n; i++) {
		const struct backup_file *f = &l->files[i];

		bytes_addf(out, "# %" PRIu64 " %s\n", f->size, f->has_root ? sha256_hex(f->root, hex) : "-");
		bytes_addf(out, "%s  %s\n", sha256_hex(f->digest, hex), f->name);
	}
	if (out->bad || !sha256_of(span_of(out->p + begin, out->len - begin), digest))
		out->bad = true;
	else
		bytes_addf(out, BACKUP_LIST_END "%s\n", sha256_hex(digest, hex));
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

static bool backup_list_head(struct backup_list *l, struct backup_list_reader *r)
{
	struct span rest;

	if (!backup_list_next(r) || !span_eq(r->line, BACKUP_LIST_HEAD))
		return false;
	if (!backup_list_next(r) || !backup_list_behind(r, "# version ", &rest) || !decimal_parse(rest, BACKUP_LIST_VERSION_MAX, &l->version))
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
	if (!decimal_parse(size, INT64_MAX, &f.size) || (f.has_root && !sha256_unhex(rest, f.root)))
		return false;
	if (!backup_list_next(r) || r->line.len < SHA256_HEX + 1 || !sha256_unhex(span_of(r->line.p, SHA256_HEX - 1), f.digest))
		return false;
	rest = span_of(r->line.p + SHA256_HEX - 1, r->line.len - (SHA256_HEX - 1));
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
	unsigned char said[SHA256_BYTES], is[SHA256_BYTES];
	struct span rest;

	if (!backup_list_behind(r, BACKUP_LIST_END, &rest) || !sha256_unhex(rest, said) || r->left.len != 0)
		return false;
	return sha256_of(span_of(begin, (size_t)(r->line.p - begin)), is) && memcmp(said, is, sizeof(is)) == 0;
}

static bool backup_list_all(struct backup_list *l, struct backup_list_reader *r)
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

bool backup_list_parse(struct backup_list *l, struct span text, size_t *line)
{
	struct backup_list_reader r = { .left = text };
	bool ok;

	*l = (struct backup_list){ 0 };
	ok = backup_list_all(l, &r);
	*line = r.number;
	if (!ok)
		backup_list_fini(l);
	return ok;
}
