/* SPDX-License-Identifier: Apache-2.0 */
/* test_server_options.c - what the responder is told: defaults, file, flags, and every way to be told wrongly. */
#include "lib/test.h"

#include "server/options.h"
#include "server/options_keys.h"

#include <siltstone.h>

static char options_error[OPTIONS_ERROR_MAX];

/* argv without its first element, which is the program. */
static int options_load_args(struct options *o, const char *const *args)
{
	char *argv[32] = { (char *)(uintptr_t)"siltstone" };
	int argc = 1;

	for (; *args != NULL; args++)
		argv[argc++] = (char *)(uintptr_t)*args;
	return options_load(o, argc, argv, options_error);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static void options_expect_error(const char *const *args, const char *message)
{
	struct options o;

	options_error[0] = '\0';
	assert_int_equal(options_load_args(&o, args), -1);
	assert_string_equal(options_error, message);
	options_fini(&o);
}

static void test_server_options__defaults_are_the_engines(void **state)
{
	struct silt_options e;
	struct options o;

	(void)state;
	silt_options_init(&e);
	assert_int_equal(options_load_args(&o, ARGS()), 0);
	assert_int_equal(o.action, OPTIONS_RUN);
	assert_int_equal(o.memory, e.memory);
	assert_int_equal(o.memtable_size, e.memtable_size);
	assert_int_equal(o.wal_segment_size, e.wal_segment_size);
	assert_int_equal(o.flush_interval, e.flush_interval_ms);
	assert_int_equal(o.filter_bits_per_key, e.filter_bits_per_key);
	assert_int_equal(o.block_size, e.block_size);
	assert_int_equal(o.table_size, e.table_size);
	assert_int_equal(o.compaction_trigger, e.compaction_trigger);
	assert_int_equal(o.compaction_interval, e.compaction_interval_ms);
	assert_int_equal(o.level_base_size, e.level_base_size);
	assert_int_equal(o.compression, e.compression);
	assert_int_equal(o.compression_bottom, e.compression_bottom);
	assert_int_equal(o.sync_interval, e.sync_interval_ms);
	assert_int_equal(o.min_free_space, e.min_free_space);
	assert_true(o.max_value_size <= o.wal_segment_size / 2);
	assert_string_equal(o.listen, "");
	assert_int_equal(o.listen_mode, 0660);
	assert_int_equal(o.log_level, 6);
	assert_string_equal(o.host_list[0], "localhost");
	assert_string_equal(o.host_list[1], "127.0.0.1");
	assert_string_equal(o.host_list[2], "[::1]");
	assert_null(o.host_list[3]);
	options_fini(&o);
}

static void test_server_options__every_key_is_a_flag(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(options_load_args(&o, ARGS("--db", "/d", "--listen=unix:/s", "--memtable-size", "1M", "--flush-interval=5m",
		"--filter-bits-per-key", "0", "--compression", "none", "--compression-bottom", "lz4", "--durability=async",
		"--listen-mode", "600", "--hosts", " a ,b,, c ", "--log-level", "debug", "--sync-interval", "250ms",
		"--request-timeout", "1s", "--max-parked=1")), 0);
	assert_string_equal(o.db, "/d");
	assert_string_equal(o.listen, "unix:/s");
	assert_int_equal(o.memtable_size, 1 << 20);
	assert_int_equal(o.flush_interval, 300000);
	assert_int_equal(o.filter_bits_per_key, 0);
	assert_int_equal(o.compression, 0);
	assert_int_equal(o.compression_bottom, 1);
	assert_int_equal(o.durability, 1);
	assert_int_equal(o.listen_mode, 0600);
	assert_string_equal(o.host_list[0], "a");
	assert_string_equal(o.host_list[1], "b");
	assert_string_equal(o.host_list[2], "c");
	assert_null(o.host_list[3]);
	assert_int_equal(o.log_level, 7);
	assert_int_equal(o.sync_interval, 250);
	assert_int_equal(o.max_parked, 1);
	options_fini(&o);
	assert_int_equal(options_load_args(&o, ARGS("--hosts=*")), 0);
	assert_null(o.host_list);
	options_fini(&o);
}

static void test_server_options__sizes_and_times(void **state)
{
	static const struct {
		const char *flag, *value;
		uint64_t expected;            /* 0 = refused */
	} cases[] = {
		{ "--memory", "8388608", 8388608 },    { "--memory", "8M", 8388608 },         { "--memory", "8192K", 8388608 },
		{ "--memory", "1G", 1073741824 },      { "--memory", "1024G", 1099511627776 }, { "--memory", "1025G", 0 },
		{ "--memory", "8388607", 0 },          { "--memory", "64m", 0 },              { "--memory", "64 M", 0 },
		{ "--memory", "64MB", 0 },             { "--memory", "-64M", 0 },             { "--memory", "+64M", 0 },
		{ "--memory", "0x40000000", 0 },       { "--memory", "1e9", 0 },              { "--memory", "", 0 },
		{ "--memory", "M", 0 },                { "--memory", "18446744073709551616", 0 },
		{ "--memory", "18446744073709551615G", 0 }, { "--memory", "17179869184G", 0 },
		{ "--compaction-interval", "1s", 1000 },    { "--compaction-interval", "1000ms", 1000 },
		{ "--compaction-interval", "2m", 120000 },  { "--compaction-interval", "24h", 86400000 },
		{ "--compaction-interval", "1d", 86400000 }, { "--compaction-interval", "2d", 0 },
		{ "--compaction-interval", "999ms", 0 },    { "--compaction-interval", "30", 0 },     /* of what? */
		{ "--compaction-interval", "1s ", 0 },      { "--compaction-interval", "1.5s", 0 },
		{ "--compaction-trigger", "2", 2 },         { "--compaction-trigger", "64", 64 },
		{ "--compaction-trigger", "1", 0 },         { "--compaction-trigger", "4K", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		int rc = options_load_args(&o, ARGS(cases[i].flag, cases[i].value));
		uint64_t got = cases[i].flag[2] == 'm' ? o.memory : cases[i].flag[13] == 'i' ? o.compaction_interval
		                                                                             : o.compaction_trigger;

		if (rc != (cases[i].expected == 0 ? -1 : 0) || (rc == 0 && got != cases[i].expected))
			fail_msg("%s %s: %d, %llu", cases[i].flag, cases[i].value, rc, (unsigned long long)got);
		options_fini(&o);
	}
}

static void options_set_bound(const struct options_key *k, uint64_t n, bool good)
{
	char value[32], error[OPTIONS_ERROR_MAX], low[32], high[32], range[96];
	struct options o = { 0 };

	snprintf(value, sizeof(value), k->kind == OPTIONS_TIME ? "%llums" : "%llu", (unsigned long long)n);
	assert_int_equal(options_keys_set(&o, k, value, error), good ? 0 : -1);
	if (good) {
		assert_true(*options_keys_number(&o, k) == n);
		return;
	}
	options_keys_format(k, k->min, low, sizeof(low));
	options_keys_format(k, k->max, high, sizeof(high));
	snprintf(range, sizeof(range), "is not between %s and %s", low, high);
	if (strncmp(error, k->name, strlen(k->name)) != 0 || strstr(error, range) == NULL)
		fail_msg("%s=%s: %s", k->name, value, error);
}

/* At each end, and one past it; which the manual's ranges are held to by tests/structure/man_pages.sh. */
static void test_server_options__each_range_holds_at_both_ends(void **state)
{
	unsigned ranges = 0;

	(void)state;
	for (size_t i = 0; i < OPTIONS_KEYS; i++) {
		const struct options_key *k = &options_keys[i];

		if (k->kind != OPTIONS_SIZE && k->kind != OPTIONS_TIME && k->kind != OPTIONS_COUNT)
			continue;
		ranges++;
		assert_true(k->min < k->max);
		options_set_bound(k, k->min, true);
		options_set_bound(k, k->max, true);
		options_set_bound(k, k->max + 1, false);
		if (k->min > 0)
			options_set_bound(k, k->min - 1, false);
	}
	assert_true(ranges > 25);
}

static void test_server_options__errors_of_flags(void **state)
{
	(void)state;
	options_expect_error(ARGS("--nonsense"), "unknown option '--nonsense'");
	options_expect_error(ARGS("--memory"), "option '--memory' needs a value");
	options_expect_error(ARGS("stray"), "'stray' is no option");
	options_expect_error(ARGS("--db", "/d", "stray"), "'stray' is no option");
	options_expect_error(ARGS("-x"), "unknown option '-x'");
	options_expect_error(ARGS("--memory", "lots"), "--memory: 'lots' is not a size like 4096, 64K, 64M or 2G");
	options_expect_error(ARGS("--memory=1M"), "--memory: 1M is not between 8M and 1024G");
	options_expect_error(ARGS("--compression", "gzip"), "--compression: 'gzip' is none of none, lz4, zstd");
	options_expect_error(ARGS("--listen-mode", "0888"), "--listen-mode: '0888' is not permissions like 0660");
	options_expect_error(ARGS("--listen-mode", "4755"), "--listen-mode: 4755 is not between 0000 and 0777");
	options_expect_error(ARGS("--db="), "db: the directory of the store must not be empty");
	options_expect_error(ARGS("--hosts="), "hosts: empty would refuse every request; * = any host");
	options_expect_error(ARGS("--max-request-size", "1M"), "max_request_size: smaller than max_value_size");
	options_expect_error(ARGS("--config", "/none/here"), "/none/here: No such file or directory");
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static char *options_file(const char *dir, const char *text)
{
	char *path = malloc(strlen(dir) + 8);
	FILE *f;

	sprintf(path, "%s/conf", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	return path;
}

static void test_server_options__a_file_and_flags_over_it(void **state)
{
	char *dir = test_mkdir();
	char *path = options_file(dir, "# a comment\n; another\n\n  memtable_size = 2M   \n[siltstone]\ndb=/from/file\n"
	                               "\tflush_interval = 10s\nhosts = a, b\nlisten = unix:/a#b\n");
	struct options o;

	(void)state;
	assert_int_equal(options_load_args(&o, ARGS("--flush-interval", "20s", "--config", path)), 0);
	assert_int_equal(o.memtable_size, 2 << 20);
	assert_string_equal(o.db, "/from/file");
	assert_int_equal(o.flush_interval, 20000);
	assert_string_equal(o.host_list[1], "b");
	assert_string_equal(o.listen, "unix:/a#b");
	assert_string_equal(o.config, path);
	options_fini(&o);
	free(path);
	test_rmdir(dir);
}

static void test_server_options__errors_of_files_name_the_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "db = /d\n\nmemtablesize = 1M\n", "3: unknown key 'memtablesize'" },
		{ "memtable-size = 1M\n", "1: unknown key 'memtable-size'" },
		{ "memory = 64M\n# x\nmemory = 64M\n", "3: repeated key 'memory'" },
		{ "memory = 64M\n  memory = 64M\n", "2: repeated key 'memory'" },
		{ "memory = much\n", "1: memory: 'much' is not a size like 4096, 64K, 64M or 2G" },
		{ "\n\nmemory = 4M\nnonsense\n", "3: memory: 4M is not between 8M and 1024G" },
		{ "nonsense\nmemory = 4M\n", "1: not 'key = value'" },
		{ "db = /d\nnonsense\n", "2: not 'key = value'" },
		{ "[other]\ndb = /d\n", "2: unknown section 'other'" },
		{ "[siltstone\ndb = /d\n", "1: not 'key = value'" },
		{ "config = /other\n", "1: unknown key 'config'" },
		{ "memory =\n", "1: memory: '' is not a size like 4096, 64K, 64M or 2G" },
	};
	char *dir = test_mkdir();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = options_file(dir, cases[i].text);
		char message[1200];

		snprintf(message, sizeof(message), "%s:%s", path, cases[i].message);
		options_expect_error(ARGS("--config", path), message);
		free(path);
	}
	test_rmdir(dir);
}

