/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - what the store says of itself: numbers, latencies, what writes waited for. */
#include <siltstone.h>
#include <inttypes.h>
#include <stdio.h>

static void print_latency(silt_db *db, const char *name, enum silt_histogram_kind kind)
{
	struct silt_histogram h;

	if (silt_histogram(db, kind, &h) == 0 && h.count)
		printf("%-12s %8" PRIu64 " measured, p50 %" PRIu64 " us, p99 %" PRIu64 " us, most %" PRIu64 " us\n", name, h.count,
		       silt_histogram_quantile(&h, 0.5) / 1000, silt_histogram_quantile(&h, 0.99) / 1000, h.max / 1000);
}

int main(int argc, char **argv)
{
	struct silt_buf value = { NULL, 0, 0 };
	struct silt_stats s;
	silt_db *db;
	int rc = 0;

	if (argc != 2 || silt_open(argv[1], NULL, &db) != 0)
		return 1;
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = silt_put(db, (struct silt_slice){ "key", 3 }, (struct silt_slice){ "value", 5 }, NULL);
	for (int i = 0; i < 1000 && rc == 0; i++)
		rc = silt_get(db, (struct silt_slice){ "key", 3 }, NULL, 0, &value, NULL);
	silt_buf_free(&value);
	silt_stats(db, &s);
	printf("%" PRIu64 " writes, %" PRIu64 " gets, memtables of %" PRIu64 " bytes; written %.2f times\n", s.writes, s.gets,
	       s.memtable_bytes, s.write_amplification);
	for (int i = 0; i < SILT_STALLS; i++)
		if (s.stalls_by[i])
			printf("stalled %" PRIu64 " times by %s\n", s.stalls_by[i], silt_stall_name((enum silt_stall)i));
	print_latency(db, "sync", SILT_HISTOGRAM_SYNC);
	print_latency(db, "write", SILT_HISTOGRAM_WRITE);
	print_latency(db, "get", SILT_HISTOGRAM_GET);
	return silt_close(db) != 0 || rc != 0 || s.writes != 100 || s.gets != 1000;
}
