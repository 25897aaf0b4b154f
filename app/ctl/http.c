/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - one easy handle, set up once; what a request sets it also takes back. What it answered is http_answer.c's. */
#include "ctl/http.h"

#include "ctl/secret.h"
#include "ctl/session.h"
#include "ctl/stop.h"
#include "util/decimal.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_CONNECT_S = 10, HTTP_SILENCE_S = 60, HTTP_PATIENCE_S = 30 };
#define HTTP_ANSWER_MAX (SILT_VALUE_MAX + (1u << 20))      /* bytes kept: the largest value is one */

struct http {
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	struct bytes base;            /* the URL without user, password and a slash at its end; NUL-ended */
	struct bytes target;          /* of the request under way; NUL-ended */
	uint64_t silence_s;
	/* of the request under way */
	const struct http_request *request;
	struct curl_slist *headers;
	struct http_answer *answer;
	struct span unsent;           /* of its body */
	bool sink_ended, too_large;
};

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

/* What stands before an @ may be a password, also where the rest is no URL. */
static int http_bad_url(const char *url, const char *why)
{
	const char *at = strrchr(url, '@'), *shown = at ? at + 1 : url;

	(void)fprintf(stderr, "siltctl: --url \"%s%s\": %s; it is like http://localhost:8080\n", at ? "...@" : "", shown, why);
	return SESSION_USAGE;
}

static bool http_part(CURLU *u, CURLUPart part, char **out)
{
	*out = NULL;
	return curl_url_get(u, part, out, 0) == CURLUE_OK && *out != NULL && **out != '\0';
}

/* The base without what is secret, and with what was left out of it. */
static bool http_base(struct http *h, CURLU *u)
{
	char *text = NULL;
	bool ok;

	ok = curl_url_set(u, CURLUPART_USER, NULL, 0) == CURLUE_OK && curl_url_set(u, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK && bytes_adds(&h->base, text);
	while (ok && h->base.len > 0 && h->base.p[h->base.len - 1] == '/')
		h->base.len--;
	curl_free(text);
	return ok && bytes_add(&h->base, "", 1);
}

/* From --user, which wins, or from the URL, or from ~/.netrc, so that what runs by itself shows no password to the process list. */
static int http_login(struct http *h, CURLU *u, const char *user)
{
	struct bytes password = { 0 };
	char *name = NULL, *word = NULL;
	int status = SESSION_OK;

	if (user && strchr(user, ':')) {
		(void)curl_easy_setopt(h->easy, CURLOPT_USERPWD, user);
	} else if (user) {
		status = secret_ask("password", &password);
		(void)curl_easy_setopt(h->easy, CURLOPT_USERNAME, user);
		(void)curl_easy_setopt(h->easy, CURLOPT_PASSWORD, password.p ? password.p : "");
	} else if (curl_url_get(u, CURLUPART_USER, &name, CURLU_URLDECODE) == CURLUE_OK && name) {
		(void)curl_url_get(u, CURLUPART_PASSWORD, &word, CURLU_URLDECODE);
		(void)curl_easy_setopt(h->easy, CURLOPT_USERNAME, name);
		(void)curl_easy_setopt(h->easy, CURLOPT_PASSWORD, word ? word : "");
	} else {
		(void)curl_easy_setopt(h->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	}
	curl_free(name);
	curl_free(word);
	secret_forget(&password);
	return status;
}

static int http_read_url(struct http *h, const struct args *a)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *more = NULL;
	CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, a->url, 0) : CURLUE_OUT_OF_MEMORY;
	int status;

	if (code != CURLUE_OK)
		status = http_bad_url(a->url, curl_url_strerror(code));
	else if (!http_part(u, CURLUPART_SCHEME, &scheme) || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		status = http_bad_url(a->url, "its scheme is neither http nor https");
	else if (http_part(u, CURLUPART_QUERY, &more) || http_part(u, CURLUPART_FRAGMENT, &more))
		status = http_bad_url(a->url, "it has more behind its path");
	else
		status = http_login(h, u, a->user);
	if (status == SESSION_OK && !http_base(h, u))
		status = session_fail("--url", SILT_E_NOMEM);
	curl_free(scheme);
	curl_free(more);
	curl_url_cleanup(u);
	return status;
}

static size_t http_take_head(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;

	if (size * n > 5 && memcmp(p, "HTTP/", 5) == 0)
		bytes_clear(&h->answer->head);           /* what came before was a 100 */
	return bytes_add(&h->answer->head, p, size * n) ? size * n : 0;
}

static bool http_keep_body(struct http *h, struct span s)
{
	h->too_large = s.len > HTTP_ANSWER_MAX - h->answer->body.len;
	return !h->too_large && bytes_add(&h->answer->body, s.p, s.len);
}

static size_t http_take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	long status = 0;

	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!h->request->sink || status >= 300)
		return http_keep_body(h, span_of(p, size * n)) ? size * n : 0;
	h->sink_ended = !h->request->sink(h->request->ctx, p, size * n);
	return h->sink_ended ? 0 : size * n;
}

