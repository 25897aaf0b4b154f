/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c - FastCGI records as pure functions.
 *
 * Rules     (1) no byte is read beyond n; lengths are compared before they are added to a position.
 *           (2) WHOLE means that libfcgi, reading the same bytes, comes to the end of STDIN without asking for one more, and finds
 *               the same parameters and the same body.
 *           (3) name-value pairs end where the PARAMS stream ends: one that runs past it was cut short, and a
 *               length that nginx could not send is refused before libfcgi allocates it.
 *           (4) no padding behind BEGIN and behind the end of a stream: libfcgi forgets to skip it there, and takes it for the
 *               next header.
 */
#include "server/wire.h"

#include <string.h>

#define WIRE_VERSION   1u
#define WIRE_RESPONDER 1u
#define WIRE_KEEP_CONN 1u
#define WIRE_CHUNK     65528u         /* largest multiple of 8 that fits content_length: only the last record needs padding */

struct wire_record {
	uint8_t version, type;
	uint16_t id, length;
	uint8_t padding;
};

static uint16_t wire_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static struct wire_record wire_record_at(const uint8_t *p)
{
	return (struct wire_record){
		.version = p[0], .type = p[1], .id = wire_u16(p + 2), .length = wire_u16(p + 4), .padding = p[6],
	};
}

/* ---- name-value pairs, which may be split anywhere into records ------------------------------------------------------- */

struct wire_pairs {
	uint32_t length[2];           /* of name and value */
	unsigned which;               /* the length being read: 0 name, 1 value */
	unsigned missing;             /* bytes of it still to come, of a four-byte length */
	uint32_t content;             /* bytes of name and value still to come */
	bool bad;
};

static void wire_pairs_length_byte(struct wire_pairs *s, uint8_t byte)
{
	uint32_t *length = &s->length[s->which];

	if (s->missing > 0) {
		*length = *length << 8 | byte;
		s->missing--;
	} else if (byte & 0x80) {
		*length = byte & 0x7fu;
		s->missing = 3;
	} else {
		*length = byte;
	}
	if (s->missing > 0)
		return;
	if (*length > WIRE_PARAM_MAX)
		s->bad = true;                                      /* rule 3 */
	if (s->which == 1)
		s->content = s->length[0] + s->length[1];
	s->which ^= 1u;
}

static bool wire_pairs_at_boundary(const struct wire_pairs *s)
{
	return !s->bad && s->which == 0 && s->missing == 0 && s->content == 0;
}

/* Whole pairs with short lengths, as almost all are, in one step each. Returns the bytes of those; libfcgi hands parameters out as C
   strings: a NUL would hide what follows it. */
static size_t wire_pairs_short(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (n - at >= 2 && (p[at] | p[at + 1]) < 0x80) {
		size_t size = (size_t)p[at] + p[at + 1];

		if (size > n - at - 2 || memchr(p + at + 2, 0, size) != NULL)
			break;
		at += 2 + size;
	}
	return at;
}

static void wire_pairs_feed(struct wire_pairs *s, const uint8_t *p, size_t n)
{
	while (n > 0 && !s->bad) {
		size_t skip = wire_pairs_at_boundary(s) ? wire_pairs_short(p, n) : 0;
		size_t take;

		p += skip;
		n -= skip;
		if (n == 0)
			break;
		take = s->content < n ? s->content : n;
		if (take == 0) {
			wire_pairs_length_byte(s, *p);
			take = 1;
		} else {
			s->bad = memchr(p, 0, take) != NULL;
			s->content -= (uint32_t)take;
		}
		p += take;
		n -= take;
	}
}

/* ---- requests ---------------------------------------------------------------------------------------------------------- */

enum wire_state { WIRE_AT_BEGIN, WIRE_AT_PARAMS, WIRE_AT_STDIN, WIRE_AT_END };

struct wire_walk {
	enum wire_state state;
	struct wire_request request;
	struct wire_pairs pairs;
};

