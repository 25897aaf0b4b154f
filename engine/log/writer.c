/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c - appending records to a segment.
 *
 *           LOG_PAGE          synced_to          end           end + group             capacity
 *           |- never changes -|- in the cache ---|- group ------|- free --- ... ---|- SEAL -|
 *
 * A record's checksum needs its offset, which is known when it is added: the group lands at `end` whole. Its `synced_to` is what
 * was known at that moment, so it never claims what an fdatasync still in flight may lose.
 *
 * MARK      Records behind the last sync are all that says that it happened. When none comes, a MARK says it: without one,
 *           damage to the last group is taken for a torn write. `claimed` and `data_end` tell when another would say more:
 *           MARK follows if claimed < min(synced_to, data_end).
 */
#include "log/writer.h"

#include <assert.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "log/record.h"

enum {
	WRITER_RECORD_MAX = LOG_RECORD_HEADER + 7,     /* bytes of a record beside its payload */
	WRITER_KEEP = 1 << 20,                         /* a group buffer larger than this is not kept for the next */
};

struct log_writer {
	struct env *env;
	char *path;
	struct os_file *file;             /* owned */
	struct log_header header;
	uint64_t end;                     /* after the last appended record */
	uint64_t synced_to;
	uint64_t claimed;                 /* the highest synced_to that an appended record carries */
	uint64_t data_end;                /* after the last appended record that is no MARK */
	struct silt_buf group;            /* added, not appended */
	bool sealed;
	int fault;                        /* first failed append or sync; 0 while healthy; never cleared */
};

int log_writer_new(struct env *env, const char *path, const struct log_header *h, struct os_file *file,
                   uint64_t offset, uint64_t synced_to, struct log_writer **out)
{
	struct log_writer *w = mem_calloc(1, sizeof(*w));
	char *name = mem_strdup(path);

	assert(offset % 8 == 0 && LOG_PAGE <= synced_to && synced_to <= offset && offset <= h->capacity - LOG_RECORD_HEADER);
	if (!w || !name) {
		mem_free(w);
		mem_free(name);
		(void)env->os->close(env->os, file);
		return report(&env->rep, SILT_E_NOMEM, "%s: no memory to write it", path);
	}
	*w = (struct log_writer){
		.env = env, .path = name, .file = file, .header = *h,
		.end = offset, .synced_to = synced_to, .claimed = LOG_PAGE, .data_end = offset,
	};
	*out = w;
	return 0;
}

void log_writer_free(struct log_writer *w)
{
	if (!w)
		return;
	(void)w->env->os->close(w->env->os, w->file);      /* what matters was synced */
	buf_fini(&w->group);
	mem_free(w->path);
	mem_free(w);
}

uint64_t log_writer_end(const struct log_writer *w)
{
	return w->end;
}

uint64_t log_writer_synced_to(const struct log_writer *w)
{
	return w->synced_to;
}

uint64_t log_writer_number(const struct log_writer *w)
{
	return w->header.number;
}

uint64_t log_writer_capacity(const struct log_writer *w)
{
	return w->header.capacity;
}

/* Rule 2. */
static int writer_poison(struct log_writer *w, int rc, const char *what)
{
	w->fault = rc;
	return report(&w->env->rep, rc, "%s: %s at offset %" PRIu64 ": %s; no more is written to this log", w->path, what, w->end,
	              w->env->os->error_text(w->env->os));
}

static uint64_t writer_room(const struct log_writer *w)
{
	return w->header.capacity - w->end - w->group.len;
}

/* The most that so many records can take: 0, or SILT_E_NOMEM where no memory could hold it. */
static int writer_need(size_t records, size_t payload_bytes, size_t *out)
{
	size_t n;

	if (__builtin_mul_overflow(records, (size_t)WRITER_RECORD_MAX, &n) || __builtin_add_overflow(n, payload_bytes, &n))
		return SILT_E_NOMEM;
	*out = n;
	return 0;
}

