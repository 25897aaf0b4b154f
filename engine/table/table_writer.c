/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_writer.c - entries in, a whole table out, in one pass over the file.
 *
 * Promise   when table_writer_finish() returned 0 the table survives power loss under its final name; else nothing is left of it.
 * Flow      add -> data block -> packed, digested, emitted -> its address and separator to the partition; a full partition is
 *           emitted behind its blocks, its address to the top index. finish: filter, range tombstones, top index, properties,
 *           footer.
 * Rules     (1) a block ends before the entry that would make it larger than block_size, so that only an entry that is larger by
 *           itself makes a larger block, and has it alone.  (2) so a separator is made when both its sides are known.  (3) after a
 *           failure every call returns its code; only finish and abandon may follow.
 * Memory    one block, a partition, the top index, the range tombstones, a piece of output, and 8 bytes a key for the filter.
 */
#include "table/table_writer.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/filename.h"
#include "core/key.h"
#include "table/block_writer.h"
#include "table/compress.h"
#include "table/filter.h"
#include "table/footer.h"
#include "table/index.h"
#include "table/properties.h"
#include "table/tombstone_block.h"

enum { TABLE_WRITER_PIECE = 512 << 10 };  /* bytes written and sent on their way to the disk at a time */

struct table_writer {
	struct env *env;
	uint64_t number;
	struct table_settings settings;
	struct os_file *file;
	char *tmp_path, *path;
	int failed;                       /* rule 3 */

	struct block_writer block;
	struct index_writer part, top;
	struct filter_writer filter;
	struct tombstone_writer ranges;
	struct compress pack;             /* of data blocks */
	struct compress plain;            /* of the others: digests and hashes do not shrink */
	struct silt_buf raw;              /* of the others, while they are packed */

	struct silt_buf out;              /* emitted and not written yet */
	uint64_t written;                 /* bytes of the file before `out` */

	struct silt_buf smallest, last;   /* keys; `last` is the largest so far */
	uint64_t last_version;
	struct properties props;          /* without the keys */
};

/* ---- out ------------------------------------------------------------------------------------------------------------- */

static int table_writer_io(struct table_writer *w, int rc, const char *call)
{
	return report(&w->env->rep, rc, "%s: %s: %s", w->tmp_path, call, w->env->os->error_text(w->env->os));
}

static int table_writer_write(struct table_writer *w, struct silt_slice bytes)
{
	silt_os *os = w->env->os;
	int rc;

	if (bytes.len == 0)
		return 0;
	rc = os->write(os, w->file, w->written, bytes.data, bytes.len);
	if (rc < 0)
		return table_writer_io(w, rc, "write");
	os->range_sync(os, w->file, w->written, bytes.len);
	w->written += bytes.len;
	return 0;
}

static int table_writer_drain(struct table_writer *w)
{
	int rc = table_writer_write(w, buf_slice(&w->out));

	w->out.len = 0;
	return rc;
}

static int table_writer_emit(struct table_writer *w, struct silt_slice bytes)
{
	int rc;

	if (w->out.len + bytes.len > TABLE_WRITER_PIECE) {
		rc = table_writer_drain(w);
		if (rc < 0)
			return rc;
	}
	if (bytes.len > TABLE_WRITER_PIECE)
		return table_writer_write(w, bytes);
	return buf_append(&w->out, bytes.data, bytes.len);
}

/* Packs a raw block, digests and emits it. */
static int table_writer_store(struct table_writer *w, enum table_block_kind kind, struct compress *how, struct silt_buf *raw,
                              uint32_t items, struct table_addr *addr)
{
	struct silt_slice stored;
	int rc = compress_pack(how, raw, items, &stored);

	if (rc == 0)
		rc = digest_one((uint8_t)kind, stored, addr->digest);
	if (rc < 0)
		return rc;
	addr->offset = w->written + w->out.len;
	addr->length = (uint32_t)stored.len;
	return table_writer_emit(w, stored);
}

/* ---- blocks and partitions --------------------------------------------------------------------------------------------- */

struct table_writer_separator {
	uint8_t key[KEY_MAX];
	size_t len;
	uint64_t version;
};

/* Between the last entry and `next`; next = NULL behind the last one of the table (index.h says what a separator is). */
static void table_writer_separate(const struct table_writer *w, const struct entry *next, struct table_writer_separator *s)
{
	struct silt_slice last = buf_slice(&w->last);

	s->version = 0;
	if (next && !slice_eq(last, next->key)) {
		s->len = index_separator(last, next->key, s->key);
		return;
	}
	if (next)
		s->version = w->last_version;   /* versions of one key on both sides */
	s->len = last.len;
	memcpy(s->key, last.data, last.len);
}

