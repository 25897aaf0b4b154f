#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# openapi.sh - the document against the running server: every path, method, status and schema (openapi_check.py says how).
. "$(dirname "$0")/../lib/http.sh"
command -v /usr/bin/python3 >/dev/null || { skip 'the OpenAPI document' 'no python3 here'; exit 0; }
for method in post get; do
	rm -rf "$data"
	serve_start || finish
	/usr/bin/python3 "$root/tests/http/openapi_check.py" "$url" "$data" "$method"
	[ $? = 0 ] || failures=$((failures + 1))
	serve_wait
	that "the server ends with 0" [ $? = 0 ]
done
finish
