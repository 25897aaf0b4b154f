#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# damage.sh - one changed byte in each kind of file: whoever asks for what it held gets an error and never a wrong value or a 404, the
# others get their answers, `siltctl verify` names the file and the place, and a store that is not whole is not opened.
. "$(dirname "$0")/../lib/http.sh"

ctl=$build/siltctl
sound=$work/sound
data=$work/data
keys=60

# flip FILE OFFSET: one bit of one byte
flip() {
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# afresh: the sound store again, undamaged; its files are named by $sst, $wal
afresh() {
	rm -rf "$data"
	cp -a "$sound" "$data"
}
# right KEYNUMBER...: each value comes back byte for byte
right() {
	local i

	for i in "$@"; do
		get "key-$i"
		[ "$status" = 200 ] && cmp "$body" "$work/values/$i" || { echo "key-$i: $status"; return 1; }
	done
}
# none_wrong: every key is right or an error that says so, and at least one is an error
none_wrong() {
	local i errors=0

	for i in $(seq 1 "$keys"); do
		get "key-$i"
		case $status in
		200)    cmp "$body" "$work/values/$i" || return 1 ;;
		500)    jq -e '.type == "urn:siltstone:problem:damaged"' "$body" >/dev/null || return 1; errors=$((errors + 1)) ;;
		*)      echo "key-$i: $status"; return 1 ;;
		esac
	done
	[ "$errors" -gt 0 ]
}
# verified STATUS PATTERN...: what siltctl verify does with $data, and says
verified() {
	local wanted=$1 pattern rc

	shift
	"$ctl" --db "$data" verify >"$work/verify" 2>&1
	rc=$?
	for pattern in "$@"; do
		grep -qE "$pattern" "$work/verify" || { echo "verify does not say $pattern:"; cat "$work/verify"; return 1; }
	done
	[ "$rc" = "$wanted" ] || { echo "verify ended with $rc:"; cat "$work/verify"; return 1; }
}
# refused PATTERN: serve ends with 1 and the reason, and every file is as it was
refused() {
	local before after rc

	before=$(cd "$data" && sha256sum -- *)
	timeout -k 5 120 "$root/nginx/serve" --port "$port" --data "$data" >"$work/said" 2>&1
	rc=$?
	after=$(cd "$data" && sha256sum -- *)
	[ "$rc" = 1 ] || { echo "serve ended with $rc:"; cat "$work/said"; return 1; }
	grep -qE "$1" "$work/said" || { echo "serve does not say $1:"; cat "$work/said"; return 1; }
	[ "$before" = "$after" ] || { echo "files were changed:"; diff <(echo "$before") <(echo "$after"); return 1; }
}
# place_of FILE NAME: the offset behind NAME in the dump's head, e.g. filter
place_of() { "$ctl" dump "$1" | sed -n "s/^  $2: offset \([0-9]*\),.*/\1/p" | head -n 1; }

# ---- a store with a table of many blocks, and a log behind it that its process left when it was killed
serve_start || finish
mkdir "$work/values"
for i in $(seq 1 "$keys"); do
	head -c 1500 /dev/urandom >"$work/values/$i"
	put "key-$i" "@$work/values/$i"
done
expect 'a table is written' 200 -- -X POST /v1/admin/flush
for i in 1 2 3 4 5 6; do
	put "log-$i" "logged $i"
done
serve_kill9
cp -a "$data" "$sound"
that 'the store is sound' verified 0 ': sound$'
sst=$(cd "$sound" && for f in *.sst; do ! "$ctl" dump "$f" | grep -q 'put "key-30"' || echo "$f"; done | head -n 1)
wal=$(cd "$sound" && for f in *.wal; do ! "$ctl" dump "$f" | grep -q 'put "log-1"' || echo "$f"; done | head -n 1)
that 'its files are found' test -s "$sound/$sst" -a -s "$sound/$wal"
# The block that holds key-30, and the keys that stand in it.
"$ctl" dump "$sound/$sst" | awk '/^  block / { place = $4 + 0 } /^    put "key-/ { split($2, name, /[-"]/); print place, name[3] }' >"$work/blocks"
place=$(awk '$2 == 30 { print $1 }' "$work/blocks")
hit=$(awk -v p="$place" '$1 == p { print $2 }' "$work/blocks")
others=$(awk -v p="$place" '$1 != p { print $2 }' "$work/blocks")