static size_t http_give_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	size_t now = size * n < h->unsent.len ? size * n : h->unsent.len;

	if (now)
		memcpy(p, h->unsent.p, now);
	h->unsent.p += now;
	h->unsent.len -= now;
	return now;
}

/* The body once more: a connection that was kept is found closed when it is used. */
static int http_rewind_body(void *ctx, curl_off_t offset, int origin)
{
	struct http *h = ctx;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > h->request->body.len)
		return CURL_SEEKFUNC_CANTSEEK;
	h->unsent = span_of(h->request->body.p + offset, h->request->body.len - (size_t)offset);
	return CURL_SEEKFUNC_OK;
}

static int http_look_up(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	(void)ctx; (void)down_all; (void)down; (void)up_all; (void)up;
	return stop_asked() != 0;
}

/* What a handle has of its own. */
static void http_set_own(struct http *h)
{
	(void)curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
	(void)curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	(void)curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	(void)curl_easy_setopt(h->easy, CURLOPT_READDATA, h);
	(void)curl_easy_setopt(h->easy, CURLOPT_SEEKDATA, h);
}

static void http_set_up(struct http *h, const struct args *a)
{
	http_set_own(h);
	(void)curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "siltctl/" PACKAGE_VERSION);
	(void)curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_S);
	(void)curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, 128L << 10);
	(void)curl_easy_setopt(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, 128L << 10);
	(void)curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, http_take_head);
	(void)curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, http_take_body);
	(void)curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, http_give_body);
	(void)curl_easy_setopt(h->easy, CURLOPT_SEEKFUNCTION, http_rewind_body);
	(void)curl_easy_setopt(h->easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(h->easy, CURLOPT_XFERINFOFUNCTION, http_look_up);
	if (a->cacert)
		(void)curl_easy_setopt(h->easy, CURLOPT_CAINFO, a->cacert);
}

int http_open(const struct args *a, struct http **out)
{
	struct http *h = calloc(1, sizeof(*h));
	int status;

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(h);
		return session_fail(a->url, SILT_E_NOMEM);
	}
	h->silence_s = a->given & ARGS_TIMEOUT ? a->timeout_s : HTTP_SILENCE_S;
	h->easy = curl_easy_init();
	if (h->easy) {
		http_set_up(h, a);
		status = http_read_url(h, a);
	} else {
		status = session_fail("libcurl", SILT_E_NOMEM);
	}
	if (status != SESSION_OK) {
		http_close(h);
		return status;
	}
	*out = h;
	return SESSION_OK;
}

int http_another(const struct http *h, struct http **out)
{
	struct http *another = calloc(1, sizeof(*another));

	if (!another || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(another);
		return session_fail(h->base.p, SILT_E_NOMEM);
	}
	another->silence_s = h->silence_s;
	another->easy = curl_easy_duphandle(h->easy);
	if (!another->easy || !bytes_add(&another->base, h->base.p, h->base.len)) {
		http_close(another);
		return session_fail(h->base.p, SILT_E_NOMEM);
	}
	http_set_own(another);
	*out = another;
	return SESSION_OK;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->easy);
	curl_slist_free_all(h->headers);
	curl_global_cleanup();
	bytes_fini(&h->base);
	bytes_fini(&h->target);
	free(h);
}

const char *http_url(const struct http *h)
{
	return h->base.p;
}

