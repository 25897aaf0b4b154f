/* SPDX-License-Identifier: Apache-2.0 */
/* engine_admin.c - the engine's verification and checkpoints as a store's. */
#include "store/engine_private.h"

struct engine_progress {
	store_progress_fn *fn;
	void *ctx;
};

static int engine_on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct engine_progress *p = ctx;

	return p->fn(p->ctx, done, total) ? 0 : 1;
}

int engine_verify(struct store *s, store_progress_fn *fn, void *ctx)
{
	struct engine_progress p = { .fn = fn, .ctx = ctx };
	int rc = silt_verify(engine_of(s)->db, engine_on_progress, &p);

	return rc == SILT_END ? STORE_E_CLOSED : engine_code(rc);
}

int engine_checkpoint(struct store *s, const char *name, uint64_t *version)
{
	return engine_code(silt_checkpoint(engine_of(s)->db, name, version));
}

struct engine_listing {
	store_checkpoint_fn *fn;
	void *ctx;
};

static int engine_on_checkpoint(void *ctx, const struct silt_checkpoint_info *info)
{
	struct engine_listing *l = ctx;

	l->fn(l->ctx, &(struct store_checkpoint){
		.name = info->name, .version = info->version, .tables = info->tables, .bytes = info->bytes, .damaged = info->damage != 0 });
	return 0;
}

int engine_checkpoint_list(struct store *s, store_checkpoint_fn *fn, void *ctx)
{
	struct engine_listing l = { .fn = fn, .ctx = ctx };

	return engine_code(silt_checkpoint_list(engine_of(s)->db, engine_on_checkpoint, &l));
}

int engine_checkpoint_remove(struct store *s, const char *name)
{
	return engine_code(silt_checkpoint_remove(engine_of(s)->db, name));
}

bool engine_checkpoint_path(struct store *s, const char *name, struct bytes *out)
{
	return bytes_addf(out, "%s/checkpoints/%s", engine_of(s)->dir, name);
}