static void test_server_options__a_line_too_long_is_not_cut(void **state)
{
	char *dir = test_mkdir();
	char text[1000] = "db = /d\nhosts = ";
	char *path;
	struct options o;

	(void)state;
	memset(text + strlen(text), 'h', 500);
	strcat(text, "\n");
	path = options_file(dir, text);
	assert_int_equal(options_load_args(&o, ARGS("--config", path)), -1);
	assert_non_null(strstr(options_error, "conf:2: line too long"));
	options_fini(&o);
	free(path);
	test_rmdir(dir);
}

static void test_server_options__hostile_files_end_in_an_error_or_not(void **state)
{
	static const char alphabet[] = "ab=[]#; \t\n\r\0\xff:memory64M\"'\\";
	uint64_t seed = test_seed(99);
	char *dir = test_mkdir();

	(void)state;
	for (unsigned i = 0; i < 500 * test_scale(); i++) {
		char text[400];
		struct options o;
		char *path;
		size_t n = test_random(&seed) % (sizeof(text) - 1);

		for (size_t k = 0; k < n; k++)
			text[k] = alphabet[test_random(&seed) % (sizeof(alphabet) - 1)];
		text[n] = '\0';
		path = options_file(dir, text);
		if (options_load_args(&o, ARGS("--config", path)) < 0)
			assert_true(strlen(options_error) > 0);
		options_fini(&o);
		free(path);
	}
	test_rmdir(dir);
}

