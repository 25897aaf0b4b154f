/* SPDX-License-Identifier: Apache-2.0 */
/* jobkit.c - what the tests of engine/job share. */
#include "lib/jobkit.h"

#include "core/filename.h"
#include "core/options.h"
#include "table/block_cache.h"

static uint64_t jobkit_next_number(void *ctx)
{
	struct jobkit *k = ctx;

	return k->next_number++;
}

static bool jobkit_should_stop(void *ctx)
{
	struct jobkit *k = ctx;

	return k->stop_after > 0 && --k->stop_after == 0;
}

static void jobkit_pace(void *ctx, uint64_t bytes)
{
	struct jobkit *k = ctx;

	k->paced += bytes;
}

void jobkit_init(struct jobkit *k)
{
	memset(k, 0, sizeof(*k));
	k->disk = simdisk_new(1);
	logkit_init(&k->kit, k->disk);
	silt_options_init(&k->kit.env.opts);
	k->kit.env.opts.block_size = 1024;
	k->kit.env.opts.table_size = 4096;
	k->kit.env.opts.level_base_size = 16384;
	k->kit.env.opts.level_ratio = 4;
	assert_int_equal(block_cache_new(1 << 20, &k->blocks), 0);
	k->job.env = &k->kit.env;
	assert_int_equal(table_cache_new(&k->kit.env, k->blocks, &k->job.tables), 0);
	k->job.next_number = jobkit_next_number;
	k->job.should_stop = jobkit_should_stop;
	k->job.pace = jobkit_pace;
	k->job.ctx = k;
	k->next_number = 1;
	k->now_ms = 1000000;
	assert_int_equal(version_new(&k->version), 0);
}

