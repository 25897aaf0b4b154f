#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# changes.sh - the changes feed: what was written, in order; waiting for it; events; a thousand who wait.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

next() { jq .next "$body"; }
parked_are() { at_least http_requests_parked "$1"; }
parked_at_most() { [ "$(gauge http_requests_parked)" -le "$1" ]; }

# ---- what was written
expect 'no since: from now' 200 '.changes == [] and .next == 0' 'h:vary: accept' 'h:cache-control: no-store' -- /v1/changes
put a 1; va=$version
request -X PUT --data-binary $'\xff' '/v1/kv?key=%FE&ttl=1000'; vb=$(version)
request -X DELETE '/v1/kv?key=a'; vc=$(header silt-version)
request -X DELETE '/v1/kv?prefix=x/'; vd=$(jq .version "$body")
expect 'all of it, in order' 200 ".changes[0] == {key:\"a\",version:$va,op:\"put\",value:\"1\"}" \
    ".changes[1] | .key == \"/g==\" and .key_encoding == \"base64\" and .value == \"/w==\" and .encoding == \"base64\" and .op == \"put\" and .version == $vb and .expires_at > 1700000000000" \
    ".changes[2] == {key:\"a\",version:$vc,op:\"delete\"}" ".changes[3] == {key:\"x/\",version:$vd,op:\"delete_range\",end:\"x0\"}" '.changes | length == 4' \
    ".next == $vd" -- '/v1/changes?since=0'
expect 'HEAD' 200 'h:content-type: application/json' -- -I '/v1/changes?since=0'
expect 'from the middle' 200 '.changes | length == 2' ".next == $vd" -- "/v1/changes?since=$vb"
expect 'a limit' 200 '.changes | length == 1' ".next == $va" -- '/v1/changes?since=0&limit=1'
expect 'goes on where it ended' 200 ".changes[0].version == $vb" -- "/v1/changes?since=$va&limit=1"
expect 'a prefix' 200 '.changes | length == 2' '[.changes[].key] == ["a","a"]' ".next == $vd" -- '/v1/changes?since=0&prefix=a'
expect 'a prefix that nothing has: next moves on' 200 '.changes == []' ".next == $vd" -- '/v1/changes?since=0&prefix=none'
expect 'a range delete is cut to the prefix' 200 '.changes == [{key:"x/y",version:'"$vd"',op:"delete_range",end:"x/z"}]' -- '/v1/changes?since=0&prefix=x/y'
expect 'at the end: nothing' 200 '.changes == []' ".next == $vd" -- "/v1/changes?since=$vd"
expect 'after the end: gone' 410 type:changes-gone ".newest == $vd" '.oldest == 0' -- "/v1/changes?since=$((vd + 1))"
for bad in 'since=-1' 'since=x' 'since=9007199254740992' 'limit=0' 'limit=10001' 'timeout=51' 'timeout=1.5' 'timeout=' 'nonsense=1' 'since=0&since=0' 'start=a'; do
	expect "malformed: $bad" 400 type:bad-query -- "/v1/changes?$bad"
done
expect 'at the limits' 200 -- '/v1/changes?since=0&limit=10000&timeout=50'
expect 'only GET' 405 'h:allow: GET, HEAD, OPTIONS' -- -X POST /v1/changes
expect 'an id of no event' 400 type:bad-header -- -H 'Last-Event-ID: x' /v1/changes
expect 'which makes no since right' 400 type:bad-query -- -H "Last-Event-ID: $vb" '/v1/changes?since=x'
expect 'Last-Event-ID beats since' 200 '.changes | length == 2' -- -H "Last-Event-ID: $vb" '/v1/changes?since=0'

# ---- waiting
poll() { curl -s -m 60 -o "$work/poll$1" "$url/v1/changes?$2"; }
poll 1 "since=$vd&timeout=50" & p1=$!
poll 2 "since=$vd&timeout=50&prefix=p/" & p2=$!
poll 3 'timeout=50&prefix=p/' & p3=$!
poll 4 "since=$vd&timeout=1&prefix=never/" & p4=$!
that 'four wait' within 20 parked_are 4
put other 1; ve=$version
wait $p1
that 'a write wakes who waits for any' jq -e ".changes[0].key == \"other\" and .next == $ve" "$work/poll1"
put p/1 1; vf=$version
wait $p2 $p3
that 'and one with the prefix those who wait for it' jq -e ".changes == [{key:\"p/1\",version:$vf,op:\"put\",value:\"1\"}] and .next == $vf" "$work/poll2"
that 'also from now on' jq -e '.changes[0].key == "p/1"' "$work/poll3"
wait $p4
that 'who waits in vain gets nothing, and a next behind what was hidden' jq -e ".changes == [] and .next >= $ve" "$work/poll4"
curl -s -m 60 -o "$work/left" "$url/v1/changes?timeout=50" &
left=$!
that 'one waits' within 20 parked_are 1
kill $left; wait $left 2>/dev/null
that 'a client that leaves is let go of at once' within 20 parked_at_most 1            # the one that asks

