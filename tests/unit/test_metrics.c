/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - Prometheus' text read, and what two readings say about the time between. */
#include "lib/test.h"

#include "util/metrics.h"

static bool parse(struct metrics *m, const char *text, double at_s)
{
	bytes_clear(&m->text);
	assert_true(bytes_adds(&m->text, text));
	m->at_s = at_s;
	return metrics_parse(m);
}

static void test_metrics__lines_are_taken_apart(void **state)
{
	struct metrics m = { 0 };

	(void)state;
	assert_true(parse(&m, "# HELP a What\n# TYPE a counter\na 1\n\nb{x=\"1\",y=\"}\\\"{\"} 2.5e3 1700000000000\nb{x=\"2\"} 7\nc -Inf\n", 0));
	assert_int_equal(m.n, 4);
	assert_true(metrics_value(&m, "a", "") == 1);
	assert_true(metrics_value(&m, "b", "") == 2507);
	assert_true(metrics_value(&m, "b", "x=\"2\"") == 7);
	assert_true(metrics_value(&m, "b", "!x=\"2\"") == 2500);
	assert_true(metrics_value(&m, "none", "") == 0);
	assert_true(span_eq(metrics_label(&m.samples[1], "x"), "1"));
	assert_int_equal(metrics_label(&m.samples[1], "z").len, 0);
	assert_int_equal(metrics_label(&m.samples[0], "x").len, 0);
	metrics_fini(&m);
}

static void test_metrics__what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "\n", "# only words\n", "a\n", "a \n", "a x\n", "a 1", " 1\n", "{x=\"1\"} 1\n", "a{x=\"1\" 1\n", "a{x=\"}\n", "<html>\n",
		"a{x=\"1\"}1\n",
	};
	struct metrics m = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(&m, bad[i], 0))
			fail_msg("taken: %s", bad[i]);
	metrics_fini(&m);
}

static void test_metrics__rates_are_by_the_second_also_over_a_restart(void **state)
{
	struct metrics old = { 0 }, new = { 0 };

	(void)state;
	assert_true(parse(&old, "n{r=\"a\"} 100\nn{r=\"b\"} 10\n", 5));
	assert_true(parse(&new, "n{r=\"a\"} 120\nn{r=\"b\"} 10\nn{r=\"c\"} 4\n", 7));
	assert_true(metrics_rate(&old, &new, "n", "") == 12);
	assert_true(metrics_rate(&old, &new, "n", "r=\"c\"") == 2);
	assert_true(parse(&new, "n{r=\"a\"} 6\n", 7));
	assert_true(metrics_rate(&old, &new, "n", "") == 3);
	assert_true(metrics_rate(&old, &old, "n", "") == 0);
	metrics_fini(&old);
	metrics_fini(&new);
}

#define H(route, a, b, inf) \
	"h_bucket{route=\"" route "\",le=\"0.01\"} " a "\nh_bucket{route=\"" route "\",le=\"0.1\"} " b "\nh_bucket{route=\"" route \
	"\",le=\"+Inf\"} " inf "\n"

static void test_metrics__quantiles_are_of_what_came_between(void **state)
{
	struct metrics old = { 0 }, new = { 0 };

	(void)state;
	assert_true(parse(&old, H("/x", "100", "100", "100") H("/y", "0", "0", "0"), 1));
	assert_true(parse(&new, H("/x", "100", "200", "200") H("/y", "0", "0", "50"), 2));
	assert_float_equal(metrics_quantile(&old, &new, "h", "route=\"/x\"", 0.5), 0.055, 1e-6);
	assert_float_equal(metrics_quantile(&old, &new, "h", "route=\"/y\"", 0.5), 0.1, 1e-6);     /* beyond the last bound */
	assert_float_equal(metrics_quantile(&old, &new, "h", "!/y", 1), 0.1, 1e-6);
	assert_float_equal(metrics_quantile(&old, &new, "h", "", 0.99), 0.1, 1e-6);
	assert_float_equal(metrics_quantile(&new, &new, "h", "", 0.5), 0, 1e-6);
	assert_float_equal(metrics_quantile(&old, &new, "none", "", 0.5), 0, 1e-6);
	assert_float_equal(metrics_quantile(&new, &old, "h", "route=\"/x\"", 1), 0.01, 1e-6);      /* began anew: all of it counts */
	metrics_fini(&old);
	metrics_fini(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics__lines_are_taken_apart),
		cmocka_unit_test(test_metrics__what_is_none_is_refused),
		cmocka_unit_test(test_metrics__rates_are_by_the_second_also_over_a_restart),
		cmocka_unit_test(test_metrics__quantiles_are_of_what_came_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
