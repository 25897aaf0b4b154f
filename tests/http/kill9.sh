#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill9.sh [KILLS] - kill -9 under load: every acknowledged write is there afterwards, and no write is there by halves.
. "$(dirname "$0")/../lib/http.sh"
kills=${1:-3}
clients=8
: >"$work/acknowledged"
: >"$work/counters"
acknowledged=0
next=0

# Distinct keys: 3,000 writes a round over many connections, values of 40 to 4,000 bytes that repeat their number.
value_of() { printf "%0$((($1 * 7919) % 3960 + 40))d" "$1"; }
prepare_round() {
	seq "$1" "$2" | awk -v url="$url" '{
		if (NR > 1) print "next"
		printf "url = \"%s/v1/kv/key-%s\"\nrequest = \"PUT\"\ndata = \"%0" (($1 * 7919) % 3960 + 40) "d\"\n", url, $1, $1
		printf "output = \"/dev/null\"\nwrite-out = \"%s %%{http_code}\\n\"\n", $1
	}' >"$work/writes"
}
write_round() {
	curl -s -Z --parallel-max "$clients" -K "$work/writes" >"$work/codes" 2>/dev/null
}
# One key a client, counted up: afterwards it stands at the last acknowledged number, or at the one that was on its way.
count_up() {
	local n=$2

	while n=$((n + 1)); do
		echo "$n" >"$work/tried$1"
		curl -sf -o /dev/null -X PUT --data-binary "$n" "$url/v1/kv/counter-$1" 2>/dev/null || break
		echo "$n" >"$work/done$1"
	done
}

for c in 1 2 3; do echo 0 >"$work/done$c"; done
for round in $(seq 1 "$kills"); do
	serve_start || finish
	: >"$work/codes"
	prepare_round $((next + 1)) $((next + 3000))
	write_round &
	writer=$!
	for c in 1 2 3; do count_up "$c" "$(cat "$work/tried$c" 2>/dev/null || echo 0)" & eval "counter$c=$!"; done
	want=$((RANDOM % 1500 + 100))             # the kill comes in the middle, however fast the machine is
	enough() { [ "$(wc -l <"$work/codes")" -ge "$want" ] || gone "$writer"; }
	within 120 enough
	kill -KILL "$(responder_pid)"
	wait "$writer" "$counter1" "$counter2" "$counter3"
	serve_wait
	that "serve says that its responder was killed ($round)" grep -q 'was ended by signal 9 (KILL)' "$work/serve.log"
	next=$((next + 3000))
	awk '$2 == 201 || $2 == 204 { print $1 }' "$work/codes" >>"$work/acknowledged"
	acknowledged=$(wc -l <"$work/acknowledged")

	serve_start || finish
	that "all $acknowledged acknowledged writes are there after kill $round" all_hold key- value_of <"$work/acknowledged"
	for c in 1 2 3; do
		get "counter-$c"
		is=$(cat "$body")
		that "counter $c stands at what was acknowledged, or one on" [ "$is" -ge "$(cat "$work/done$c")" -a "$is" -le "$(cat "$work/tried$c")" ]
	done
	# What was not acknowledged is whole or absent.
	halves=0
	for i in $(awk '$2 != 201 && $2 != 204 { print $1 }' "$work/codes" | head -n 60); do
		get "key-$i"
		[ "$status" = 404 ] || [ "$(cat "$body")" = "$(value_of "$i")" ] || halves=$((halves + 1))
	done
	that "what was not acknowledged is whole or absent" [ "$halves" = 0 ]
	serve_stop
done
that "some writes were acknowledged before the kills" [ "$acknowledged" -gt 100 ]
finish
