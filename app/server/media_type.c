/* SPDX-License-Identifier: Apache-2.0 */
/* media_type.c - what a Content-Type says about a body. */
#include "server/media_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool media_type_is(const char *content_type, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(content_type, name, len) == 0;
}

/* "; charset=utf-8", or none at all */
static bool media_type_charset_ok(const char *parameters)
{
	const char *p = strcasestr(parameters, "charset=");

	if (p == NULL)
		return true;
	p += strlen("charset=");
	if (*p == '"')
		p++;
	return strncasecmp(p, "utf-8", 5) == 0 || strncasecmp(p, "us-ascii", 8) == 0;
}

enum media_type media_type_of(const char *content_type)
{
	const char *p = content_type;
	size_t len;

	if (p == NULL || *p == 0)
		return MEDIA_NONE;
	len = strcspn(p, "; \t");
	if (!media_type_charset_ok(p + len))
		return MEDIA_OTHER;
	if (media_type_is(p, len, "application/json"))
		return MEDIA_JSON;
	if (media_type_is(p, len, "text/plain"))
		return MEDIA_TEXT;
	return media_type_is(p, len, "application/x-www-form-urlencoded") ? MEDIA_FORM : MEDIA_OTHER;
}

bool media_type_storable(const char *content_type)
{
	size_t len = strlen(content_type);

	if (len > MEDIA_TYPE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (content_type[i] < 0x20 || content_type[i] > 0x7e)
			return false;
	return true;
}
