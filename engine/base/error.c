/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - the codes' names, and the library's. */
#include <siltstone.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"           /* compiled without configure */
#endif

const char *silt_strerror(int code)
{
	switch ((enum silt_code)code) {
	case SILT_OK:          return "SILT_OK";
	case SILT_NOTFOUND:    return "SILT_NOTFOUND";
	case SILT_CONFLICT:    return "SILT_CONFLICT";
	case SILT_TRY_AGAIN:   return "SILT_TRY_AGAIN";
	case SILT_WOULD_BLOCK: return "SILT_WOULD_BLOCK";
	case SILT_END:         return "SILT_END";
	case SILT_OVERFLOW:    return "SILT_OVERFLOW";
	case SILT_NO_COUNTER:  return "SILT_NO_COUNTER";
	case SILT_E_IO:        return "SILT_E_IO";
	case SILT_E_CORRUPT:   return "SILT_E_CORRUPT";
	case SILT_E_NOSPACE:   return "SILT_E_NOSPACE";
	case SILT_E_NOMEM:     return "SILT_E_NOMEM";
	case SILT_E_BUSY:      return "SILT_E_BUSY";
	case SILT_E_MISUSE:    return "SILT_E_MISUSE";
	case SILT_E_TOOBIG:    return "SILT_E_TOOBIG";
	case SILT_E_VERSION:   return "SILT_E_VERSION";
	case SILT_E_EXPIRED:   return "SILT_E_EXPIRED";
	case SILT_E_FAULT:     return "SILT_E_FAULT";
	case SILT_E_CLOSED:    return "SILT_E_CLOSED";
	}
	return "unknown code";
}

const char *silt_version(void)
{
	return PACKAGE_VERSION;
}
