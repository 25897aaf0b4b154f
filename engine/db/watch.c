/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - waiting for a version to be passed. */
#include "db/watch.h"

#include "db/db.h"

enum { WATCH_MAX_MS = 86400000 };         /* a wait is cut to a day: no overflow in a timespec */

int watch_list_init(struct watch_list *l)
{
	atomic_init(&l->version, 0);
	atomic_init(&l->lowest, UINT64_MAX);
	return mutex_init(&l->mu);
}

void watch_list_fini(struct watch_list *l)
{
	mutex_fini(&l->mu);
}

uint64_t watch_list_version(struct watch_list *l)
{
	return atomic_load(&l->version);
}

static void watch_reckon(struct watch_list *l) REQUIRES(l->mu)
{
	uint64_t lowest = UINT64_MAX;

	for (const struct silt_watch *w = l->first; w; w = w->next)
		if (w->version < lowest)
			lowest = w->version;
	atomic_store(&l->lowest, lowest);
}

static void watch_fire(struct watch_list *l) REQUIRES(l->mu)
{
	uint64_t version = atomic_load(&l->version);

	for (struct silt_watch *w = l->first; w; w = w->next) {
		if (w->version >= version)
			continue;
		w->version = UINT64_MAX;
		w->fn(w->ctx, version);
	}
	watch_reckon(l);
}

void watch_list_advance(struct watch_list *l, uint64_t version)
{
	atomic_store(&l->version, version);
	if (atomic_load(&l->lowest) >= version)
		return;
	mutex_lock(&l->mu);
	watch_fire(l);
	mutex_unlock(&l->mu);
}

/* ---- one watch ---------------------------------------------------------------------------------------------------------- */

void watch_init(struct silt_watch *w, struct watch_list *l, silt_publish_fn *fn, void *ctx)
{
	*w = (struct silt_watch){ .list = l, .fn = fn, .ctx = ctx, .version = UINT64_MAX };
	mutex_lock(&l->mu);
	w->next = l->first;
	if (w->next)
		w->next->prev = w;
	l->first = w;
	mutex_unlock(&l->mu);
}

void watch_fini(struct silt_watch *w)
{
	struct watch_list *l = w->list;

	mutex_lock(&l->mu);
	if (w->next)
		w->next->prev = w->prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		l->first = w->next;
	watch_reckon(l);
	mutex_unlock(&l->mu);
}

void watch_arm(struct silt_watch *w, uint64_t version)
{
	struct watch_list *l = w->list;

	mutex_lock(&l->mu);
	w->version = version;
	watch_reckon(l);
	if (atomic_load(&l->version) > version)
		watch_fire(l);
	mutex_unlock(&l->mu);
}

/* ---- the public face ---------------------------------------------------------------------------------------------------- */

int silt_watch_new(silt_db *db, silt_publish_fn *fn, void *ctx, silt_watch **out)
{
	struct silt_watch *w;

	if (!db || !fn || !out)
		return SILT_E_MISUSE;
	w = mem_alloc(sizeof(*w));
	if (!w)
		return SILT_E_NOMEM;
	watch_init(w, &db->feed, fn, ctx);
	*out = w;
	return 0;
}

void silt_watch_arm(silt_watch *w, uint64_t version)
{
	watch_arm(w, version);
}

void silt_watch_free(silt_watch *w)
{
	if (!w)
		return;
	watch_fini(w);
	mem_free(w);
}

static void watch_wake(void *ctx, uint64_t version)
{
	(void)version;
	wake_post(ctx);
}

int silt_changes_wait(silt_db *db, uint64_t version, uint64_t timeout_ms)
{
	struct silt_watch w;
	struct wake wake;

	if (!db)
		return SILT_E_MISUSE;
	if (watch_list_version(&db->feed) > version)
		return 0;
	wake_init(&wake);
	watch_init(&w, &db->feed, watch_wake, &wake);
	watch_arm(&w, version);
	(void)wake_wait_ms(&wake, timeout_ms < WATCH_MAX_MS ? timeout_ms : WATCH_MAX_MS);
	watch_fini(&w);
	wake_fini(&wake);
	return watch_list_version(&db->feed) > version ? 0 : SILT_TRY_AGAIN;
}
