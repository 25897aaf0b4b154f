/* SPDX-License-Identifier: Apache-2.0 */
/* get.c - one value, as it is or with what is known of it. */
#include "ctl/commands.h"
#include "ctl/session.h"
#include "util/json_text.h"

#include <stdio.h>

static int get_print_json(struct span key, struct span value, const struct silt_info *info)
{
	struct bytes out = { 0 };
	int status = SESSION_OK;

	bytes_adds(&out, "{");
	json_text_bytes(&out, "key", "key_encoding", key);
	bytes_adds(&out, ",");
	json_text_number(&out, "version", info->version);
	if (info->expires_ms) {
		bytes_adds(&out, ",");
		json_text_number(&out, "expires_ms", info->expires_ms);
	}
	if (info->meta_len) {
		bytes_adds(&out, ",");
		json_text_bytes(&out, "meta", "meta_encoding", span_of(info->meta, info->meta_len));
	}
	bytes_adds(&out, ",");
	json_text_bytes(&out, "value", "encoding", value);
	bytes_adds(&out, "}\n");
	if (out.bad)
		status = session_fail("get", SILT_E_NOMEM);
	else
		(void)fwrite(out.p, 1, out.len, stdout);
	bytes_fini(&out);
	return status;
}

static int get_print(const struct session *s, const struct args *a, const struct bytes *key)
{
	struct silt_buf value = { 0 };
	struct silt_info info;
	int status, rc = silt_get(s->db, (struct silt_slice){ key->p, key->len }, NULL, 0, &value, &info);

	if (rc == SILT_NOTFOUND) {
		(void)fprintf(stderr, "siltctl: the key is not there\n");
		status = SESSION_ABSENT;
	} else if (rc != 0) {
		status = session_fail(a->dir, rc);
	} else if (a->given & ARGS_JSON) {
		status = get_print_json(span_of(key->p, key->len), span_of(value.data, value.len), &info);
	} else {
		if (value.len)
			(void)fwrite(value.data, 1, value.len, stdout);
		status = SESSION_OK;
	}
	silt_buf_free(&value);
	return status;
}

int get_command(const struct args *a)
{
	struct bytes key = { 0 };
	struct session s;
	int status = SESSION_USAGE;

	if (!args_allow(a, ARGS_DB | ARGS_JSON | ARGS_ESCAPED, 1) || !args_key(a, a->operand[0], &key))
		goto out;
	if (key.len < 1 || key.len > SILT_KEY_MAX) {
		(void)fprintf(stderr, "siltctl get: a key has 1 to %u bytes\n", SILT_KEY_MAX);
		goto out;
	}
	status = session_open(&s, a);
	if (status != SESSION_OK)
		goto out;
	status = get_print(&s, a, &key);
	session_close(&s);
out:
	bytes_fini(&key);
	return status;
}