/* ---- what went wrong -------------------------------------------------------------------------------------------------------- */

struct http_trouble {
	CURLcode code;
	int status;
	const char *text;
};

static const struct http_trouble http_troubles[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, SESSION_UNREADABLE, "there is no host of this name: look at --url" },
	{ CURLE_COULDNT_RESOLVE_PROXY, SESSION_UNREADABLE, "there is no proxy of this name: look at http_proxy, https_proxy and no_proxy" },
	{ CURLE_COULDNT_CONNECT, SESSION_UNREADABLE, "nothing answers there: is the server running, and is this its port?" },
	{ CURLE_OPERATION_TIMEDOUT, SESSION_UNREADABLE, "it was silent for too long: is it overloaded? --timeout waits longer" },
	{ CURLE_PEER_FAILED_VERIFICATION, SESSION_UNREADABLE, "its certificate can't be trusted: --cacert names the authority that signed it" },
	{ CURLE_SSL_CACERT_BADFILE, SESSION_UNREADABLE, "the file that --cacert names can't be used: it has to be there, and in PEM" },
	{ CURLE_SSL_CONNECT_ERROR, SESSION_UNREADABLE, "it does not speak TLS there: is it http:// or another port?" },
	{ CURLE_GOT_NOTHING, SESSION_UNREADABLE, "it closed the connection without an answer: look whether it is still running" },
	{ CURLE_SEND_ERROR, SESSION_UNREADABLE, "the connection broke: look whether the server is still running" },
	{ CURLE_RECV_ERROR, SESSION_UNREADABLE, "the connection broke: look whether the server is still running" },
	{ CURLE_PARTIAL_FILE, SESSION_UNREADABLE, "the answer broke off in the middle: look whether the server is still running" },
	{ CURLE_HTTP2_STREAM, SESSION_UNREADABLE, "the answer broke off in the middle: look whether the server is still running" },
	{ CURLE_UNSUPPORTED_PROTOCOL, SESSION_FAILED, "this is no HTTP: look at --url" },
	{ CURLE_WEIRD_SERVER_REPLY, SESSION_FAILED, "this is no HTTP: look at --url" },
	{ CURLE_OUT_OF_MEMORY, SESSION_FAILED, "there is no memory for this" },
};

/* Did anything of the request leave? */
static bool http_was_sent(const struct http *h)
{
	long bytes = 1;

	(void)curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes > 0;
}

static void http_say_broken(const struct http *h, const struct http_request *r, const struct http_trouble *t, CURLcode code, bool doubt)
{
	const char *error = h->error[0] ? h->error : curl_easy_strerror(code);

	(void)fprintf(stderr, "siltctl: %s: ", h->base.p);
	if (stop_asked())
		(void)fputs("interrupted", stderr);
	else if (t)
		(void)fprintf(stderr, "%s (%s)", t->text, error);
	else
		(void)fputs(error, stderr);
	if (doubt)
		(void)fprintf(stderr, "; whether this %s was done is not known: look, and ask again", r->method);
	(void)fputc('\n', stderr);
}

static int http_broken(struct http *h, const struct http_request *r, CURLcode code)
{
	const struct http_trouble *t = http_troubles, *end = t + sizeof(http_troubles) / sizeof(http_troubles[0]);
	bool doubt = strcmp(r->method, "GET") != 0 && http_was_sent(h);

	if (stop_asked() && !doubt)
		return stop_status();
	while (t < end && t->code != code)
		t++;
	if (!r->quiet)
		http_say_broken(h, r, t < end ? t : NULL, code, doubt);
	if (stop_asked())
		return stop_status();
	return doubt ? SESSION_UNKNOWN : t < end ? t->status : SESSION_FAILED;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------- */

static bool http_target(struct http *h, const struct http_request *r)
{
	bytes_clear(&h->target);
	bytes_adds(&h->target, h->base.p);
	bytes_adds(&h->target, r->path);
	if (r->query && r->query->len) {
		bytes_adds(&h->target, "?");
		bytes_add(&h->target, r->query->p, r->query->len);
	}
	return bytes_add(&h->target, "", 1);
}

/* NULL: no memory. */
static struct curl_slist *http_headers(const struct http_request *r)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"), *more;    /* a 100 is not waited for */

	for (size_t i = 0; list && r->headers && r->headers[i]; i++) {
		more = curl_slist_append(list, r->headers[i]);
		if (!more)
			curl_slist_free_all(list);
		list = more;
	}
	return list;
}