/* Is this a record that may stand here? Its content need not have come yet. */
static bool wire_walk_allows(const struct wire_walk *w, struct wire_record r)
{
	if (r.version != WIRE_VERSION || r.id == 0)
		return false;
	if (r.padding != 0 && (r.type == WIRE_BEGIN || r.length == 0))
		return false;                                      /* rule 4 */
	switch (w->state) {
	case WIRE_AT_BEGIN:
		return r.type == WIRE_BEGIN && r.length == 8;
	case WIRE_AT_PARAMS:
		return r.type == WIRE_PARAMS && r.id == w->request.id;
	case WIRE_AT_STDIN:
		return r.type == WIRE_STDIN && r.id == w->request.id;
	default:
		return false;
	}
}

/* What there is of a record's content: all of it, or the part that came. */
static bool wire_walk_content(struct wire_walk *w, struct wire_record r, const uint8_t *p, size_t n)
{
	if (r.type == WIRE_BEGIN) {
		w->request.keep = n > 2 && (p[2] & WIRE_KEEP_CONN) != 0;
		return n < 2 || wire_u16(p) == WIRE_RESPONDER;
	}
	if (r.type == WIRE_PARAMS)
		wire_pairs_feed(&w->pairs, p, n);
	return !w->pairs.bad;
}

static bool wire_walk_past(struct wire_walk *w, struct wire_record r)
{
	switch (w->state) {
	case WIRE_AT_BEGIN:
		w->request.id = r.id;
		w->state = WIRE_AT_PARAMS;
		break;
	case WIRE_AT_PARAMS:
		if (r.length == 0) {
			w->state = WIRE_AT_STDIN;
			return wire_pairs_at_boundary(&w->pairs);
		}
		w->request.params += r.length;
		break;
	default:
		if (r.length == 0)
			w->state = WIRE_AT_END;
		w->request.body += r.length;
		break;
	}
	return true;
}

static size_t wire_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum wire_verdict wire_scan(const void *bytes, size_t n, size_t window, struct wire_request *out)
{
	struct wire_walk w = { 0 };
	const uint8_t *p = bytes;
	size_t at = 0;

	while (w.state != WIRE_AT_END) {
		struct wire_record r;
		size_t size;

		if (n - at < WIRE_HEADER)
			return window - at < WIRE_HEADER ? WIRE_LARGE : WIRE_NEED_MORE;
		r = wire_record_at(p + at);
		size = WIRE_HEADER + (size_t)r.length + r.padding;
		if (!wire_walk_allows(&w, r) ||
		    !wire_walk_content(&w, r, p + at + WIRE_HEADER, wire_min(r.length, n - at - WIRE_HEADER)))
			return WIRE_BAD;
		if (size > window - at)
			return WIRE_LARGE;
		if (size > n - at)
			return WIRE_NEED_MORE;
		if (!wire_walk_past(&w, r))
			return WIRE_BAD;
		at += size;
	}
	*out = w.request;
	return at == n ? WIRE_WHOLE : WIRE_BAD;
}

/* ---- what a whole request holds ---------------------------------------------------------------------------------------- */

void wire_join(const void *bytes, enum wire_type type, char *to)
{
	const uint8_t *p = bytes;
	struct wire_record r;

	do {
		r = wire_record_at(p);
		p += WIRE_HEADER;
		if (r.type == type) {
			memcpy(to, p, r.length);
			to += r.length;
		}
		p += (size_t)r.length + r.padding;
	} while (r.type != WIRE_STDIN || r.length > 0);
}

