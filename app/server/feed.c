/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - requests that wait for changes. */
#include "server/feed.h"

#include "server/key.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define FEED_BREATH_MS 100            /* before another try where the log can't be read */
#define FEED_TURN      1024u          /* changes compared before the clock is looked at */
#define FEED_BUCKETS   1024u
#define FEED_LENGTHS   (KEY_BYTES_MAX + 1u)   /* a longer prefix begins no key */
#define FEED_HASH      2166136261u            /* FNV-1a: grows a byte at a time, so that one walk over a key gives it for each prefix */

struct feed {
	struct store *store;          /* [c] */
	int wake_fd;                  /* [c] an eventfd: something was published, or parked, or it ends */
	pthread_t thread;
	pthread_mutex_t mutex;        /* a leaf */
	struct feed_wait *first;      /* [m] */
	size_t count;                 /* [m] */
	uint64_t seen;                /* [m] */
	uint64_t sleeps_until_ms;     /* [m] no deadline is before it */
	struct feed_wait *bucket[FEED_BUCKETS];      /* [m] by the hash of lower */
	uint32_t lengths[FEED_LENGTHS];              /* [m] how many wait for a prefix of this length */
	size_t longest;               /* [m] of those, or longer */
	bool ending;                  /* [m] */
	struct store_changes *reader; /* the thread's: stands at `seen`, or NULL */
	uint64_t reader_version;      /* the thread's */
};

uint64_t feed_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Of the store's watch, too: under a lock of the store's. */
static void feed_poke(void *ctx)
{
	struct feed *f = ctx;

	(void)eventfd_write(f->wake_fd, 1);
}

bool feed_concerns(const struct store_change *c, struct span lower, struct span upper)
{
	if (upper.len > 0 && span_order(c->key, upper) >= 0)
		return false;
	if (c->op == STORE_CHANGE_DELETE_RANGE)
		return c->end.len == 0 || span_order(c->end, lower) > 0;
	return span_order(c->key, lower) >= 0;
}

/* ---- the list, under the mutex ------------------------------------------------------------------------------------------- */

static uint32_t feed_hash(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * 16777619u;
}

static void feed_link_alike(struct feed *f, struct feed_wait *w)
{
	struct feed_wait **bucket;

	w->hash = FEED_HASH;
	for (size_t i = 0; i < w->lower.len; i++)
		w->hash = feed_hash(w->hash, (unsigned char)w->lower.p[i]);
	bucket = &f->bucket[w->hash % FEED_BUCKETS];
	w->alike_prev = NULL;
	w->alike_next = *bucket;
	if (*bucket != NULL)
		(*bucket)->alike_prev = w;
	*bucket = w;
	if (w->lower.len >= FEED_LENGTHS)
		return;
	f->lengths[w->lower.len]++;
	if (w->lower.len > f->longest)
		f->longest = w->lower.len;
}

static void feed_unlink_alike(struct feed *f, struct feed_wait *w)
{
	if (w->alike_next != NULL)
		w->alike_next->alike_prev = w->alike_prev;
	if (w->alike_prev != NULL)
		w->alike_prev->alike_next = w->alike_next;
	else
		f->bucket[w->hash % FEED_BUCKETS] = w->alike_next;
	if (w->lower.len < FEED_LENGTHS)
		f->lengths[w->lower.len]--;
	while (f->longest > 0 && f->lengths[f->longest] == 0)
		f->longest--;
}

static void feed_link(struct feed *f, struct feed_wait *w)
{
	feed_link_alike(f, w);
	w->prev = NULL;
	w->next = f->first;
	if (f->first != NULL)
		f->first->prev = w;
	f->first = w;
	f->count++;
	w->parked = true;
}

static void feed_unlink(struct feed *f, struct feed_wait *w)
{
	feed_unlink_alike(f, w);
	if (w->next != NULL)
		w->next->prev = w->prev;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		f->first = w->next;
	f->count--;
	w->parked = false;
}

/*
 * Moves w to a list of those to be woken, without the mutex. Up to `compared` there was nothing for it: it need not read that again, which
 * under a load of writes is all that came while it waited.
 */
static void feed_take(struct feed *f, struct feed_wait *w, uint64_t compared, bool in_time, struct feed_wait **woken)
{
	feed_unlink(f, w);
	if (compared > w->version)
		w->version = compared;
	w->in_time = in_time;
	w->next = *woken;
	*woken = w;
}

static void feed_wake(struct feed_wait *woken)
{
	while (woken != NULL) {
		struct feed_wait *w = woken;

		woken = w->next;                                   /* w may be gone when wake() returns */
		w->wake(w);
	}
}

