#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh - a disk that fails, one that does not keep up, and a clock that is set back: each has its own answer through nginx, reads go
# on, and nothing acknowledged is lost. The faults are preloaded (preload/faults.c) and switched by files.
. "$(dirname "$0")/../lib/http.sh"
mkdir "$work/faults"
if ! gcc -std=c17 -D_GNU_SOURCE -O1 -fPIC -shared -o "$work/faults.so" "$root/tests/http/preload/faults.c" -ldl 2>"$work/gcc.err"; then
	not_ok 'the faults can be built' "$(cat "$work/gcc.err")"
	finish
fi
printf '#!/bin/sh\nFAULTS=%s LD_PRELOAD=%s exec %s "$@"\n' "$work/faults" "$work/faults.so" "$SILT_RESPONDER" >"$work/responder"
chmod +x "$work/responder"
SILT_RESPONDER=$work/responder
fault() { : >"$work/faults/$1"; }
over() { rm -f "$work/faults/$1"; }
clock() { echo "$1" >"$work/faults/clock.new"; mv "$work/faults/clock.new" "$work/faults/clock"; }

# ---- the clock is set forward and back: what has expired stays away, and what is written then lives its time
serve_start || finish
request -X PUT -d soon '/v1/kv/soon?ttl=100'
put for-ever here
that 'an entry with 100 s to live' holds soon soon
clock 200
that '200 s later it is absent' lacks soon
expect 'to a condition too' 201 -- -X PUT -H 'If-None-Match: *' -d again '/v1/kv/soon?ttl=100'
that 'and written anew' holds soon again
clock 400
that 'absent again' lacks soon
clock -100000
that 'the clock goes back: what has expired stays absent' lacks soon
that 'what lives for ever lives' holds for-ever here
request -X PUT -d short '/v1/kv/short?ttl=100'
that 'what is written with a time to live then has it' holds short short
expect 'by POST as well' 200 -- -d '{"key":"posted","value":"v","ttl":100}' /set
that 'and is there' holds posted v
expect 'in a batch as well' 200 -- -d '{"ops":[{"put":{"key":"batched","value":"v","ttl":100}}]}' /v1/batch
that 'and is there too' holds batched v
put after clock
newer=$version
put after again
that 'versions go on upwards' [ "$version" -gt "$newer" ]
serve_stop
serve_start || finish
that 'after a restart under the clock that went back all of it is there' holds short short
that 'and what lives for ever' holds after again
over clock

# ---- a sync fails: sticky, reads go on, and a restart is the way out
put before-fault safe
fault eio
expect 'a failed sync: the outcome is unknown' 500 type:io-error '.outcome == "unknown"' -- -X PUT -d lost /v1/kv/during
that 'the log says why, with file and offset' grep -qE 'wal.*Input/output error' "$work/serve.log"
over eio
expect 'from then on writes are refused, although the disk works again' 503 type:read-only 'h:retry-after: [0-9]+' -- -X PUT -d x /v1/kv/later
expect 'deletes too' 503 type:read-only -- -X DELETE /v1/kv/before-fault
expect 'in the classic dialect' 503 type:read-only -- -d 'key=a&value=b' /set
expect 'a batch' 503 type:read-only -- -d '{"ops":[{"put":{"key":"a","value":"b"}}]}' /v1/batch
expect 'a counter' 503 type:read-only -- -X POST '/v1/kv/n?op=incr'
expect 'a range delete' 503 type:read-only -- -X DELETE '/v1/kv?prefix=a'
expect 'readyz says so' 503 type:read-only -- /readyz
expect 'it is alive' 200 -- /healthz
expect 'reads go on' 200 is:safe -- /v1/kv/before-fault
expect 'lists too' 200 '.items|length > 0' -- '/v1/kv?limit=5'
expect 'what was refused is not there' 404 -- /v1/kv/later
serve_stop
serve_start || finish
that 'opened again, what was acknowledged is there' holds before-fault safe
get during
that 'what was unknown is whole or absent' [ "$status" = 404 -o "$(cat "$body")" = lost ]
that 'and it takes writes' put later yes

# ---- the log meets a disk without room, at a write that was let in: no 507 that goes away by itself, but a fault like any other
fault enospc
# The write that meets it, or, where the mark behind the one before has met it already, the refusal of all that follow.
fails() { request -X PUT -d x "/v1/kv/$1"; jq -e '.outcome == "unknown" and .status == 500 or (.type | endswith(":read-only")) and .status == 503' "$body"; }
that 'no room in the log itself: the outcome is unknown, and nobody is told that it goes away by itself' fails full
over enospc
expect 'then writes are refused' 503 type:read-only -- -X PUT -d x /v1/kv/full
expect 'and reads go on' 200 is:yes -- /v1/kv/later
serve_stop
serve_start || finish
that 'opened again it takes writes' put full now
that 'and what was acknowledged is there' holds later yes
serve_stop