static size_t wire_params_length(struct wire_params *w)
{
	const uint8_t *p = (const uint8_t *)w->at;

	if (w->at < w->end && p[0] < 0x80) {
		w->at++;
		return p[0];
	}
	if (w->end - w->at < 4) {
		w->at = w->end;
		return SIZE_MAX;
	}
	w->at += 4;
	return (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* The lengths of a pair are read before its first byte, where the one before it is ended, is written over. */
static void wire_params_look(struct wire_params *w)
{
	size_t left;

	w->name_len = wire_params_length(w);
	w->value_len = wire_params_length(w);
	left = (size_t)(w->end - w->at);
	if (w->name_len > left || w->value_len > left - w->name_len)
		w->at = NULL;                                      /* nothing is left, or was never scanned */
}

void wire_params_begin(struct wire_params *w, char *p, size_t n)
{
	w->at = p;
	w->end = p + n;
	wire_params_look(w);
}

bool wire_params_next(struct wire_params *w, struct wire_param *out)
{
	char *end;

	if (w->at == NULL)
		return false;
	*out = (struct wire_param){ .name = w->at, .name_len = w->name_len, .value = w->at + w->name_len };
	end = w->at + w->name_len + w->value_len;
	w->at = end;
	wire_params_look(w);
	*end = '\0';
	return true;
}

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

struct wire_out {
	uint64_t skip;                /* bytes still to leave out: they were sent */
	struct iovec *iov;
	size_t count;
};

static void wire_out_add(struct wire_out *o, const void *p, size_t n)
{
	if (o->skip >= n) {
		o->skip -= n;
		return;
	}
	o->iov[o->count++] = (struct iovec){
		.iov_base = (char *)(uintptr_t)p + o->skip, .iov_len = n - (size_t)o->skip,
	};
	o->skip = 0;
}

static void wire_header(uint8_t *p, uint8_t type, uint16_t id, size_t length, uint8_t padding)
{
	uint8_t h[WIRE_HEADER] = {
		WIRE_VERSION, type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(length >> 8), (uint8_t)length, padding, 0,
	};

	memcpy(p, h, sizeof(h));
}

static uint8_t wire_padding(size_t length)
{
	return (uint8_t)((8 - length % 8) % 8);
}

/* The part of bytes [from, from + n) of head ++ body that lies in one of them. */
static void wire_out_part(struct wire_out *o, struct span part, uint64_t part_at, uint64_t from, size_t n)
{
	uint64_t begin = from > part_at ? from - part_at : 0;
	uint64_t end = from + n > part_at ? from + n - part_at : 0;

	if (end > part.len)
		end = part.len;
	if (begin < end)
		wire_out_add(o, part.p + begin, (size_t)(end - begin));
}

static void wire_out_trailer(struct wire_out *o, const struct wire_answer *a, uint8_t *trailer, uint8_t padding)
{
	static const uint8_t zeros[8];

	wire_out_add(o, zeros, padding);
	if (a->open)
		return;
	wire_header(trailer, WIRE_STDOUT, a->id, 0, 0);
	wire_header(trailer + WIRE_HEADER, WIRE_END, a->id, 8, 0);
	memset(trailer + 2 * WIRE_HEADER, 0, WIRE_HEADER);         /* application status 0, FCGI_REQUEST_COMPLETE */
	wire_out_add(o, trailer, 3 * WIRE_HEADER);
}

uint64_t wire_answer_size(const struct wire_answer *a)
{
	uint64_t content = (uint64_t)a->head.len + a->body.len;
	uint64_t records = (content + WIRE_CHUNK - 1) / WIRE_CHUNK;

	return content + records * WIRE_HEADER + wire_padding((size_t)(content % WIRE_CHUNK)) +
	       (a->open ? 0 : 3 * WIRE_HEADER);
}

size_t wire_answer_iov(const struct wire_answer *a, uint64_t pos, struct wire_scratch *s, struct iovec *iov)
{
	uint64_t content = (uint64_t)a->head.len + a->body.len;
	uint64_t records = (content + WIRE_CHUNK - 1) / WIRE_CHUNK;
	uint64_t record = pos / (WIRE_HEADER + WIRE_CHUNK);
	uint8_t padding = 0;
	struct wire_out o = { .iov = iov };
	uint64_t at;                                               /* in head ++ body */

	if (records > 0 && record >= records)
		record = records - 1;                              /* in the trailer: counted from the last record's start */
	at = record * WIRE_CHUNK;
	o.skip = pos - record * (WIRE_HEADER + WIRE_CHUNK);
	for (size_t i = 0; i < WIRE_BATCH && record < records; i++, record++) {
		size_t n = (size_t)(content - at < WIRE_CHUNK ? content - at : WIRE_CHUNK);

		padding = wire_padding(n);
		wire_header(s->header[i], WIRE_STDOUT, a->id, n, padding);
		wire_out_add(&o, s->header[i], WIRE_HEADER);
		wire_out_part(&o, a->head, 0, at, n);
		wire_out_part(&o, a->body, a->head.len, at, n);
		at += n;
	}
	if (record >= records)
		wire_out_trailer(&o, a, s->trailer, padding);
	return o.count;
}
