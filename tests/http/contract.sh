#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# contract.sh - rows of the contract that are nobody else's: counters under conditions, what a count is exact to, what the feed takes of
# one address, what varies by Accept.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

# ---- counters under conditions
expect 'a counter that must be absent' 200 '.value == 5' 'h:etag: "[0-9]+"' 'h:silt-version: [0-9]+' -- -X POST -H 'If-None-Match: *' '/v1/kv/n?op=incr&by=5'
v=$(version)
expect 'its version is the one that its ETag says' 200 is:5 "h:etag: \"$v\"" 'h:content-type: text/plain' -- /v1/kv/n
expect 'absent, where it is there' 412 type:condition-failed "h:etag: \"$v\"" ".version == $v" -- -X POST -H 'If-None-Match: *' '/v1/kv/n?op=incr'
expect 'from the version that is known' 200 '.value == 4' -- -X POST -H "If-Match: \"$v\"" '/v1/kv/n?op=incr&by=-1'
expect 'from one that is past' 412 type:condition-failed -- -X POST -H "If-Match: \"$v\"" '/v1/kv/n?op=incr'
expect 'where there must be one' 404 type:no-such-key -- -X POST -H 'If-Match: *' '/v1/kv/none?op=incr'
expect 'nothing was changed by those that were refused' 200 is:4 -- /v1/kv/n
expect 'a step keeps the time that a counter has' 201 -- -X PUT -d 7 '/v1/kv/t?ttl=100000'
get t; ends=$(header silt-expires-at)
request -X POST '/v1/kv/t?op=incr'
expect 'to the millisecond' 200 is:8 "h:silt-expires-at: $ends" -- /v1/kv/t
expect 'a write without one clears it' 204 -- -X PUT -d 7 /v1/kv/t
expect 'so' 200 'no:silt-expires-at:.*' -- /v1/kv/t

# ---- what varies, what it can do
expect 'a list varies by Accept' 200 'h:vary: Accept' 'h:content-type: application/json' -- /v1/kv
expect 'as lines, too' 200 'h:vary: Accept' 'h:content-type: application/x-ndjson' -- -H 'Accept: application/x-ndjson' /v1/kv
expect 'the one that is liked better' 200 'h:content-type: application/json' -- -H 'Accept: application/x-ndjson;q=0.5, application/json' /v1/kv
expect 'the feed' 200 'h:vary: Accept' -- /v1/changes
expect 'a value does not' 200 'no:vary:.*' -- /v1/kv/n
expect 'what it can do' 200 '.capabilities | contains(["conditions","ttl","ranges","ndjson","range-delete","counters","batch","changes"])' -- /v1/stats

# ---- a range delete counts exactly to 100,000
ops() { seq "$1" "$2" | awk '{ printf "%s{\"put\":{\"key\":\"r%06d\",\"value\":\"\"}}", (NR > 1 ? "," : "{\"ops\":["), $1 } END { print "]}" }'; }
fill() {
	local from

	for from in $(seq 1 1000 100000); do
		ops "$from" $((from + 999)) >"$work/ops-$from"
		printf 'url = "%s/v1/batch?durability=async"\nheader = "Content-Type: application/json"\ndata-binary = "@%s/ops-%s"\noutput = /dev/null\nnext\n' "$url" "$work" "$from"
	done | sed '$d' >"$work/fill"
	curl -s -K "$work/fill"
}
fill
expect 'a hundred thousand keys' 200 '.count == 100000' -- '/v1/kv?prefix=r&count_only=true'
expect 'deleted, exactly counted' 200 '.deleted == 100000 and .more == false' -- -X DELETE '/v1/kv?prefix=r'
expect 'and gone' 200 '.count == 0' -- '/v1/kv?prefix=r&count_only=true'
fill
put r999999 last
expect 'one more than that' 200 '.deleted == 100000 and .more == true' -- -X DELETE '/v1/kv?prefix=r'
expect 'all are gone' 200 '.count == 0' -- '/v1/kv?prefix=r&count_only=true'

# ---- what one address may have of the feed
if [ "$(ulimit -Hn)" -ge 8192 ]; then
	that 'of one address 2048 may wait for changes; who comes then is told 429, and is let in when another has left' \
	    bash -c 'ulimit -n 4096; exec "$@"' - /usr/bin/python3 "$root/tests/http/slow.py" "$port" polls 2048
else
	skip 'polls of one address' 'no 8192 files may be open here'
fi
expect 'others are served' 200 is:4 -- /v1/kv/n
finish
