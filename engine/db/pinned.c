/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pinned.c - the point read without a copy: a small value is copied into the caller's pin, a large one stays where it lies and the
 * block or memtable that holds it is kept.
 *
 * Why two ways: a pin is an increment of a counter that every reader of that block shares; below SILT_PIN_SMALL bytes a copy costs less,
 * above it the counter does. Neither allocates, so nothing is asked twice.
 */
#include "db/get.h"
#include "db/measure.h"
#include "db/snapshot.h"

struct pinned_request {
	struct silt_db *db;
	struct silt_slice key;
	const silt_snapshot *snap;
	unsigned flags;
	struct silt_pin *pin;
	struct silt_info *info;
};

static void pinned_keep(struct silt_pin *pin, const struct get_hit *hit)
{
	struct silt_slice v = hit->entry.value;

	if (v.len <= SILT_PIN_SMALL) {
		if (v.len)
			memcpy(pin->small, v.data, v.len);
		pin->value = slice_of(pin->small, v.len);
		return;
	}
	if (hit->memtable)
		pin->memtable = memtable_ref(hit->memtable);
	else
		pin->block = block_pin_again(hit->table.block);
	pin->value = v;
}

static int pinned_answer(const struct pinned_request *r, const struct get_hit *hit)
{
	if (hit->entry.kind != ENTRY_PUT)
		return SILT_NOTFOUND;
	if (hit->entry.expires_ms && !entry_live(&hit->entry, db_now_ms(r->db)))
		return SILT_NOTFOUND;
	pinned_keep(r->pin, hit);
	if (r->info)
		get_fill_info(&hit->entry, r->info);
	return 0;
}

static int pinned_from_disk(const struct pinned_request *r, struct view *v, uint64_t version)
{
	struct get_hit hit;
	int rc = get_search(r->db, v, r->key, version, get_disk_flags(r->flags), &hit);

	if (rc == 0) {
		rc = pinned_answer(r, &hit);
		get_release(&hit);
	}
	view_unref(v);
	return rc;
}

static int pinned_run(const struct pinned_request *r)
{
	struct view *v, *missed = NULL;
	struct get_hit hit;
	uint64_t version;
	int rc;

	rcu_begin();
	v = get_begin(r->db, &version);
	if (r->snap)
		version = r->snap->version;
	rc = get_search(r->db, v, r->key, version, get_cached_flags(r->flags), &hit);
	if (rc == 0)
		rc = pinned_answer(r, &hit);
	else if (rc == SILT_WOULD_BLOCK && !(r->flags & SILT_CACHED_ONLY))
		missed = view_ref(v);
	rcu_end();
	return missed ? pinned_from_disk(r, missed, version) : rc;
}

int silt_get_pinned(silt_db *db, struct silt_slice key, const silt_snapshot *snap, unsigned flags, struct silt_pin *pin,
                    struct silt_info *info)
{
	struct pinned_request r = { db, key, snap, flags, pin, info };
	struct db_stripe *s;
	uint64_t began_ns;
	int rc;

	if (!db || !pin || !key.data || key.len == 0 || key.len > SILT_KEY_MAX || (flags & ~(SILT_CACHED_ONLY | SILT_NO_FILL | SILT_NO_WAIT)))
		return SILT_E_MISUSE;
	silt_pin_release(pin);
	if (snap && snapshot_expired(snap))
		return SILT_E_EXPIRED;
	s = db_stripe(db);
	began_ns = measure_get_begin(db, s);
	rc = pinned_run(&r);
	get_count(db, s, rc, began_ns);
	return rc;
}

void silt_pin_release(struct silt_pin *pin)
{
	if (!pin)
		return;
	block_unpin(pin->block);
	memtable_unref(pin->memtable);
	pin->block = NULL;
	pin->memtable = NULL;
	pin->value = (struct silt_slice){ NULL, 0 };
}
