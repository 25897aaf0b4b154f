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

for bad in 007 +5 ' 5' 5. 1e3 '' 9223372036854775808; do
	put odd "$bad"
	expect "'$bad' is no counter" 409 type:not-a-counter '.key == "odd"' -- -X POST '/v1/kv/odd?op=incr'
done
put odd -0
expect '-0 is one' 200 '.text == "1"' -- -X POST '/v1/kv/odd?op=incr'

# ---- conditions and headers of every method
put c one; v=$version
expect 'HEAD If-Match of another' 412 "h:etag: \"$v\"" -- -I -H 'If-Match: "1"' /v1/kv/c
expect 'on an absent key' 404 -- -I -H 'If-Match: "1"' /v1/kv/absent
expect 'DELETE If-None-Match' 412 type:condition-failed "h:etag: \"$v\"" -- -X DELETE -H "If-None-Match: \"$v\"" /v1/kv/c
expect 'of any' 412 type:condition-failed -- -X DELETE -H 'If-None-Match: *' /v1/kv/c
expect 'DELETE of another' 204 'h:silt-version: [0-9]+' -- -X DELETE -H 'If-None-Match: "1"' /v1/kv/c
put c two; v=$version
expect 'the old value with its ETag, the version of the delete beside it' 200 is:two "h:etag: \"$v\"" 'h:silt-version: [0-9]+' \
    -- -X DELETE -H 'Prefer: respond-async, return="representation"; x=1' /v1/kv/c
that 'which is newer' [ "$(header silt-version)" -gt "$v" ]
put c three; v=$version
expect 'return=minimal asks for nothing' 204 'no:preference-applied:.*' -- -X DELETE -H 'Prefer: return=minimal, return=representation' /v1/kv/c
for route in '-X DELETE /del' '-X DELETE /delete/' /get '-X DELETE /v1/kv'; do
	put c four; v=$version
	[[ $route == */ ]] && at=${route}c || at="$route?key=c"
	# shellcheck disable=SC2086
	expect "$route under a condition that does not hold" 412 type:condition-failed ".version == $v" -- -H 'If-Match: "1"' $at
	# shellcheck disable=SC2086
	expect "$route under one that does" "$([[ $route == *v1* ]] && echo 204 || echo 200)" -- -H "If-Match: W/\"$v\"" $at
done
put c five; v=$version
expect 'GET /get that is known' 304 is: "h:etag: \"$v\"" -- -H "If-None-Match: \"$v\"" '/get?key=c'
expect '/set where it must be absent' 412 type:condition-failed -- -H 'If-None-Match: *' -d 'key=c&value=no' /set
expect '/put where it must be this' 200 -- -H "If-Match: \"$v\"" -d '{"key":"c","value":"six"}' /put
for bad in sync async; do
	expect "durability=$bad of /set" 200 -- -d 'key=d&value=1' "/set?durability=$bad"
	expect "of a step" 200 -- -X POST "/v1/kv/d?op=incr&durability=$bad"
	expect "of /del" 200 '.value == "2"' -- -X DELETE "/del/d?durability=$bad"
	expect "of a delete" 204 -- -X DELETE "/v1/kv/odd?durability=$bad"
	put odd 1
	expect "of a batch" 200 -- -d '{"ops":[{"put":{"key":"d/1","value":""}}]}' "/v1/batch?durability=$bad"
	expect "of a range delete" 200 '.deleted == 1' -- -X DELETE "/v1/kv?prefix=d/&durability=$bad"
done
for request in '-d key=d&value=1 /set?' '-X POST /v1/kv/d?op=incr&' '-X DELETE /del/c?' '-X DELETE /v1/kv/c?' '-d {"ops":[{"delete":{"key":"c"}}]} /v1/batch?' '-X DELETE /v1/kv?prefix=c&'; do
	# shellcheck disable=SC2086
	expect "durability=maybe: $request" 400 type:bad-query -- ${request}durability=maybe
