/* SPDX-License-Identifier: Apache-2.0 */
/* versionkit.c - versions and edits written as text. */
#include "lib/versionkit.h"

#include <ctype.h>
#include <inttypes.h>

static void versionkit_report(void *ctx, enum silt_log_level level, const char *message)
{
	(void)level;
	snprintf(ctx, 1024, "%s", message);
}

struct reporter versionkit_reporter(char message[1024])
{
	message[0] = '\0';
	return (struct reporter){ versionkit_report, message };
}

static uint64_t versionkit_number(const char **p)
{
	const char *start = *p;
	uint64_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = n * 10 + (uint64_t)(**p - '0');
	assert_true(*p != start);
	return n;
}

static struct silt_slice versionkit_key(const char **p, char until)
{
	const char *start = *p;

	*p = strchr(start, until);
	assert_non_null(*p);
	return slice_of(start, (size_t)((*p)++ - start));
}

static void versionkit_extra(const char **p, struct table_meta *m)
{
	switch (*(*p)++) {
	case '*':
		m->size = versionkit_number(p);
		break;
	case 'e':
		m->entries = versionkit_number(p);
		break;
	case 't':
		m->tombstones = versionkit_number(p);
		break;
	case 'd':
		m->range_deletes = versionkit_number(p);
		break;
	case 'x':
		m->expiring = versionkit_number(p);
		++*p;
		m->earliest_expiry_ms = versionkit_number(p);
		break;
	default:
		fail_msg("no such mark before \"%s\"", *p);
	}
}

struct table_meta *versionkit_table(const char *word)
{
	const char *p = word;
	uint64_t number = versionkit_number(&p);
	struct silt_slice smallest, largest;
	struct table_meta *m;

	p++;
	smallest = versionkit_key(&p, '-');
	largest = versionkit_key(&p, '@');
	m = table_meta_new(smallest, largest);
	assert_non_null(m);
	m->number = number;
	m->min_version = versionkit_number(&p);
	p++;
	m->max_version = versionkit_number(&p);
	m->size = 100;
	m->entries = 10;
	memset(m->digest, (int)(number & 0xff), sizeof(m->digest));
	while (*p && *p != ' ')
		versionkit_extra(&p, m);
	return m;
}

void versionkit_edit(const char *text, struct edit *out)
{
	int level = 0;

	edit_init(out);
	for (const char *p = text; *p; p += strcspn(p, " ")) {
		while (*p == ' ')
			p++;
		if (*p == 'L') {
			level = p[1] - '0';
		} else if (*p == '-') {
			assert_int_equal(edit_drop_table(out, level, strtoull(p + 1, NULL, 10)), 0);
		} else if (isdigit((unsigned char)*p)) {
			struct table_meta *m = versionkit_table(p);

			assert_int_equal(edit_add_table(out, level, m), 0);
			table_meta_unref(m);
		}
	}
}

int versionkit_apply(const struct version *base, const char *text, const struct reporter *rep, struct version **out)
{
	struct version *nothing = NULL;
	struct edit e;
	int rc;

	assert_int_equal(version_new(&nothing), 0);
	versionkit_edit(text, &e);
	rc = version_apply(base ? base : nothing, &e, rep, out);
	edit_fini(&e);
	version_unref(nothing);
	return rc;
}

struct version *versionkit_version(const char *text)
{
	char message[1024];
	struct reporter rep = versionkit_reporter(message);
	struct version *v;
	int rc = versionkit_apply(NULL, text, &rep, &v);

	if (rc != 0)
		print_error("%s: %s\n", text, message);
	assert_int_equal(rc, 0);
	return v;
}

const char *versionkit_text(const struct version *v)
{
	static char text[65536];
	size_t n = 0;

	text[0] = '\0';
	for (int l = 0; l < SILT_LEVELS; l++) {
		if (v->levels[l].n)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%sL%d", n ? " " : "", l);
		for (size_t i = 0; i < v->levels[l].n; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %" PRIu64, v->levels[l].tables[i]->number);
		assert_true(n < sizeof(text));
	}
	return text;
}

bool versionkit_meta_same(const struct table_meta *a, const struct table_meta *b)
{
	return a->number == b->number && a->size == b->size && a->entries == b->entries && a->tombstones == b->tombstones && a->range_deletes == b->range_deletes &&
	       a->expiring == b->expiring && a->earliest_expiry_ms == b->earliest_expiry_ms && a->min_version == b->min_version &&
	       a->max_version == b->max_version && a->assigned == b->assigned && slice_eq(a->smallest, b->smallest) && slice_eq(a->largest, b->largest) &&
	       memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

bool versionkit_same(const struct version *a, const struct version *b)
{
	for (int l = 0; l < SILT_LEVELS; l++) {
		if (a->levels[l].n != b->levels[l].n || a->levels[l].bytes != b->levels[l].bytes)
			return false;
		for (size_t i = 0; i < a->levels[l].n; i++)
			if (!versionkit_meta_same(a->levels[l].tables[i], b->levels[l].tables[i]))
				return false;
	}
	return a->wal_number == b->wal_number && a->next_file == b->next_file && a->last_version == b->last_version;
}
