#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# history.sh - counters, conditions, deletes and reads by 64 clients at once: what all of them saw fits one order of the writes.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
/usr/bin/python3 "$root/tests/http/history.py" "$port" || failures=1
finish