bool log_writer_fits(const struct log_writer *w, size_t records, size_t payload_bytes)
{
	const size_t kept = 2 * LOG_RECORD_HEADER;         /* rule 4: MARK, SEAL */
	size_t need;

	if (payload_bytes > UINT32_MAX || writer_need(records, payload_bytes, &need) < 0)
		return false;
	return writer_room(w) >= kept && need <= writer_room(w) - kept;
}

int log_writer_reserve(struct log_writer *w, size_t records, size_t payload_bytes)
{
	size_t need;

	if (w->fault)
		return SILT_E_FAULT;
	if (writer_need(records, payload_bytes, &need) < 0 || buf_reserve(&w->group, need) < 0)
		return report(&w->env->rep, SILT_E_NOMEM, "%s: no memory for a group of %zu bytes", w->path, payload_bytes);
	return 0;
}

void log_writer_add(struct log_writer *w, enum log_record_kind kind, uint8_t flags, uint64_t version, struct silt_slice payload)
{
	struct log_record r = {
		.kind = kind, .flags = flags, .version = version, .synced_to = w->synced_to,
		.offset = w->end + w->group.len, .payload = payload,
	};

	assert(!w->sealed && kind != LOG_SEAL);
	assert(log_record_size(payload.len) <= w->group.cap - w->group.len);                             /* rule 3 */
	assert(log_record_size(payload.len) + LOG_RECORD_HEADER <= writer_room(w));                      /* rule 4 */
	w->group.len += log_record_encode((uint8_t *)w->group.data + w->group.len, w->header.salt, &r);
}

/* One pwrite at the end. All records in `bytes` were encoded with the synced_to of now. */
static int writer_put(struct log_writer *w, struct silt_slice bytes)
{
	int rc = w->env->os->write(w->env->os, w->file, w->end, bytes.data, bytes.len);

	if (rc < 0)
		return writer_poison(w, rc, "append");
	w->end += bytes.len;
	w->claimed = w->synced_to;
	return 0;
}

/* A group is encoded under one synced_to, for no sync comes between add and append. */
int log_writer_append(struct log_writer *w)
{
	int rc;

	if (w->fault)
		return SILT_E_FAULT;
	if (w->group.len == 0)
		return 0;
	rc = writer_put(w, buf_slice(&w->group));
	w->data_end = w->end;
	w->group.len = 0;
	if (w->group.cap > WRITER_KEEP)
		buf_fini(&w->group);
	return rc;
}

int log_writer_sync(struct log_writer *w)
{
	int rc;

	if (w->fault)
		return SILT_E_FAULT;
	assert(w->group.len == 0);
	if (w->synced_to == w->end)
		return 0;
	rc = w->env->os->datasync(w->env->os, w->file);
	if (rc < 0)
		return writer_poison(w, rc, "fdatasync");
	w->synced_to = w->end;
	return 0;
}

/* A record without payload that needs no reservation. */
static int writer_put_bare(struct log_writer *w, enum log_record_kind kind, uint8_t flags, uint64_t version)
{
	uint8_t bytes[LOG_RECORD_HEADER];
	struct log_record r = {
		.kind = kind, .flags = flags, .version = version, .synced_to = w->synced_to, .offset = w->end,
	};

	assert(!w->sealed && w->group.len == 0);
	return writer_put(w, slice_of(bytes, log_record_encode(bytes, w->header.salt, &r)));
}

int log_writer_mark(struct log_writer *w, uint64_t version)
{
	uint64_t worth = w->synced_to < w->data_end ? w->synced_to : w->data_end;

	if (w->fault)
		return SILT_E_FAULT;
	if (worth <= w->claimed || writer_room(w) < 2 * LOG_RECORD_HEADER)
		return 0;
	return writer_put_bare(w, LOG_MARK, 0, version);
}

int log_writer_seal(struct log_writer *w, uint64_t version, uint8_t flags)
{
	int rc;

	if (w->fault)
		return SILT_E_FAULT;
	rc = writer_put_bare(w, LOG_SEAL, flags, version);
	if (rc < 0)
		return rc;
	w->sealed = true;
	return log_writer_sync(w);
}
