#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# backup.sh - siltctl backup and restore: of a stopped store and of a running server under load; linked, verified, pruned, cut short,
# damaged, on a full disk; and what is restored is what was there.
. "$(dirname "$0")/../lib/ctl.sh"

newest() { find "$1" -mindepth 1 -maxdepth 1 -name '[0-9]*Z*' ! -name '*.*' | sort | tail -n 1; }
same_store() { diff <("$ctl" --db "$1" scan --json 2>&1) <("$ctl" --db "$2" scan --json 2>&1) >"$work/diff"; }
flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
no_leftover() { [ -z "$(find "$1" -mindepth 1 -maxdepth 1 -name '*.unfinished' -o -mindepth 1 -maxdepth 1 -name '*.removing')" ]; }

# ---- the command line
run backup;                          so 'no place is wrong usage' 2
run backup a b;                      so 'two are wrong usage' 2
run backup a --keep 0;               so 'to keep none is wrong usage' 2 'e:--keep'
run backup a --prefix x;             so 'an option of another command is refused' 2 'e:takes no --prefix'
run backup --list a --keep 3;        so 'to list takes nothing else' 2 'e:takes no --keep'
run restore a;                       so 'restore to nowhere is wrong usage' 2 'e:--to'
run restore --to a;                  so 'restore of nothing is wrong usage' 2

# ---- a stopped store
db=$work/db b=$work/b
"$make_store" "$db" || not_ok 'a store to back up'
run --db "$db" backup "$b";          so 'a backup' 0 'o:version ' 'o:0 B linked; verified'
first=$(newest "$b")
that 'is a store of its own' "$ctl" --db "$first" verify
that 'whose list other programs can read' bash -c 'cd "$1" && sha256sum --status -c SHA256SUMS' - "$first"
that 'the checkpoint it was made of is gone' bash -c '[ -z "$(ls "$1/checkpoints")" ]' - "$db"
that 'nothing unfinished is left' no_leftover "$b"
"$ctl" --db "$db" put new value >/dev/null
run --db "$db" backup "$b" --json;   so 'another, as JSON' 0 'o:"verified":true' 'o:"linked_bytes":'
second=$(newest "$b")
that 'tables that were there are linked' bash -c '[ "$(jq .linked_bytes "$1")" -gt 40000 ] && [ "$(jq .copied_bytes "$1")" -lt 300000 ]' - "$work/out"
that 'JSON alone' jq -e . "$work/out"
that 'a link it is' [ "$first/000003.sst" -ef "$second/000003.sst" ]
that 'the first is as it was' bash -c '! "$1" --db "$2" get new' - "$ctl" "$first"
run backup --list "$b";              so 'both are listed' 0 "o:${first##*/}	version " "o:${second##*/}	version "
run backup --list "$b" --json;       so 'as JSON, too' 0 "o:{\"name\":\"${second##*/}\",\"made\":\"20"
run backup --verify "$b";            so 'both are sound' 0 "o:$first: sound" "o:$second: sound"
run backup --verify "$b" --json;     so 'as JSON, too' 0
that 'a line each, and JSON alone' jq -se 'length == 2 and all(.sound and .version > 0 and (.path | length > 0))' "$work/out"
run --db "$db" backup "$b" --full --quick; so 'one that shares nothing' 0 'o:0 B linked'
that 'shares nothing' bash -c '! [ "$1" -ef "$2" ]' - "$first/000003.sst" "$(newest "$b")/000003.sst"
run --db "$db" backup "$b" --keep 2; so 'the newest two are kept' 0 "o:$first removed" "o:$second removed"
that 'and no others' [ "$(find "$b" -mindepth 1 -maxdepth 1 -type d | wc -l)" = 2 ]
run backup --verify "$b";            so 'what they shared is there' 0
run --db "$work/none" backup "$work/b2"; so 'no store' 4 "e:$work/none"
run backup --list "$work/none";      so 'no directory' 4 "e:$work/none"
run backup --verify "$db";           so 'a store is no backup' 4 'e:no backup'

