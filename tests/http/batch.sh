#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# batch.sh - many operations, all or nothing; counters, exact also where many count at once.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
json=(-H 'Content-Type: application/json')

# ---- a batch
expect 'two puts' 200 '.results == [{},{}] and .version == 1' 'h:silt-version: 1' 'h:cache-control: no-store' -- "${json[@]}" \
    -d '{"ops":[{"put":{"key":"a","value":"1"}},{"put":{"key":"b","value":"2","ttl":1000,"content_type":"text/plain"}}]}' /v1/batch
expect 'share a version' 200 is:1 'h:etag: "1"' -- /v1/kv/a
expect 'with a type and an end' 200 is:2 'h:content-type: text/plain' 'h:silt-expires-at: [0-9]+' -- /v1/kv/b
expect 'many gets are no write' 200 '.results[0] == {"key":"a","value":"1","version":1} and .results[1] == null and .results[2].value == "2"' \
    '.version == 1' 'no:silt-version:.*' -- -d '{"ops":[{"get":{"key":"a"}},{"get":{"key":"nope"}},{"get":{"key":"b"}}]}' /v1/batch
expect 'each finds what those before it left' 200 \
    '[.results[] | if . == null then "null" elif . == {} then "{}" else .value end] == ["1","{}","x","x","null"]' -- \
    -d '{"ops":[{"get":{"key":"a"}},{"put":{"key":"a","value":"x"}},{"get":{"key":"a"}},{"delete":{"key":"a"}},{"get":{"key":"a"}}]}' /v1/batch
that 'and it is gone' lacks a
expect 'bytes' 200 -- -d '{"ops":[{"put":{"key":"/wA=","key_encoding":"base64","value":"/v0=","encoding":"base64"}}]}' /v1/batch
printf '\xfe\xfd' >"$work/out"
expect 'come back' 200 "file:$work/out" -- '/v1/kv?key=%FF%00'
expect 'as base64 in a batch' 200 '.results[0] | .key == "/wA=" and .key_encoding == "base64" and .value == "/v0=" and .encoding == "base64"' \
    -- -d '{"ops":[{"delete":{"key":"/wA=","key_encoding":"base64"}}]}' /v1/batch
expect 'an end to the millisecond' 200 '.results[1].expires_at == 2000000000123' -- \
    -d '{"ops":[{"put":{"key":"end","value":"1","expires_at":2000000000123}},{"get":{"key":"end"}}]}' /v1/batch
expect 'and in the store' 200 'h:silt-expires-at: 2000000000123' -- /v1/kv/end
expect 'an end said twice' 400 type:bad-json .offset==61 -- -d '{"ops":[{"put":{"key":"end","value":"1","ttl":5,"expires_at":2000000000123}}]}' /v1/batch
expect 'an end that is none' 400 type:bad-json -- -d '{"ops":[{"put":{"key":"end","value":"1","expires_at":0}}]}' /v1/batch
request -X DELETE /v1/kv/end

# ---- conditions
expect 'if it is absent' 200 -- -d '{"if":[{"key":"c","version":0}],"ops":[{"put":{"key":"c","value":"1"}}]}' /v1/batch
get c; v=$(version)
expect 'which it is no more' 412 type:condition-failed ".key == \"c\" and .index == 1 and .version == $v" -- \
    -d "{\"if\":[{\"key\":\"x\",\"version\":0},{\"key\":\"c\",\"version\":0}],\"ops\":[{\"put\":{\"key\":\"x\",\"value\":\"1\"}}]}" /v1/batch
that 'nothing of it was done' lacks x
expect 'if it has this version' 200 -- -d "{\"if\":[{\"key\":\"c\",\"version\":$v}],\"ops\":[{\"put\":{\"key\":\"c\",\"value\":\"2\"}},{\"put\":{\"key\":\"d\",\"value\":\"2\"}}]}" /v1/batch
expect 'gets under a condition' 412 type:condition-failed -- -d "{\"if\":[{\"key\":\"c\",\"version\":$v}],\"ops\":[{\"get\":{\"key\":\"d\"}}]}" /v1/batch