static int table_writer_end_part(struct table_writer *w, const struct table_writer_separator *s)
{
	struct table_addr addr;
	int rc = index_writer_finish(&w->part, &w->raw);

	if (rc == 0)
		rc = table_writer_store(w, TABLE_INDEX, &w->plain, &w->raw, w->part.count, &addr);
	if (rc == 0)
		rc = index_writer_add(&w->top, slice_of(s->key, s->len), s->version, &addr);
	index_writer_reset(&w->part);
	w->props.partitions++;
	return rc;
}

/* Ends the block, and the partition where it is full or `next` is NULL. */
static int table_writer_end_block(struct table_writer *w, const struct entry *next)
{
	struct table_writer_separator s;
	struct table_addr addr;
	int rc = block_writer_finish(&w->block);

	if (rc == 0)
		rc = table_writer_store(w, TABLE_DATA, &w->pack, &w->block.raw, w->block.count, &addr);
	if (rc < 0)
		return rc;
	block_writer_reset(&w->block);
	w->props.data_blocks++;
	table_writer_separate(w, next, &s);
	rc = index_writer_add(&w->part, slice_of(s.key, s.len), s.version, &addr);
	if (rc == 0 && (!next || index_writer_bytes(&w->part) >= TABLE_PARTITION_BYTES))
		rc = table_writer_end_part(w, &s);
	return rc;
}

/* ---- adding ------------------------------------------------------------------------------------------------------------ */

static int table_writer_check(const struct table_writer *w, const struct entry *e)
{
	const char *what = NULL;

	if (e->key.len < 1 || e->key.len > KEY_MAX || e->meta.len > SILT_META_MAX || e->value.len > SILT_VALUE_MAX)
		what = "an entry over its limits";
	else if (e->kind != ENTRY_PUT && e->kind != ENTRY_DELETE)
		what = "an entry of a kind that tables do not hold";
	else if (e->version < 1 || e->version > SILT_VERSION_MAX)
		what = "an entry without a version";
	else if (w->props.entries && key_cmp(buf_slice(&w->last), w->last_version, e->key, e->version) >= 0)
		what = "entries out of order";
	return what ? report(&w->env->rep, SILT_E_CORRUPT, "%s: refusing %s", w->tmp_path, what) : 0;
}

static void table_writer_count(struct table_writer *w, const struct entry *e, bool new_key)
{
	struct properties *p = &w->props;

	p->min_version = p->entries == 0 || e->version < p->min_version ? e->version : p->min_version;
	p->max_version = e->version > p->max_version ? e->version : p->max_version;
	p->entries++;
	p->keys += new_key;
	p->raw_bytes += e->key.len;
	if (e->kind == ENTRY_DELETE) {
		p->tombstones++;
		return;
	}
	p->raw_bytes += e->meta.len + e->value.len;
	if (e->expires_ms == 0)
		return;
	p->expiring++;
	if (p->earliest_expiry_ms == 0 || e->expires_ms < p->earliest_expiry_ms)
		p->earliest_expiry_ms = e->expires_ms;
}

static int table_writer_add_checked(struct table_writer *w, const struct entry *e)
{
	uint64_t hash = hash_key(e->key);
	bool new_key = w->props.entries == 0 || !slice_eq(buf_slice(&w->last), e->key);
	int rc = 0;

	if (w->block.count && block_writer_bytes(&w->block) + block_writer_cost(e) > w->settings.block_size)
		rc = table_writer_end_block(w, e);                              /* rule 1 */
	if (rc == 0 && new_key && w->settings.filter_bits_per_key)
		rc = filter_writer_add(&w->filter, hash);
	if (rc == 0)
		rc = block_writer_add(&w->block, e, hash);
	if (rc == 0 && w->props.entries == 0)
		rc = buf_set(&w->smallest, e->key);
	if (rc == 0 && new_key)
		rc = buf_set(&w->last, e->key);
	if (rc < 0)
		return rc;
	w->last_version = e->version;
	table_writer_count(w, e, new_key);
	return 0;
}

int table_writer_add(struct table_writer *w, const struct entry *e)
{
	int rc = w->failed ? w->failed : table_writer_check(w, e);

	if (rc == 0)
		rc = table_writer_add_checked(w, e);
	w->failed = rc;
	return rc;
}