# ---- a data block
afresh
flip "$data/$sst" $((place + 700))
that 'verify names the table and the block' verified 3 "$sst" "offset $place\b" 'DAMAGED, 1 findings'
serve_start || finish
expect 'GET of what it held' 500 type:damaged 'has("outcome") | not' -- /v1/kv/key-30
expect 'in the classic dialect' 500 type:damaged -- '/get?key=key-30'
expect 'HEAD' 500 -- -I /v1/kv/key-30
expect 'again: it is not forgotten' 500 type:damaged -- /v1/kv/key-30
expect 'DELETE with the old value' 500 type:damaged -- '-X' DELETE '/del?key=key-30'
# shellcheck disable=SC2086
all_hit_fail() { for i in $hit; do get "key-$i"; [ "$status" = 500 ] || return 1; done; }
that "all keys of that block are errors ($(wc -w <<<"$hit"))" all_hit_fail
# shellcheck disable=SC2086
that "all keys of the others are right ($(wc -w <<<"$others"))" right $others
that 'so is what stood in the log' holds log-3 'logged 3'
expect 'what never was is still 404' 404 type:no-such-key -- /v1/kv/nothing
that "the log names the table and the block" grep -qE "$sst.*offset $place\b" "$work/serve.log"
expect 'it is alive' 200 -- /healthz
expect 'and ready: other keys can be written' 200 -- /readyz
that 'and are' put fresh value
expect 'a compaction does not write over it' 500 type:damaged -- -X POST /v1/admin/compact
expect 'GET of what it held is still an error' 500 type:damaged -- /v1/kv/key-30
# shellcheck disable=SC2086
that 'and the others are right' right $others
serve_stop
that 'it closes cleanly' [ $? = 0 ]
that 'the table stays where it was' [ -s "$data/$sst" ]

# ---- the other parts of a table
for part in 'top index' filter properties; do
	afresh
	place=$(place_of "$data/$sst" "$part")
	flip "$data/$sst" $((place + 9))
	that "verify names the table whose $part is damaged" verified 3 "$sst" 'DAMAGED'
done
afresh
flip "$data/$sst" $(($(place_of "$data/$sst" filter) + 9))
if serve_start; then
	that 'a damaged filter costs time and nothing else' right $(seq 1 "$keys")
	expect 'what never was is 404 or an error' 404 -- /v1/kv/nothing
	serve_stop
fi
afresh
flip "$data/$sst" $(("$("$ctl" dump "$sound/$sst" | sed -n 's/^  partition 0: offset \([0-9]*\),.*/\1/p')" + 20))
that 'verify names the table whose index is damaged' verified 3 "$sst" 'DAMAGED'
serve_start && that 'a damaged index makes errors of its keys, and never a 404' none_wrong
serve_stop
afresh
flip "$data/$sst" $(($(stat -c %s "$data/$sst") - 10))
that 'verify names the table whose footer is damaged' verified 3 "$sst" 'DAMAGED'
serve_start && that 'a damaged footer makes errors of all its keys, and never a 404' none_wrong
that 'and what stood in the log is there' holds log-3 'logged 3'
serve_stop
afresh
truncate -s -1 "$data/$sst"
that 'a table that was cut short: the responder does not start, and names it' refused "$sst"
afresh
mv "$data/$sst" "$work/away"
that 'a table that is not there as well' refused "$sst"

# ---- a log, and the manifest
first=$("$ctl" dump "$sound/$wal" | sed -n 's/^\([0-9]*\): DATA.*/\1/p' | head -n 1)
afresh
flip "$data/$wal" $((first + 36))
that 'a damaged log: the responder does not start, and names file and offset' refused "$wal.*offset $first\b"
that 'verify says the same' verified 3 "$wal" "offset $first\b" 'DAMAGED'
that 'nothing listens' port_is_free "$port"
afresh
flip "$data/$wal" 20
that 'a damaged log header as well' refused "$wal"
afresh
rm "$data/$wal"
that 'a log that is not there as well' refused "$wal"
afresh
flip "$data/MANIFEST" 20
that 'a damaged manifest as well' refused MANIFEST
afresh
rm "$data/MANIFEST"
that 'a manifest that is not there as well: no empty store is made beside the tables' refused MANIFEST
afresh
serve_start || finish
that 'undamaged it is all there' right $(seq 1 "$keys")
that 'what stood in the log too' holds log-6 'logged 6'
finish
