/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - registering readers, in version order, under db->mu. */
#include "db/snapshot.h"

/* Keeps the list ordered by version; almost always it goes at the end. */
static void snapshot_link(struct silt_db *db, struct silt_snapshot *s) REQUIRES(db->mu)
{
	struct silt_snapshot *after = db->snapshots_tail;

	while (after && after->version > s->version)
		after = after->prev;
	s->prev = after;
	s->next = after ? after->next : db->snapshots;
	if (s->next)
		s->next->prev = s;
	else
		db->snapshots_tail = s;
	if (after)
		after->next = s;
	else
		db->snapshots = s;
	db->snapshot_count++;
}

/* Under mu no view is replaced, and the leader publishes a memtable's view before its versions: so the view has all of it. */
void snapshot_take(struct silt_db *db, struct silt_snapshot *s, struct view **view)
{
	s->db = db;
	s->since_ns = db->env.os->mono_ns(db->env.os);
	mutex_lock(&db->mu);
	s->version = atomic_load_explicit(&db->published, memory_order_acquire);
	snapshot_link(db, s);
	if (view)
		*view = view_ref(db->view);
	mutex_unlock(&db->mu);
}

void snapshot_take_again(struct silt_snapshot *s, const struct silt_snapshot *of, struct view **view)
{
	struct silt_db *db = of->db;

	s->db = db;
	s->since_ns = of->since_ns;
	s->version = of->version;
	mutex_lock(&db->mu);
	snapshot_link(db, s);
	*view = view_ref(db->view);
	mutex_unlock(&db->mu);
}

void snapshot_drop(struct silt_snapshot *s)
{
	struct silt_db *db = s->db;

	mutex_lock(&db->mu);
	if (s->prev)
		s->prev->next = s->next;
	else
		db->snapshots = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		db->snapshots_tail = s->prev;
	db->snapshot_count--;
	mutex_unlock(&db->mu);
}

bool snapshot_expired(const struct silt_snapshot *s)
{
	silt_os *os = s->db->env.os;
	uint64_t age_ms = s->db->env.opts.snapshot_max_age_ms;

	return age_ms && os->mono_ns(os) - s->since_ns > age_ms * 1000000u;
}

int snapshot_rules(struct silt_db *db, struct keep_rules *rules)
{
	uint64_t *list, now = db_now_ms(db), published;
	size_t n = 0, room;

	mutex_lock(&db->mu);
	room = db->snapshot_count + 1;
	list = mem_array(room, sizeof(*list));
	if (!list) {
		mutex_unlock(&db->mu);
		return SILT_E_NOMEM;
	}
	for (const struct silt_snapshot *s = db->snapshots; s; s = s->next)
		if (!n || list[n - 1] != s->version)
			list[n++] = s->version;
	published = atomic_load_explicit(&db->published, memory_order_acquire);
	if (!n || list[n - 1] != published)
		list[n++] = published;
	mutex_unlock(&db->mu);
	*rules = (struct keep_rules){ .snapshots = list, .snapshot_count = n, .now_ms = now,
		                      .grace_ms = SNAPSHOT_GRACE_MS };
	return 0;
}

int silt_snapshot_new(silt_db *db, silt_snapshot **out)
{
	struct silt_snapshot *s;

	if (!db || !out)
		return SILT_E_MISUSE;
	s = mem_calloc(1, sizeof(*s));
	if (!s)
		return SILT_E_NOMEM;
	snapshot_take(db, s, NULL);
	*out = s;
	return 0;
}

void silt_snapshot_free(silt_snapshot *snap)
{
	if (!snap)
		return;
	snapshot_drop(snap);
	mem_free(snap);
}

uint64_t silt_snapshot_version(const silt_snapshot *snap)
{
	return snap->version;
}
