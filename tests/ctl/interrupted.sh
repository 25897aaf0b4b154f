#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# interrupted.sh - siltctl import and export cut short: by Ctrl-C, by a server that goes away, by a full disk. Each says how far it came,
# going on from there makes it whole, and no file is left half written.
. "$(dirname "$0")/../lib/ctl.sh"
serve_start || finish
cd "$work" || exit 1
awk 'BEGIN { for (i = 1; i <= 6000; i++) printf "{\"key\":\"k%06d\",\"value\":\"value of %d\"}\n", i, i; print "{\"end\":true,\"count\":6000}" }' >all.ndjson
repeated x 60000 | awk '{ for (i = 1; i <= 400; i++) printf "{\"key\":\"large/%d\",\"value\":\"%s\"}\n", i, $0 }' >large.ndjson
plain() { sed 's/,"version":[0-9]*//' "$1"; }
whole() { plain "$1" | cmp - <(plain all.ndjson); }

# feed: an import whose source is a pipe, of which it gets the first 3500 lines and no end. The pipe is 9, the import $pid.
feed() {
	rm -f pipe
	mkfifo pipe
	"$ctl" "$@" import --format ndjson pipe >"$work/out" 2>"$work/err" &
	pid=$!
	exec 9>pipe
	head -n 3500 all.ndjson >&9
}
ended() {
	exec 9>&-
	wait "$pid"
	status=$?
}
# How far it says it came.
from() { sed -n 's/.*--from-line \([0-9]*\)$/\1/p' "$work/err"; }
imported() { sed -n 's/.*: \([0-9]*\) entries were imported.*/\1/p' "$work/err"; }
# Three batches were in; the answer to the third may be missing.
consistent() { that "$1" [ "$(imported):$(from)" = 3000:3001 -o "$(imported):$(from)" = 2000:2001 ]; }

# ---- Ctrl-C
feed --db c --create
within 60 [ -e c/LOCK ]
kill -INT "$pid"
ended
so 'an import into a stopped store is interrupted' 130 'e:entries were imported' 'e:--from-line'
n=$(imported)
that 'it says which line is next' [ "$(from)" = $((n + 1)) ]
run --db c count
so 'and that many are there' 0 "o:$n"
run --db c import all.ndjson --from-line $((n + 1))
so 'it goes on from there' 0
run --db c export --output c.ndjson
that 'and is whole' whole c.ndjson
served() { [ "$(curl -sS "$url/v1/kv?count_only=true" | jq .count)" -ge 3000 ]; }
feed --url "$url"
within 60 served
kill -TERM "$pid"
ended
so 'an import into a server is ended' 143 'e:entries were imported' 'e:--from-line'
consistent 'it says how far'
run --url "$url" count
so 'the server has them' 0 'o:3000'

# ---- nohup(1)
run --url "$url" delete --prefix k --yes
rm -f pipe; mkfifo pipe
(trap '' HUP; exec "$ctl" --url "$url" import --format ndjson pipe) >"$work/out" 2>"$work/err" &
pid=$!
exec 9>pipe
head -n 3500 all.ndjson >&9
within 60 served
kill -HUP "$pid"
tail -n +3501 all.ndjson >&9
ended
so 'a hangup that whoever began it ignores is ignored' 0 'o:6000 entries'

# ---- a reader that has stopped reading: a pager
writes() { grep -q pipe "/proc/$pid/wchan"; }
for command in 'scan' 'export'; do
	rm -f pipe; mkfifo pipe
	"$ctl" --url "$url" $command >pipe 2>"$work/err" &
	pid=$!
	exec 8<pipe
	if within 20 writes 2>/dev/null; then
		kill -INT "$pid"
		that "$command: it does not wait for its reader" within 10 gone "$pid"
	else
		skip "$command: a reader that has stopped reading" 'the system does not tell what a process waits for'
	fi
	exec 8<&-
	wait "$pid"; status=$?
	so "$command: and ends by its signal" 130
done

# ---- the server goes away in the middle of an import, and comes back
feed --url "$url"
within 60 served
serve_kill9
tail -n +3501 all.ndjson >&9
ended
that 'the server went away under an import' [ "$status" = 4 -o "$status" = 8 ]
so 'which says so' "$status" "e:$url" 'e:entries were imported' 'e:--from-line'
consistent 'and how far'
next=$(from)
run --url "$url" import all.ndjson
so 'nobody is there' 4 'e:is the server running' 'e:0 entries were imported; go on with --from-line 1'
serve_start || finish
run --url "$url" import all.ndjson --from-line "$next"
so 'the server is back: it goes on from there' 0 "o:$((6001 - next)) entries"
run --url "$url" export --output s.ndjson
that 'and is whole' whole s.ndjson

