#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# overload.sh - more than it can take: quick refusals that say why and when to come again, and room for what matters.
. "$(dirname "$0")/../lib/http.sh"
conf=$work/siltstone.conf
printf 'max_parked = 8\nworkers = 1\n' >"$conf"
serve_start --config "$conf" || finish

# ---- polls leave room for writes
polls=()
for i in 1 2 3 4 5 6; do
	curl -s -m 60 -o /dev/null "$url/v1/changes?timeout=50&prefix=never" &
	polls+=($!)
done
that 'six of eight wait for changes' within 20 is_at changes_waiting 6
expect 'a seventh is refused, with the time to come again' 503 type:too-many-parked 'h:retry-after: [0-9]+' -- '/v1/changes?timeout=50'
expect 'a stream too' 503 type:too-many-parked -- -H 'Accept: text/event-stream' /v1/changes
expect 'one that does not wait is answered' 200 -- '/v1/changes'
that 'a write has room' put a 1
that 'and a read' holds a 1
expect 'health is not asked of anyone' 200 -- /healthz
kill "${polls[@]}"; wait "${polls[@]}" 2>/dev/null

# ---- a crowd of writers: each is answered, and with nothing but yes or not now
for i in $(seq 300); do
	printf 'url = "%s/v1/kv/w%s"\nrequest = PUT\ndata = x\noutput = "/dev/null"\nwrite-out = "w%s %%{http_code} %%header{retry-after}\\n"\nnext\n' "$url" "$i" "$i"
done | sed '$d' >"$work/crowd"
curl -s -Z --parallel-max 200 --parallel-immediate -m 100 -K "$work/crowd" >"$work/answers" 2>/dev/null
that 'of 300 writers at once all are answered' [ "$(wc -l <"$work/answers")" = 300 ]
yes=$(grep -cE ' (201|204) $' "$work/answers") no=$(grep -cE ' 503 [0-9]+$' "$work/answers")
that "$yes with yes, $no with 503 and Retry-After" [ $((yes + no)) = 300 ]
wrong=0
while read -r key code _; do
	if [ "$code" = 503 ]; then lacks "$key"; else holds "$key" x; fi || wrong=$((wrong + 1))
done < <(shuf -n 60 "$work/answers" 2>/dev/null || head -n 60 "$work/answers")
that 'what was refused was not written, and what was not was' [ "$wrong" = 0 ]
that 'and then all is as before' put after 1
finish
