/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - a password asked for on the terminal, unseen. */
#ifndef CTL_SECRET_H
#define CTL_SECRET_H

#include "util/bytes.h"

/* NUL-ended. 0, or an exit status: there is no terminal, or nothing was given, which stderr says; or a signal came. */
int secret_ask(const char *what, struct bytes *out);
/* Overwritten, then freed. */
void secret_forget(struct bytes *secret);

#endif
