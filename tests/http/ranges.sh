#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ranges.sh - many keys at once: pages with cursors, counts, lines of any number, deletes of ranges.
. "$(dirname "$0")/../lib/http.sh"
printf 'max_page_entries = 5000\nmax_page_size = 100K\nmax_streams = 3\n' >"$work/siltstone.conf"
serve_start --config "$work/siltstone.conf" || finish
lines=(-H 'Accept: application/x-ndjson')

for i in 1 2 3 4 5; do put "a/$i" "v$i"; done
put b one; put '%FF%00' bytes
printf '\xfe' >"$work/in"
request -X PUT --data-binary "@$work/in" '/v1/kv?key=c&ttl=1000'

# ---- pages
expect 'everything' 200 '[.items[].key] == ["a/1","a/2","a/3","a/4","a/5","b","c","/wA="]' 'has("cursor") | not' '.version == 8' \
    'h:content-type: application/json' 'h:cache-control: no-store' 'h:vary: .*accept.*' -- /v1/kv
expect 'an item' 200 '.items == [{"key":"b","value":"one","version":6}]' -- '/v1/kv?start=b&end=c'
expect 'bytes and a time to live' 200 '.items[0].value == "/g==" and .items[0].encoding == "base64" and .items[0].expires_at > 1700000000000' \
    -- '/v1/kv?prefix=c'
expect 'a key that is bytes' 200 '.items == [{"key":"/wA=","key_encoding":"base64","value":"bytes","version":7}]' -- '/v1/kv?prefix=%FF'
expect 'a prefix' 200 '[.items[].value] == ["v1","v2","v3","v4","v5"]' -- '/v1/kv?prefix=a/'
expect 'the same, encoded' 200 '(.items | length) == 5' -- '/v1/kv?prefix=a%2F'
expect 'bounds are half open' 200 '[.items[].key] == ["a/2","a/3"]' -- '/v1/kv?start=a/2&end=a/4'
expect 'backwards' 200 '[.items[].key] == ["b","a/5","a/4"]' 'has("cursor")' -- '/v1/kv?end=c&reverse=true&limit=3'
expect 'keys alone' 200 '.items[0] == {"key":"a/1","version":1}' -- '/v1/kv?keys_only=1&limit=1'
expect 'a count' 200 '.count == 5 and .version == 8' -- '/v1/kv?prefix=a/&count_only=true'
expect 'nothing there' 200 '.items == [] and .version == 8 and (has("cursor") | not)' -- '/v1/kv?prefix=nope'
expect 'HEAD' 200 'h:content-type: application/json' -- -I '/v1/kv?prefix=a'
expect 'and the connection goes on' 200 'is:one' -- /v1/kv/b

keys='' cursor='' pages=0
while :; do
	request "/v1/kv?prefix=a/&limit=2$cursor"
	keys+=$(jq -r '.items[].key' "$body" | tr '\n' ' ')
	pages=$((pages + 1))
	c=$(jq -r '.cursor // empty' "$body")
	[ -n "$c" ] && [ "$pages" -lt 9 ] || break
	cursor="&cursor=$c"
	first=${first:-$c}
done
that 'pages join' [ "$keys" = 'a/1 a/2 a/3 a/4 a/5 ' -a "$pages" = 3 ]
expect 'a cursor alone' 200 '[.items[].key] == ["a/3","a/4","a/5"]' -- "/v1/kv?cursor=$first"
expect 'with the range of the page before' 200 '.items[0].key == "a/3"' -- "/v1/kv?cursor=$first&prefix=a/"
expect 'with another range' 400 type:bad-query -- "/v1/kv?cursor=$first&prefix=b"
expect 'with another order' 400 type:bad-query -- "/v1/kv?cursor=$first&reverse=true"
expect 'a cursor that was cut' 400 type:bad-query -- "/v1/kv?cursor=${first%?}"
expect 'one that was changed' 400 type:bad-query -- "/v1/kv?cursor=X${first#?}"
expect 'one that is none' 400 type:bad-query -- '/v1/kv?cursor=%00%ff'
request -X DELETE /v1/kv/a/2
expect 'a cursor whose key is gone' 200 '.items[0].key == "a/3"' -- "/v1/kv?cursor=$first"
put a/2 v2

