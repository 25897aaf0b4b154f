/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_readings.c - what siltctl reads from elsewhere: a server's metrics, and the list of a backup. Whatever is taken can be asked after; a
 * list that is taken prints as the text that it was read from.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "util/backup_list.h"
#include "util/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_metrics(struct span text)
{
	struct metrics m = { .at_s = 1 }, none = { 0 };

	assert(bytes_add(&m.text, text.p, text.len));
	if (metrics_parse(&m)) {
		for (size_t i = 0; i < m.n; i++)
			assert(m.samples[i].name.len > 0 && metrics_label(&m.samples[i], "le").len <= m.samples[i].labels.len);
		(void)metrics_rate(&none, &m, "a", "!x");
		(void)metrics_quantile(&none, &m, "h", "", 0.99);
		(void)metrics_quantile(&m, &m, "h", "r", 0.5);
	}
	metrics_fini(&m);
}

static void fuzz_list(struct span text)
{
	struct bytes again = { 0 };
	struct backup_list l;
	size_t line;

	if (backup_list_parse(&l, text, &line)) {
		for (size_t i = 0; i < l.n; i++)
			assert(backup_list_name_ok(l.files[i].name));
		backup_list_print(&l, &again);
		assert(again.len == text.len);
	}
	backup_list_fini(&l);
	bytes_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);

	fuzz_metrics(text);
	fuzz_list(text);
	return 0;
}
