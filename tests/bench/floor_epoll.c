/* SPDX-License-Identifier: Apache-2.0 */
/* floor_epoll.c - answers every request with the same 100 bytes: what nginx, the socket and libfcgi cost without a store. */
#include "floor.h"

#include <stddef.h>

static bool floor_epoll_answer(struct floor_call *c)
{
	static const char answer[] = "Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\n"
	                             "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

	(void)FCGX_GetParam("REQUEST_URI", c->r.envp);
	FCGX_PutStr(answer, sizeof(answer) - 1, c->r.out);
	return true;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;

	return floor_main(argc, argv, &dir, NULL, floor_epoll_answer);
}
