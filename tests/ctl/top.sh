#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# top.sh - siltctl top and siltctl bench: of a server at work, of one that is slow or gone; and the terminal as it was.
. "$(dirname "$0")/../lib/ctl.sh"

has() { grep -qF -- "$1" "$2"; }

# ---- the command line
run top;                                  so 'no server is wrong usage' 2 'e:--url'
run --url http://127.0.0.1:1 top --once;  so 'nobody there' 4 'e:nothing answers there'
run bench;                                so 'bench needs to be told where' 2 'e:--url'
run --db "$work" bench --connections 0;   so 'no connections' 2 'e:--connections'
run --db "$work/none" bench;              so 'no directory' 4 "e:$work/none"
run --url http://127.0.0.1:1 bench;       so 'bench of nobody' 4 'e:nothing answers there'

# ---- a scratch store
mkdir "$work/scratch"
run --db "$work/scratch" bench --seconds 1 --connections 4; so 'bench of a scratch store' 0 'o:put: ' 'o:get: ' 'o: a second; p50 '
that 'nothing is left of it' [ -z "$(ls -A "$work/scratch")" ]
"$make_store" "$work/store"
run --db "$work/store" bench;             so 'a store is left alone' 4 'e:is a store'

# ---- a server
serve_start || finish
put mine 1; put siltctl-bench/theirs 2
run --url "$url/nowhere" bench;           so 'bench of another place' 6 'e:404'
run --url "$url" bench --seconds 1 --connections 3 --size 1000 --json; so 'bench of a server' 0 '"operation":"put"'
that 'which had answers' bash -c 'jq -es "map(.count > 0 and .per_second > 0 and .p50_us <= .p99_us and .p99_us <= .max_us and .connections == 3 and .value_bytes == 1000) == [true, true]" "$1"' - "$work/out"
expect 'its keys are gone, and no others' 200 '[.items[].key] == ["mine","siltctl-bench/theirs"]' -- /v1/kv
timeout 120 "$ctl" --url "$url" bench --seconds 600 >"$work/out" 2>"$work/err" </dev/null &
pid=$!
within 30 bash -c '[ "$(curl -s "$1/v1/kv?prefix=siltctl-bench/&count_only=1" | jq .count)" -gt 10 ]' - "$url"
run --url "$url" top --once --interval 1; so 'a picture of a server at work' 0 'o:writes ' 'o:WAL syncs ' 'o:stalls ' 'o:PUT     /v1/kv '
that 'with something in it' bash -c '! grep -qE "^writes +0/s" "$1" && ! grep -q "$(printf "\033")" "$1"' - "$work/out"
timeout 60 "$ctl" --url "$url" top --interval 1 2>"$work/err" </dev/null | sed '/^[0-9]/q' >"$work/out"
that 'lines, where there is no terminal' bash -c 'grep -q "^time .* writes/s" "$1" && grep -qE "^[0-9:]{8} +[0-9.]+ k? *[0-9.]+ [mu]?s " "$1"' - "$work/out"
run --url "$url" top --once --interval 1 --json; so 'one as JSON' 0
that 'of numbers' jq -e '.writes.per_second > 0 and .writes.p99_s >= .writes.p50_s and .seconds > 0 and .version > 0' "$work/out"
kill -TERM "$pid"
wait "$pid"; status=$?; so 'bench ends by a signal' 143
expect 'and its keys go then, too' 200 '[.items[].key] == ["mine","siltctl-bench/theirs"]' -- /v1/kv

# ---- on a terminal
if command -v script >/dev/null; then
	mkfifo "$work/keys"
	terminal() { # WORDS-TO-WAIT-FOR: top on a terminal until it shows them, then q
		: >"$work/screen"
		rm -f "$work/narrow"
		timeout 120 script -qfec "stty cols 90 rows 30; (until [ -e '$work/narrow' ]; do sleep 0.1; done; stty cols 40 rows 10 </dev/tty) & stty -g >'$work/before'; sh -c 'echo \$\$ >\"$work/pid\"; exec \"$ctl\" --url $url top --interval 1'; echo \"status \$?\"; stty -g >'$work/after'" \
		    "$work/screen" <"$work/keys" >/dev/null 2>&1 &
		pid=$!
		exec 9>"$work/keys"
		within 30 has "$1" "$work/screen"
		seen=$?
		[ -z "${2:-}" ] || "$2"
		printf q >&9
		exec 9>&-
		: >"$work/narrow"
		wait "$pid"
		return "$seen"
	}
	that 'a live picture' terminal 'compacted/s'
	that 'q ends it' has 'status 0' "$work/screen"
	that 'the terminal is as it was' diff "$work/before" "$work/after"
	that 'with its own screen, and its cursor' bash -c 'tail -c 200 "$1" | grep -q "$(printf "\033\\[?25h\033\\[?1049l")"' - "$work/screen"
	interrupt() { kill -INT "$(cat "$work/pid")"; }
	that 'Ctrl-C' terminal 'requests ' interrupt
	that 'ends it, too' has 'status 130' "$work/screen"
	that 'with the terminal as it was' diff "$work/before" "$work/after"
	# the widest line of the last whole picture, and how many there are
	last_picture() { awk 'BEGIN { RS = "\033\\[H" } { whole = before; before = $0 } END { printf "%s", whole }' "$work/screen" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' | tr -d '\r'; }
	is_narrow() { last_picture >"$work/picture"; awk 'length > 40 { wide = 1 } END { exit !(NR > 3 && NR <= 11 && !wide) }' "$work/picture"; }
	shrink() { : >"$work/narrow"; within 30 is_narrow; narrow=$?; }
	that 'a terminal that changes its size' terminal 'compacted/s' shrink
	that 'gets a picture that fits' [ "$narrow" = 0 ]
	serve_stop
	that 'a server that is gone is shown so' terminal 'NO ANSWER'
	that 'with the terminal as it was, then' diff "$work/before" "$work/after"
else
	skip 'a live picture' 'no script(1) here'
	serve_stop
fi

# ---- a server that goes away in the middle of a measurement
serve_start || finish
"$ctl" --url "$url" bench --seconds 600 --connections 2 >"$work/out" 2>"$work/err" </dev/null &
pid=$!
within 30 bash -c '[ "$(curl -s "$1/v1/kv?prefix=siltctl-bench/&count_only=1" | jq .count)" -gt 10 ]' - "$url"
kill -STOP "$pid"
serve_kill9
kill -CONT "$pid"
wait "$pid"; status=$?
that 'a failure it is' [ "$status" -gt 0 ] 
that 'and said what is left, and what to do' has 'delete them with siltctl delete --prefix siltctl-bench/' "$work/err"
finish
