/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_openapi.c - the router's table, the document and nginx's locations are one: a route that one of them knows and another does
 * not is a failure. What the answers look like is tests/http/openapi.sh's.
 */
#include "lib/test.h"

#include "server/route.h"

#include <json-c/json.h>

static char *openapi_file(const char *name)
{
	const char *top = getenv("srcdir");
	char path[1024], *text = calloc(1, 1 << 20);
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top != NULL ? top : ".", name);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s: not there", path);
	n = fread(text, 1, (1 << 20) - 1, f);
	assert_true(n > 0 && n < (1 << 20) - 1);
	fclose(f);
	return text;
}

static json_object *openapi_paths(json_object **doc)
{
	char *text = openapi_file("nginx/html/openapi.json");
	json_object *paths;

	*doc = json_tokener_parse(text);
	assert_non_null(*doc);
	assert_true(json_object_object_get_ex(*doc, "paths", &paths));
	free(text);
	return paths;
}

/* "/v1/kv/{key}" is the route "/v1/kv/". */
static void openapi_route_of(const char *path, char *out, size_t size)
{
	const char *brace = strchr(path, '{');

	snprintf(out, size, "%.*s", brace == NULL ? (int)strlen(path) : (int)(brace - path), path);
	if (brace != NULL)
		assert_string_equal(strchr(brace, '}'), "}");
}

static json_object *openapi_find(json_object *paths, const char *route)
{
	json_object_object_foreach(paths, path, operations) {
		char name[256];

		openapi_route_of(path, name, sizeof(name));
		if (strcmp(name, route) == 0)
			return operations;
	}
	return NULL;
}

static void openapi_lower(const char *method, char *out, size_t size)
{
	snprintf(out, size, "%s", method);
	for (; *out != 0; out++)
		*out |= 0x20;
}

static void test_openapi__every_route_is_documented(void **state)
{
	const char *route, *method;
	json_object *doc, *paths = openapi_paths(&doc), *operation;
	size_t known = 0;

	(void)state;
	for (size_t slot = 1; slot < route_slots(); slot++) {
		json_object *operations;
		char lower[16];

		if (!route_slot(slot, &route, &method))
			continue;
		known++;
		operations = openapi_find(paths, route);
		openapi_lower(method, lower, sizeof(lower));
		if (operations == NULL || !json_object_object_get_ex(operations, lower, &operation))
			fail_msg("openapi.json does not know %s %s", method, route);
	}
	assert_true(known > 30);
	json_object_put(doc);
}

static bool openapi_is_static(json_object *operation)
{
	json_object *is;

	return json_object_object_get_ex(operation, "x-static", &is) && json_object_get_boolean(is);
}

static bool openapi_route_has(const char *name, const char *lower)
{
	const char *route, *method;

	for (size_t slot = 1; slot < route_slots(); slot++)
		if (route_slot(slot, &route, &method) && strcmp(route, name) == 0 && strcasecmp(method, lower) == 0)
			return true;
	return false;
}

static void test_openapi__nothing_else_is(void **state)
{
	json_object *doc, *paths = openapi_paths(&doc);

	(void)state;
	json_object_object_foreach(paths, path, operations) {
		char name[256];

		openapi_route_of(path, name, sizeof(name));
		json_object_object_foreach(operations, lower, operation) {
			if (!openapi_is_static(operation) && !openapi_route_has(name, lower))
				fail_msg("openapi.json documents %s %s, which no route takes", lower, path);
		}
	}
	json_object_put(doc);
}

/* `location = /get {` and `location /get/ {`, each setting $silt_route to the same. */
static void test_openapi__every_route_has_its_location(void **state)
{
	char *text = openapi_file("nginx/snippets/siltstone-routes.conf");
	const char *route, *method, *last = "";

	(void)state;
	for (size_t slot = 1; slot < route_slots(); slot++) {
		char set[128];

		if (!route_slot(slot, &route, &method) || strcmp(route, last) == 0)
			continue;
		last = route;
		snprintf(set, sizeof(set), "{ set $silt_route %s;", route);
		if (strstr(text, set) == NULL)
			fail_msg("siltstone-routes.conf has no location for %s", route);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openapi__every_route_is_documented),
		cmocka_unit_test(test_openapi__nothing_else_is),
		cmocka_unit_test(test_openapi__every_route_has_its_location),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
