/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem.h - every answer that says no: problem details (RFC 9457), application/problem+json.
 *
 * Example   {"type":"urn:siltstone:problem:no-such-key","title":"There is no such key","status":404,
 *            "detail":"...","key":"a/b","id":"5f.."}
 * Rules     The type is for programs and never changes its meaning; detail is for people. problem_set()
 *           first, which throws away what the response held, then members and headers (Allow, ETag).
 */
#ifndef SERVER_PROBLEM_H
#define SERVER_PROBLEM_H

#include "server/request.h"

#define PROBLEM_TYPE(slug) "urn:siltstone:problem:" slug

#define PROBLEM_BAD_PATH         PROBLEM_TYPE("bad-path")              /* 400 */
#define PROBLEM_BAD_KEY          PROBLEM_TYPE("bad-key")               /* 400 */
#define PROBLEM_BAD_QUERY        PROBLEM_TYPE("bad-query")             /* 400 */
#define PROBLEM_BAD_HEADER       PROBLEM_TYPE("bad-header")            /* 400 */
#define PROBLEM_BAD_CONDITION    PROBLEM_TYPE("bad-condition")         /* 400 */
#define PROBLEM_BAD_BODY         PROBLEM_TYPE("bad-body")              /* 400 */
#define PROBLEM_BAD_JSON         PROBLEM_TYPE("bad-json")              /* 400, with offset */
#define PROBLEM_FORBIDDEN        PROBLEM_TYPE("forbidden")             /* 403: the role */
#define PROBLEM_OUTSIDE_PREFIX   PROBLEM_TYPE("outside-prefix")        /* 403: the keys a client is held to */
#define PROBLEM_CROSS_SITE       PROBLEM_TYPE("cross-site")            /* 403: a page elsewhere, or a prefetch */
#define PROBLEM_NO_SUCH_KEY      PROBLEM_TYPE("no-such-key")           /* 404 */
#define PROBLEM_NO_SUCH_ROUTE    PROBLEM_TYPE("no-such-route")         /* 404 */
#define PROBLEM_METHOD           PROBLEM_TYPE("method-not-allowed")    /* 405, with Allow */
#define PROBLEM_NO_COUNTER       PROBLEM_TYPE("not-a-counter")         /* 409, with version */
#define PROBLEM_OVERFLOW         PROBLEM_TYPE("counter-overflow")      /* 409, with version */
#define PROBLEM_CHANGES_GONE     PROBLEM_TYPE("changes-gone")          /* 410, with oldest and newest */
#define PROBLEM_NO_SUCH_CHECKPOINT PROBLEM_TYPE("no-such-checkpoint")  /* 404 */
#define PROBLEM_NO_SUCH_JOB      PROBLEM_TYPE("no-such-job")           /* 404 */
#define PROBLEM_CHECKPOINT_EXISTS PROBLEM_TYPE("checkpoint-exists")    /* 409 */
#define PROBLEM_TOO_MANY_JOBS    PROBLEM_TYPE("too-many-jobs")         /* 503 */
#define PROBLEM_CONDITION_FAILED PROBLEM_TYPE("condition-failed")      /* 412, with version and ETag */
#define PROBLEM_TOO_LARGE        PROBLEM_TYPE("too-large")             /* 413, with limit */
#define PROBLEM_MEDIA_TYPE       PROBLEM_TYPE("unsupported-media-type")/* 415 */
#define PROBLEM_WRONG_HOST       PROBLEM_TYPE("wrong-host")            /* 421 */
#define PROBLEM_INTERNAL         PROBLEM_TYPE("internal")              /* 500 */
#define PROBLEM_MISCONFIGURED    PROBLEM_TYPE("misconfigured")         /* 500: nginx does not say what we must know */
#define PROBLEM_DAMAGED          PROBLEM_TYPE("damaged")               /* 500: bytes on the disk failed their check */
#define PROBLEM_IO               PROBLEM_TYPE("io-error")              /* 500 */
#define PROBLEM_NOT_IMPLEMENTED  PROBLEM_TYPE("not-implemented")       /* 501 */
#define PROBLEM_SHUTTING_DOWN    PROBLEM_TYPE("shutting-down")         /* 503; all 503 with Retry-After */
#define PROBLEM_STALLED          PROBLEM_TYPE("write-stall")           /* 503 */
#define PROBLEM_TOO_MANY_PARKED  PROBLEM_TYPE("too-many-parked")       /* 503 */
#define PROBLEM_TOO_MANY_STREAMS PROBLEM_TYPE("too-many-streams")      /* 503 */
#define PROBLEM_TOO_SLOW         PROBLEM_TYPE("too-slow")              /* 503: as the last line of a list */
#define PROBLEM_CONTENDED        PROBLEM_TYPE("contended")             /* 503 */
#define PROBLEM_READ_ONLY        PROBLEM_TYPE("read-only")             /* 503: after a disk fault */
#define PROBLEM_NO_MEMORY        PROBLEM_TYPE("out-of-memory")         /* 503 */
#define PROBLEM_DISK_FULL        PROBLEM_TYPE("disk-full")             /* 507 */

void problem_set(struct request *r, int status, const char *type, const char *detail_format, ...)
	__attribute__((format(printf, 4, 5)));
void problem_key(struct request *r, struct span key);     /* "key", with "key_encoding" where it is not text */
void problem_number(struct request *r, const char *name, uint64_t n);        /* "offset", "limit", "version" */
void problem_text(struct request *r, const char *name, const char *text);    /* "outcome" */

/* The detail as printed, for the log; empty where the answer is no problem. */
struct span problem_detail(const struct request *r);

/* What a store's failure means to the client. queued: it came after the write was accepted, so a 500 leaves
   its outcome unknown. */
void problem_store(struct request *r, int store_code, bool queued);

#endif