void jobkit_fini(struct jobkit *k)
{
	memtable_unref(k->memtable);
	version_unref(k->version);
	table_cache_free(k->job.tables);
	block_cache_free(k->blocks);
	test_free(k->past);
	logkit_fini(&k->kit);
	simdisk_free(k->disk);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

struct silt_slice jobkit_key(unsigned i, char room[16])
{
	return slice_of(room, (size_t)snprintf(room, 16, "key%05u", i));
}

/* 60 to 330 bytes; the last quarter packs well. */
struct silt_slice jobkit_value(unsigned key, uint64_t version, char room[400])
{
	uint64_t x = key * UINT64_C(0x9e3779b97f4a7c15) + version * UINT64_C(0xbf58476d1ce4e5b9) + 1;
	size_t n = 60 + x % 271;

	for (size_t i = 0; i < n; i++)
		room[i] = i < n - n / 4 ? (char)(test_random(&x) >> 56) : 'v';
	return slice_of(room, n);
}

static void jobkit_remember(struct jobkit *k, struct jobkit_past p)
{
	if (k->past_count == k->past_room) {
		k->past_room = k->past_room ? 2 * k->past_room : 64;
		k->past = test_realloc(k->past, k->past_room * sizeof(*k->past));
	}
	k->past[k->past_count++] = p;
}

static struct memtable *jobkit_memtable(struct jobkit *k)
{
	if (!k->memtable)
		assert_int_equal(memtable_new(1, &k->memtable), 0);
	return k->memtable;
}

static void jobkit_publish(struct jobkit *k)
{
	if (k->reader_count == 0)
		k->reader_count = 1;
	k->readers[k->reader_count - 1] = k->last_version;
}

static void jobkit_insert(struct jobkit *k, unsigned key, bool put, uint64_t expires_ms)
{
	char key_room[16], value_room[400];
	struct entry e = { .key = jobkit_key(key, key_room), .version = ++k->last_version, .kind = put ? ENTRY_PUT : ENTRY_DELETE };

	if (put) {
		e.expires_ms = expires_ms;
		e.meta = slice_of(key_room, e.version % 5);
		e.value = jobkit_value(key, e.version, value_room);
	}
	assert_int_equal(memtable_reserve(jobkit_memtable(k), memtable_cost(&e)), 0);
	memtable_insert(k->memtable, &e);
	jobkit_remember(k, (struct jobkit_past){ key, e.version, expires_ms, put });
	jobkit_publish(k);
}

void jobkit_delete_range(struct jobkit *k, unsigned from, unsigned to)
{
	char lower[16], upper[16];
	struct entry e = { .key = jobkit_key(from, lower), .version = ++k->last_version, .kind = ENTRY_RANGE_DELETE };

	if (to < JOBKIT_KEYS)
		e.value = jobkit_key(to, upper);
	assert_int_equal(memtable_reserve_ranges(jobkit_memtable(k), 1, e.key.len + e.value.len), 0);
	memtable_insert(k->memtable, &e);
	for (unsigned key = from; key < to; key++)
		jobkit_remember(k, (struct jobkit_past){ key, e.version, 0, false });
	jobkit_publish(k);
}

void jobkit_put(struct jobkit *k, unsigned key, uint64_t expires_ms)
{
	jobkit_insert(k, key, true, expires_ms);
}

void jobkit_delete(struct jobkit *k, unsigned key)
{
	jobkit_insert(k, key, false, 0);
}

void jobkit_snapshot(struct jobkit *k)
{
	if (k->reader_count == 0 || k->reader_count == JOBKIT_READERS)
		return;
	if (k->reader_count > 1 && k->readers[k->reader_count - 2] == k->last_version)
		return;
	k->readers[k->reader_count - 1] = k->last_version;
	k->readers[k->reader_count++] = k->last_version;
}

void jobkit_release(struct jobkit *k, size_t i)
{
	if (i + 1 >= k->reader_count)
		return;
	memmove(k->readers + i, k->readers + i + 1, (k->reader_count - i - 1) * sizeof(k->readers[0]));
	k->reader_count--;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------------- */

/* The readers as keep wants them: distinct. */
static void jobkit_set_keep(struct jobkit *k)
{
	size_t n = k->reader_count;

	if (n > 1 && k->readers[n - 2] == k->readers[n - 1])
		n--;
	k->job.keep = (struct keep_rules){ k->readers, n, k->now_ms, JOBKIT_GRACE };
}

void jobkit_install(struct jobkit *k, const struct edit *e)
{
	struct version *next;

	simdisk_fail_at(k->disk, SIM_ANY, 0, 0, false);         /* the job is over: what was to fail in it did */
	assert_int_equal(version_apply(k->version, e, &k->kit.env.rep, &next), 0);
	for (size_t i = 0; i < e->drop_count; i++) {
		char path[FILENAME_MAX_BYTES];
		bool stays = false;

		for (size_t a = 0; a < e->add_count; a++)
			stays |= e->adds[a].meta->number == e->drops[i].number;
		assert_int_equal(filename_table(k->kit.env.dir, e->drops[i].number, false, path), 0);
		if (!stays)
			assert_int_equal(k->kit.env.os->unlink(k->kit.env.os, path), 0);
	}
	version_unref(k->version);
	k->version = next;
}

int jobkit_flush(struct jobkit *k, struct job_counts *counts)
{
	struct edit e;
	int rc;

	if (!k->memtable)
		return 0;
	edit_init(&e);
	jobkit_set_keep(k);
	rc = flush_run(&k->job, k->memtable, &e, counts);
	if (rc == 0) {
		jobkit_install(k, &e);
		memtable_unref(k->memtable);
		k->memtable = NULL;
	} else {
		assert_true(e.add_count == 0 && e.drop_count == 0);
	}
	edit_fini(&e);
	return rc;
}

struct pick_rules jobkit_rules(struct jobkit *k)
{
	const struct silt_options *o = &k->kit.env.opts;

	jobkit_set_keep(k);
	return (struct pick_rules){
		.compaction_trigger = o->compaction_trigger, .level_base_size = o->level_base_size, .level_ratio = o->level_ratio,
		.table_size = o->table_size, .keep = &k->job.keep,
	};
}

int jobkit_compact(struct jobkit *k, const struct pick *p, struct job_counts *counts)
{
	struct edit e;
	int rc;

	edit_init(&e);
	jobkit_set_keep(k);
	rc = compact_run(&k->job, k->version, p, &e, counts);
	if (rc == 0)
		jobkit_install(k, &e);
	else
		assert_true(e.add_count == 0 && e.drop_count == 0);
	edit_fini(&e);
	return rc;
}

unsigned jobkit_settle(struct jobkit *k, bool manual)
{
	struct pick_rules r = jobkit_rules(k);
	struct job_counts counts;
	struct pick p;
	unsigned n = 0;

	r.manual = manual;
	r.manual_before = k->next_number;
	r.manual_version = k->last_version;
	while (pick_compaction(k->version, &r, &p) == 0) {
		assert_int_equal(jobkit_compact(k, &p, &counts), 0);
		pick_fini(&p);
		assert_true(++n < 1000);
	}
	return n;
}

/* ---- looking ----------------------------------------------------------------------------------------------------------- */

struct jobkit_seen {                      /* all entries of one key, newest first */
	size_t n;
	struct jobkit_past entries[1024];     /* what a range delete covers among them, as a delete */
	size_t before;                        /* of the tables before this one */
};

static unsigned jobkit_key_number(struct silt_slice key)
{
	char room[16];

	assert_int_equal(key.len, 8);
	memcpy(room, key.data, 8);
	room[8] = '\0';
	return (unsigned)strtoul(room + 3, NULL, 10);
}

static void jobkit_see(struct jobkit_seen *seen, const struct entry *e)
{
	unsigned key = jobkit_key_number(e->key);
	struct jobkit_seen *s = &seen[key];
	char room[400];

	assert_true(key < JOBKIT_KEYS && s->n < 1024);
	if (e->kind == ENTRY_PUT)
		assert_true(slice_eq(e->value, jobkit_value(key, e->version, room)) && e->meta.len == e->version % 5);
	if (s->n > 0)                                   /* version.h, rule 3, and 1 within level 0 */
		assert_true(e->version < s->entries[s->n - 1].version);
	s->entries[s->n++] = (struct jobkit_past){ key, e->version, e->expires_ms, e->kind == ENTRY_PUT };
}

/* A cover goes where its version says, behind an entry that is as new; all of this table older than all of those before. */
static void jobkit_see_cover(struct jobkit_seen *s, unsigned key, uint64_t version)
{
	size_t i = s->n++;

	assert_true(i < 1024);
	for (; i > s->before && s->entries[i - 1].version < version; i--)
		s->entries[i] = s->entries[i - 1];
	s->entries[i] = (struct jobkit_past){ key, version, 0, false };
	assert_true(i > s->before || i == 0 || s->entries[i - 1].version > version);
}

static void jobkit_see_ranges(struct jobkit_seen *seen, const struct tombstones *l, const struct table_meta *m)
{
	char room[16];

	assert_int_equal(l ? l->count : 0, m->range_deletes);
	for (unsigned key = 0; key < JOBKIT_KEYS; key++) {
		const struct tombstone *t = tombstones_at(l, jobkit_key(key, room));

		for (size_t i = 0; t && i < t->n; i++)
			jobkit_see_cover(&seen[key], key, t->versions[i]);
	}
}

static void jobkit_see_table(struct jobkit *k, struct jobkit_seen *seen, struct table_meta *m)
{
	const struct tombstones *l;
	struct table *t;
	struct iter *it;
	uint64_t n = 0;
	int rc;

	assert_int_equal(table_cache_get(k->job.tables, m, &t), 0);
	assert_int_equal(table_iter_new(t, TABLE_NO_FILL, &it), 0);
	for (rc = it->ops->first(it); rc == 0; rc = iter_next(it), n++)
		jobkit_see(seen, it->cur);
	assert_int_equal(rc, SILT_END);
	assert_int_equal(n, m->entries);
	iter_close(it);
	assert_int_equal(table_tombstones(t, &l), 0);
	jobkit_see_ranges(seen, l, m);
	for (unsigned key = 0; key < JOBKIT_KEYS; key++)
		seen[key].before = seen[key].n;
	table_cache_put(k->job.tables, t);
}

/* The version that a reader gets; 0 = absent. */
static uint64_t jobkit_live(const struct jobkit *k, const struct jobkit_past *p)
{
	return p->put && (p->expires_ms == 0 || p->expires_ms > k->now_ms) ? p->version : 0;
}

static uint64_t jobkit_reads(const struct jobkit *k, const struct jobkit_seen *s, uint64_t reader)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->entries[i].version <= reader)
			return jobkit_live(k, &s->entries[i]);
	return 0;
}

