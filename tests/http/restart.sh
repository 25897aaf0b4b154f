#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# restart.sh - what was acknowledged is there after every kind of end; a drain loses no answer.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
for i in $(seq 1 200); do
	printf 'url = "%s/v1/kv/r%s"\nrequest = "PUT"\ndata = "value-%s"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nnext\n' "$url" "$i" "$i"
done | sed '$d' >"$work/writes"
curl -s -Z --parallel-max 16 -K "$work/writes" >"$work/codes" 2>/dev/null
that 'two hundred writes' [ "$(grep -c 201 "$work/codes")" = 200 ]
put t x; request -X PUT -H 'Content-Type: text/x-silt' -d typed '/v1/kv/typed?ttl=100000'
ends=$(header silt-expires-at)
get typed; ends=$(header silt-expires-at); at=$(version)
request -X DELETE /v1/kv/r200
get r1; before=$(version)

check_all() {
	seq 1 199 >"$work/numbers"
	that "all values are there $1" all_hold r printf value-%s <"$work/numbers"
	that "the deleted key is not $1" lacks r200
	expect "versions stand $1" 200 "h:etag: \"$before\"" -- /v1/kv/r1
	expect "type, version and end of life stand $1" 200 is:typed 'h:content-type: text/x-silt' "h:silt-expires-at: $ends" "h:etag: \"$at\"" -- /v1/kv/typed
	put "after" "$1"
	that "versions go on upwards $1" [ "$version" -gt "$newest" ]
	newest=$version
}
put newest x; newest=$version
serve_stop
that 'SIGTERM ends serve with 0' [ $? = 0 ]
serve_start || finish
check_all 'after SIGTERM'
serve_kill9
serve_start || finish
check_all 'after kill -9'
that 'after an unclean end versions jump by 2^22' [ "$newest" -ge $((1 << 22)) ]
expect 'a flush by request' 200 -- -X POST /v1/admin/flush
serve_kill9
serve_start || finish
check_all 'after a flush and kill -9'
expect 'shutdown says what it did' 200 '(.message|type) == "string" and (.flushed_entries|type) == "number" and (.tables|type) == "number"
    and (.wal_bytes|type) == "number" and (.uptime_s|type) == "number" and (.requests|type) == "number"' -- /shutdown
serve_wait
that 'and serve ends with 0' [ $? = 0 ]
serve_start || finish
check_all 'after /shutdown'
expect 'POST /shutdown' 200 -- -X POST /shutdown
serve_wait
that 'ends with 0 as well' [ $? = 0 ]
serve_start || finish
check_all 'after POST /shutdown'

# ---- writes behind a change of segments: the background once made the segment again that was just taken
for i in $(seq 1 12); do
	request -X POST /v1/admin/flush
	put "rotated-$i" "value-$i"
	put "rotated-again-$i" "value-$i"
done
expect 'compacted in between' 200 -- -X POST /v1/admin/compact
put rotated-last 1
serve_kill9
serve_start || finish
wrong=0
for i in $(seq 1 12); do
	holds "rotated-$i" "value-$i" && holds "rotated-again-$i" "value-$i" || wrong=$((wrong + 1))
done
that 'what was written around twelve flushes is there after kill -9' [ "$wrong" = 0 ]
that 'and what was written after a compaction' holds rotated-last 1

# ---- SIGTERM under load: every answer 2xx is true afterwards, and the others are 502, 503 or a closed connection
for i in $(seq 1 3000); do
	printf 'url = "%s/v1/kv/d%s"\nrequest = "PUT"\ndata = "drain-%s"\noutput = "/dev/null"\nwrite-out = "%s %%{http_code}\\n"\nnext\n' "$url" "$i" "$i" "$i"
done | sed '$d' >"$work/writes"
curl -s -Z --parallel-max 16 -K "$work/writes" >"$work/codes" 2>/dev/null &
writers=$!
within 60 test -s "$work/codes"
serve_stop
that 'SIGTERM under load ends with 0' [ $? = 0 ]
wait "$writers"
serve_start || finish
awk '$2 == 201 { print $1 }' "$work/codes" >"$work/numbers"
that "what was acknowledged in a drain is there ($(wc -l <"$work/numbers") writes)" all_hold d printf drain-%s <"$work/numbers"
that 'and nothing else was answered' [ "$(grep -cvE ' (201|502|503|000)$' "$work/codes")" = 0 ]
finish