# ---- restore
run restore "$b" --to "$work/r";     so 'the newest is restored' 0 "o:$work/r is the store of $(newest "$b")" 'o:verified'
that 'and is what was there' same_store "$db" "$work/r"
run --db "$work/r" put after restore --json
that 'its versions go on at the time: none is given twice' bash -c '[ "$(jq .version "$1")" -gt 1700000000000000 ]' - "$work/out"
run restore "$(newest "$b")/" --to "$work/r2/"; so 'one by its name' 0
run restore "$b" --to "$work/r";     so 'a directory that is not empty is left alone' 4 'e:not empty'
that 'as it was' "$ctl" --db "$work/r" get after
mkdir -m 0700 "$work/empty"
[ "$(id -u)" != 0 ] || chown 12345:12345 "$work/empty"
run restore "$b" --to "$work/empty"; so 'an empty one is replaced' 0
that 'by one of its owner and mode' [ "$(stat -c '%u %g %a' "$work/empty" | sed 's/^0 0/12345 12345/')" = '12345 12345 700' ]
that 'and all that is in it' bash -c '[ "$(find "$1" -printf "%U\n" | sort -u | wc -l)" = 1 ]' - "$work/empty"
touch "$work/file"
run restore "$b" --to "$work/file";  so 'a file is in the way' 4 'e:no directory'
run restore "$b" --to "$work/no/where"; so 'a parent that is not there' 4 "e:$work/no"
(cd "$work/empty" && "$ctl" restore "$b" --to . 2>"$work/err"); status=$?; so 'the directory itself has to be named' 2
run restore "$work/none" --to "$work/x"; so 'no backup there' 4 "e:$work/none"
run restore "$work" --to "$work/x";  so 'nor there' 4 'e:no backup, and none in it'
mkdir "$work/half.restoring" && touch "$work/half.restoring/000001.sst"
run restore "$b" --to "$work/half";  so 'over what an interrupted one left' 0
that 'nothing of it is left' [ ! -e "$work/half.restoring" ]

# ---- root writes as the owner
if [ "$(id -u)" = 0 ]; then
	cp -r "$db" "$work/owned" && chown -R 12345:12345 "$work/owned" && chmod 755 "$work"
	run --db "$work/owned" backup "$work/b3"; so 'a backup by root of a store that is not' 0
	run --db "$work/owned" checkpoint one; so 'a checkpoint' 0
	run --db "$work/owned" checkpoint --remove one; so 'which goes' 0
	run --db "$work/owned" checkpoint --to "$work/elsewhere"; so 'one elsewhere' 0
	printf X | dd of="$(ls "$work/owned"/*.sst | head -n 1)" bs=1 seek=20 conv=notrunc status=none
	run --db "$work/owned" repair --apply; so 'and a repair' 0
	that 'leave nothing of root in it' bash -c '[ -z "$(find "$1" -user 0)" ]' - "$work/owned"
	that 'and is root'"'"'s itself' bash -c '[ -z "$(find "$1" ! -user 0)" ]' - "$work/b3"
else
	skip 'a backup by root of a store that is not' 'not root here'
fi

# ---- damage
cp -r "$b" "$work/bad" && bad=$(newest "$work/bad") && table=$(ls "$bad"/*.sst | head -n 1)
cp --remove-destination "$table" "$work/keep" && cp --remove-destination "$work/keep" "$table"
flip "$table" 300
run backup --verify "$work/bad";     so 'a flipped bit is found, and its file named' 3 "e:$table: damaged" "o:$bad: DAMAGED"
run backup --verify "$work/bad" --json; so 'in JSON, too' 3 'o:"sound":false}'
run restore "$bad" --to "$work/x";   so 'it is not restored' 3 "e:$table: damaged" 'e:nothing was restored'
that 'nothing of it is left' bash -c '! ls -d "$1"*' - "$work/x"
rm "$table"
run backup --verify "$bad";          so 'a missing file is named' 3 "e:$table: missing"
run restore "$bad" --to "$work/x";   so 'and not restored' 4 "e:$table"
cp "$work/keep" "$table"
sed -i 's/^# version ./# version 9/' "$bad/SHA256SUMS"
run backup --verify "$bad";          so 'a list that was changed' 3 'e:not as it was written'
run backup --list "$work/bad";       so 'is seen in the listing' 3 "o:${bad##*/}	DAMAGED"
run --db "$db" backup "$work/bad";   so 'and no reason to make no other' 0 'e:nothing is taken from it'
printf '# siltstone backup 1\n# version 1\n# made 2026-11-21T21:30:00Z\n# 5 -\n%064d  ../../etc/passwd\n# end %064d\n' 0 0 >"$bad/SHA256SUMS"
run restore "$bad" --to "$work/x";   so 'a name that leads elsewhere' 3 'e:line 5'
: >"$bad/SHA256SUMS"
run backup --verify "$bad";          so 'an empty list' 3 'e:line 1'
cp -r "$(newest "$b")" "$work/torso" && rm "$work/torso/MANIFEST"
awk '{ line[NR] = $0 } / MANIFEST$/ { at = NR } END { for (i = 1; i < NR; i++) if (i != at && i != at - 1) print line[i] }' \
    "$work/torso/SHA256SUMS" >"$work/list"
{ cat "$work/list"; echo "# end $(sha256sum <"$work/list" | cut -c1-64)"; } >"$work/torso/SHA256SUMS"
run restore "$work/torso" --to "$work/x"; so 'a list of all but the manifest' 3 'e:there is no store in it' 'e:nothing was restored'
cp -r "$b" "$work/rot" && flip "$(newest "$work/rot")/000003.sst" 300
run --db "$db" backup "$work/rot";   so 'what would be linked is read, and found damaged' 3 'e:--full' 'e:no backup was made'
that 'and no backup is left of it' no_leftover "$work/rot"
run --db "$db" backup "$work/rot" --full; so '--full is the way out' 0