int table_writer_add_range(struct table_writer *w, const struct tombstone *t)
{
	int rc = w->failed ? w->failed : tombstone_writer_add(&w->ranges, t);

	if (rc == SILT_E_CORRUPT && !w->failed)
		(void)report(&w->env->rep, rc, "%s: refusing a range delete out of order", w->tmp_path);
	w->failed = rc;
	return rc;
}

/* ---- beginning and ending ------------------------------------------------------------------------------------------------ */

static void table_writer_free(struct table_writer *w)
{
	block_writer_fini(&w->block);
	index_writer_fini(&w->part);
	index_writer_fini(&w->top);
	filter_writer_fini(&w->filter);
	tombstone_writer_fini(&w->ranges);
	compress_fini(&w->pack);
	compress_fini(&w->plain);
	buf_fini(&w->raw);
	buf_fini(&w->out);
	buf_fini(&w->smallest);
	buf_fini(&w->last);
	mem_free(w->tmp_path);
	mem_free(w->path);
	mem_free(w);
}

static int table_writer_name(struct table_writer *w)
{
	char name[FILENAME_MAX_BYTES];
	int rc = filename_table(w->env->dir, w->number, true, name);

	if (rc < 0)
		return rc;
	w->tmp_path = mem_strdup(name);
	rc = filename_table(w->env->dir, w->number, false, name);
	if (rc < 0)
		return rc;
	w->path = mem_strdup(name);
	return w->tmp_path && w->path ? 0 : SILT_E_NOMEM;
}

/* A .tmp of this name was left by a crash: it was never whole, and nothing refers to it. */
static int table_writer_create(struct table_writer *w)
{
	silt_os *os = w->env->os;
	int rc = os->open(os, w->tmp_path, OS_WRITE | OS_CREATE, &w->file);

	if (rc == SILT_E_BUSY) {
		rc = os->unlink(os, w->tmp_path);
		if (rc == 0)
			rc = os->open(os, w->tmp_path, OS_WRITE | OS_CREATE, &w->file);
	}
	return rc < 0 ? table_writer_io(w, rc, "create") : rc;
}