# ---- events
events() { curl -s -N -m 120 -D "$work/events.head" -H 'Accept: text/event-stream' "$@" >"$work/events" 2>"$work/events.err" & e=$!; }
seen() { grep -qF -- "$1" "$work/events"; }
events "$url/v1/changes?since=0"
that 'a stream' within 20 seen "id: $vf"
that 'has the type' grep -qi '^content-type: text/event-stream' "$work/events.head"
that 'is not cached' grep -qi '^cache-control: no-store' "$work/events.head"
put live 1; vg=$version
that 'what is written comes at once' within 20 seen "data: {\"key\":\"live\",\"version\":$vg,\"op\":\"put\",\"value\":\"1\"}"
request -X PUT --data-binary $'two\nlines' /v1/kv/nl; vh=$(version)
that 'a newline is no end of an event' within 20 seen "data: {\"key\":\"nl\",\"version\":$vh,\"op\":\"put\",\"value\":\"two\\nlines\"}"
within 20 seen "id: $vh"
that 'each version has its id, in order' bash -c '[ "$(sed -n "s/^id: //p" "$1" | tr "\n" " ")" = "$2" ]' - "$work/events" "$va $vb $vc $vd $ve $vf $vg $vh "
that 'each event ends with a blank line' [ "$(grep -c '^$' "$work/events")" = 9 ]
kill $e; wait $e 2>/dev/null
events -H "Last-Event-ID: $vg" "$url/v1/changes?since=0"
that 'Last-Event-ID goes on' within 20 seen "id: $vh"
that 'and does not repeat' bash -c '! grep -q "$2" "$1"' - "$work/events" "\"version\":$vg,"
kill $e; wait $e 2>/dev/null
expect 'a stream from too far' 410 type:changes-gone -- -H 'Accept: text/event-stream' "/v1/changes?since=$((vh + 1000000))"

# ---- a thousand who wait
ulimit -Sn "$(ulimit -Hn)"
for i in $(seq 0 249); do printf 'url = "%s/v1/changes?timeout=50&prefix=crowd%s"\noutput = /dev/null\nwrite-out = "%%{http_code} %%{size_download}\\n"\n' "$url" $((i % 10)); done >"$work/crowd"
before=$(rss)
crowd=()
for i in 1 2 3 4; do
	curl -s -Z --parallel-max 250 --parallel-immediate -m 100 -K "$work/crowd" >"$work/crowd$i" 2>/dev/null &
	crowd+=($!)
done
that 'a thousand wait' within 60 parked_are 1000
after=$(rss)
# A sanitizer's heap tells nothing of ours.
[ -n "${ASAN_OPTIONS:-}" ] || that "at $((after - before)) KiB" [ $((after - before)) -lt 24000 ]
that 'beside them one writes' put quiet 1
that 'and reads' holds quiet 1
that 'they still wait: it was not for them' parked_are 1000
put crowd7/x 1
that 'a tenth of them wakes' within 30 parked_at_most 905
that 'and no more' parked_are 900
for i in 0 1 2 3 4 5 6 8 9; do put "crowd$i" 1; done
wait "${crowd[@]}"
that 'all are answered, each with its change' [ "$(cat "$work"/crowd? | grep -c '^200 [1-9][0-9]')" = 1000 ]

# ---- the end
poll 9 "timeout=50" & p9=$!
events "$url/v1/changes"
that 'two wait' within 20 parked_are 2
kill -TERM "$(responder_pid)"
wait $p9
that 'a drain ends polls' jq -e '.changes == []' "$work/poll9"
wait $e
that 'and streams, in good order' [ $? = 0 ]
serve_wait
that 'the server ends with 0' [ $? = 0 ]
serve_start || finish
expect 'the feed reaches back over a restart' 200 '.changes | length > 10' -- '/v1/changes?since=0'

# ---- what a change is
request -X POST '/v1/kv/step?op=incr&by=7'; vs=$(header silt-version)
request -H 'Content-Type: application/json' -d '{"ops":[{"put":{"key":"one","value":"1"}},{"put":{"key":"two","value":"2"}},{"delete":{"key":"one"}}]}' /v1/batch
vt=$(jq .version "$body")
request -X DELETE '/v1/kv?all=true'; vd=$(jq .version "$body")
expect 'a step is told as its sum, a version whole whatever the limit, a range without an end as such' 200 \
    ".changes[0] == {key:\"step\",version:$vs,op:\"put\",value:\"7\"}" ".next == $vt" '.changes | length > 1' "[.changes[1:][].version] | unique == [$vt]" -- "/v1/changes?since=$((vs - 1))&limit=2"
expect 'and everything that was deleted is from the least key, without an end' 200 ".changes == [{key:\"\\u0000\",version:$vd,op:\"delete_range\"}]" -- "/v1/changes?since=$vt"
finish