# ---- acknowledged before the sync, where the configuration says so: it survives the end of the process
printf 'durability = async\nsync_interval = 1m\nwal_segment_size = 4M\n' >"$work/async.conf"
serve_start --config "$work/async.conf" || finish
fault eio
expect 'durability = async: nobody waits for the sync' 201 -- -X PUT -d acknowledged /v1/kv/unsynced
expect 'but who asks for it' 500 type:io-error '.outcome == "unknown"' -- -X PUT -d x '/v1/kv/synced?durability=sync'
over eio
serve_kill9
serve_start || finish
that 'after kill -9 it is there' holds unsynced acknowledged
serve_stop

# ---- a disk that does not keep up: writes wait a bounded time and are refused, and go on by themselves
printf 'memory = 8M\nmemtable_size = 64K\nwal_segment_size = 4M\n' >"$work/small.conf"
serve_start --config "$work/small.conf" || finish
fault slow
head -c 16000 /dev/urandom >"$work/value"
seq 1 200 | sed "s|.*|url = \"$url/v1/kv/stall-&\"\nrequest = PUT\ndata-binary = \"@$work/value\"\noutput = \"$work/answer-&\"\nwrite-out = \"& %{http_code} %header{retry-after}\\\\n\"\nnext|" | sed '$d' >"$work/crowd"
curl -s -Z --parallel-max 64 --parallel-immediate -m 100 -K "$work/crowd" >"$work/answers" 2>/dev/null &
crowd=$!
stalled() { grep -q 'write-stall' "$work/serve.log"; }
that 'where flushes do not keep up, writes are refused after a bounded wait' within 60 stalled
that 'reads go on' lacks "nothing"
expect 'it is alive while it stalls' 200 -- /healthz
over slow
wait "$crowd"
that 'all are answered' [ "$(wc -l <"$work/answers")" = 200 ]
that 'with yes or not now' [ "$(grep -cE ' (201 |503 [0-9])' "$work/answers")" = 200 ]
takes_writes() { put stalled no; }
that 'it goes on by itself' within 60 takes_writes
key=$(awk '$2 == 503 { print $1; exit }' "$work/answers")
that 'what was refused has a problem of its own' grep -q '"urn:siltstone:problem:write-stall"' "$work/answer-$key"
awk '$2 == 201 { print $1 }' "$work/answers" >"$work/promised"
awk '$2 == 503 { print $1 }' "$work/answers" >"$work/refused"
wrong=0
for i in $(shuf -n 40 "$work/promised"); do
	get "stall-$i"
	cmp -s "$body" "$work/value" || wrong=$((wrong + 1))
done
for i in $(shuf -n 20 "$work/refused"); do
	lacks "stall-$i" || wrong=$((wrong + 1))
done
that "what was acknowledged ($(wc -l <"$work/promised")) is there, what was refused ($(wc -l <"$work/refused")) is not" [ "$wrong" = 0 ]
serve_stop

# ---- writers that are always faster than a batch, whose reads of the disk wait for them
printf 'memory = 8M\n' >"$work/small.conf"
serve_start --config "$work/small.conf" || finish
json=(-H 'Content-Type: application/json')
head -c 1500000 /dev/urandom | base64 -w 0 >"$work/value"
for i in 1 2 3 4; do put "cold/$i" "@$work/value"; done                  # more than the cache holds
request -X POST /v1/admin/flush
put raced 0
echo '{"ops":[{"get":{"key":"raced"}},{"get":{"key":"cold/1"}},{"get":{"key":"cold/2"}},{"get":{"key":"cold/3"}},{"get":{"key":"cold/4"}},{"put":{"key":"late","value":"1"}}]}' >"$work/race"
for i in $(seq 200); do printf 'url = "%s/v1/kv/raced?durability=async"\nrequest = PUT\ndata = %s\noutput = /dev/null\nnext\n' "$url" "$i"; done | sed '$d' >"$work/racer"
fault lag
while [ -e "$work/faults/lag" ]; do curl -s -K "$work/racer"; done &
racer=$!
expect 'a batch that comes too late a hundred times is refused' 503 type:contended 'h:retry-after: [0-9]+' 'has("outcome") | not' \
    -- "${json[@]}" --data-binary "@$work/race" /v1/batch
over lag
wait "$racer"
that 'nothing of it is there' lacks late
expect 'it is done where nobody is faster' 200 '.results[0].key == "raced" and (.results | length) == 6' -- "${json[@]}" --data-binary "@$work/race" /v1/batch
that 'and there then' holds late 1
serve_stop

