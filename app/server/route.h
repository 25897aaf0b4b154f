/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - from (SCRIPT_NAME, method) to a handler, after the checks that hold for every route: host,
   origin, role, path form. */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "server/request.h"

/* Fills r->response and returns ROUTE_DONE, or says who goes on with it (request.h). Never blocks unless
   r->may_block. */
enum route_result route_dispatch(struct request *r);

#endif
