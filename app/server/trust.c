/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c - who may ask for what. */
#include "server/trust.h"

#include "server/problem.h"
#include "server/server.h"
#include "util/percent.h"

#include <string.h>
#include <strings.h>

static bool trust_given(const char *header)
{
	return header != NULL && header[0] != 0;
}

/* Case does not count in host names. */
static bool trust_same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

static bool trust_ends(struct span s, const char *tail)
{
	size_t n = strlen(tail);

	return s.len >= n && memcmp(s.p + s.len - n, tail, n) == 0;
}

/* "localhost:8080" -> "localhost", "[::1]:8080" -> "[::1]" */
static struct span trust_without_port(struct span host)
{
	const char *address = host.len > 0 && host.p[0] == '[' ? memchr(host.p, ']', host.len) : NULL;
	size_t from = address != NULL ? (size_t)(address - host.p) : 0;
	const char *colon = memchr(host.p + from, ':', host.len - from);

	return colon != NULL ? span_of(host.p, (size_t)(colon - host.p)) : host;
}

/* One of ours may be written "[::1]" or "::1". */
static bool trust_is_ours(struct span name, struct span ours)
{
	if (trust_same(name, ours))
		return true;
	return name.len > 2 && name.p[0] == '[' && name.p[name.len - 1] == ']' &&
	       trust_same(span_of(name.p + 1, name.len - 2), ours);
}

bool trust_host(struct request *r)
{
	const char *const *ours = r->server->hosts;
	struct span name;

	if (ours == NULL || !trust_given(r->host))
		return true;
	name = trust_without_port(span_str(r->host));
	for (; *ours != NULL; ours++)
		if (trust_is_ours(name, span_str(*ours)))
			return true;
	problem_set(r, 421, PROBLEM_WRONG_HOST, "The configuration does not list this Host as one of ours.");
	return false;
}

bool trust_role(struct request *r, enum request_role needed)
{
	static const char *const names[] = {
		[ROLE_READ] = "read", [ROLE_WRITE] = "write", [ROLE_ADMIN] = "admin"
	};

	if (r->role >= needed)
		return true;
	problem_set(r, 403, PROBLEM_FORBIDDEN,
	            "This needs the role %s, and the web server in front gives this client %s.",
	            names[needed], names[r->role]);
	return false;
}

/* "http://Name:80" and Host "name" are one: the scheme's own port goes without saying. */
static bool trust_origin_is_host(const char *origin, const char *host)
{
	struct span o = span_str(origin), h = span_str(host);
	const char *port;

	if (strncasecmp(origin, "http://", 7) == 0)
		port = ":80";
	else if (strncasecmp(origin, "https://", 8) == 0)
		port = ":443";
	else
		return false;
	o.p += strlen(port) + 4;                /* "://" and the scheme: 7 and 8 bytes */
	o.len -= strlen(port) + 4;
	if (trust_ends(o, port))
		o.len -= strlen(port);
	if (trust_ends(h, port))
		h.len -= strlen(port);
	return o.len > 0 && trust_same(o, h);
}

static bool trust_is_prefetch(const char *purpose)
{
	return trust_given(purpose) &&
	       (strcasestr(purpose, "prefetch") != NULL || strcasestr(purpose, "prerender") != NULL);
}

bool trust_site(struct request *r)
{
	const char *site = r->sec_fetch_site;

	if (trust_is_prefetch(r->purpose) || trust_is_prefetch(r->sec_purpose)) {
		problem_set(r, 403, PROBLEM_CROSS_SITE, "A prefetch must not change anything.");
		return false;
	}
	if (trust_given(site) && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "none") != 0) {
		problem_set(r, 403, PROBLEM_CROSS_SITE,
		            "Sec-Fetch-Site says that a page of another site asks for this.");
		return false;
	}
	if (trust_given(r->origin) && !trust_origin_is_host(r->origin, r->host != NULL ? r->host : "")) {
		problem_set(r, 403, PROBLEM_CROSS_SITE,
		            "The Origin is not the Host: a page of another site asks for this.");
		return false;
	}
	return true;
}

bool trust_key(struct request *r)
{
	return trust_bytes(r, span_of(r->key.p, r->key.len));
}

bool trust_bytes(struct request *r, struct span key)
{
	int begins;

	if (!trust_given(r->key_prefix))
		return true;
	begins = percent_begins(key, span_str(r->key_prefix));
	if (begins > 0)
		return true;
	if (begins < 0)
		problem_set(r, 500, PROBLEM_MISCONFIGURED,
		            "SILT_PREFIX is no percent-encoded text: write a percent sign as %%25.");
	else
		problem_set(r, 403, PROBLEM_OUTSIDE_PREFIX,
		            "This client is held to keys that begin otherwise.");
	return false;
}

/* Do all keys from lower to before upper begin with prefix? Where lower does, those that do not lie above it, so the least of them
   must not be below upper: it is the prefix with its last byte that is not 0xff one higher. */
static bool trust_lies_within(struct span lower, struct span upper, struct span prefix)
{
	size_t n = prefix.len;

	if (lower.len < n || memcmp(lower.p, prefix.p, n) != 0)
		return false;
	while (n > 0 && (unsigned char)prefix.p[n - 1] == 0xff)
		n--;
	if (n == 0)
		return true;                             /* nothing lies above */
	if (upper.len == 0)
		return false;
	if (upper.len >= prefix.len && memcmp(upper.p, prefix.p, prefix.len) == 0)
		return true;
	return upper.len == n && memcmp(upper.p, prefix.p, n - 1) == 0 &&
	       (unsigned char)upper.p[n - 1] == (unsigned char)prefix.p[n - 1] + 1;
}

bool trust_range(struct request *r, struct span lower, struct span upper)
{
	struct bytes prefix = {0};
	size_t bad_at;
	bool ok;

	if (!trust_given(r->key_prefix))
		return true;
	if (!percent_decode(span_str(r->key_prefix), PERCENT_PATH, &prefix, &bad_at)) {
		bytes_fini(&prefix);
		return trust_bytes(r, span_of(NULL, 0));   /* which says why not */
	}
	ok = trust_lies_within(lower, upper, span_of(prefix.p, prefix.len));
	bytes_fini(&prefix);
	if (!ok)
		problem_set(r, 403, PROBLEM_OUTSIDE_PREFIX,
		            "This client is held to keys that begin alike: ask for them by prefix or by bounds that lie "
		            "within.");
	return ok;
}