static uint64_t jobkit_should_read(const struct jobkit *k, unsigned key, uint64_t reader)
{
	for (size_t i = k->past_count; i-- > 0;)
		if (k->past[i].key == key && k->past[i].version <= reader)
			return jobkit_live(k, &k->past[i]);
	return 0;
}

void jobkit_check(struct jobkit *k)
{
	struct jobkit_seen *seen = test_calloc(JOBKIT_KEYS, sizeof(*seen));

	assert_null(k->memtable);
	assert_int_equal(version_check(k->version, &k->kit.env.rep), 0);
	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < k->version->levels[l].n; i++)
			jobkit_see_table(k, seen, k->version->levels[l].tables[i]);
	for (unsigned key = 0; key < JOBKIT_KEYS; key++)
		for (size_t r = 0; r < k->reader_count; r++)
			assert_int_equal(jobkit_reads(k, &seen[key], k->readers[r]), jobkit_should_read(k, key, k->readers[r]));
	test_free(seen);
}

uint64_t jobkit_range_deletes(const struct jobkit *k)
{
	uint64_t n = 0;

	for (int l = 0; l < SILT_LEVELS; l++)
		for (size_t i = 0; i < k->version->levels[l].n; i++)
			n += k->version->levels[l].tables[i]->range_deletes;
	return n;
}

uint64_t jobkit_entries(const struct jobkit *k, int level, uint64_t *tombstones)
{
	uint64_t entries = 0, deletes = 0;

	for (int l = 0; l < SILT_LEVELS; l++) {
		for (size_t i = 0; i < k->version->levels[l].n && (level < 0 || l == level); i++) {
			entries += k->version->levels[l].tables[i]->entries;
			deletes += k->version->levels[l].tables[i]->tombstones;
		}
	}
	if (tombstones)
		*tombstones = deletes;
	return entries;
}

struct jobkit_listing {
	const struct jobkit *k;
	unsigned strays;
};

static int jobkit_list_one(void *ctx, const char *name)
{
	struct jobkit_listing *l = ctx;
	uint64_t number;
	bool known = false;

	if (filename_parse(name, &number) == FILE_TABLE)
		for (int level = 0; level < SILT_LEVELS; level++)
			for (size_t i = 0; i < l->k->version->levels[level].n; i++)
				known |= l->k->version->levels[level].tables[i]->number == number;
	l->strays += !known;
	return 0;
}

unsigned jobkit_strays(struct jobkit *k)
{
	struct jobkit_listing l = { k, 0 };

	assert_int_equal(k->kit.env.os->list(k->kit.env.os, k->kit.env.dir, jobkit_list_one, &l), 0);
	return l.strays;
}