# ---- cut short
mkdir "$work/cut" && cp -r "$(newest "$b")" "$work/cut/20200101T000000Z.unfinished" && rm "$work/cut/20200101T000000Z.unfinished/SHA256SUMS"
run backup --list "$work/cut";       so 'an unfinished one is none, and listed so' 0 'o:20200101T000000Z.unfinished	no backup'
run restore "$work/cut" --to "$work/x"; so 'and not restored' 4 'e:not finished'
mkdir "$work/cut/20190101T000000Z.removing" && touch "$work/cut/20190101T000000Z.removing/x"
run --db "$db" backup "$work/cut" --json; so 'the next one goes on from it' 0
that 'with what it has' bash -c '[ "$(jq .linked_bytes "$1")" -gt 40000 ]' - "$work/out"
that 'and both leftovers are gone' no_leftover "$work/cut"
run backup --verify "$work/cut";     so 'it is sound' 0
(
	exec 9>"$work/cut/.lock"
	flock 9
	"$ctl" --db "$db" backup "$work/cut" >"$work/out" 2>"$work/err"
)
status=$?;                           so 'one at a time' 5 'e:in use'
mv "$(newest "$work/cut")" "$work/cut/29991231T235959Z"
run --db "$db" backup "$work/cut";   so 'a clock that stands before the newest' 6 'e:clock'

# Ctrl-C at some moment: however far it was, there is a backup or there is none, no checkpoint stays, and the next one goes on.
for pause in 0 0.01 0.02 0.04 0.08; do
	rm -rf "$work/cut"
	"$ctl" --db "$db" backup "$work/cut" >/dev/null 2>"$work/err" &
	pid=$!
	within 30 bash -c '[ -e "$1/.lock" ] || ! kill -0 "$2"' - "$work/cut" "$pid" 2>/dev/null
	sleep "$pause"
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
	status=$?
	if [ "$status" = 0 ]; then
		that "ended after $pause s: it was done" "$ctl" --db "$(newest "$work/cut")" verify
	else
		that "ended after $pause s: by the signal" [ "$status" = 143 ]
		that 'there is no backup' [ -z "$(newest "$work/cut")" ]
	fi
	that 'and no checkpoint' bash -c '[ -z "$(ls "$1/checkpoints")" ]' - "$db"
	run --db "$db" backup "$work/cut"; so 'the next one is made' 0
	that 'of what was left, if anything' no_leftover "$work/cut"
done

# A checkpoint elsewhere, which root has to make as root, the same: whole or not there, and nothing of root's stays in the store.
head -c 3000000 /dev/urandom >"$work/random"
run --db "$work/large" put random --file "$work/random" --create
run --db "$work/large" flush
[ "$(id -u)" != 0 ] || chown -R 12345:12345 "$work/large"
touched() { [ -n "$(find "$work/large" -user 0 -print -quit)" ] || gone "$pid"; }
for round in 1 2 3 4 5; do
	"$ctl" --db "$work/large" checkpoint --to "$work/point" --copy >/dev/null 2>"$work/err" &
	pid=$!
	until touched; do :; done
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
	status=$?
	that "checkpoint $round: by the signal, or done" [ "$status" = 143 -o "$status" = 0 ]
	that 'what is there is whole' [ ! -e "$work/point.tmp" -a \( "$status" = 143 -o -e "$work/point/MANIFEST" \) ]
	that 'the store is its owner'"'"'s' [ "$(find "$work/large" -printf '%U\n' | sort -u | wc -l)" = 1 ]
	rm -rf "$work/point" "$work/point.tmp"
