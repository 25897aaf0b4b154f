/* SPDX-License-Identifier: Apache-2.0 */
/* media_type.h - what a Content-Type says about a body. */
#ifndef SERVER_MEDIA_TYPE_H
#define SERVER_MEDIA_TYPE_H

#include <stdbool.h>

#define MEDIA_TYPE_BYTES_MAX 255

enum media_type { MEDIA_NONE, MEDIA_JSON, MEDIA_TEXT, MEDIA_FORM, MEDIA_OTHER };

/* By the type alone; a charset that is neither UTF-8 nor ASCII makes it MEDIA_OTHER. NULL and "" are
   MEDIA_NONE. */
enum media_type media_type_of(const char *content_type);
/* How welcome a type is that an Accept header names, in thousandths: "a/b;q=0.5" is 500. 0 where it is not named, whatever
   wildcards are there: for what is sent only to those who ask for it. */
unsigned media_type_quality(const char *accept, const char *type);
/* May it be kept with a value and sent as a header again? At most 255 visible ASCII bytes and blanks. */
bool media_type_storable(const char *content_type);

#endif
