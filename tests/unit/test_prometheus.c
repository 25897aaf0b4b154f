/* SPDX-License-Identifier: Apache-2.0 */
/* test_prometheus.c - the header's example, exact seconds, and histograms that add up. */
#include "lib/test.h"

#include "server/traffic.h"
#include "util/prometheus.h"

static void expect_text(struct bytes *b, const char *text)
{
	bytes_add(b, "", 1);
	assert_false(b->bad);
	assert_string_equal(b->p, text);
	bytes_fini(b);
}

static void test_prometheus__worked_example(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	prometheus_family(&b, "silt_syncs_total", PROMETHEUS_COUNTER, "Syncs.");
	prometheus_sample(&b, "silt_syncs_total", "disk=\"a\"", 3);
	expect_text(&b, "# HELP silt_syncs_total Syncs.\n# TYPE silt_syncs_total counter\nsilt_syncs_total{disk=\"a\"} 3\n");
}

static void test_prometheus__seconds_are_exact(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	prometheus_sample_ns(&b, "a", NULL, 0);
	prometheus_sample_ns(&b, "a", NULL, 1);
	prometheus_sample_ns(&b, "a", NULL, 1500000000);
	prometheus_sample_ns(&b, "a", NULL, UINT64_MAX);
	prometheus_sample_ns(&b, "a", NULL, 10000000000);
	prometheus_sample_real(&b, "a", NULL, 1.25);
	prometheus_sample_real(&b, "a", NULL, 0.0 / (double)(b.len == 0));
	expect_text(&b, "a 0\na 0.000000001\na 1.5\na 18446744073.709551615\na 10\na 1.25\na NaN\n");
}

static void test_prometheus__histogram_counts_up(void **state)
{
	static const uint64_t bounds[] = { 1000, 2000000 }, counts[] = { 2, 0, 5 };
	struct prometheus_times t = { .n = 2, .bounds_ns = bounds, .counts = counts, .sum_ns = 250 };
	struct bytes b = { 0 };

	(void)state;
	prometheus_histogram(&b, "h", NULL, &t);
	prometheus_histogram(&b, "h", "k=\"v\"", &t);
	expect_text(&b, "h_bucket{le=\"0.000001\"} 2\nh_bucket{le=\"0.002\"} 2\nh_bucket{le=\"+Inf\"} 7\nh_sum 0.00000025\nh_count 7\n"
	                "h_bucket{k=\"v\",le=\"0.000001\"} 2\nh_bucket{k=\"v\",le=\"0.002\"} 2\nh_bucket{k=\"v\",le=\"+Inf\"} 7\n"
	                "h_sum{k=\"v\"} 0.00000025\nh_count{k=\"v\"} 7\n");
}

static void test_traffic__counts_by_slot_status_and_time(void **state)
{
	struct traffic *t = calloc(2, sizeof(*t));
	struct traffic_sum sum;

	(void)state;
	traffic_answered(&t[0], &(struct traffic_answer){ .slot = 3, .status = 200, .ns = 20000, .response_bytes = 10 });
	traffic_answered(&t[1], &(struct traffic_answer){ .slot = 3, .status = 200, .ns = 20001, .request_bytes = 5 });
	traffic_answered(&t[1], &(struct traffic_answer){ .slot = 3, .status = 999, .ns = UINT64_MAX / 2 });
	traffic_answered(&t[1], &(struct traffic_answer){ .slot = TRAFFIC_SLOTS + 7, .status = 404 });
	traffic_sum(t, 2, 3, &sum);
	assert_int_equal(sum.answers, 3);
	assert_int_equal(traffic_code(0), 200);
	assert_int_equal(sum.status[0], 2);
	assert_int_equal(sum.status[TRAFFIC_CODES - 1], 1);
	assert_int_equal(traffic_code(TRAFFIC_CODES - 1), 0);
	assert_int_equal(sum.bucket[0], 1);
	assert_int_equal(sum.bucket[1], 1);
	assert_int_equal(sum.bucket[TRAFFIC_BUCKETS], 1);
	assert_int_equal(sum.request_bytes, 5);
	assert_int_equal(sum.response_bytes, 10);
	traffic_sum(t, 2, 0, &sum);
	assert_int_equal(sum.answers, 1);
	for (size_t i = 1; i < TRAFFIC_BUCKETS; i++)
		assert_true(traffic_bounds_ns[i] > traffic_bounds_ns[i - 1]);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prometheus__worked_example),
		cmocka_unit_test(test_prometheus__seconds_are_exact),
		cmocka_unit_test(test_prometheus__histogram_counts_up),
		cmocka_unit_test(test_traffic__counts_by_slot_status_and_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
