/* SPDX-License-Identifier: Apache-2.0 */
/* engines.h - one engine a file; engines.c lists them. */
#ifndef BENCH_SILT_ENGINES_H
#define BENCH_SILT_ENGINES_H

#include "engine.h"

extern const struct bench_engine engine_siltstone;
extern const struct bench_engine engine_rocksdb;
extern const struct bench_engine engine_leveldb;
extern const struct bench_engine engine_lmdb;
extern const struct bench_engine engine_wiredtiger;
extern const struct bench_engine engine_walsync;
extern const struct bench_engine engine_nullgroup;

#endif
