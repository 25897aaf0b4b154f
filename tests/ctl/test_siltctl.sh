#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test_siltctl.sh - siltctl on a store that a killed process left, on a damaged one, and on one in use.
# SILT_BUILD names the directory of the binaries: siltctl, and tests/ctl/make_store.

set -u
export LC_ALL=C.UTF-8
build=${SILT_BUILD:?}
ctl=$build/siltctl
make_store=$build/tests/ctl/make_store
[ -x "$make_store" ] || make_store=$build/make_store
work=$(mktemp -d "${TMPDIR:-/tmp}/siltctl-XXXXXX") || exit 1
holder=
finish() {
	[ -z "$holder" ] || kill "$holder" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
failed=0

# ok NAME CONDITION...: the condition is a command
ok() {
	local name=$1
	shift
	if "$@"; then
		printf 'ok - %s\n' "$name"
	else
		printf 'not ok - %s\n' "$name"
		sed 's/^/#  out: /' "$work/out" | head -20
		sed 's/^/#  err: /' "$work/err" | head -20
		printf '#  status: %s\n' "$status"
		failed=1
	fi
}
# run ARG...: siltctl, with $status, $work/out, $work/err
run() {
	"$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}
status_is() { [ "$status" = "$1" ]; }
out_is() { printf '%b' "$1" | cmp -s - "$work/out"; }
out_has() { grep -qF -- "$1" "$work/out"; }
err_has() { grep -qF -- "$1" "$work/err"; }
lines_are() { [ "$(wc -l <"$work/out")" = "$1" ]; }
both() { "$1" "$2" && "$3" "$4"; }

db=$work/db
status=0; : >"$work/out"; : >"$work/err"
"$make_store" "$db" 2>"$work/err" || { echo "not ok - a store to look at"; cat "$work/err"; exit 1; }
before=$(cd "$db" && sha256sum -- * | sort)

# ---- the command line
run --help;                      ok 'help is on stdout' both status_is 0 out_has 'Exit status: 0 done; 1 '
run --version;                   ok 'version' both status_is 0 out_has 'siltctl '
run;                             ok 'no command is wrong usage' both status_is 2 err_has 'usage: siltctl'
run frobnicate;                  ok 'an unknown command is named' both status_is 2 err_has '"frobnicate"'
run --frobnicate stats;          ok 'an unknown option is wrong usage' status_is 2
run --db "$db" stats --prefix a; ok 'an option of another command is refused' both status_is 2 err_has 'takes no --prefix'
run --db "$db" get;              ok 'a missing key is wrong usage' status_is 2
run --db "$db" get a b;          ok 'two keys are wrong usage' status_is 2
run --db "$db" scan --limit 1x;  ok 'a limit that is no number is refused' both status_is 2 err_has '1x'
run --db "$db" get '';           ok 'an empty key is wrong usage' status_is 2

# ---- get
run --db "$db" get log;          ok 'get writes the bytes as they are' both status_is 0 out_is 'newest'
run get --db "$db" log;          ok 'an option may stand behind its command' both status_is 0 out_is 'newest'
run --db "$db" get key/0001;     ok 'get reads from a table' both status_is 0 out_has 'value of 1: 0000'
run --db "$db" get key/0010;     ok 'a deleted key is absent' both status_is 1 out_is ''
run --db "$db" get nothing;      ok 'a key that never was is absent' both status_is 1 err_has 'not there'
run --db "$db" get --escaped '\x00\xff\x01'; ok 'get of a key that is no text' both status_is 0 out_is '\xfe\x00 bytes'
run --db "$db" get --escaped '\q'; ok 'an escape that scan does not print is refused' both status_is 2 err_has 'byte 0'
run --db "$db" get --json key/0001; ok 'get --json' both status_is 0 out_has '"key":"key/0001","value":"value of 1: 0'
ok 'get --json has the content type' out_has '"content_type":"text/plain"'
run --db "$db" get --json --escaped '\x00\xff\x01'; ok 'get --json of bytes is base64' both out_has '"key_encoding":"base64"' out_has '"encoding":"base64"'

# ---- scan
run --db "$db" scan --keys-only; ok 'scan finds every live key once' both status_is 0 lines_are 1803
ok 'scan escapes what would break a line' out_has 'a\tb\nc'
run --db "$db" scan --prefix 'a'; ok 'scan prints key TAB value' out_is 'a\\tb\\nc\tback\\\\slash é\n'
run --db "$db" scan --keys-only --prefix key/ --limit 2; ok 'scan --prefix --limit' out_is 'key/0001\nkey/0002\n'
run --db "$db" scan --keys-only --prefix key/ --limit 2 --reverse; ok 'scan --reverse' out_is 'key/1999\nkey/1998\n'
run --db "$db" scan --keys-only --start key/1997 --end key/1999; ok 'scan --start is in, --end is out' out_is 'key/1997\nkey/1998\n'
run --db "$db" scan --keys-only --prefix key/19 --start key/1995 --end z; ok 'prefix and bounds are both held' lines_are 5
run --db "$db" scan --keys-only --limit 0; ok 'scan --limit 0 prints nothing' both status_is 0 out_is ''
run --db "$db" scan --keys-only --escaped --prefix '\x00\xff'; ok 'scan --escaped' out_is '\\x00\\xff\\x01\n'
run --db "$db" scan --json --prefix log; ok 'scan --json' both out_has '"key":"log"' out_has '"value":"newest"'
"$ctl" --db "$db" scan >/dev/full 2>"$work/err"; status=$?; ok 'output that does not fit is an error' status_is 4

# ---- stats and verify
run --db "$db" stats;            ok 'stats' both status_is 0 out_has 'in the log only   3 entries'
run --db "$db" stats --json;     ok 'stats --json' both status_is 0 out_has '"log_entries":3'
run --db "$db" verify;           ok 'verify of a sound store' both status_is 0 out_has ': sound'
ok 'verify without a terminal says lines' grep -q '^verify: .* of ' "$work/out"
if command -v script >/dev/null; then
	script -qec "'$ctl' --db '$db' verify" /dev/null >"$work/out" 2>"$work/err" </dev/null; status=$?
	ok 'verify on a terminal' both status_is 0 out_has ': sound'
fi
ok 'nothing was changed by looking' [ "$before" = "$(cd "$db" && sha256sum -- * | sort)" ]

# ---- dump
sst=$(ls "$db"/*.sst | head -1) wal=$(for f in "$db"/*.wal; do "$ctl" dump "$f" | grep -q newest && echo "$f"; done)
run dump "$sst";                 ok 'dump of a table' both status_is 0 out_has 'put "key/'
ok 'dump of a table reads to its end' grep -q '^end: all [0-9]* entries read' "$work/out"
run dump "$wal";                 ok 'dump of a log segment' both status_is 0 out_has 'put "log" value of 6 bytes "newest"'
run dump "$db/MANIFEST";         ok 'dump of a manifest' both status_is 0 out_has 'add to level'
cp "$sst" "$work/renamed"
run dump "$work/renamed";        ok 'dump knows a table by its bytes' both status_is 0 out_has 'put "key/'
run dump "$ctl";                 ok 'dump of a stranger is refused' both status_is 4 out_has 'neither a table'
run dump "$work/none";           ok 'dump of a missing file' both status_is 4 err_has "$work/none"

# ---- damage
flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
cp -r "$db" "$work/bad" && flip "$work/bad/${sst##*/}" 300
run --db "$work/bad" verify;     ok 'verify finds a damaged table' both status_is 3 out_has 'DAMAGED'
ok 'and names it' err_has "${sst##*/}"
run dump "$work/bad/${sst##*/}"; ok 'dump of a damaged table goes on behind the damage' both status_is 3 out_has 'put "key/'
ok 'and names what it passed over' grep -q '^damage: .*data block at offset' "$work/out"
run --db "$work/bad" scan --keys-only; ok 'scan of a damaged table is an error' status_is 3
first=$("$ctl" dump "$wal" | sed -n 's/^\([0-9]*\): DATA.*/\1/p' | head -1)
cp -r "$db" "$work/bad2" && flip "$work/bad2/${wal##*/}" $((first + 40))
run --db "$work/bad2" verify;    ok 'a damaged log is refused' both status_is 3 err_has "${wal##*/}"
run dump "$work/bad2/${wal##*/}"; ok 'dump says where a log is damaged' both status_is 3 out_has "offset $first: damaged, not torn"
cp -r "$db" "$work/bad3" && flip "$work/bad3/MANIFEST" 16
run --db "$work/bad3" stats;     ok 'a damaged manifest is refused' both status_is 3 err_has MANIFEST
cp -r "$db" "$work/bad4" && rm "$work/bad4/${sst##*/}"
run --db "$work/bad4" get log;   ok 'a missing table is damage, and named' both status_is 3 err_has "${sst##*/}"

# ---- repair
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
run --db "$db" repair;           ok 'repair of a sound store has nothing to do' both status_is 0 out_has 'sound'
ok 'and changes nothing' [ "$before" = "$(cd "$db" && sha256sum -- * | sort)" ]
seen=$(sums "$work/bad")
run --db "$work/bad" repair;     ok 'repair says what is lost' both status_is 3 out_has "${sst##*/}, level"
ok 'and counts it' grep -q '^repair: findings .*; damaged tables 1, of their entries [0-9]* saved and [1-9][0-9]* lost' "$work/out"
ok 'and shows how far it is' grep -q '^repair: .* of .*B$' "$work/out"
ok 'and changes nothing unasked' [ "$seen" = "$(sums "$work/bad")" ]
run --db "$work/bad" repair --apply; ok 'repair --apply' both status_is 0 out_has 'in quarantine/'
ok 'the damaged table is kept' [ -e "$work/bad/quarantine/${sst##*/}" ]
run --db "$work/bad" verify;     ok 'afterwards the store is sound' both status_is 0 out_has ': sound'
run --db "$work/bad" get key/1999; ok 'and the rest is there' both status_is 0 out_has 'value of 1999'
run --db "$work/bad2" repair;    ok 'repair names where a log is damaged' both status_is 3 out_has "${wal##*/}: damaged at offset $first"
run --db "$work/bad2" repair --apply; ok 'a damaged log is cut' status_is 0
run --db "$work/bad2" get key/0001; ok 'and the store opens' both status_is 0 out_has 'value of 1: 0000'
run --db "$work/bad2" get log;   ok 'without what came behind' status_is 1
run --db "$work/bad3" repair --apply; ok 'a damaged manifest is beyond repair' both status_is 3 err_has MANIFEST
run --db "$work/bad4" repair --apply; ok 'repair without a missing table' both status_is 0 out_has 'missing'
run --db "$work/bad4" get log;   ok 'and the rest is there' both status_is 0 out_is 'newest'
run --db "$work/nowhere" repair; ok 'repair of nothing' status_is 4
run --db "$db" repair all;       ok 'repair takes no words' status_is 2

# ---- checkpoint
cp -r "$db" "$work/cp"
run --db "$work/cp" checkpoint one; ok 'checkpoint' both status_is 0 out_has "$work/cp/checkpoints/one, version "
run --db "$work/cp" checkpoint one; ok 'a name is taken once' both status_is 4 err_has 'already'
run --db "$work/cp" checkpoint .x; ok 'a name that can not be' both status_is 2 err_has 'leading dot'
run --db "$work/cp" checkpoint;  ok 'no name is wrong usage' status_is 2
run --db "$work/cp" checkpoint --list; ok 'checkpoint --list' both status_is 0 out_has 'one	version '
run --db "$work/cp/checkpoints/one" get log; ok 'a checkpoint is a store' both status_is 0 out_is 'newest'
run --db "$work/cp/checkpoints/one" verify; ok 'and a sound one' both status_is 0 out_has ': sound'
run --db "$work/cp" checkpoint --to "$work/elsewhere" --copy; ok 'checkpoint --to' both status_is 0 out_has "$work/elsewhere"
run --db "$work/elsewhere" get key/0001; ok 'and it opens' both status_is 0 out_has 'value of 1: 0000'
run --db "$work/cp" checkpoint --remove one; ok 'checkpoint --remove' status_is 0
run --db "$work/cp" checkpoint --list; ok 'and it is gone' both status_is 0 out_is ''
run --db "$work/cp" checkpoint --remove one; ok 'which is said the second time' status_is 4
run --db "$work/cp" get log;     ok 'the store itself goes on' both status_is 0 out_is 'newest'

# ---- places
run --db "$work/nowhere" stats;  ok 'a directory that is not there' both status_is 4 err_has "$work/nowhere"
mkdir "$work/empty"
run --db "$work/empty" stats;    ok 'a directory without a store' status_is 4
ok 'is left empty' [ -z "$(ls -A "$work/empty")" ]
mkfifo "$work/hold"
"$make_store" "$work/held" hold <"$work/hold" >"$work/said" &
holder=$!
exec 9>"$work/hold"
for _ in $(seq 1200); do grep -q open "$work/said" && break; sleep 0.1; done
run --db "$work/held" repair;    ok 'repair of a store in use is refused' status_is 5
run --db "$work/held" stats;     ok 'a store in use is refused, and the message says so' both status_is 5 err_has 'in use'
exec 9>&-
wait "$holder"; holder=
run --db "$work/held" get log;   ok 'and looked at when its process is gone' both status_is 0 out_is 'newest'
exit "$failed"