/* ---- parking ------------------------------------------------------------------------------------------------------------- */

bool feed_park(struct feed *f, struct feed_wait *w)
{
	bool parked = false, poke = false;

	(void)pthread_mutex_lock(&f->mutex);
	if (f->first == NULL && w->version > f->seen)
		f->seen = w->version;                              /* nobody else waits: nothing below has to be compared */
	if (!f->ending && w->version >= f->seen && !atomic_load_explicit(&w->r->gone, memory_order_relaxed)) {
		poke = f->first == NULL || w->deadline_ms < f->sleeps_until_ms;
		if (w->deadline_ms < f->sleeps_until_ms)
			f->sleeps_until_ms = w->deadline_ms;
		feed_link(f, w);
		parked = true;
	}
	(void)pthread_mutex_unlock(&f->mutex);
	if (poke)
		feed_poke(f);
	return parked;
}

void feed_left(struct feed *f, struct feed_wait *w)
{
	bool mine;

	(void)pthread_mutex_lock(&f->mutex);
	mine = w->parked;
	if (mine)
		feed_unlink(f, w);
	(void)pthread_mutex_unlock(&f->mutex);
	if (mine)
		w->wake(w);
}

size_t feed_parked(struct feed *f)
{
	size_t n;

	(void)pthread_mutex_lock(&f->mutex);
	n = f->count;
	(void)pthread_mutex_unlock(&f->mutex);
	return n;
}

/* ---- the thread ---------------------------------------------------------------------------------------------------------- */

static void feed_compare_alike(struct feed *f, const struct store_change *c, uint32_t hash, size_t length, struct feed_wait **woken)
{
	struct feed_wait *next;

	for (struct feed_wait *w = f->bucket[hash % FEED_BUCKETS]; w != NULL; w = next) {
		next = w->alike_next;
		if (w->hash == hash && w->lower.len == length && c->version > w->version &&
		    (length == 0 || memcmp(w->lower.p, c->key.p, length) == 0))
			feed_take(f, w, c->version - 1, true, woken);
	}
}

/* Those who wait for a prefix of the key, by each length that somebody's has. */
static void feed_compare_key(struct feed *f, const struct store_change *c, struct feed_wait **woken)
{
	uint32_t hash = FEED_HASH;

	for (size_t i = 0; i <= c->key.len && i <= f->longest; i++) {
		if (f->lengths[i] > 0)
			feed_compare_alike(f, c, hash, i, woken);
		if (i < c->key.len)
			hash = feed_hash(hash, (unsigned char)c->key.p[i]);
	}
}

static void feed_compare_all(struct feed *f, const struct store_change *c, struct feed_wait **woken)
{
	struct feed_wait *next;

	for (struct feed_wait *w = f->first; w != NULL; w = next) {
		next = w->next;
		if (c->version > w->version && feed_concerns(c, w->lower, w->upper))
			feed_take(f, w, c->version - 1, true, woken);
	}
}

static void feed_compare(struct feed *f, const struct store_change *c)
{
	struct feed_wait *woken = NULL;

	(void)pthread_mutex_lock(&f->mutex);
	if (c->op == STORE_CHANGE_DELETE_RANGE)
		feed_compare_all(f, c, &woken);
	else
		feed_compare_key(f, c, &woken);
	if (c->version > f->seen)
		f->seen = c->version;
	(void)pthread_mutex_unlock(&f->mutex);
	feed_wake(woken);
}

/* Everybody finds out for himself what keeps the log from being read. */
static void feed_wake_all(struct feed *f)
{
	struct feed_wait *woken = NULL;

	(void)pthread_mutex_lock(&f->mutex);
	while (f->first != NULL)                                   /* of the version `seen` it may be that only a part was compared */
		feed_take(f, f->first, f->seen > 0 ? f->seen - 1 : 0, true, &woken);
	(void)pthread_mutex_unlock(&f->mutex);
	feed_wake(woken);
}

static void feed_take_due(struct feed *f, uint64_t now, struct feed_wait **woken)
{
	struct feed_wait *next;

	f->sleeps_until_ms = UINT64_MAX;
	for (struct feed_wait *w = f->first; w != NULL; w = next) {
		next = w->next;
		if (w->deadline_ms > now && !f->ending) {
			if (w->deadline_ms < f->sleeps_until_ms)
				f->sleeps_until_ms = w->deadline_ms;
			continue;
		}
		feed_take(f, w, f->seen, false, woken);
	}
}

