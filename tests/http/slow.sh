#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow.sh - readers that do not read, writers that take their time, clients that leave in the middle of each kind of answer: nothing is
# held for them longer than the configuration says, and nobody else notices.
. "$(dirname "$0")/../lib/http.sh"
printf 'transfer_timeout = 1s\nmax_streams = 3\n' >"$work/conf"
serve_start --config "$work/conf" || finish
slow() { /usr/bin/python3 "$root/tests/http/slow.py" "$port" "$@"; }

# A stream that has nothing to tell, for the end of this.
curl -s -N -m 200 -H 'Accept: text/event-stream' "$url/v1/changes?prefix=never" >"$work/quiet" &
quiet=$!

# Lists of 50 MB: more than nginx and the sockets between hold.
base64 -w 0 /dev/urandom 2>/dev/null | head -c 500000 >"$work/large"
for i in $(seq 100); do
	printf 'url = "%s/v1/kv/big-%s"\nrequest = PUT\ndata-binary = "@%s/large"\noutput = /dev/null\nnext\n' "$url" "$i" "$work"
done | sed '$d' >"$work/fill"
curl -s -S -Z --parallel-max 8 -K "$work/fill" 2>/dev/null
put small here

# ---- who takes nothing is left behind after transfer_timeout, who takes a little after max_stream_time
slow stall /v1/kv 4 >"$work/stalled" &
stalled=$!
that 'a list is on its way' within 20 is_at http_streams 1
that 'whose reader takes nothing: after transfer_timeout it is let go' within 20 is_at http_streams 0
that 'and its snapshot with it' within 20 is_at snapshots 0
wait "$stalled"
that 'its reader is not told that it had all' [ "$(cat "$work/stalled")" = cut ]
beats() { [ "$(grep -c '^:' "$work/quiet")" -ge 1 ]; }
that 'a stream of changes without any has a heartbeat' within 60 beats
that 'and no event' [ "$(grep -c '^data:' "$work/quiet")" = 0 ]
kill "$quiet"
wait "$quiet" 2>/dev/null
serve_stop
printf 'max_stream_time = 2s\n' >"$work/conf"
serve_start --config "$work/conf" || finish
slow trickle /v1/kv 3 >"$work/trickled"
that 'one that is read slowly ends with an error after max_stream_time' jq -e -s '.[0].error.type == "urn:siltstone:problem:too-slow"' "$work/trickled"
that 'it is let go as well' within 20 is_at http_streams 0
that 'with its snapshot' within 20 is_at snapshots 0
expect 'one that is read at once is whole' 200 -- -H 'Accept: application/x-ndjson' /v1/kv
that 'to its last line' jq -e '.end and .count == 101' <(tail -n 1 "$body")

# ---- three hundred who write a byte at a time: nginx waits for them, the responder does not
before=$(gauge http_connections)
that 'three hundred slow writers are all stored, and others are served meanwhile' [ "$(slow writers 300)" = 300 ]
that 'what they wrote is whole' holds slow-299 "$(repeated x 40)"
that 'they took no connection of the responder each' [ "$(gauge http_connections)" -lt $((before + 150)) ]

# ---- those who leave
that 'clients leave in the middle of every kind of answer' slow leave
# nginx may miss that a client had gone before it asked for it: then a poll lasts its time, and a stream to its next heartbeat.
that 'nothing waits for them' within 60 is_at http_requests_parked 0
that 'no stream is left' within 20 is_at http_streams 0
that 'no change is waited for' within 20 is_at changes_waiting 0
that 'no answer is held' within 20 is_at http_answer_bytes 0
that 'no snapshot' within 20 is_at snapshots 0
expect 'others are served' 200 is:here -- /v1/kv/small
over() { request /v1/admin/jobs && jq -e '[.jobs[] | select(.state == "queued" or .state == "running")] == []' "$body"; }
that 'the jobs that were begun end all the same' within 60 over
expect 'well' 200 '[.jobs[].state] - ["done"] == []' -- /v1/admin/jobs
# What came before its client had gone is done, what did not is not: nothing by halves.
whole_or_gone() {
	local n

	for n in 97 98 99; do
		get "big-$n"
		[ "$status" = 404 ] || cmp "$body" "$work/large" || return 1
	done
}
that 'what was to be deleted is whole, or gone' whole_or_gone
expect 'a batch is there with all of it, or not at all' 200 '.count == 900 or .count == 0' -- '/v1/kv?prefix=left-&count_only=1'
expect 'and the responder is sound' 200 -- /readyz
serve_stop
that 'it ends cleanly' [ $? = 0 ]
finish