# ---- the server goes away in the middle of an export: more is to come than fits between it and the reader
run --url "$url" import large.ndjson --no-end
so 'some large values' 0 'o:400 entries'
rm -f pipe; mkfifo pipe
"$ctl" --url "$url" export --output pipe >"$work/out" 2>"$work/err" &
pid=$!
exec 8<pipe
head -c 1000 <&8 >/dev/null
serve_kill9
cat <&8 >/dev/null
exec 8<&-
wait "$pid"; status=$?
so 'the server went away under an export' 4 "e:$url" 'e:the list broke off after' 'e:run it again'
serve_start || finish

# ---- nor is a file left half written
echo before >kept.ndjson
kill -STOP "$(responder_pid)"
"$ctl" --url "$url" export --output kept.ndjson >"$work/out" 2>"$work/err" &
pid=$!
begun() { compgen -G 'kept.ndjson.*' >/dev/null; }
within 60 begun
kill -INT "$pid"
wait "$pid"; status=$?
kill -CONT "$(responder_pid)"
so 'an export is interrupted' 130 'e:it ended after 0 entries'
that 'the file is as it was' [ "$(cat kept.ndjson)" = before ]
that 'and nothing beside it' bash -c '! ls -d kept.ndjson.* 2>/dev/null'
kill -STOP "$(responder_pid)"
"$ctl" --url "$url" put k000001 'value of 1' >"$work/out" 2>"$work/err" &
pid=$!
waits() { grep -q poll "/proc/$pid/wchan"; }
asks() { waits && sleep 0.3 && waits; }
if within 20 asks 2>/dev/null; then
	kill -TERM "$pid"
	wait "$pid"; status=$?
	so 'a put is interrupted' 143 'e:interrupted; whether this PUT was done is not known'
else
	skip 'a put is interrupted' 'the system does not tell what a process waits for'
fi
kill -CONT "$(responder_pid)"
wait "$pid" 2>/dev/null
run --url "$url" export --output kept.ndjson
so 'the next one comes through' 0 'o:6400 entries'
that 'and is there whole' [ "$(wc -l <kept.ndjson)" = 6401 ]

# ---- full disks
mkdir small tiny
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=2m none tiny 2>/dev/null; then
	skip 'full disks' 'it takes root and a mount'
	finish
fi
trap 'http_cleanup; umount -l "$work/tiny" "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
echo before >tiny/kept
for f in ndjson csv; do
	run --url "$url" export --format $f --output tiny/kept
	so "$f: no room for an export" 4 'e:No space left on device' 'e:nothing was left in' 'e:run it again'
done
run --url "$url" put --escaped "$(for ((i = 0; i < 4000; i++)); do printf '\\x01'; done)" 'in a path longer than a path may be'
so 'a long key' 0
run --url "$url" export --format files --output tiny/tree
so 'files: no room for an export' 4 'e:No space left on device' 'e:nothing was left in tiny/tree'
mkdir tiny/mounted && mount -t tmpfs -o size=1m none tiny/mounted
run --url "$url" export --format files --output tiny/mounted
so 'files: a mount point' 4 'e:mount point'
umount tiny/mounted && rmdir tiny/mounted
that 'what was there is as it was, and alone' [ "$(ls tiny):$(head -n 1 tiny/kept)" = kept:before ]
mount -t tmpfs -o size=480m none small
run --db small/db put one x --create
so 'a store on a small disk' 0
# lines COUNT ROUND-TIME: as many lines, 1000 a round
lines() { awk -v n="$1" -v t="$2" 'BEGIN { for (i = 1; i <= n; i++) { printf "{\"key\":\"k%06d\",\"value\":\"value of %d\"}\n", i, i
	if (t && i % 1000 == 0) { fflush(); system("sleep " t) } } }'; }
rm -f pipe; mkfifo pipe
"$ctl" --db small/db import --format ndjson --no-end pipe >"$work/out" 2>"$work/err" &
pid=$!
exec 9>pipe
lines 3500 0 >&9
fill() { fallocate -l $(($(df -k --output=avail small | tail -n 1) - 40 * 1024))K small/ballast; }
that 'the disk is filled' within 20 fill
lines 100000 0.1 >&9 2>/dev/null
ended
so 'the disk runs full under an import' 4 'e:small/db: the disk is full' 'e:entries were imported, up to the key k' 'e:--from-line'
line=$(from) n=$(imported)
rm small/ballast
run --db small/db count --prefix k
that 'what was there is what it said' [ "$(cat "$work/out")" = $((n - 3500)) ]
{ lines 3500 0; lines $((line + 500)) 0; } >again.ndjson
run --db small/db import --no-end again.ndjson --from-line "$line"
so 'with room again it goes on' 0
run --db small/db count --prefix k
so 'and nothing is missing' 0 "o:$((line + 500))"
finish