# ---- jobs that do not get on: sixteen wait behind the one that runs, and one more is refused
printf 'workers = 32\n' >"$work/jobs.conf"
serve_start --config "$work/jobs.conf" || finish
put before-jobs yes
fault slow
seq 1 18 | sed "s|.*|url = \"$url/v1/admin/checkpoint?name=c&\"\nrequest = POST\noutput = \"$work/job-&\"\nwrite-out = \"& %{http_code} %header{retry-after}%header{location}\\\\n\"\nnext|" | sed '$d' >"$work/jobs"
curl -s -Z --parallel-max 18 --parallel-immediate -m 100 -K "$work/jobs" >"$work/answers" 2>/dev/null &
crowd=$!
refused() { grep -q ' 503 [0-9]' "$work/answers" && grep -q ':too-many-jobs"' "$work"/job-*; }
that 'one of eighteen is refused, with the time to come again' within 60 refused
over slow
wait "$crowd"
that 'the others are done, or to be asked for' [ "$(grep -cE ' (200 |202 /v1/admin/jobs/.+)$' "$work/answers")" = 17 ]
that 'one that is not over is 202' grep -q ' 202 ' "$work/answers"
read -r later _ at < <(grep ' 202 ' "$work/answers")
that 'with its job' jq -e --arg at "$at" '.message and .job.kind == "checkpoint" and (.job.id as $id | $at | endswith($id))' "$work/job-$later"
expect 'to be asked after' 200 ".name == \"c$later\"" -- "$at"
all_there() { [ "$(curl -s "$url/v1/admin/checkpoints" | jq '.checkpoints | length')" = 17 ]; }
that 'and all of them end' within 60 all_there

# ---- a worker that does not get on: behind who has waited for longer than max_wait nobody queues
serve_stop
printf 'workers = 1\nmax_wait = 10ms\n' >"$work/one.conf"
serve_start --config "$work/one.conf" || finish
put before-wait yes
fault slow
curl -s -m 100 -o "$work/flushed" -X POST "$url/v1/admin/flush" &
flush=$!
parked_are() { request /v1/stats && jq -e ".parked == $1" "$body"; }
that 'a flush has the only worker' within 20 parked_are 1
curl -s -m 100 -o "$work/waited" "$url/v1/kv" &
waits=$!
that 'a list waits for it' within 20 parked_are 2
sleep 0.1
expect 'who comes later is refused at once' 503 type:too-many-parked 'h:retry-after: [0-9]+' -- /v1/kv
expect 'what needs no worker is served' 200 is:yes -- /v1/kv/before-wait
over slow
wait "$flush" "$waits"
that 'the one that waited has its list' jq -e '.items | length > 0' "$work/waited"
expect 'then others are let in' 200 -- /v1/kv

# ---- an end that waits for a job: systemd is asked for time at once, and not only when the job is over
serve_stop
/usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(100)
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)' "$work/notify" >"$work/notified" &
listener=$!
within 20 test -S "$work/notify"
printf '#!/bin/sh\nNOTIFY_SOCKET=%s exec %s "$@"\n' "$work/notify" "$SILT_RESPONDER" >"$work/notifying"
chmod +x "$work/notifying"
SILT_RESPONDER=$work/notifying serve_start || finish
put before-job yes
fault slow
curl -s -m 100 -o "$work/told" -X POST "$url/v1/admin/checkpoint?name=at-the-end" &
asked=$!
runs() { request /v1/admin/jobs && jq -e '.jobs[0].state == "running"' "$body"; }
that 'a checkpoint is being made' within 20 runs
kill -TERM "$(responder_pid)"
wait "$asked"
that 'who waits for it is told that it ends' jq -e '.type | endswith(":shutting-down")' "$work/told"
that 'and systemd that this takes longer' within 20 grep -q 'EXTEND_TIMEOUT_USEC=30000000 STATUS=Closing' "$work/notified"
over slow
serve_wait
that 'then it ends cleanly' [ $? = 0 ]
kill "$listener"
wait "$listener" 2>/dev/null
serve_start || finish

# ---- a shutdown that takes its time: who comes meanwhile is told
put before-the-end yes
fault slow
curl -s -m 100 -o "$work/bye" -X POST "$url/shutdown" &
bye=$!
is_ending() { request /healthz; [ "$status" = 200 ] && request /readyz && [ "$status" = 503 ]; }
n=0
told() { n=$((n + 1)); request -X PUT -d x "/v1/kv/late-$n"; [ "$status" = 503 ] && jq -e '.type | endswith(":shutting-down")' "$body"; }
that 'while the store is written out, others are told that it ends' within 60 told
that 'it is alive, and not ready' within 20 is_ending
over slow
wait "$bye"
that 'who asked for it is answered' jq -e '.message | length > 0' "$work/bye"
serve_wait
serve_start || finish
that 'what was acknowledged is there' holds before-the-end yes
that 'what was refused is not' lacks "late-$n"
finish
