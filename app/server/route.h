/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - from (SCRIPT_NAME, method) to a handler, after the checks that hold for every route: host,
   origin, role, path form. */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "server/request.h"

/* Fills r->response and returns ROUTE_DONE, or says who goes on with it (request.h). Never blocks unless
   r->may_block. */
enum route_result route_dispatch(struct request *r);

/*
 * The table's (route, method) pairs by number, for those who count them or compare them with what is documented: request.slot is
 * one. Slot 0 is what no route took: "", "other". False: nothing has this number.
 */
size_t route_slots(void);
bool route_slot(size_t slot, const char **route, const char **method);

#endif
