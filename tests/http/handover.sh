#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# handover.sh - restarts in the middle of a load, with a socket and connections that outlive the responder, as systemd keeps them (holder.py):
# no acknowledged write is lost, none is refused, and the clients see a pause.
. "$(dirname "$0")/../lib/http.sh"
command -v python3 >/dev/null || { skip 'restarts under load' 'no python3 here'; exit 0; }
nginx='' holder=''
handover_cleanup() {
	trap '' INT TERM
	[ -z "$nginx" ] || kill -QUIT "$nginx"
	[ -z "$holder" ] || kill -TERM "$holder"
	wait
	rm -rf "$work"
} 2>/dev/null
trap handover_cleanup EXIT
python3 "$root/tests/http/holder.py" "$work/s.sock" "$work/notify" "$work/pid" "$SILT_RESPONDER" --db "$data" --memory 32M --memtable-size 1M --wal-segment-size 4M --log-level notice 2>>"$work/serve.log" &
holder=$!
within 10 test -S "$work/s.sock"
site_files "$work/s.sock"
site_conf 'worker_processes 2;'
site_nginx 2>>"$work/nginx.log" &
nginx=$!
answers() { request /readyz; [ "$status" = 200 ]; }
that 'it serves' within 20 answers
[ "$failures" = 0 ] || finish

# writer N: keys wN-1, wN-2, ... over one kept connection, by PUT, in batches and in the classic dialect, with lists and range deletes between; a
# line "KEY STATUS" each, KEY - where nothing is written, until the file `stop` is there
asked() { printf 'url = "%s%s"\nrequest = %s\noutput = /dev/null\nwrite-out = "%s %%{http_code}\\n"\nheader = "Content-Type: application/json"\n' "$url" "$2" "$1" "$3"; }
writer() {
	local n=0 i

	while [ ! -e "$work/stop" ] && [ "$n" -lt 20000 ]; do
		for i in 1 2 3; do
			n=$((n + 3))
			asked PUT "/v1/kv/w$1-$((n - 2))" "w$1-$((n - 2))"; printf 'data = "v"\nnext\n'
			asked POST /v1/batch "w$1-$((n - 1))"
			printf 'data = "{\\"ops\\":[{\\"get\\":{\\"key\\":\\"w1-1\\"}},{\\"put\\":{\\"key\\":\\"w%s-%s\\",\\"value\\":\\"v\\"}}]}"\nnext\n' "$1" "$((n - 1))"
			asked POST /set "w$1-$n"; printf 'data = "{\\"key\\":\\"w%s-%s\\",\\"value\\":\\"v\\"}"\nnext\n' "$1" "$n"
			asked GET '/v1/kv?limit=20' -; echo next
			asked DELETE "/v1/kv?prefix=none-$1/" -; echo next
		done | sed '$d' >"$work/batch$1"
		n=$((n + 9))
		curl -s -m 60 -K "$work/batch$1" >>"$work/acks$1"
	done
}
writers=()
for i in 1 2 3 4 5 6; do
	writer "$i" &
	writers+=($!)
done
acknowledged() { cat "$work"/acks? 2>/dev/null | grep -c ' 20[014]$'; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }
generation() { cut -d' ' -f2 "$work/pid"; }
younger_than() { [ "$(generation)" -gt "$1" ]; }
within 30 more_than 50
for i in 1 2 3 4; do
	was=$(generation)
	before=$(acknowledged)
	kill -TERM "$(cut -d' ' -f1 "$work/pid")"
	that "restart $i: the next one is started" within 30 younger_than "$was"
	that "restart $i: the load goes on" within 30 more_than $((before + 60))
	before=$(acknowledged)
	kill -HUP "$nginx"
	that "nginx is told to reload $i: the load goes on" within 30 more_than $((before + 60))
done
touch "$work/stop"
wait "${writers[@]}"
all=$(cat "$work"/acks? | wc -l)
good=$(acknowledged)
that "all of $all requests are answered with yes" [ "$good" = "$all" ]
that 'the successors went on with connections' [ "$(grep -c 'going on with [1-9][0-9]* connections' "$work/serve.log")" -gt 0 ]
grep -h '^w.* 20[014]$' "$work"/acks? | sort -u | cut -d' ' -f1 >"$work/promised"
while read -r key; do
	printf 'url = "%s/v1/kv/%s"\noutput = /dev/null\nwrite-out = "%s %%{http_code}\\n"\nnext\n' "$url" "$key" "$key"
done <"$work/promised" | sed '$d' >"$work/check"
curl -s -K "$work/check" >"$work/found"
that "no acknowledged write is lost" [ "$(grep -c ' 200$' "$work/found")" = "$(wc -l <"$work/promised")" ]
kill -TERM "$holder"
wait "$holder"
that 'the end is clean' [ $? = 0 ]
holder=''
finish
