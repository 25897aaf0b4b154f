/* SPDX-License-Identifier: Apache-2.0 */
/* top_frame.h - two readings of a server's metrics as a picture, a line of a list, or JSON. Pure. */
#ifndef CTL_TOP_FRAME_H
#define CTL_TOP_FRAME_H

#include "util/metrics.h"

/* Lines without colour or with, for a terminal. */
void top_frame_print(struct bytes *out, const struct metrics *old, const struct metrics *new, bool colour);
/* The heads of the columns; one line of them. */
void top_frame_heads(struct bytes *out);
void top_frame_line(struct bytes *out, const struct metrics *old, const struct metrics *new, const char *time);
void top_frame_json(struct bytes *out, const struct metrics *old, const struct metrics *new, const char *time);

#endif
