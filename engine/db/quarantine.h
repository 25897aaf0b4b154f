/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine.h - the place for what is not deleted in doubt. Nothing in it is overwritten: a name that is taken gets .1, .2. */
#ifndef DB_QUARANTINE_H
#define DB_QUARANTINE_H

#include "core/env.h"

/* quarantine/ itself, durable before anything is in it: its own name could be lost, and what was moved there with it. dir has
 * room for FILENAME_MAX_BYTES. */
int quarantine_make(struct env *env, char *dir) SILT_MUST_CHECK;
/* A free path in it for the file of that name; out has room for FILENAME_MAX_BYTES. */
int quarantine_path(struct env *env, const char *name, char *out) SILT_MUST_CHECK;

#endif
