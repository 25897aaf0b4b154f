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

/* "0.5" -> 500, "1" -> 1000; 0 for what is no quality. */
static unsigned media_type_thousandths(const char *p, size_t len)
{
	unsigned q = 0, digit = 1000;

	for (size_t i = 0; i < len && p[i] != ' ' && p[i] != '\t'; i++) {
		if (i == 1 && p[i] == '.')
			continue;
		if (i == 1 || i > 4 || p[i] < '0' || p[i] > '9')
			return 0;
		q += (unsigned)(p[i] - '0') * digit;
		digit /= 10;
	}
	return q <= 1000 ? q : 0;
}

/* Of one element's parameters, ";..." or nothing. */
static unsigned media_type_parameters_quality(const char *p, const char *end)
{
	while (p < end) {
		size_t len;

		p += strspn(p, "; \t");
		len = strcspn(p, ";,");
		if (p + len > end)
			break;
		if (len > 2 && (*p == 'q' || *p == 'Q') && p[1] == '=')
			return media_type_thousandths(p + 2, len - 2);
		p += len;
	}
	return 1000;
}

unsigned media_type_quality(const char *accept, const char *type)
{
	const char *p = accept != NULL ? accept : "";
	unsigned best = 0;

	while (*p != 0) {
		const char *end;
		size_t len;

		p += strspn(p, ", \t");
		end = p + strcspn(p, ",");
		len = strcspn(p, "; \t,");
		if (len > 0 && media_type_is(p, len, type)) {
			unsigned q = media_type_parameters_quality(p + len, end);

			best = q > best ? q : best;
		}
		p = end;
	}
	return best;
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