# ---- limits, and past them
expect 'limit at its most' 200 -- '/v1/kv?limit=5000'
expect 'limit past it' 400 type:bad-query '.limit == 5000' -- '/v1/kv?limit=5001'
expect 'limit 0' 400 type:bad-query -- '/v1/kv?limit=0'
head -c 60000 /dev/zero | tr '\0' x >"$work/in"
for k in s1 s2; do request -X PUT --data-binary "@$work/in" "/v1/kv/$k"; done
expect 'a page ends at max_page_size' 200 '[.items[].key] == ["s1"]' 'has("cursor")' -- '/v1/kv?prefix=s'
head -c 150000 /dev/zero | tr '\0' x >"$work/in"
request -X PUT --data-binary "@$work/in" /v1/kv/s2
expect 'one entry is always given' 200 '[.items[].key] == ["s2"] and (.items[0].value | length) == 150000' 'has("cursor") | not' -- '/v1/kv?prefix=s2'
longest=$(repeated k 4096)
expect 'a bound of 4,096 bytes' 200 -- "/v1/kv?prefix=$longest"
expect 'one of 4,097' 400 '.limit == 4096' -- "/v1/kv?prefix=${longest}k"

# ---- strictness
for bad in 'prefix=a&start=b' 'prefix=a&end=b' 'start=b&end=a' 'key=a&prefix=a' 'key=a&limit=5' 'reverse=yes' 'keys_only=2' \
    'count_only=1&limit=5' 'prefix=a&prefix=a' 'prefix=%zz' 'lmit=5' 'all=true'; do
	expect "?$bad" 400 type:bad-query -- "/v1/kv?$bad"
done
expect 'a condition on a list' 400 type:bad-condition -- -H 'If-Match: "1"' '/v1/kv?prefix=a'
expect 'a range behind a key in the path' 400 type:bad-query -- '/v1/kv/a?prefix=a'
expect 'PUT of a range' 400 -- -X PUT -d x '/v1/kv?prefix=a'

# ---- lines
expect 'lines' 200 'h:content-type: application/x-ndjson' 'h:vary: .*accept.*' 'h:transfer-encoding: chunked' 'no:content-length:.*' -- "${lines[@]}" '/v1/kv?prefix=a/'
that 'an entry a line, and the end' [ "$(jq -c '[.key, .end, .count]' "$body" | tr '\n' ' ')" = \
    '["a/1",null,null] ["a/2",null,null] ["a/3",null,null] ["a/4",null,null] ["a/5",null,null] [null,true,5] ' ]
expect 'lines of nothing' 200 '. == {"end":true,"count":0,"version":13}' -- "${lines[@]}" '/v1/kv?prefix=nope'
expect 'HEAD of lines' 200 'h:content-type: application/x-ndjson' -- -I "${lines[@]}" /v1/kv
expect 'without HTTP/1.1' 200 -- --http1.0 "${lines[@]}" '/v1/kv?prefix=a/'
that 'all the same' [ "$(wc -l <"$body")" = 6 ]
expect 'lines of a malformed range' 400 type:bad-query -- "${lines[@]}" '/v1/kv?start=b&end=a'
head -c 200000 /dev/zero | tr '\0' y >"$work/in"
for i in $(seq 60); do printf 'url = "%s/v1/kv?key=big%03d"\nupload-file = "%s"\n' "$url" "$i" "$work/in"; done >"$work/puts"
curl -sS -K "$work/puts" >/dev/null
expect 'twelve megabytes of them' 200 -- "${lines[@]}" '/v1/kv?prefix=big'
that 'whole' [ "$(tail -n 1 "$body" | jq .count)" = 60 -a "$(wc -c <"$body")" -gt 12000000 ]

# ---- readers that are slow, and those that leave
before=$(rss)
for i in 1 2 3; do
	curl -sS -o /dev/null --limit-rate 20K "${lines[@]}" "$url/v1/kv?prefix=big" 2>/dev/null &
	slow[i]=$!
done
that 'three slow readers' within 20 is_at http_streams 3
expect 'a fourth is one too many' 503 type:too-many-streams '.limit == 3' 'h:retry-after: [0-9]+' -- "${lines[@]}" '/v1/kv?prefix=big'
expect 'pages are still there' 200 -- '/v1/kv?prefix=a/'
put witness here
that 'writes too' holds witness here
that 'memory does not grow with them' [ $(($(rss) - before)) -lt 20000 ]
kill "${slow[@]}" 2>/dev/null
wait "${slow[@]}" 2>/dev/null
that 'they left, and so did their lists' within 20 is_at http_streams 0
expect 'there is room again' 200 -- "${lines[@]}" '/v1/kv?prefix=a/'

