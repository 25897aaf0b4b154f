/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - where a command's keys are: a stopped store (--db, target_local.c) or a running server (--url, target_http.c). A command is
 * written once, over this.
 *
 * Errors    Every function returns an exit status (session.h); what is not SESSION_OK was said on stderr, SESSION_ABSENT and
 *           SESSION_CONDITION too.
 * Threads   A target belongs to one thread.
 */
#ifndef CTL_TARGET_H
#define CTL_TARGET_H

#include "ctl/args.h"
#include "ctl/entry.h"
#include "ctl/progress.h"

enum target_mode {
	TARGET_READ,                  /* a stopped store stays as it is, byte for byte */
	TARGET_WRITE,                 /* as root: as the owner of its directory, so that the files stay his */
};

struct target_range {
	struct span lower, upper;     /* inclusive, exclusive; empty = no bound */
	bool nothing;                 /* no key can lie in it */
	bool reverse, keys_only;
	uint64_t limit;               /* UINT64_MAX = none */
};

struct target_cond {                  /* on the version that a key has now */
	bool none_match;
	uint64_t version;             /* 0 = "*": if it is there; none_match: if it is not */
};

struct target_op {                    /* a put of all that an entry says but its version; or a delete of its key */
	bool remove;
	struct entry entry;
};

/* One entry of a walk, borrowed until it returns. Not SESSION_OK ends the walk, which returns the same: who ends it says why. */
typedef int target_entry_fn(void *ctx, const struct entry *e);

struct target_scanned {
	uint64_t count, version;      /* entries given; the version that all of them are of */
};

struct target_verified {
	uint64_t tables, bytes, entries, log_entries;
	uint64_t findings;            /* pieces of damage that were said; a server's log has them */
};

struct target;
struct target_ops {
	/* value is cleared first; info's spans are borrowed until the next call */
	int (*get)(struct target *t, struct span key, struct bytes *value, struct entry *info);
	int (*put)(struct target *t, const struct entry *e, const struct target_cond *conds, size_t n, uint64_t *version);
	/* SESSION_ABSENT: it was not there */
	int (*remove)(struct target *t, struct span key, const struct target_cond *conds, size_t n, uint64_t *version);
	/* All or nothing, durable when it returns SESSION_OK; at most TARGET_BATCH_OPS and about TARGET_BATCH_BYTES, or a single one. */
	int (*write)(struct target *t, const struct target_op *ops, size_t n, uint64_t *version);
	/* One write. *more: it were more than *deleted. */
	int (*remove_range)(struct target *t, const struct target_range *range, uint64_t *deleted, bool *more, uint64_t *version);
	/* Of one snapshot, in constant memory. */
	int (*scan)(struct target *t, const struct target_range *range, target_entry_fn *fn, void *ctx, struct target_scanned *out);
	int (*count)(struct target *t, const struct target_range *range, struct target_scanned *out);
	/* About how many entries there are in a range, quickly; 0 = it can't tell. Says nothing. */
	uint64_t (*estimate)(struct target *t, const struct target_range *range);
	/* A JSON object, with a newline. */
	int (*stats)(struct target *t, struct bytes *out);
	int (*flush)(struct target *t);
	int (*compact)(struct target *t);
	/* SESSION_DAMAGED: out is filled all the same. */
	int (*verify)(struct target *t, struct progress *p, struct target_verified *out);
	void (*close)(struct target *t);
};

#define TARGET_BATCH_OPS   1000u
#define TARGET_BATCH_BYTES (1u << 20)

struct target {                       /* each form's own struct begins with it */
	const struct target_ops *ops;
	const char *name;             /* the directory, or the URL without what is secret: for messages */
	bool local;
};

/* As --db or --url say, and --create. End with target_close(). */
int target_open(const struct args *a, enum target_mode mode, struct target **out);
void target_close(struct target *t);  /* NULL is fine */

/* A command that has no options but where: opens, works, says that it is done, closes. */
int target_work(const struct args *a, int (*work)(struct target *t));

/* What --prefix, --start and --end mean together. `behind` is the caller's, and holds what the range borrows. */
int target_range(const struct args *a, struct bytes *behind, struct target_range *out);
/* The operand as a key, of a length that a key can have. */
int target_key(const struct args *a, const char *text, struct bytes *out);
/* --if-match and --if-none-match; *n of them. */
int target_conds(const struct args *a, struct target_cond out[2], size_t *n);
/* Unix milliseconds, now. */
uint64_t target_now_ms(void);
/* Both say it and return the status. current: the version that the key has; 0 = absent. */
int target_absent(void);
int target_conflict(uint64_t current);

/* The two forms, for target_open(). */
int target_local_open(const struct args *a, enum target_mode mode, struct target **out);
int target_http_open(const struct args *a, struct target **out);

#endif
