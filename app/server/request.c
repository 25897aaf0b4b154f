/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - from FastCGI parameters to the fields that handlers see. Pure but for its buffers. */
#include "server/request.h"

#include <stddef.h>
#include <string.h>

#define REQUEST_KEEP_CAP (64u << 10)  /* bytes of a buffer worth keeping for the next request */

/* What nginx is told to send, in the order of nginx/snippets/siltstone-params.conf, and where it goes. */
static const struct request_field {
	const char *name;
	size_t len;
	size_t offset;                /* of a const char * in struct request */
} request_fields[] = {
#define REQUEST_FIELD(name, member) { name, sizeof(name) - 1, offsetof(struct request, member) }
	REQUEST_FIELD("SCRIPT_NAME", route),
	REQUEST_FIELD("REQUEST_METHOD", method),
	REQUEST_FIELD("REQUEST_URI", uri),
	REQUEST_FIELD("CONTENT_LENGTH", content_length),
	REQUEST_FIELD("CONTENT_TYPE", content_type),
	REQUEST_FIELD("REQUEST_ID", id),
	REQUEST_FIELD("SILT_ROLE", role_name),
	REQUEST_FIELD("SILT_PREFIX", key_prefix),
	REQUEST_FIELD("HTTP_HOST", host),
	REQUEST_FIELD("HTTP_ORIGIN", origin),
	REQUEST_FIELD("HTTP_SEC_FETCH_SITE", sec_fetch_site),
	REQUEST_FIELD("HTTP_PURPOSE", purpose),
	REQUEST_FIELD("HTTP_SEC_PURPOSE", sec_purpose),
	REQUEST_FIELD("HTTP_ACCEPT", accept),
	REQUEST_FIELD("HTTP_PREFER", prefer),
	REQUEST_FIELD("HTTP_IF_MATCH", if_match),
	REQUEST_FIELD("HTTP_IF_NONE_MATCH", if_none_match),
	REQUEST_FIELD("HTTP_CONTENT_ENCODING", content_encoding),
	REQUEST_FIELD("HTTP_LAST_EVENT_ID", last_event_id),
	REQUEST_FIELD("HTTP_CONTENT_RANGE", content_range),
#undef REQUEST_FIELD
};

#define REQUEST_FIELDS (sizeof(request_fields) / sizeof(request_fields[0]))

/* The field of that name, or NULL. The search begins where the one before ended: most come in this order, and are the first looked at. */
static const struct request_field *request_field_of(const char *name, size_t len, size_t begin)
{
	for (size_t n = 0, i = begin; n < REQUEST_FIELDS; n++, i = i + 1 < REQUEST_FIELDS ? i + 1 : 0) {
		const struct request_field *f = &request_fields[i];

		if (len == f->len && memcmp(name, f->name, len) == 0)
			return f;
	}
	return NULL;
}

static enum request_role request_role_of(const char *name)
{
	if (name != NULL && strcmp(name, "admin") == 0)
		return ROLE_ADMIN;
	if (name != NULL && strcmp(name, "write") == 0)
		return ROLE_WRITE;
	return ROLE_READ;
}

static void request_split_uri(struct request *r)
{
	const char *mark;

	r->path = r->query = (struct span){ 0 };
	if (r->uri == NULL)
		return;
	mark = strchr(r->uri, '?');
	r->path = mark == NULL ? span_str(r->uri) : span_of(r->uri, (size_t)(mark - r->uri));
	if (mark != NULL)
		r->query = span_str(mark + 1);
}

void request_param(struct request *r, struct request_filling *f, const char *name, size_t len, const char *value)
{
	const struct request_field *field = request_field_of(name, len, f->next);
	unsigned long bit;

	if (field == NULL)
		return;
	f->next = (size_t)(field - request_fields);
	bit = 1ul << f->next;
	f->next = f->next + 1 < REQUEST_FIELDS ? f->next + 1 : 0;
	f->twice |= (f->seen & bit) != 0;
	f->seen |= bit;
	if (value[0] != '\0')
		*(const char **)(void *)((char *)r + field->offset) = value;
}

void request_filled(struct request *r, const struct request_filling *f)
{
	if (f->twice)
		r->route = NULL;
	r->role = f->twice ? ROLE_READ : request_role_of(r->role_name);
	request_split_uri(r);
}

void request_fill(struct request *r, char *const *params)
{
	struct request_filling f = { 0 };

	for (; *params != NULL; params++) {
		const char *mark = strchr(*params, '=');

		if (mark != NULL)
			request_param(r, &f, *params, (size_t)(mark - *params), mark + 1);
	}
	request_filled(r, &f);
}

static void request_trim(struct bytes *b)
{
	if (b->cap > REQUEST_KEEP_CAP)
		bytes_fini(b);
	else
		bytes_clear(b);
}

void request_reset(struct request *r)
{
	if (r->state_free != NULL)
		r->state_free(r->state);
	r->state = NULL;
	r->state_free = NULL;
	r->stream = NULL;
	atomic_store_explicit(&r->gone, false, memory_order_relaxed);
	for (size_t i = 0; i < REQUEST_FIELDS; i++)
		*(const char **)(void *)((char *)r + request_fields[i].offset) = NULL;
	r->query = r->path = r->body = (struct span){ 0 };
	r->role = ROLE_READ;
	r->body_too_large = r->may_block = false;
	r->slot = 0;
	r->left = NULL;
	response_reset(&r->response);
	request_trim(&r->response.headers);
	request_trim(&r->response.body);
	request_trim(&r->key);
	request_trim(&r->scratch);
}

void request_fini(struct request *r)
{
	request_reset(r);
	response_fini(&r->response);
	bytes_fini(&r->key);
	bytes_fini(&r->scratch);
}

void request_complete(struct request *r)
{
	r->complete(r);
}

void request_retry(struct request *r)
{
	r->retry(r);
}
