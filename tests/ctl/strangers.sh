#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# strangers.sh - siltctl and what is no Siltstone, or one that has little time: jobs that go on, answers that are odd, cut short, elsewhere,
# not now; the disk's damage told by a server. The servers are nginx with answers written into its configuration.
. "$(dirname "$0")/../lib/ctl.sh"
port=$(free_port)
url=http://127.0.0.1:$port
nginx=''
trap 'kill "$nginx" 2>/dev/null; wait "$nginx" 2>/dev/null; http_cleanup' EXIT

# answers LOCATION TEXT: 200 with this text
answers() { printf 'location = %s { default_type application/json; return 200 '"'%s'"'; }\n' "$1" "$2"; }
mkdir "$work/spill"
{
	[ "$(id -u)" != 0 ] || echo 'user root;'
	echo "daemon off; pid $work/nginx.pid; error_log stderr crit; events { worker_connections 64; }"
	echo 'http { access_log off;'
	for kind in client_body fastcgi proxy scgi uwsgi; do echo "${kind}_temp_path $work/spill/$kind;"; done
	echo 'split_clients $request_id $state { 40% running; * done; }'
	echo "server { listen 127.0.0.1:$port; add_header Retry-After 1 always;"
	echo 'location = /slow/v1/admin/verify { return 202 "{\"message\":\"m\",\"job\":{\"id\":\"7\",\"state\":\"queued\",\"done\":0,\"total\":0}}"; }'
	echo 'location = /slow/v1/admin/compact { return 202 "{\"message\":\"m\",\"job\":{\"id\":\"8\",\"state\":\"running\"}}"; }'
	echo 'location = /slow/v1/admin/jobs/7 { return 200 "{\"id\":\"7\",\"state\":\"$state\",\"done\":50,\"total\":100}"; }'
	answers /slow/v1/admin/jobs/8 '{"id":"8","state":"failed","error":"the disk is full"}'
	answers /slow/v1/stats '{"tables":1,"table_bytes":100,"table_entries":5,"memtable_entries":2}'
	echo 'location /page/ { default_type text/html; return 200 "<html>hello</html>"; }'
	echo 'location /moved/ { return 301 https://elsewhere.example$uri; }'
	echo 'location /busy/ { if ($state = running) { return 503; } default_type application/json; return 200 "{\"count\":7,\"version\":9}"; }'
	echo 'location /gone/ { return 444; }'
	echo 'location /gateway/ { return 502; }'
	answers /part/v1/kv '{"key":"a","value":"1","version":1}\n{"key":"b","va'
	answers /none/v1/kv '{"key":"a","value":"1","version":1}\n'
	answers /less/v1/kv '{"key":"a","value":"1","version":1}\n{"end":true,"count":2,"version":1}\n'
	answers /error/v1/kv '{"key":"a","value":"1","version":1}\n{"error":{"title":"The disk failed","detail":"\u001b[2Jand how"}}\n'
	answers /damaged/v1/kv '{"key":"a","value":"1","version":1}\n{"error":{"type":"urn:siltstone:problem:damaged","title":"Damaged","status":500}}\n'
	answers /more/v1/kv '{"key":"a","value":"1","version":1}\n{"end":true,"count":1,"version":1}\n{"key":"b","value":"1","version":1}\n'
	answers /odd/v1/admin/checkpoint '{"job":{"id":"1","state":"failed","error":"\u001b[2Jno room"}}'
	printf 'location = /odd/metrics { return 200 '"'siltstone_build_info 1\nsiltstone_tables NaN\nsiltstone_version 9007199254740991\n"
	printf 'siltstone_write_stalls_total{reason="\033[2Jpace"} $msec\n'
	printf 'siltstone_http_request_duration_seconds_count{route="/\033[2J",method="\033[31m"} $msec\n'"'"'; }\n'
	echo '} }'
} >"$work/nginx.conf"
nginx -e stderr -p "$work" -c "$work/nginx.conf" 2>"$work/nginx.log" &
nginx=$!
listens() { ! port_is_free "$port"; }
within 10 listens || not_ok 'nginx' "$(cat "$work/nginx.log")"

run --url "$url/slow" verify
so 'a verification that takes longer is looked after' 0 'o:1 tables of 100 B with 5 entries' 'o:: sound'
run --url "$url/slow" verify --json
so 'and said in JSON' 0 'o:{"sound":true,"findings":0,"tables":1,'
run --url "$url/slow" compact
so 'a job that fails' 6 'e:the disk is full'
for command in get scan count stats put delete; do
	case $command in
	get | delete) run --url "$url/page" $command k ;;
	put)          run --url "$url/page" put k v ;;
	*)            run --url "$url/page" $command ;;
	esac
	so "$command: a page" 6 "e:$url/page" 'e:that no Siltstone gives'