# ---- a responder that dies in the middle: what came is never taken for all. The reader holds still meanwhile: on a busy machine it had read all.
curl -sS -o "$work/cut" --limit-rate 1M "${lines[@]}" "$url/v1/kv?prefix=big" 2>/dev/null &
reader=$!
that 'a list on its way' within 20 [ -s "$work/cut" ]
kill -STOP "$reader"
that 'and not over' within 20 is_at http_streams 1
serve_kill9
kill -CONT "$reader"
wait "$reader"
that 'is an error to its reader' [ $? != 0 ]
that 'and has no end' [ "$(tail -n 1 "$work/cut" | jq -r .end 2>/dev/null)" != true ]
serve_start --config "$work/siltstone.conf" || finish

# ---- deletes
expect 'a delete of nothing in particular' 400 type:bad-query -- -X DELETE /v1/kv
expect 'of an empty prefix' 400 type:bad-query -- -X DELETE '/v1/kv?prefix='
expect 'of everything between nothing' 400 type:bad-query -- -X DELETE '/v1/kv?start=&end='
expect 'all=true beside a bound' 400 type:bad-query -- -X DELETE '/v1/kv?prefix=a&all=true'
expect 'with a condition' 400 type:bad-condition -- -X DELETE -H 'If-Match: *' '/v1/kv?prefix=a'
expect 'with a limit' 400 type:bad-query -- -X DELETE '/v1/kv?prefix=a&limit=5'
that 'which deleted nothing' holds a/1 v1
expect 'a prefix is gone' 200 '.deleted == 5 and .more == false and .version > 12' 'h:silt-version: [0-9]+' -- -X DELETE '/v1/kv?prefix=a/'
that 'indeed' lacks a/1
that 'and nothing beside it' holds b one
expect 'once more' 200 '.deleted == 0' -- -X DELETE '/v1/kv?prefix=a/'
expect 'bounds' 200 '.deleted == 2' -- -X DELETE '/v1/kv?start=s1&end=s3'
expect 'all of it' 200 '.deleted > 60' -- -X DELETE '/v1/kv?all=true'
expect 'there is nothing' 200 '.items == []' -- /v1/kv
serve_stop
serve_start || finish
expect 'not after a restart either' 200 '.items == []' -- /v1/kv

# ---- content types
request -X PUT -d '{}' -H 'Content-Type: application/json' /v1/kv/typed/a; request -X PUT -d x -H 'Content-Type:' /v1/kv/typed/b
expect 'content types, where they are asked for' 200 '[.items[].content_type] == ["application/json", null]' -- '/v1/kv?prefix=typed/&content_type=true'
expect 'and not else' 200 '[.items[] | has("content_type")] == [false, false]' -- '/v1/kv?prefix=typed/&content_type=0'
request -H 'Accept: application/x-ndjson' '/v1/kv?prefix=typed/&content_type=1&keys_only=1'
that 'content types in lines' jq -se '.[0].content_type == "application/json" and .[0].key == "typed/a" and .[2].end' "$body"
expect 'a content type that is no switch' 400 type:bad-query -- '/v1/kv?content_type=text/plain'
request -X DELETE '/v1/kv?prefix=typed/'

# ---- ranges beside writers: what was deleted is what was counted
for i in 1 2 3 4; do
	for n in $(seq 60); do printf 'url = "%s/v1/kv?key=w/%s/%s"\nrequest = PUT\ndata-binary = x\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' "$url" "$i" "$n"; [ "$n" = 60 ] || echo next; done >"$work/w$i"
	curl -sS -K "$work/w$i" >"$work/codes$i" &
	writers[i]=$!
done
deleted=0
while kill -0 "${writers[@]}" 2>/dev/null; do
	deleted=$((deleted + $(curl -sS -X DELETE "$url/v1/kv?prefix=w/" | jq .deleted)))
done
wait "${writers[@]}"
deleted=$((deleted + $(curl -sS -X DELETE "$url/v1/kv?prefix=w/" | jq .deleted)))
that 'every key was deleted once, and counted' [ "$deleted" = "$(cat "$work"/codes? | grep -c 201)" ]
finish
