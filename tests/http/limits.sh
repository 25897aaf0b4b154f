#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limits.sh - every limit on what a client controls: at it, and one past it, where the answer names it and nothing is stored.
. "$(dirname "$0")/../lib/http.sh"
cat >"$work/conf" <<'CONF'
max_value_size = 1100000
max_request_size = 4M
max_batch_ops = 20
max_page_entries = 50
max_page_size = 64K
max_answer_memory = 1M
wal_segment_size = 4M
memtable_size = 2M
change_log_size = 0
CONF
serve_start --config "$work/conf" || finish
json=(-H 'Content-Type: application/json')
# of_size BYTES PREFIX SUFFIX: a body of that many bytes in all, blanks in between, in $work/body-of
of_size() { { printf '%s' "$2"; repeated ' ' $(($1 - ${#2} - ${#3})); printf '%s' "$3"; } >"$work/body-of"; }

# ---- keys
long=$(repeated k 4096)
expect 'a key of 4096 bytes in the path' 201 -- -X PUT -d v "/v1/kv/$long"
expect 'one of 4097' 400 type:bad-key '.limit == 4096' -- -X PUT -d v "/v1/kv/${long}k"
expect '4096 as ?key=, each percent-encoded' 200 is:v -- "/v1/kv?key=${long//k/%6b}"
expect '4097 as ?key=' 400 type:bad-key '.limit == 4096' -- "/v1/kv?key=${long}k"
expect '4096 in the classic dialect' 200 -- "/get/$long"
expect '4097 there' 400 type:bad-key -- "/get/${long}k"
expect '4096 in JSON' 200 -- "${json[@]}" -d "{\"key\":\"$long\",\"value\":\"w\"}" /set
expect '4097 in JSON' 400 type:bad-key '.limit == 4096' -- "${json[@]}" -d "{\"key\":\"${long}k\",\"value\":\"w\"}" /set
expect '4096 in a batch' 200 -- -d "{\"ops\":[{\"get\":{\"key\":\"$long\"}}]}" "${json[@]}" /v1/batch
expect '4097 in a batch' 400 type:bad-key '.limit == 4096' -- -d "{\"ops\":[{\"get\":{\"key\":\"${long}k\"}}]}" "${json[@]}" /v1/batch
expect 'a prefix of 4096' 200 '.items | length == 1' -- "/v1/kv?prefix=$long"
expect 'a prefix of 4097' 400 type:bad-query '.limit == 4096' -- "/v1/kv?prefix=${long}k"
expect 'a prefix of 4097 for the feed' 400 type:bad-query '.limit == 4096' -- "/v1/changes?prefix=${long}k"
expect 'a start of 4097' 400 type:bad-query '.limit == 4096' -- "/v1/kv?start=${long}k"

# ---- values and bodies
repeated v 1100000 >"$work/value"
repeated v 1100001 >"$work/larger"
expect 'a value of max_value_size' 201 -- -X PUT --data-binary "@$work/value" /v1/kv/value
expect 'one byte more' 413 type:too-large '.limit == 1100000' -- -X PUT --data-binary "@$work/larger" /v1/kv/larger
for size in 1100000 1100001; do
	{ printf '{"key":"json","value":"'; repeated v "$size"; printf '"}'; } >"$work/json-$size"
	{ printf '{"ops":[{"put":{"key":"batched","value":"'; repeated v "$size"; printf '"}}]}'; } >"$work/batch-$size"
	{ printf 'key=form&value='; repeated v "$size"; } >"$work/form-$size"
done
for kind in json:/set batch:/v1/batch form:/set; do
	type=application/json
	[ "${kind%%:*}" != form ] || type=application/x-www-form-urlencoded
	expect "such a value in a body (${kind%%:*})" 200 -- -H "Content-Type: $type" --data-binary "@$work/${kind%%:*}-1100000" "${kind#*:}"
	expect "one byte more there (${kind%%:*})" 413 type:too-large '.limit == 1100000' -- -H "Content-Type: $type" --data-binary "@$work/${kind%%:*}-1100001" "${kind#*:}"
done
of_size 4194304 '{"key":"padded","value":"' '"}'
expect 'a body of max_request_size is read: it is its value that is too large' 413 type:too-large '.limit == 1100000' -- "${json[@]}" --data-binary "@$work/body-of" /set
of_size 4194304 '{"key":"padded",' '"value":"v"}'
expect 'with a value that is not' 200 -- "${json[@]}" --data-binary "@$work/body-of" /set
of_size 4194305 '{"key":"padded2",' '"value":"v"}'
expect 'one byte more' 413 type:too-large '.limit == 4194304' -- "${json[@]}" --data-binary "@$work/body-of" /set
expect 'what was too large is not there' 404 -- /v1/kv/padded2
head -c 34603009 /dev/zero >"$work/huge"
expect 'a body over client_max_body_size is refused by nginx, and not by the responder' 413 type:too-large 'has("limit") | not' -- -X PUT --data-binary "@$work/huge" /v1/kv/huge
truncate -s -1 "$work/huge"
expect 'one of client_max_body_size comes to the responder' 413 type:too-large '.limit == 4194304' -- -X PUT --data-binary "@$work/huge" /v1/kv/huge

# ---- batches
ops() { local i; for i in $(seq "$1"); do printf '{"get":{"key":"k%s"}},' "$i"; done | sed 's/,$//'; }
conds() { local i; for i in $(seq "$1"); do printf '{"key":"k%s","version":0},' "$i"; done | sed 's/,$//'; }
expect '20 operations' 200 '.results | length == 20' -- "${json[@]}" -d "{\"ops\":[$(ops 20)]}" /v1/batch
expect '21' 413 type:too-large '.limit == 20' -- "${json[@]}" -d "{\"ops\":[$(ops 21)]}" /v1/batch
expect '20 conditions' 200 -- "${json[@]}" -d "{\"if\":[$(conds 20)],\"ops\":[$(ops 1)]}" /v1/batch
expect '21' 413 type:too-large '.limit == 20' -- "${json[@]}" -d "{\"if\":[$(conds 21)],\"ops\":[$(ops 1)]}" /v1/batch
expect 'none' 400 type:bad-json -- "${json[@]}" -d '{"ops":[]}' /v1/batch
two() { { printf '{"ops":[{"put":{"key":"one","value":"'; repeated v "$1"; printf '"}},{"put":{"key":"two","value":"'; repeated v "$1"; printf '"}}]}'; } >"$work/two"; }
two 1000000
expect 'a batch within half of a log segment' 200 -- "${json[@]}" --data-binary "@$work/two" /v1/batch
two 1100000
expect 'one beyond it' 413 type:too-large -- "${json[@]}" --data-binary "@$work/two" /v1/batch

# ---- numbers
for ttl in 1 3155760000; do
	expect "ttl=$ttl" 201 -- -X PUT -d v "/v1/kv/lives-$ttl?ttl=$ttl"
	expect "ttl $ttl in JSON" 200 -- "${json[@]}" -d "{\"key\":\"padded\",\"value\":\"v\",\"ttl\":$ttl}" /set
	expect "ttl $ttl in a batch" 200 -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"padded\",\"value\":\"v\",\"ttl\":$ttl}}]}" /v1/batch
done
for ttl in 0 3155760001 -1 1.5 1e1; do
	expect "ttl=$ttl" 400 type:bad-query -- -X PUT -d v "/v1/kv/never?ttl=$ttl"
	expect "ttl $ttl in JSON" 400 type:bad-json -- "${json[@]}" -d "{\"key\":\"never\",\"value\":\"v\",\"ttl\":$ttl}" /set
	expect "ttl $ttl in a batch" 400 type:bad-json -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"never\",\"value\":\"v\",\"ttl\":$ttl}}]}" /v1/batch
done
for at in 1 9007199254740991; do
	expect "expires_at=$at" 201 -- -X PUT -d v "/v1/kv/ends-$at?expires_at=$at"
	expect "expires_at $at in a batch" 200 -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"ends-$at\",\"value\":\"v\",\"expires_at\":$at}}]}" /v1/batch
done
expect 'the last of them is kept' 200 'h:silt-expires-at: 9007199254740991' -- /v1/kv/ends-9007199254740991
for at in 0 9007199254740992 -1 1.5; do
	expect "expires_at=$at" 400 type:bad-query -- -X PUT -d v "/v1/kv/never?expires_at=$at"
	expect "expires_at $at in a batch" 400 type:bad-json -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"never\",\"value\":\"v\",\"expires_at\":$at}}]}" /v1/batch
done
expect 'the largest version as a condition' 412 type:condition-failed -- "${json[@]}" -d "{\"if\":[{\"key\":\"never\",\"version\":9007199254740991}],\"ops\":[$(ops 1)]}" /v1/batch
for bad in 9007199254740992 -1 1.0 '"0"' null; do
	expect "a condition's version of $bad" 400 type:bad-json '.offset > 0' -- "${json[@]}" -d "{\"if\":[{\"key\":\"never\",\"version\":$bad}],\"ops\":[$(ops 1)]}" /v1/batch
done
expect 'the largest step' 200 '.text == "9223372036854775807"' -- -X POST '/v1/kv/n?op=incr&by=9223372036854775807'
expect 'one past it' 409 type:counter-overflow -- -X POST '/v1/kv/n?op=incr'
expect 'a step that is none' 400 type:bad-query -- -X POST '/v1/kv/n?op=incr&by=9223372036854775808'
expect 'the lowest' 200 '.text == "-9223372036854775808"' -- -X POST '/v1/kv/m?op=incr&by=-9223372036854775808'
expect 'one below it' 409 type:counter-overflow -- -X POST '/v1/kv/m?op=incr&by=-1'
expect 'no step below it' 400 type:bad-query -- -X POST '/v1/kv/m?op=incr&by=-9223372036854775809'
expect 'since, the largest version' 410 type:changes-gone -- '/v1/changes?since=9007199254740991'
expect 'one past it' 400 type:bad-query -- '/v1/changes?since=9007199254740992'
expect 'limit=10000 changes' 200 -- '/v1/changes?prefix=none&limit=10000'
expect '10001' 400 type:bad-query -- '/v1/changes?limit=10001'
expect 'timeout=51' 400 type:bad-query -- '/v1/changes?timeout=51'
reach() { request '/v1/changes?since=0'; oldest=$(jq '.oldest // 0' "$body"); [ "$status" = 410 ]; }
forgotten() { request -X POST /v1/admin/flush; put segment "@$work/value"; reach; }
that 'beyond what change_log_size keeps the feed is gone' within 30 forgotten
expect 'as it says, for good' 410 type:changes-gone '.oldest > 0 and .newest >= .oldest' -- "/v1/changes?since=$((oldest - 1))"
from_there() { reach; request "/v1/changes?since=$oldest&prefix=none" && [ "$status" = 200 ]; }
that 'from there on it is there' within 10 from_there

# ---- headers
tags() { local i; for i in $(seq "$1"); do printf '"%s",' "$((i + 1000000))"; done | sed 's/,$//'; }
expect '64 entity tags' 200 -- -H "If-None-Match: $(tags 64)" /v1/kv/padded
expect '65' 400 type:bad-condition -- -H "If-None-Match: $(tags 65)" /v1/kv/padded
expect 'a type of 255 bytes' 204 -- -X PUT -H "Content-Type: t/$(repeated t 253)" -d v /v1/kv/padded
expect '256' 400 type:bad-header '.limit == 255' -- -X PUT -H "Content-Type: t/$(repeated t 254)" -d v /v1/kv/padded
expect '255 in a batch' 200 -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"\",\"content_type\":\"t/$(repeated t 253)\"}}]}" /v1/batch
expect '256 in a batch' 400 type:bad-json -- "${json[@]}" -d "{\"ops\":[{\"put\":{\"key\":\"a\",\"value\":\"\",\"content_type\":\"t/$(repeated t 254)\"}}]}" /v1/batch

# ---- JSON's depth; the body is one level, the value the others
nested() { printf '{"key":"deep","value":%s%s}' "$(repeated '[' "$1")" "$(repeated ']' "$1")"; }
expect '64 levels' 200 -- "${json[@]}" -d "$(nested 63)" /set
expect '65' 400 type:bad-json '.offset > 0' -- "${json[@]}" -d "$(nested 64)" /set

# ---- lists
for i in 1 2 3; do
	printf '{"ops":[%s]}' "$(for n in $(seq 20); do printf '{"put":{"key":"page-%02d-%02d","value":"%s"}},' "$i" "$n" "$(repeated p 3000)"; done | sed 's/,$//')" >"$work/fill"
	request "${json[@]}" --data-binary "@$work/fill" /v1/batch
done
expect 'limit=50' 200 '.items | length == 50' -- '/v1/kv?prefix=page&keys_only=true&limit=50'
expect 'limit=51' 400 type:bad-query '.limit == 50' -- '/v1/kv?prefix=page&limit=51'
expect 'limit=0' 400 type:bad-query -- '/v1/kv?prefix=page&limit=0'
expect 'a page ends before max_page_size' 200 '(.items | length == 21) and has("cursor")' -- '/v1/kv?prefix=page&limit=50'
that 'in bytes, too' [ "$(stat -c %s "$body")" -le $((65536 + 200)) ]
expect 'an entry that is larger has a page of its own' 200 '(.items | length == 1) and (has("cursor") | not)' -- '/v1/kv?prefix=one'

# ---- memory for answers
head -c 1048576 "$work/value" >"$work/fits"
head -c 1048577 "$work/value" >"$work/beyond"
request -X PUT --data-binary "@$work/fits" /v1/kv/fits
request -X PUT --data-binary "@$work/beyond" /v1/kv/beyond
expect 'an answer of max_answer_memory' 200 "file:$work/fits" -- /v1/kv/fits
expect 'one byte more' 503 type:out-of-memory 'h:retry-after: [0-9]+' -- /v1/kv/beyond
expect 'what a batch of gets takes counts, too' 503 type:out-of-memory 'h:retry-after: [0-9]+' -- "${json[@]}" -d '{"ops":[{"get":{"key":"beyond"}}]}' /v1/batch
expect 'what a batch has written is told whatever it takes' 200 '.results[0].value | length == 1048577' -- "${json[@]}" -d '{"ops":[{"get":{"key":"beyond"}},{"put":{"key":"beside","value":""}}]}' /v1/batch
expect 'what was removed is told whatever it takes' 200 "file:$work/beyond" -- -X DELETE -H 'Prefer: return=representation' /v1/kv/beyond

# ---- names
expect 'a checkpoint with a name of 200 bytes' 200 -- -X POST "/v1/admin/checkpoint?name=$(repeated c 200)"
expect '201' 400 type:bad-query -- -X POST "/v1/admin/checkpoint?name=$(repeated c 201)"
expect 'it is one' 200 '.checkpoints | length == 1' -- /v1/admin/checkpoints
expect 'what was refused left nothing' 404 -- /v1/kv/never
finish
