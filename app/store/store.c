/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the names of what a store answers. */
#include "store/store.h"

const char *store_strerror(int code)
{
	switch (code) {
	case STORE_OK: return "ok";
	case STORE_NOTFOUND: return "no such key";
	case STORE_CONFLICT: return "a condition does not hold";
	case STORE_WOULD_BLOCK: return "the answer is not in memory";
	case STORE_TRY_AGAIN: return "ask again";
	case STORE_OVERFLOW: return "the sum is no 64-bit integer";
	case STORE_NO_COUNTER: return "the value is no integer";
	case STORE_E_IO: return "the disk failed";
	case STORE_E_CORRUPT: return "stored bytes failed their check";
	case STORE_E_NOSPACE: return "the disk is full";
	case STORE_E_NOMEM: return "out of memory";
	case STORE_E_BUSY: return "busy";
	case STORE_E_TOOBIG: return "too large";
	case STORE_E_FAULT: return "read-only after a disk fault";
	case STORE_E_CLOSED: return "closing";
	case STORE_E_GONE: return "no longer in the log";
	case STORE_E_UNSUPPORTED: return "not supported";
	default: return "internal error";
	}
}
