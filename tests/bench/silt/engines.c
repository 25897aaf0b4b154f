/* SPDX-License-Identifier: Apache-2.0 */
/* engines.c - which engines this build has: configure found their packages or did not. */
#include "engines.h"

const struct bench_engine *const bench_engines[] = {
	&engine_siltstone,
#ifdef HAVE_ROCKSDB
	&engine_rocksdb,
#endif
#ifdef HAVE_LEVELDB
	&engine_leveldb,
#endif
#ifdef HAVE_LMDB
	&engine_lmdb,
#endif
#ifdef HAVE_WIREDTIGER
	&engine_wiredtiger,
#endif
	&engine_walsync,
	&engine_nullgroup,
	NULL,
};