done

# ---- a full disk: one of a few hundred KiB, in a mount namespace of its own
if unshare -m true 2>/dev/null && unshare -m bash -c 'mkdir "$1" && mount -t tmpfs -o size=1m none "$1"' - "$work/try" 2>/dev/null; then
	cat >"$work/full.sh" <<-'END'
	ctl=$1 db=$2 b=$3 at=$4
	mkdir -p "$at" && mount -t tmpfs -o size=1m none "$at" || exit 99
	"$ctl" --db "$db" backup "$at/b" >/dev/null || exit 98
	head -c 600K /dev/zero >"$at/filler"
	"$ctl" --db "$db" backup "$at/b"; rc=$?
	find "$at/b" -mindepth 1 -maxdepth 1 -type d | wc -l
	"$ctl" restore "$b" --to "$at/r"; rc2=$?
	ls -d "$at"/r* 2>/dev/null
	[ $rc = 4 ] && [ $rc2 = 4 ]
	END
	unshare -m bash "$work/full.sh" "$ctl" "$db" "$b" "$work/disk" >"$work/out" 2>"$work/err"
	status=$?
	so 'a full disk is said before it is one' 0 'e:free' 'e:nothing was written'
	that 'the backup there is the only one' grep -qx 1 "$work/out"
	that 'and nothing of a restore is left' bash -c '! grep -q "/r" "$1"' - "$work/out"

	# ---- one that fills in the middle of the copying: it seemed large enough. small DIR SIZE SCRIPT ARGUMENT...: runs it where DIR is such a disk
	small() {
		local at=$1 size=$2

		shift 2
		mkdir -p "$at"
		unshare -m bash -c 'mount -t tmpfs -o "$1" none "$0" && cd "$0" && shift && . "$1"' "$at" "size=$size" "$@" >"$work/out" 2>"$work/err" </dev/null
		status=$?
	}
	cat >"$work/copying.sh" <<-'END'
	ctl=$2 db=$3
	"$ctl" --db "$db" backup b >/dev/null || exit 98
	rm b/*/*.sst                                     # by the list it is there to be linked
	fallocate -l $(($(df -k --output=avail . | tail -n 1) - 1536))K filler
	"$ctl" --db "$db" backup b; rc=$?
	ls b; ls "$db/checkpoints"
	rm filler
	"$ctl" --db "$db" backup b --keep 1 && exit $rc
	END
	small "$work/disk" 8m "$work/copying.sh" "$ctl" "$work/large"
	so 'a disk that fills under a backup' 4 "e:.sst: can't be written: No space left on device" 'e:no backup was made' 'e:--keep N' 'o:; verified'
	that 'nothing of it is left' bash -c '! grep -e unfinished -e siltctl- "$1"' - "$work/out"
	cat >"$work/copying.sh" <<-'END'
	"$2" --db "$3" backup b; rc=$?
	ls b
	exit $rc
	END
	small "$work/disk" 8m,nr_inodes=6 "$work/copying.sh" "$ctl" "$work/large"
	so 'one that can have no more files' 4 "e:can't be made: No space left on device" 'e:--keep N'
	that 'nothing of that is left' bash -c '! grep unfinished "$1"' - "$work/out"
	cat >"$work/copying.sh" <<-'END'
	"$2" restore "$3" --to r; rc=$?
	ls | sed 's/^/left: /'
	exit $rc
	END
	last=$(newest "$b")
	bytes=$(cat "$last"/*.* "$last/MANIFEST" | wc -c)
	pages=$(stat -c %s "$last"/*.* "$last/MANIFEST" | awk '{ n += int(($1 + 4095) / 4096) } END { print n }')
	small "$work/disk" "$(((bytes + 4095) / 4096 * 4))k" "$work/copying.sh" "$ctl" "$last"
	so 'a disk that fills under a restore' 4 "e:can't be written: No space left on device" 'e:make room' 'e:nothing was restored'
	that 'nothing of it is left' bash -c '! grep left: "$1"' - "$work/out"
	small "$work/disk" "$((pages * 4 + 64))k" "$work/copying.sh" "$ctl" "$last"
	so 'one without room for a log' 4 'e:No space left on device' 'e:the disk is full' 'e:nothing was restored'
	that 'nor of this' bash -c '! grep left: "$1"' - "$work/out"
else
	skip 'a full disk' 'nothing can be mounted here'
fi
finish
