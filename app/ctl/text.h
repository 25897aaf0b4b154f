/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - any bytes as one field of one line, and back.
 *
 * Escapes   \\ \t \n \r as usual; \xNN for every other control byte and for what is not UTF-8. All else stands for itself.
 * Example   61 09 c3 a9 ff  ->  a\té\xff
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include "util/bytes.h"

#include <stdio.h>

enum { TEXT_SIZE = 32 };

void text_escape(struct span in, struct bytes *out);
/* Appends what was escaped. False: *bad_at is where the text has no such escape, or out->bad. */
bool text_unescape(struct span in, struct bytes *out, size_t *bad_at);
/* What others sent, as part of a message: escaped, so that it can't be more than that on a terminal. Lack of memory leaves it out. */
void text_show(FILE *f, struct span s);
/* "12.3 MiB" into out[TEXT_SIZE]. */
const char *text_size(uint64_t bytes, char *out);

#endif