static void http_prepare(struct http *h, const struct http_request *r)
{
	uint64_t silence_s = r->silence_s ? r->silence_s : h->silence_s;

	(void)curl_easy_setopt(h->easy, CURLOPT_URL, h->target.p);
	(void)curl_easy_setopt(h->easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);                     /* back from an upload */
	(void)curl_easy_setopt(h->easy, CURLOPT_UPLOAD, r->body.p ? 1L : 0L);
	if (r->body.p)
		(void)curl_easy_setopt(h->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body.len);
	(void)curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, r->method);
	(void)curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, silence_s == HTTP_WAIT_FOR_EVER ? 0L : 1L);
	(void)curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME, silence_s == HTTP_WAIT_FOR_EVER ? 0L : (long)silence_s);
}

void *http_begin(struct http *h, const struct http_request *r, struct http_answer *a)
{
	struct curl_slist *headers = http_headers(r);

	bytes_clear(&a->head);
	bytes_clear(&a->body);
	a->status = 0;
	a->to_write = strcmp(r->method, "GET") != 0;
	if (!headers || !http_target(h, r)) {
		curl_slist_free_all(headers);
		return NULL;
	}
	h->request = r;
	h->answer = a;
	h->unsent = r->body;
	h->sink_ended = h->too_large = false;
	h->error[0] = '\0';
	http_prepare(h, r);
	curl_slist_free_all(h->headers);         /* of a request that was given up */
	h->headers = headers;
	(void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
	return h->easy;
}

static int http_too_large(const struct http *h)
{
	(void)fprintf(stderr, "siltctl: %s: its answer is larger than any value: look at --url\n", h->base.p);
	return SESSION_FAILED;
}

int http_end(struct http *h, int result)
{
	CURLcode code = (CURLcode)result;

	(void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &h->answer->status);
	curl_slist_free_all(h->headers);
	h->headers = NULL;
	if (code == CURLE_WRITE_ERROR && h->sink_ended)
		return SESSION_OK;
	if (h->too_large)
		return http_too_large(h);
	if (code == CURLE_WRITE_ERROR)
		return session_fail(h->base.p, SILT_E_NOMEM);
	return code == CURLE_OK ? SESSION_OK : http_broken(h, h->request, code);
}

int http_ask(struct http *h, const struct http_request *r, struct http_answer *a)
{
	CURL *easy = http_begin(h, r, a);

	return easy ? http_end(h, (int)curl_easy_perform(easy)) : session_fail(h->base.p, SILT_E_NOMEM);
}

/* Seconds that the server asks to wait; 0 = it does not. */
static uint64_t http_retry_after(const struct http_answer *a)
{
	uint64_t seconds = 0;

	if (a->status == 429 || a->status == 503)
		(void)decimal_parse(http_header(a, "Retry-After"), HTTP_PATIENCE_S, &seconds);
	return seconds;
}

int http_ask_patiently(struct http *h, const struct http_request *r, struct http_answer *a)
{
	uint64_t left_s = HTTP_PATIENCE_S;

	for (;;) {
		int status = http_ask(h, r, a);
		uint64_t wait_s = status == SESSION_OK ? http_retry_after(a) : 0;

		if (wait_s == 0 || wait_s > left_s)
			return status;
		left_s -= wait_s;
		if (!stop_sleep(wait_s * 1000))
			return stop_status();
	}
}

/* ---- queries ------------------------------------------------------------------------------------------------------------ */

void http_query(struct bytes *query, const char *name, struct span value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

	if (query->len)
		bytes_adds(query, "&");
	bytes_adds(query, name);
	bytes_adds(query, "=");
	for (size_t i = 0; i < value.len; i++) {
		if (memchr(plain, value.p[i], sizeof(plain) - 1))
			bytes_add(query, value.p + i, 1);
		else
			bytes_addf(query, "%%%02X", (unsigned char)value.p[i]);
	}
}

void http_query_text(struct bytes *query, const char *name, const char *value)
{
	http_query(query, name, span_str(value));
}