/* Wakes those whose time is over; how long until the next one's may be, -1 = nobody waits. */
static int feed_tick(struct feed *f, uint64_t now)
{
	struct feed_wait *woken = NULL;
	uint64_t least;

	(void)pthread_mutex_lock(&f->mutex);
	if (f->ending || now >= f->sleeps_until_ms || f->first == NULL)
		feed_take_due(f, now, &woken);
	least = f->sleeps_until_ms;
	(void)pthread_mutex_unlock(&f->mutex);
	feed_wake(woken);
	return least == UINT64_MAX ? -1 : (int)(least - now < 3600000 ? least - now : 3600000);
}

/*
 * Compares all that is new. False: it can't be read. Under a steady load there is always more: those whose time is over are looked for
 * meanwhile, but only between two versions, since what `seen` says was compared whole.
 */
static bool feed_read(struct feed *f, uint64_t from)
{
	const struct store_ops *ops = f->store->ops;
	struct store_change c;
	uint64_t last = from;
	unsigned n = 0;
	int code = STORE_OK;

	if (f->reader != NULL && f->reader_version < from) {
		ops->changes_close(f->reader);
		f->reader = NULL;
	}
	if (f->reader == NULL)
		code = ops->changes_open(f->store, from, &f->reader);
	while (code == STORE_OK) {
		code = ops->changes_next(f->reader, &c);
		if (code != STORE_OK)
			break;
		if (++n >= FEED_TURN && c.version != last) {
			n = 0;
			(void)feed_tick(f, feed_now_ms());
		}
		last = c.version;
		feed_compare(f, &c);
	}
	if (code != STORE_NOTFOUND) {
		if (f->reader != NULL)
			ops->changes_close(f->reader);
		f->reader = NULL;
		return false;
	}
	f->reader_version = ops->changes_version(f->reader);
	(void)pthread_mutex_lock(&f->mutex);
	if (f->reader_version > f->seen)
		f->seen = f->reader_version;
	(void)pthread_mutex_unlock(&f->mutex);
	return true;
}

/* False: it ends. */
static bool feed_sleep(struct feed *f, int wait_ms)
{
	struct pollfd p = { .fd = f->wake_fd, .events = POLLIN };
	eventfd_t n;
	bool going;

	if (poll(&p, 1, wait_ms) > 0)
		(void)eventfd_read(f->wake_fd, &n);
	(void)pthread_mutex_lock(&f->mutex);
	going = !f->ending || f->first != NULL;
	(void)pthread_mutex_unlock(&f->mutex);
	return going;
}

static bool feed_has_waiters(struct feed *f, uint64_t *seen)
{
	bool has;

	(void)pthread_mutex_lock(&f->mutex);
	has = f->first != NULL;
	*seen = f->seen;
	(void)pthread_mutex_unlock(&f->mutex);
	return has;
}

static void *feed_main(void *arg)
{
	struct feed *f = arg;
	int wait_ms;

	do {
		uint64_t seen;

		wait_ms = feed_tick(f, feed_now_ms());
		if (!feed_has_waiters(f, &seen))
			continue;
		if (feed_read(f, seen)) {
			(void)feed_has_waiters(f, &seen);
			f->store->ops->watch_arm(f->store, seen);
			wait_ms = feed_tick(f, feed_now_ms());     /* reading may have taken long */
		} else {
			feed_wake_all(f);
			wait_ms = FEED_BREATH_MS;
		}
	} while (feed_sleep(f, wait_ms));
	return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

int feed_new(struct store *store, struct feed **out)
{
	struct feed *f;
	int rc;

	if (store == NULL || store->ops->changes_open == NULL)
		return ENOTSUP;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return ENOMEM;
	f->store = store;
	f->sleeps_until_ms = UINT64_MAX;
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd < 0) {
		rc = errno;
		free(f);
		return rc;
	}
	(void)pthread_mutex_init(&f->mutex, NULL);
	rc = store->ops->watch(store, feed_poke, f) == STORE_OK ? 0 : ENOMEM;
	if (rc == 0) {
		rc = pthread_create(&f->thread, NULL, feed_main, f);
		if (rc != 0)
			store->ops->unwatch(store);
	}
	if (rc != 0) {
		(void)close(f->wake_fd);
		free(f);
		return rc;
	}
	(void)pthread_setname_np(f->thread, "silt-feed");
	*out = f;
	return 0;
}

void feed_end(struct feed *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->mutex);
	f->ending = true;
	(void)pthread_mutex_unlock(&f->mutex);
	feed_poke(f);
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	feed_end(f);
	(void)pthread_join(f->thread, NULL);
	f->store->ops->unwatch(f->store);
	if (f->reader != NULL)
		f->store->ops->changes_close(f->reader);
	(void)pthread_mutex_destroy(&f->mutex);
	(void)close(f->wake_fd);
	free(f);
}
