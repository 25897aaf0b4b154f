/* SPDX-License-Identifier: Apache-2.0 */
/* engine_changes.c - the engine's readers of the log as a store's feed, and the one watch that stands behind all who wait. */
#include "store/engine_private.h"

#include <stdlib.h>

struct store_changes {
	silt_changes *reader;
};

void engine_changes_reach(struct store *s, uint64_t *oldest, uint64_t *newest)
{
	silt_changes_reach(engine_of(s)->db, oldest, newest);
}

static int engine_changes_code(int silt_code)
{
	if (silt_code == SILT_E_EXPIRED || silt_code == SILT_E_MISUSE)      /* too old, or newer than the store */
		return STORE_E_GONE;
	return silt_code == SILT_END ? STORE_NOTFOUND : engine_code(silt_code);
}

int engine_changes_open(struct store *s, uint64_t since, struct store_changes **out)
{
	struct store_changes *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return STORE_E_NOMEM;
	rc = silt_changes_new(engine_of(s)->db, since, &c->reader);
	if (rc != 0) {
		free(c);
		return engine_changes_code(rc);
	}
	*out = c;
	return STORE_OK;
}

int engine_changes_next(struct store_changes *c, struct store_change *out)
{
	struct silt_change change;
	int rc = silt_changes_next(c->reader, &change);

	if (rc != 0)
		return engine_changes_code(rc);
	*out = (struct store_change){
		.version = change.version,
		.op = change.op == SILT_CHANGE_PUT ? STORE_CHANGE_PUT :
		      change.op == SILT_CHANGE_DELETE ? STORE_CHANGE_DELETE : STORE_CHANGE_DELETE_RANGE,
		.last = change.last,
		.key = span_of(change.key.data, change.key.len),
		.end = span_of(change.end.data, change.end.len),
		.value = span_of(change.value.data, change.value.len),
		.expires_ms = change.expires_ms,
	};
	return STORE_OK;
}

uint64_t engine_changes_version(const struct store_changes *c)
{
	return silt_changes_version(c->reader);
}

void engine_changes_close(struct store_changes *c)
{
	if (c == NULL)
		return;
	silt_changes_close(c->reader);
	free(c);
}

/* ---- the watch ----------------------------------------------------------------------------------------------------------- */

static void engine_on_publish(void *ctx, uint64_t version)
{
	struct store_engine *e = ctx;

	(void)version;
	e->watch_fn(e->watch_ctx);
}

int engine_watch(struct store *s, void (*fn)(void *ctx), void *ctx)
{
	struct store_engine *e = engine_of(s);

	e->watch_fn = fn;
	e->watch_ctx = ctx;
	return engine_code(silt_watch_new(e->db, engine_on_publish, e, &e->watch));
}

void engine_watch_arm(struct store *s, uint64_t version)
{
	silt_watch_arm(engine_of(s)->watch, version);
}

void engine_unwatch(struct store *s)
{
	struct store_engine *e = engine_of(s);

	silt_watch_free(e->watch);
	e->watch = NULL;
}
