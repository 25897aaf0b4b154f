#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# commands.sh - siltctl's commands over a stopped store and over a running server through nginx: the same words, the same answers, the same
# statuses; and what each says where it is asked for what can't be.
. "$(dirname "$0")/../lib/ctl.sh"
serve_start || finish
run --db "$work/db" put first x --create
so 'put --create makes a store' 0 'o:version 1'
run --db "$work/db" delete first

# ---- the same over both
commands() { # NAME TARGET...
	local on=$1 v

	shift
	run "$@" put a hello --content-type text/plain
	so "$on: put" 0 'o:version '
	v=$(grep -o '[0-9]*' "$work/out")
	run "$@" get a
	so "$on: get" 0 'o:hello'
	that "$on: get adds nothing" cmp "$work/out" <(printf hello)
	run "$@" get a --json
	so "$on: get --json" 0 "o:{\"key\":\"a\",\"value\":\"hello\",\"version\":$v,\"content_type\":\"text/plain\"}"
	run "$@" put b two --json
	so "$on: put --json" 0 'o:{"version":'
	printf '\0\377\n' >"$work/bytes"
	run "$@" put --escaped '\xff\x00/../ +%' --file "$work/bytes"
	so "$on: put of any bytes" 0
	run "$@" get --escaped '\xff\x00/../ +%'
	that "$on: and they come back" cmp "$work/out" "$work/bytes"
	"$ctl" "$@" put piped <"$work/bytes" >"$work/out" 2>"$work/err"; status=$?
	so "$on: put of stdin" 0
	run "$@" get piped
	that "$on: and that too" cmp "$work/out" "$work/bytes"
	run "$@" put empty ''
	run "$@" get empty
	so "$on: an empty value" 0
	that "$on: is empty" [ ! -s "$work/out" ]
	run "$@" put soon x --ttl 1000
	run "$@" get soon --json
	so "$on: put --ttl" 0 'o:"expires_at":'

	run "$@" put a again --if-none-match '*'
	so "$on: if it is not there" 7 'e:does not hold' "e:version $v"
	run "$@" put a again --if-match 1234567
	so "$on: another version" 7 "e:version $v"
	run "$@" put a again --if-match "\"$v\""
	so "$on: this version" 0
	run "$@" put none x --if-match '*'
	so "$on: if it is there" 7 'e:is not there'
	run "$@" put a x --if-match abc
	so "$on: no version" 2 'e:"abc"'
	run "$@" delete a --if-match 1
	so "$on: delete of another version" 7
	run "$@" get nothing
	so "$on: an absent key" 1 'e:not there'
	run "$@" delete nothing
	so "$on: delete of an absent key" 1 'e:not there'

	run "$@" count
	so "$on: count" 0 'o:6'
	run "$@" count --prefix e --json
	so "$on: count --json of a range" 0 'o:{"count":1,"version":'
	run "$@" scan --start a --end c
	that "$on: scan" cmp "$work/out" <(printf 'a\tagain\nb\ttwo\n')
	run "$@" scan --keys-only --reverse --limit 2
	that "$on: scan backwards" cmp "$work/out" <(printf '%s\n' '\xff\x00/../ +%' soon)
	run "$@" scan --json --start p --end q
	so "$on: scan --json" 0 'o:{"key":"piped","value":"AP8K","encoding":"base64","version":'
	run "$@" scan --start c --end b
	so "$on: a range of nothing" 0
	that "$on: has nothing" [ ! -s "$work/out" ]
	run "$@" scan --limit 0
	that "$on: --limit 0 has nothing" [ ! -s "$work/out" ]

	run "$@" delete --prefix a
	so "$on: a range has to be meant" 2 'e:--yes'
	run "$@" delete --prefix '' --yes
	so "$on: everything is no range" 2 'e:everything'
	run "$@" delete --start b --end f --yes
	so "$on: delete of a range" 0 'o:deleted 2 entries'
	run "$@" delete --escaped '\xff\x00/../ +%'
	so "$on: delete" 0 'o:version '
	run "$@" scan --keys-only
	that "$on: the rest is there" cmp "$work/out" <(printf 'a\npiped\nsoon\n')

	run "$@" stats
	so "$on: stats" 0 'o:newest version' 'o:tables'
	run "$@" stats --json
	that "$on: stats --json" jq -e '.version > 0 and has("tables") and .disk_free_bytes > 0' "$work/out"
	run "$@" flush
	so "$on: flush" 0 'o:done'
	run "$@" compact
	so "$on: compact" 0 'o:done'
	run "$@" stats --json
	that "$on: they are in a table" jq -e '.tables >= 1 and .table_entries == 3' "$work/out"
	run "$@" verify
	so "$on: verify" 0 'o:with 3 entries' 'o:: sound'
}
commands 'a stopped store' --db "$work/db"
commands 'a server' --url "$url"
if command -v script >/dev/null; then
	script -qec "'$ctl' --url '$url' delete --prefix p" /dev/null >"$work/out" 2>&1 <<<n; status=$?
	so 'the question, and a no' 6 'o:delete 1 entries?' 'o:nothing was deleted'
	script -qec "'$ctl' --url '$url' delete --prefix p" /dev/null >"$work/out" 2>&1 <<<y; status=$?
	so 'and a yes' 0 'o:deleted 1 entries'
	says() { grep -q "$1" "$work/out"; }
	: >"$work/out"
	{ within 60 says password: && printf 'secret\n'; within 60 says 'status [0-9]'; } |
		script -qec "'$ctl' --url '$url' --user me count; echo status \$?" /dev/null >"$work/out" 2>&1; status=$?
	so 'a password' 0 'o:password: ' 'o:status 0'
	that 'is not seen' bash -c '! grep -q secret "$1"' - "$work/out"
	cat >"$work/asked.sh" <<-'END'
	"$1" --url "$2" --user me count & pid=$!
	for ((i = 0; i < 400; i++)); do stty -a | grep -q -e '-echo ' && break; sleep 0.05; done
	kill -TERM $pid; wait $pid; echo "status $?"; stty -a | grep -o -e '[-]*echo '
	END
	mkfifo "$work/silent"                    # a terminal at which nobody types
	script -qec "bash '$work/asked.sh' '$ctl' '$url'" /dev/null >"$work/out" 2>&1 <>"$work/silent"; status=$?
	so 'a signal ends the question' 0 'o:status 143'
	that 'and the terminal echoes again' bash -c 'tail -n 1 "$1" | tr -d "\r" | grep -qx "echo "' - "$work/out"