done
run --url "$url/page" stats --json
so 'stats --json: a page' 6 'e:that no Siltstone gives'
that 'is not printed as JSON' [ ! -s "$work/out" ]
run --url "$url/moved" count
so 'it is elsewhere' 6 'e:https://elsewhere.example/moved/v1/kv' 'e:--url'
run --url "$url/busy" count
so 'a server without time is asked again' 0 'o:7'
run --url "$url/gone" put k v
so 'a server that hangs up in a write' 8 'e:whether this PUT was done is not known'
run --url "$url/gateway" put k v
so 'one that its nginx has lost' 8 'e:502' 'e:whether it was done is not known'
run --url "$url/gateway" count
so 'and in a count' 4 'e:502' 'e:not the server behind it'
run --url "$url/gone" get k
so 'and in a read' 4 "e:$url/gone"
printf '{"key":"k","value":"v"}\n{"key":"l","value":"v"}\n' >"$work/two"
run --url "$url/gone" import --no-end "$work/two"
so 'and in an import' 8 'e:is not known' 'e:0 entries were imported; go on with --from-line 1'
run --url "$url/part" export --output "$work/e"
so 'a list that is cut off in a line' 4 'e:broke off after 1 entries'
run --url "$url/none" export --output "$work/e"
so 'a list that has no end' 4 'e:no last line'
run --url "$url/less" export --output "$work/e"
so 'a list that lacks something' 4 'e:counts others'
run --url "$url/error" export --output "$work/e"
so 'a list that a fault ends' 4 'e:The disk failed: \x1b[2Jand how'
run --url "$url/damaged" export --output "$work/e"
so 'a list that damage ends' 3 'e:broke off after 1 entries: Damaged'
run --url "$url/more" export --output "$work/e"
so 'a list that goes on behind its end' 4 'e:behind its last line'
run --url "$url/moved" export --output "$work/e"
so 'a list that is elsewhere' 6 'e:https://elsewhere.example/moved/v1/kv' 'e:--url'
that 'none of them left a file' bash -c '! ls "$1" "$1".* 2>/dev/null' - "$work/e"

# ---- what would be more than text on a terminal, and numbers that are none
run --url "$url/odd" backup "$work/b"
so 'an error with an escape sequence' 6 'e:\x1b[2Jno room'
that 'is shown as text' bash -c '! grep -q $'"'\e'"' "$1"' - "$work/err"
run --url "$url/odd" top --once --interval 1
so 'labels with escape sequences' 0 'o:\x1b[2Jpace' 'o:\x1b[31m'
that 'are shown as text' bash -c '! grep -q $'"'\e'"' "$1"' - "$work/out"
timeout 20 "$ctl" --url "$url/odd" top --json --interval 1 2>/dev/null | head -n 1 >"$work/out"; status=$?
so 'NaN is null' 0 'o:"tables":null' 'o:"version":9007199254740991}'

# ---- where nothing was sent nothing is in doubt, and a password in a URL is not shown
http_proxy=http://proxy.invalid:1 run --url http://server.example put k v
so 'no such proxy' 4 'e:proxy' 'e:http_proxy'
that 'no doubt' bash -c '! grep -q "not known" "$1"' - "$work/err"
run --url "http://me:secret@127.0.0.1:1/?query" count
so 'a URL that is none' 2 'e:...@127.0.0.1:1/?query'
that 'its password is not shown' bash -c '! grep -q secret "$1"' - "$work/err"

# ---- a real one, whose disk is damaged
kill "$nginx"; wait "$nginx" 2>/dev/null; nginx=''
port=''
serve_start || finish
for i in 1 2 3; do put "k$i" "$(repeated x 3000)"; done
run --url "$url" compact
for table in "$data"/*.sst; do           # one that compaction has replaced may still be there
	byte=$(od -An -tu1 -j 40 -N 1 "$table" 2>/dev/null) || continue
	printf "\\x$(printf %02x $((byte ^ 16)))" | dd of="$table" bs=1 seek=40 conv=notrunc status=none
done
run --url "$url" verify
so 'damage that a server finds' 3 'o:DAMAGED' "e:$url"
finish
