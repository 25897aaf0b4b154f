/* SPDX-License-Identifier: Apache-2.0 */
/* table_load.c - from the last bytes of a file to everything that vouches for the rest of it. */
#include "table/table_load.h"

#include <inttypes.h>

#include "table/tombstone_block.h"

void table_root_fini(struct table_root *r)
{
	block_unpin(r->top);
	block_unpin(r->described);
	tombstones_free(r->tombstones);
	*r = (struct table_root){ 0 };
}

static int table_load_footer(const struct table_file *f, const uint8_t *want, struct table_root *r)
{
	const struct table_addr at = { .offset = f->size - FOOTER_BYTES, .length = FOOTER_BYTES };
	uint8_t bytes[FOOTER_BYTES];
	int rc;

	if (f->size < FOOTER_BYTES)
		return report(&f->env->rep, SILT_E_CORRUPT, "%s: %" PRIu64 " bytes are too few for a table", f->path, f->size);
	rc = table_file_read(f, at.offset, bytes, sizeof(bytes));
	if (rc == 0)
		rc = digest_one(TABLE_FOOTER, slice_of(bytes, sizeof(bytes)), r->digest);
	if (rc < 0)
		return rc;
	if (want && memcmp(want, r->digest, DIGEST_BYTES) != 0)
		return table_file_damage(f, TABLE_FOOTER, &at, NULL, "its SHA-256 is not the one in the manifest");
	rc = footer_decode(slice_of(bytes, sizeof(bytes)), f->size, &r->footer);
	if (rc == SILT_E_VERSION)
		return report(&f->env->rep, rc, "%s: a table format that this library does not know", f->path);
	return rc < 0 ? table_file_damage(f, TABLE_FOOTER, &at, NULL, "not a table's footer") : 0;
}

static int table_load_properties(const struct table_file *f, struct table_root *r)
{
	const struct table_addr *at = &r->footer.properties;
	int rc = table_file_fetch(f, TABLE_PROPERTIES, at, NULL, NULL, &r->described);

	if (rc < 0)
		return rc;
	rc = properties_decode(r->described->bytes, &r->properties);
	if (rc == SILT_E_VERSION)
		return report(&f->env->rep, rc, "%s: properties of a format that this library does not know", f->path);
	return rc < 0 ? table_file_damage(f, TABLE_PROPERTIES, at, NULL, "contradict themselves") : 0;
}

static int table_load_top(const struct table_file *f, struct table_root *r)
{
	int rc = 0;

	if (r->footer.top.length)
		rc = table_file_fetch(f, TABLE_TOP, &r->footer.top, NULL, NULL, &r->top);
	if (rc == 0 && (r->top ? r->top->items : 0) != r->properties.partitions)
		rc = table_file_damage(f, TABLE_TOP, &r->footer.top, NULL, "the properties count other partitions");
	return rc;
}

/* What is decoded is kept, the block is not. */
static int table_load_tombstones(const struct table_file *f, struct table_root *r)
{
	const struct table_addr *at = &r->footer.range_tombstones;
	const struct properties *p = &r->properties;
	struct block *b = NULL;
	int rc = 0;

	if (at->length) {
		rc = table_file_fetch(f, TABLE_RANGE_TOMBSTONES, at, NULL, NULL, &b);
		if (rc == 0)
			rc = tombstone_block_decode(b->bytes, &r->tombstones);
		block_unpin(b);
		if (rc == SILT_E_CORRUPT && b)
			rc = table_file_damage(f, TABLE_RANGE_TOMBSTONES, at, NULL, "do not parse");
	}
	if (rc == 0 && (r->tombstones ? r->tombstones->count : 0) != p->range_deletes)
		rc = table_file_damage(f, TABLE_RANGE_TOMBSTONES, at, NULL, "the properties count others");
	return rc;
}

int table_load_root(const struct table_file *f, const uint8_t *want, struct table_root *out)
{
	struct table_root r = { 0 };
	int rc = table_load_footer(f, want, &r);

	if (rc == 0)
		rc = table_load_properties(f, &r);
	if (rc == 0)
		rc = table_load_tombstones(f, &r);
	if (rc == 0)
		rc = table_load_top(f, &r);
	if (rc < 0) {
		table_root_fini(&r);
		return rc;
	}
	*out = r;
	return 0;
}

/* An ingested table's own versions are no versions: the manifest has them. */
static bool table_load_versions_match(const struct properties *p, const struct table_meta *meta)
{
	if (meta->assigned == 0)
		return p->min_version == meta->min_version && p->max_version == meta->max_version;
	return p->min_version == TABLE_UNASSIGNED && p->max_version == TABLE_UNASSIGNED && p->keys == p->entries &&
	       meta->min_version == meta->assigned && meta->max_version == meta->assigned;
}

int table_load_check(const struct table_file *f, const struct table_root *r, const struct table_meta *meta)
{
	const struct properties *p = &r->properties;

	if (f->size == meta->size && p->entries == meta->entries && p->tombstones == meta->tombstones &&
	    p->expiring == meta->expiring && p->earliest_expiry_ms == meta->earliest_expiry_ms &&
	    table_load_versions_match(p, meta) && p->range_deletes == meta->range_deletes &&
	    slice_eq(p->smallest, meta->smallest) && slice_eq(p->largest, meta->largest))
		return 0;
	return report(&f->env->rep, SILT_E_CORRUPT, "%s: its properties are not those that the manifest tells", f->path);
}