fi

# ---- what a terminal would take for more than text
run --db "$work/db" put --escaped 'c1\xc2\x9b2J' 'value'
run --db "$work/db" scan --prefix c1
that 'C1 control characters are escaped' cmp "$work/out" <(printf 'c1\\xc2\\x9b2J\tvalue\n')

# ---- what can't be
run --db "$work/db" --url "$url" stats
so 'both targets' 2 'e:one of them'
run --db "$work/db" stats --user me
so '--user without --url' 2 'e:--user'
run --url "$url" repair
so 'repair of a server' 2 'e:takes no --url'
run --url "$url" dump x
so 'dump through a server' 2 'e:takes no --url'
run --db "$work/db" shutdown
so 'shutdown of a stopped store' 2 'e:takes no --db'
run shutdown
so 'shutdown of nobody' 2 'e:--url'
run --db '' count
so 'no directory' 2 'e:--db'
run --url "$url" put a x --create
so '--create of a server' 2 'e:--create'
run --url "$url" put a x --frobnicate
so 'an option that is none' 2 'e:frobnicate'
run --url "$url" put a x --ttl 0
so 'a time to live of nothing' 2 'e:from 1 to 3155760000'
run --url "$url" put a x --file "$work/bytes"
so 'a value and a file' 2 'e:--file'
run --url "$url" put a --file "$work/none"
so 'a file that is not there' 4 "e:$work/none" 'e:No such file'
run --url "$url" put
so 'no key' 2
run --url "$url" put a --content-type $'text\nplain' x
so 'a content type that is none' 2 'e:ASCII'
run --url "$url" get "$(repeated k 4097)"
so 'a key that is too long' 2 'e:4096'
run --db "$work/nowhere" put a x
so 'a store that is not there' 4 "e:$work/nowhere" 'e:--create'
run --db "$data" get a
so 'a store in use' 5 "e:$data" 'e:--url'
for bad in 'ftp://localhost' 'http://' 'localhost:x' "$url/?a=b" "$url/#a"; do
	run --url "$bad" get a
	so "no URL of a server: $bad" 2 'e:--url'
done
run --url "http://127.0.0.1:$(free_port)" get a
so 'nobody there' 4 'e:is the server running'
run --url "$url/elsewhere" get a
so 'not our path' 6 'e:404'
run --url "${url/http/https}" get a
so 'no TLS there' 4 'e:TLS'
run --url "$url" --cacert "$work/none" get a
so 'a file that is not there means nothing without TLS' 0
run --url "http://me:secret@${url#http://}" put denied "$(repeated x 100)" --if-match 1
that 'a password is not printed' bash -c '! grep -q secret "$1"' - "$work/err"
for command in scan export; do
	for at in "--url $url" "--db $work/db"; do
		for i in $(seq 300); do printf '{"key":"pipe/%s","value":"%01000d"}\n' "$i" 1; done | "$ctl" $at import --no-end >"$work/out" 2>&1
		{ "$ctl" $at "$command" 2>"$work/err"; echo "$?" >"$work/status"; } | head -c 10 >/dev/null
		status=$(cat "$work/status")
		so "$command $at, whose reader has enough" 141
		that 'and nothing is said' [ ! -s "$work/err" ]
	done
done
"$ctl" --url "$url" scan >/dev/full 2>"$work/err"; status=$?
so 'a full disk behind stdout' 4 'e:stdout'
run --url "$url" shutdown
so 'shutdown' 0 'o:ends'
serve_wait
that 'the server ended' [ -z "$serve" ]
run --url "$url" count
so 'and answers no more' 4 'e:is the server running'
run --db "$data" verify
so 'its store is sound' 0 'o:: sound'
finish
