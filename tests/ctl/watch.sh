#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# watch.sh - siltctl watch: every change once and in order, over a restart of the server, and what was missed said.
. "$(dirname "$0")/../lib/ctl.sh"
serve_start || finish

has() { grep -qF -- "$1" "$2"; }
# watching ARGUMENT...: in the background, until it watches; $watcher, $work/seen, $work/notes
watching() {
	: >"$work/seen"; : >"$work/notes"        # not those of the watcher before
	timeout 120 "$ctl" --url "$url" watch "$@" >"$work/seen" 2>"$work/notes" </dev/null &
	watcher=$!
	within 30 has 'changes after version' "$work/notes" || not_ok 'it watches' "$(cat "$work/notes")"
}
watched() { wait "$watcher"; status=$?; cp "$work/seen" "$work/out"; cp "$work/notes" "$work/err"; }

# ---- the command line
run watch;                                so 'no server is wrong usage' 2 'e:--url'
run --db x watch;                         so 'a stopped store has no feed' 2 'e:takes no --db'
run --url "$url" watch x;                 so 'nor words' 2
run --url "$url" watch --since 1x;        so 'a version is a number' 2 'e:1x'
run --url "$url" watch --limit 0;         so 'nothing is watched' 0
run --url http://127.0.0.1:1 watch;       so 'nobody there' 4 'e:nothing answers there'
run --url "$url/nowhere" watch;           so 'another place' 6 'e:404'
run --url "$url" watch --since 999999999; so 'what never was' 6 'e:410' 'e:The feed reaches from version'

# ---- what there is
put a 1; first=$version
put 'b%0A%FF' $'tab\there'; put c 3
request -X DELETE /v1/kv/a
request -X DELETE '/v1/kv?prefix=c'
request -X DELETE '/v1/kv?start=zz'
run --url "$url" watch --since "$((first - 1))" --limit 6; so 'what was written' 0
printf '%s\n' "$first	put	a	1" "$((first + 1))	put	b\\n\\xff	tab\\there" "$((first + 2))	put	c	3" "$((first + 3))	delete	a" \
    "$((first + 4))	delete_range	c	d" "$((first + 5))	delete_range	zz" >"$work/wanted"
that 'each in its line' diff "$work/wanted" "$work/out"
run --url "$url" watch --since "$((first - 1))" --limit 6 --json; so 'the same as JSON' 0
that 'an object a line' bash -c '[ "$(jq -r .op "$1" | tr "\n" " ")" = "put put put delete delete_range delete_range " ]' - "$work/out"
that 'what is no text in base64' bash -c 'sed -n 2p "$1" | jq -e ".key == \"Ygr/\" and .key_encoding == \"base64\"" && ! sed -n 1p "$1" | jq -e .key_encoding' - "$work/out"
run --url "$url" watch --since 0 --prefix c --limit 2; so 'of a prefix' 0 "o:$((first + 2))	put	c	3"
run --url "$url" watch --since 0 --prefix 'b\n' --escaped --limit 1; so 'of one that is no text' 0 'o:b\n\xff'

# ---- what comes
watching --limit 3
put now 1; put now 2; put now 3; put now 4
watched; so 'what comes is shown as it comes' 0 'o:	put	now	1' 'o:	put	now	3'
that 'and what was before is not' bash -c '! grep -q "tab" "$1" && [ "$(wc -l <"$1")" = 3 ]' - "$work/out"
watching
put on 1
within 30 has 'on	1' "$work/seen"
kill -TERM "$watcher"
watched; so 'it ends by a signal' 143 'o:	put	on	1'
(sleep 1; put more 1) &
more=$!
timeout 60 "$ctl" --url "$url" watch --since 0 2>"$work/err" | head -n 1 >"$work/out"
status=${PIPESTATUS[0]}
wait "$more"
that 'and with its reader' [ "$(wc -l <"$work/out")" = 1 ]
so 'who has enough' 141
polls() { curl -sS "$url/metrics" | sed -n 's|^siltstone_http_requests_total{route="/v1/changes".*code="200"} ||p'; }
before=$(polls)
timeout 2 "$ctl" --url "$url" watch --timeout 1 >/dev/null 2>&1
that 'however short its patience, it does not ask all the time' [ $(($(polls) - before)) -le 20 ]

# ---- a server that goes and comes
watching
put before 1
within 30 has 'before	1' "$work/seen"
serve_kill9
within 30 has 'asking again in' "$work/notes"
serve_start || finish
put behind 2
that 'it goes on behind a restart' within 60 has 'behind	2' "$work/seen"
that 'and nothing comes twice' bash -c '[ "$(sort "$1" | uniq -d | wc -l)" = 0 ] && [ "$(wc -l <"$1")" = 2 ]' - "$work/seen"
kill -TERM "$watcher"; watched

# ---- history that is lost: another store in the same place
timeout 120 "$ctl" --url "$url" watch --since "$((first - 1))" --json >"$work/seen" 2>"$work/notes" </dev/null &
watcher=$!
within 30 has '"behind"' "$work/seen"
serve_kill9
rm -rf "$data"
serve_start || finish
that 'it says that something was missed' within 60 has 'some changes were missed' "$work/notes"
put another 1
that 'and goes on' within 60 has '"another"' "$work/seen"
that 'which a script sees, too' bash -c 'jq -es "map(select(.missed)) | length == 1 and (.[0].missed.after > .[0].missed.before)" "$1"' - "$work/seen"
kill -TERM "$watcher"; watched
finish