done
expect 'a coded body of /set' 415 type:unsupported-media-type -- -H 'Content-Encoding: gzip' -d 'key=c&value=no' /set
expect 'of a batch' 415 type:unsupported-media-type -- -H 'Content-Encoding: br' -d '{"ops":[{"delete":{"key":"c"}}]}' /v1/batch
expect 'a part of /set' 400 type:bad-header -- -X PUT -H 'Content-Range: bytes 0-0/1' -d 'key=c&value=no' /set
expect 'PUT is POST for /set and /put alone' 405 'h:allow: POST, OPTIONS' -- -X PUT -d '{"ops":[{"delete":{"key":"c"}}]}' /v1/batch
expect 'nor for a shutdown' 405 'h:allow: GET, POST, OPTIONS' -- -X PUT /shutdown
expect 'nothing came of all that' 200 is:six -- /v1/kv/c

# ---- what has expired is absent in every respect
for k in 1 2 3; do request -X PUT -d "$k" "/v1/kv/over/$k?expires_at=1"; done
expect 'no list has it' 200 '.items == []' -- '/v1/kv?prefix=over/'
expect 'nor lines' 200 '.end and .count == 0' -- -H 'Accept: application/x-ndjson' '/v1/kv?prefix=over/'
expect 'no count' 200 '.count == 0' -- '/v1/kv?prefix=over/&count_only=1'
expect 'no batch finds it' 200 '.results == [null]' -- -d '{"ops":[{"get":{"key":"over/1"}}]}' /v1/batch
expect 'for its conditions it is absent' 200 -- -d '{"if":[{"key":"over/1","version":0}],"ops":[{"get":{"key":"over/1"}}]}' /v1/batch
expect 'for a HEAD' 404 -- -I /v1/kv/over/1
expect 'for a delete' 404 -- -X DELETE /v1/kv/over/1
expect 'for a delete in a batch' 200 '.results == [null]' -- -d '{"ops":[{"delete":{"key":"over/1"}}]}' /v1/batch
expect 'a range delete does not count it' 200 '.deleted == 0' -- -X DELETE '/v1/kv?prefix=over/2'
expect 'a counter begins anew' 200 '.value == 1' 'no:silt-expires-at:.*' -- -X POST '/v1/kv/over/3?op=incr'
expect 'and lives on' 200 is:1 'no:silt-expires-at:.*' -- /v1/kv/over/3

# ---- bytes in errors and conditions; the order of keys; switches
expect 'a key that is no text, in an error' 404 '.key == "/w==" and .key_encoding == "base64"' -- '/v1/kv?key=%FF'
put '%FF' bytes
expect 'in a condition' 412 '.key == "/w==" and .key_encoding == "base64" and .index == 0' -- -d '{"if":[{"key":"/w==","key_encoding":"base64","version":0}],"ops":[{"get":{"key":"a"}}]}' /v1/batch
for k in %7F %80 a%00 aa a %FF b; do put "o/$k" "$k"; done
expect 'keys are in the order of their bytes, the shorter one first' 200 '[.items[].value] == ["a", "a%00", "aa", "b", "%7F", "%80", "%FF"]' -- '/v1/kv?prefix=o/'
expect 'and backwards' 200 '[.items[].value] == ["%FF", "%80", "%7F", "b", "aa", "a%00", "a"]' -- '/v1/kv?prefix=o/&reverse=1'
expect 'switches may say no' 200 '.items[0].value == "a"' -- '/v1/kv?prefix=o/&reverse=false&keys_only=0&count_only=false&content_type=0'
request '/v1/kv?prefix=o/&keys_only=1&limit=2'
cursor=$(jq -r .cursor "$body")
expect 'a cursor is of keys alone or not' 400 type:bad-query -- "/v1/kv?cursor=$cursor&keys_only=0"
expect 'as before' 200 '[.items[] | has("value")] == [false]' -- "/v1/kv?cursor=$cursor&keys_only=true&limit=1"
expect 'a delete from a key on' 200 '.deleted == 3' -- -X DELETE '/v1/kv?start=o/%7F&end=o0'
expect 'and up to one' 200 '.items | length == 4' -- '/v1/kv?prefix=o/'
request -X DELETE '/v1/kv?end=m'; request -X DELETE '/v1/kv?start=o/b&all=false'
expect 'with one bound alone' 200 '[.items[].key] | contains(["o/a"]) and (contains(["o/b"]) | not) and (contains(["c"]) | not)' -- /v1/kv
put n 4

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