# ---- limits, and past them
ops() { printf '{"ops":['; seq -f '{"put":{"key":"%.0f","value":"v"}}' -s , "$1"; printf ']}'; }
ops 1000 >"$work/in"
expect '1,000 operations' 200 '(.results | length) == 1000' -- "${json[@]}" --data-binary "@$work/in" /v1/batch
ops 1001 >"$work/in"
expect '1,001' 413 type:too-large '.limit == 1000' -- "${json[@]}" --data-binary "@$work/in" /v1/batch
that 'nothing of them' lacks 1001
expect 'none' 400 type:bad-json -- -d '{"ops":[]}' /v1/batch
expect 'an unknown member' 400 type:bad-json '.offset == 41' -- -d '{"ops":[{"put":{"key":"new","value":"x", "tll":5}}]}' /v1/batch
expect 'an unknown operation' 400 type:bad-json -- -d '{"ops":[{"incr":{"key":"new"}}]}' /v1/batch
expect 'an empty key' 400 type:bad-key -- -d '{"ops":[{"get":{"key":""}}]}' /v1/batch
expect 'a lone surrogate' 400 type:bad-json -- -d '{"ops":[{"put":{"key":"new","value":"\ud800"}}]}' /v1/batch
expect 'a name twice' 400 type:bad-json -- -d '{"ops":[{"put":{"key":"new","value":"x"}}],"ops":[]}' /v1/batch
expect 'no JSON' 400 type:bad-json -- -d 'key=new&value=x' /v1/batch
expect 'no body' 400 type:bad-json -- -X POST /v1/batch
expect 'another type' 415 -- -H 'Content-Type: image/png' -d '{}' /v1/batch
expect 'a condition in a header' 400 type:bad-condition -- -H 'If-Match: *' -d '{"ops":[{"get":{"key":"a"}}]}' /v1/batch
expect 'GET' 405 'h:allow: .*POST.*' -- /v1/batch
expect 'a slash behind it' 404 -- -X POST /v1/batch/
expect 'from a page elsewhere' 403 type:cross-site -- -H 'Sec-Fetch-Site: cross-site' -d '{"ops":[{"put":{"key":"new","value":"x"}}]}' /v1/batch
that 'nothing was stored by them' lacks new

# ---- counters
expect 'a counter begins' 200 '.value == 1 and .text == "1"' 'h:etag: "[0-9]+"' 'h:silt-version: [0-9]+' -- -X POST '/v1/kv/n?op=incr'
expect 'goes on' 200 '.value == 42' -- -X POST '/v1/kv/n?op=incr&by=41'
expect 'and back' 200 '.value == -58 and .text == "-58"' -- -X POST '/v1/kv?key=n&op=incr&by=-100'
expect 'it is text' 200 is:-58 'h:content-type: text/plain' -- /v1/kv/n
put n 9223372036854775806
expect 'to the last' 200 '.text == "9223372036854775807"' -- -X POST '/v1/kv/n?op=incr'
expect 'and past it' 409 type:counter-overflow '.version > 0 and .key == "n"' -- -X POST '/v1/kv/n?op=incr'
put n 'not a number'
expect 'what is no number' 409 type:not-a-counter -- -X POST '/v1/kv/n?op=incr'
that 'stays' holds n 'not a number'
expect 'with a condition' 404 -- -X POST -H 'If-Match: *' '/v1/kv/n2?op=incr'
expect 'by what is no number' 400 type:bad-query -- -X POST '/v1/kv/n?op=incr&by=1.5'
expect 'by more than 64 bits' 400 type:bad-query -- -X POST '/v1/kv/n?op=incr&by=9223372036854775808'
expect 'with a body' 400 type:bad-body -- -d 5 '/v1/kv/n?op=incr'
expect 'without an operation' 400 type:bad-query -- -X POST /v1/kv/n

# ---- many at once
for n in $(seq 50); do printf 'url = "%s/v1/kv/total?op=incr&by=3"\nrequest = POST\nsilent\nwrite-out = "\\n"\nnext\n' "$url"; done | sed '$d' >"$work/steps"
for i in 1 2 3 4 5 6 7 8; do curl -sS -K "$work/steps" >"$work/stepped$i" & clients[i]=$!; done
wait "${clients[@]}"
that 'eight counters at once lose nothing' holds total 1200
that 'and each step saw a number of its own' [ "$(cat "$work"/stepped? | jq -r .text | sort -n | uniq | wc -l)" = 400 ]
serve_kill9
serve_start || finish
that 'nor does a crash' holds total 1200
finish