int table_writer_open(struct env *env, uint64_t number, const struct table_settings *s, struct table_writer **out)
{
	struct table_writer *w = mem_calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return SILT_E_NOMEM;
	w->env = env;
	w->number = number;
	w->settings = *s;
	compress_init(&w->pack, s->compression);
	compress_init(&w->plain, SILT_COMPRESS_NONE);
	rc = table_writer_name(w);
	if (rc == 0)
		rc = table_writer_create(w);
	if (rc < 0) {
		table_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

uint64_t table_writer_bytes(const struct table_writer *w)
{
	return w->written + w->out.len + block_writer_bytes(&w->block) + w->ranges.raw.len;
}

uint64_t table_writer_hashes(const struct table_writer *w)
{
	return w->filter.count * sizeof(*w->filter.hashes);
}

struct silt_slice table_writer_last_key(const struct table_writer *w)
{
	return buf_slice(&w->last);
}

static int table_writer_store_filter(struct table_writer *w, struct table_addr *addr)
{
	uint64_t bits = w->props.keys * w->settings.filter_bits_per_key;
	int rc;

	if (bits == 0 || bits / 8 > TABLE_RAW_MAX / 2)
		return 0;                /* not asked for; or no reader would keep it */
	rc = filter_writer_finish(&w->filter, w->settings.filter_bits_per_key, &w->raw);
	if (rc < 0)
		return rc;
	w->props.filter_bytes = w->raw.len;
	return table_writer_store(w, TABLE_FILTER, &w->plain, &w->raw, 0, addr);
}

static int table_writer_store_ranges(struct table_writer *w, struct table_addr *addr)
{
	const struct tombstone_writer *r = &w->ranges;
	struct properties *p = &w->props;

	if (r->count == 0)
		return 0;
	p->range_deletes = r->count;
	p->min_version = p->entries == 0 || r->min_version < p->min_version ? r->min_version : p->min_version;
	p->max_version = r->max_version > p->max_version ? r->max_version : p->max_version;
	return table_writer_store(w, TABLE_RANGE_TOMBSTONES, &w->plain, &w->ranges.raw, 0, addr);
}

static int table_writer_store_properties(struct table_writer *w, struct table_addr *addr)
{
	struct silt_slice lower = buf_slice(&w->ranges.lower), upper = buf_slice(&w->ranges.upper);
	int rc;

	w->props.smallest = tombstone_block_smallest(buf_slice(&w->smallest), lower);
	w->props.largest = tombstone_block_largest(buf_slice(&w->last), lower, upper);
	rc = properties_encode(&w->props, &w->raw);
	if (rc < 0)
		return rc;
	return table_writer_store(w, TABLE_PROPERTIES, &w->plain, &w->raw, 0, addr);
}

static int table_writer_store_top(struct table_writer *w, struct table_addr *addr)
{
	int rc = index_writer_finish(&w->top, &w->raw);

	return rc < 0 ? rc : table_writer_store(w, TABLE_TOP, &w->plain, &w->raw, w->top.count, addr);
}

/* Everything behind the last entry, into the file; its footer's digest comes back. */
static int table_writer_end(struct table_writer *w, uint8_t digest[DIGEST_BYTES])
{
	struct footer f = { 0 };
	uint8_t bytes[FOOTER_BYTES];
	int rc = w->props.entries ? table_writer_end_block(w, NULL) : 0;

	if (rc == 0)
		rc = table_writer_store_filter(w, &f.filter);
	if (rc == 0)
		rc = table_writer_store_ranges(w, &f.range_tombstones);
	if (rc == 0 && w->props.entries)
		rc = table_writer_store_top(w, &f.top);
	if (rc == 0)
		rc = table_writer_store_properties(w, &f.properties);
	if (rc < 0)
		return rc;
	footer_encode(&f, bytes);
	rc = digest_one(TABLE_FOOTER, slice_of(bytes, sizeof(bytes)), digest);
	if (rc == 0)
		rc = table_writer_emit(w, slice_of(bytes, sizeof(bytes)));
	return rc == 0 ? table_writer_drain(w) : rc;
}

static int table_writer_close_file(struct table_writer *w)
{
	struct os_file *f = w->file;
	int rc;

	w->file = NULL;
	rc = w->env->os->close(w->env->os, f);
	return rc < 0 ? table_writer_io(w, rc, "close") : 0;
}

/* The rename-and-fsync pattern (README.md, "The directory"). *named = the file has its final name now. */
static int table_writer_install(struct table_writer *w, bool *named)
{
	silt_os *os = w->env->os;
	int rc = os->datasync(os, w->file);

	if (rc < 0)
		return table_writer_io(w, rc, "fdatasync");
	os->drop_cache(os, w->file);      /* whoever verifies it reads the disk */
	rc = table_writer_close_file(w);
	if (rc < 0)
		return rc;
	rc = os->rename(os, w->tmp_path, w->path);
	if (rc != 0)
		return table_writer_io(w, rc < 0 ? rc : SILT_E_IO, "rename");
	*named = true;
	rc = os->dirsync(os, w->env->dir);
	return rc < 0 ? table_writer_io(w, rc, "fsync of the directory") : 0;
}

static int table_writer_meta(const struct table_writer *w, const uint8_t *digest, struct table_meta **out)
{
	struct table_meta *m = properties_meta(&w->props, digest);

	if (!m)
		return SILT_E_NOMEM;
	m->number = w->number;
	m->size = w->written;
	*out = m;
	return 0;
}

/* Closes and removes what there is. Best effort: what stays is an orphan that the next open sweeps. */
static void table_writer_discard(struct table_writer *w, bool named)
{
	silt_os *os = w->env->os;

	if (w->file)
		(void)os->close(os, w->file);
	(void)os->unlink(os, w->tmp_path);
	if (named)
		(void)os->unlink(os, w->path);
	table_writer_free(w);
}

int table_writer_finish(struct table_writer *w, struct table_meta **out)
{
	uint8_t digest[DIGEST_BYTES];
	struct table_meta *meta = NULL;
	bool named = false;
	int rc = w->failed;

	if (rc == 0 && w->props.entries == 0 && w->ranges.count == 0)
		rc = SILT_E_MISUSE;
	if (rc == 0)
		rc = table_writer_end(w, digest);
	if (rc == 0)
		rc = table_writer_meta(w, digest, &meta);
	if (rc == 0)
		rc = table_writer_install(w, &named);
	if (rc < 0) {
		table_meta_unref(meta);
		table_writer_discard(w, named);
		return rc;
	}
	*out = meta;
	table_writer_free(w);
	return 0;
}

void table_writer_abandon(struct table_writer *w)
{
	if (w)
		table_writer_discard(w, false);
}