/* ---- printing ---------------------------------------------------------------------------------------------------------- */

static void test_server_options__actions(void **state)
{
	static const struct {
		const char *flag;
		enum options_action action;
	} cases[] = { { "--check-config", OPTIONS_CHECK }, { "--version", OPTIONS_VERSION }, { "--help", OPTIONS_HELP } };
	struct options o;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(options_load_args(&o, ARGS("--db", "/d", cases[i].flag)), 0);
		assert_int_equal(o.action, cases[i].action);
		options_fini(&o);
	}
	assert_int_equal(options_load_args(&o, ARGS("--help", "--config", "/none/here")), 0);
	options_fini(&o);
	options_expect_error(ARGS("--check-config", "--config", "/none/here"), "/none/here: No such file or directory");
}

static char *options_printed(void (*print)(const struct options *o, FILE *f), const struct options *o)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	print(o, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void options_print_help(const struct options *o, FILE *f)
{
	(void)o;
	options_help(f);
}

/* What is printed can be read back, and then prints the same. */
static void test_server_options__what_is_printed_is_a_configuration(void **state)
{
	char *dir = test_mkdir();
	struct options o;
	char *first, *second, *path;

	(void)state;
	assert_int_equal(options_load_args(&o, ARGS("--memory", "100000000", "--sync-interval", "1500ms", "--listen-mode=0600",
	                                            "--flush-interval", "90s")), 0);
	first = options_printed(options_print, &o);
	options_fini(&o);
	assert_non_null(strstr(first, "memory = 100000000\n"));
	assert_non_null(strstr(first, "sync_interval = 1500ms\n"));
	assert_non_null(strstr(first, "flush_interval = 90s\n"));
	path = options_file(dir, first);
	assert_int_equal(options_load_args(&o, ARGS("--config", path)), 0);
	second = options_printed(options_print, &o);
	assert_string_equal(first, second);
	options_fini(&o);
	free(first);
	free(second);
	free(path);
	test_rmdir(dir);
}

static void test_server_options__help_names_every_flag_and_its_default(void **state)
{
	struct options o;
	char *help = options_printed(options_print_help, NULL);
	char *values, *line, *rest;

	(void)state;
	assert_int_equal(options_load_args(&o, ARGS()), 0);
	values = options_printed(options_print, &o);
	for (line = strtok_r(values, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *equals = strstr(line, " = ");
		char flag[64], fallback[128];
		const char *at;

		*equals = '\0';
		snprintf(flag, sizeof(flag), "--%s ", line);
		for (char *p = flag; *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
		snprintf(fallback, sizeof(fallback), "(default %s)", equals[3] == '\0' ? "none" : equals + 3);
		at = strstr(help, flag);
		if (at == NULL || strstr(at, fallback) == NULL)
			fail_msg("--help does not have %s with %s", flag, fallback);
	}
	assert_non_null(strstr(help, "--check-config"));
	options_fini(&o);
	free(values);
	free(help);
}

/* The installed file holds every key once, commented out, at its default. */
static void test_server_options__the_installed_file_is_the_defaults(void **state)
{
	const char *top = getenv("srcdir");
	char path[1024], line[1024];
	struct options o;
	char *values;
	size_t keys = 0, expected = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/app/service/siltstone.conf", top != NULL ? top : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(options_load_args(&o, ARGS()), 0);
	values = options_printed(options_print, &o);
	for (const char *p = values; (p = strchr(p, '\n')) != NULL; p++)
		expected++;
	while (fgets(line, sizeof(line), f) != NULL) {
		size_t n = strlen(line);

		if (line[0] != '#' || line[1] < 'a' || line[1] > 'z' || strstr(line, " =") == NULL)
			continue;
		if (line[n - 2] == '=')
			strcpy(line + n - 1, " \n");                    /* an empty value is printed as "key = " */
		if (strstr(values, line + 1) == NULL)
			fail_msg("%s: %s is not a default", path, line);
		keys++;
	}
	assert_int_equal(keys, expected);
	fclose(f);
	options_fini(&o);
	assert_int_equal(options_load_args(&o, ARGS("--config", path)), 0);
	options_fini(&o);
	free(values);
}

static unsigned options_live, options_dead;

static void options_count_changed(void *ctx, const char *key, bool live)
{
	assert_string_equal(key, live ? "log_level" : "db");
	options_live += live;
	options_dead += !live;
	(void)ctx;
}

static void test_server_options__differences(void **state)
{
	struct options a, b;

	(void)state;
	assert_int_equal(options_load_args(&a, ARGS()), 0);
	assert_int_equal(options_load_args(&b, ARGS()), 0);
	options_diff(&a, &b, options_count_changed, NULL);
	assert_int_equal(options_live + options_dead, 0);
	options_fini(&b);
	assert_int_equal(options_load_args(&b, ARGS("--db", "/other", "--log-level", "error")), 0);
	options_diff(&a, &b, options_count_changed, NULL);
	assert_int_equal(options_live, 1);
	assert_int_equal(options_dead, 1);
	options_fini(&a);
	options_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_options__defaults_are_the_engines),
		cmocka_unit_test(test_server_options__every_key_is_a_flag),
		cmocka_unit_test(test_server_options__sizes_and_times),
		cmocka_unit_test(test_server_options__each_range_holds_at_both_ends),
		cmocka_unit_test(test_server_options__errors_of_flags),
		cmocka_unit_test(test_server_options__a_file_and_flags_over_it),
		cmocka_unit_test(test_server_options__errors_of_files_name_the_line),
		cmocka_unit_test(test_server_options__a_line_too_long_is_not_cut),
		cmocka_unit_test(test_server_options__hostile_files_end_in_an_error_or_not),
		cmocka_unit_test(test_server_options__actions),
		cmocka_unit_test(test_server_options__what_is_printed_is_a_configuration),
		cmocka_unit_test(test_server_options__help_names_every_flag_and_its_default),
		cmocka_unit_test(test_server_options__the_installed_file_is_the_defaults),
		cmocka_unit_test(test_server_options__differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
