/* SPDX-License-Identifier: Apache-2.0 */
/* changekit.c - see changekit.h. */
#include "lib/changekit.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "db/db.h"

void changekit_init(struct dbkit *k)
{
	dbkit_init(k);
	k->opts.memtable_size = 1 << 20;
}

static void changekit_print(struct silt_buf *out, const struct silt_change *ch, bool first)
{
	char text[300];
	int n = first ? snprintf(text, sizeof(text), "%" PRIu64, ch->version) : 0;

	n += snprintf(text + n, sizeof(text) - (size_t)n, "%c%.*s", ch->op == SILT_CHANGE_PUT ? '+' : '-', (int)ch->key.len,
	              (const char *)ch->key.data);
	if (ch->op == SILT_CHANGE_PUT)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "=%.*s", (int)(ch->value.len < 40 ? ch->value.len : 40),
		              ch->value.len ? (const char *)ch->value.data : "");
	if (ch->expires_ms)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "@%" PRIu64, ch->expires_ms);
	if (ch->meta.len)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "[%.*s]", (int)ch->meta.len, (const char *)ch->meta.data);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", ch->last ? " " : ",");
	assert_int_equal(buf_append(out, text, (size_t)n), 0);
}

const char *changekit_read(silt_changes *c)
{
	static struct silt_buf out;
	struct silt_change ch;
	bool first = true;
	int rc;

	silt_buf_free(&out);
	while ((rc = silt_changes_next(c, &ch)) == 0) {
		changekit_print(&out, &ch, first);
		first = ch.last;
	}
	assert_int_equal(rc, SILT_END);
	assert_true(first);
	assert_int_equal(buf_append(&out, "", 1), 0);
	return out.data;
}

const char *changekit_since(struct dbkit *k, uint64_t since)
{
	silt_changes *c = NULL;
	const char *text;

	assert_int_equal(silt_changes_new(k->db, since, &c), 0);
	text = changekit_read(c);
	silt_changes_close(c);
	return text;
}

uint64_t changekit_oldest(struct dbkit *k)
{
	uint64_t oldest;

	silt_changes_reach(k->db, &oldest, NULL);
	return oldest;
}

uint64_t changekit_newest(struct dbkit *k)
{
	uint64_t newest;

	silt_changes_reach(k->db, NULL, &newest);
	return newest;
}

void changekit_expect_all(struct dbkit *k, uint64_t since, uint64_t least)
{
	uint64_t n = 0, version = since;
	silt_changes *c = NULL;
	struct silt_change ch;
	char text[32];
	int rc;

	rc = silt_changes_new(k->db, since, &c);
	while (rc == 0 && (rc = silt_changes_next(c, &ch)) == 0) {
		version++;
		assert_int_equal(ch.version, version);
		assert_true(ch.last && ch.op == SILT_CHANGE_PUT);
		snprintf(text, sizeof(text), "%" PRIu64 " ", version);
		assert_true(ch.value.len >= strlen(text));
		assert_memory_equal(ch.value.data, text, strlen(text));
		n++;
	}
	if (rc == SILT_E_EXPIRED && changekit_oldest(k) > since) {  /* the broom came: what a flush let go of goes behind its answer */
		silt_changes_close(c);
		changekit_expect_all(k, changekit_oldest(k), least);
		return;
	}
	assert_int_equal(rc, SILT_END);
	assert_int_equal(version, changekit_newest(k));
	assert_int_equal(silt_changes_version(c), version);
	assert_true(n >= least);
	silt_changes_close(c);
}

void changekit_write(struct dbkit *k, unsigned n, size_t size)
{
	char *value = mem_calloc(1, size + 1), key[32];
	uint64_t version = k->db->last_version, got;

	assert_non_null(value);
	for (unsigned i = 0; i < n; i++) {
		memset(value, '.', size);
		value[snprintf(value, size, "%" PRIu64 " ", ++version)] = '.';
		snprintf(key, sizeof(key), "key%u", (unsigned)(version % 50));
		assert_int_equal(silt_put(k->db, STR(key), (struct silt_slice){ value, size }, &got), 0);
		assert_int_equal(got, version);
	}
	mem_free(value);
}

void changekit_segment(struct dbkit *k)
{
	changekit_write(k, 20, 2000);
	assert_int_equal(silt_flush(k->db), 0);
}

uint64_t changekit_kept(struct dbkit *k)
{
	struct silt_stats s;

	silt_stats(k->db, &s);
	assert_true(s.changes_oldest <= changekit_oldest(k));     /* one may be recycled between */
	assert_int_equal(s.changes_newest, changekit_newest(k));
	return s.changes_bytes;
}
