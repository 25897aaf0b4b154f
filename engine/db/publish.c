/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c - view replacement and the retired views' way out. */
#include "db/publish.h"

void publish_view(struct silt_db *db, struct view *next)
{
	struct view *old = db->view;

	rcu_store(db->view, next);
	if (old) {
		old->next_retired = db->retired;
		db->retired = old;
	}
	cond_broadcast(&db->changed);
}

void publish_reap(struct silt_db *db)
{
	struct view *v, *next;

	mutex_lock(&db->mu);
	v = db->retired;
	db->retired = NULL;
	mutex_unlock(&db->mu);
	if (!v)
		return;
	rcu_wait();
	for (; v; v = next) {
		next = v->next_retired;
		view_unref(v);
	}
}
