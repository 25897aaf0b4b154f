/* SPDX-License-Identifier: Apache-2.0 */
/* input.h - a file, or stdin, read piece by piece: what is at hand can be looked at until it is taken. */
#ifndef CTL_INPUT_H
#define CTL_INPUT_H

#include "util/bytes.h"

struct input;

/* path "-" = stdin. All return an exit status; what went wrong was said. */
int input_open(const char *path, struct input **out);
void input_close(struct input *in);           /* NULL is fine */
const char *input_name(const struct input *in);
/* What is at hand and not taken yet; borrowed until input_more() or input_take(). */
struct span input_at_hand(const struct input *in);
/* Reads more behind that. *ended: there is nothing more. */
int input_more(struct input *in, bool *ended);
void input_take(struct input *in, size_t n);
/* At the beginning: a byte order mark, which some editors put there, is taken. */
int input_take_mark(struct input *in);
/* Bytes taken, and in all: 0 = not known. */
uint64_t input_taken(const struct input *in);
uint64_t input_size(const struct input *in);

/* What is at hand is never more than the longest line that an entry can be. */
#define INPUT_MAX (384u << 20)

#endif
