# SPDX-License-Identifier: Apache-2.0
#
# http.sh - what the tests of the whole system share; sourced first by each of tests/http/*.sh.
#
# Runs the real thing as a user would: nginx/serve, with real nginx, real curl, a free port and a data directory of its own.
# Every expectation prints `ok - NAME` or `not ok - NAME` with what came instead; `finish` at the end of a test gives the status.
#
#   serve_start [OPTION...]; serve_stop; serve_kill9          the server at $url on $data, its log in $work/serve.log
#   expect NAME STATUS [CHECK...] -- CURL-ARGUMENT...         one request; an argument that begins with / is put behind $url
#       .FILTER      jq says true of the body                 is:TEXT      the body is exactly this
#       h:REGEX      a header line matches, case aside        no:REGEX     none does
#       type:SLUG    the problem's type                       file:PATH    the body is this file, byte for byte
#   that NAME COMMAND...                                      one condition
# An answer of 400 and above must be a problem document (HEAD aside); that is checked without being asked for.

set -u
umask 022
export LC_ALL=C.UTF-8
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=${SILT_BUILD:-$root/build}
work=$(mktemp -d /tmp/siltstone-test.XXXXXX)
data=$work/data
head=$work/head
body=$work/body
serve='' port='' url='' failures=0
PATH=$PATH:/usr/sbin:/sbin
export SILT_RESPONDER=$build/siltstone SILT_PIDFILE=$work/responder.pid

ok() { printf 'ok - %s\n' "$1"; }
skip() { printf 'skip - %s (%s)\n' "$1" "$2"; }
# not_ok NAME [REASON...]
not_ok() {
	printf 'not ok - %s\n' "$1"
	failures=$((failures + 1))
	shift
	[ $# = 0 ] || printf '    %s\n' "$@"
}
that() {
	local name=$1

	shift
	if "$@" >"$work/that" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "failed: $*" "$(head -c 2000 "$work/that")"
	fi
}
finish() {
	[ "$failures" = 0 ] || [ ! -s "$work/serve.log" ] || tail -n 20 "$work/serve.log" | sed 's/^/    log: /' | cut -c1-300
	[ "$failures" = 0 ]
	exit
}

responder_pid() { cat "$SILT_PIDFILE"; }
alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }
# within SECONDS COMMAND...: until it succeeds
within() {
	local left=$(($1 * 20))

	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 0.05
	done
}
gone() { ! alive "$1"; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
	local p

	while :; do
		p=$((20000 + RANDOM % 12000))
		port_is_free "$p" && break
	done
	echo "$p"
}

serve_is_up() { grep -q ' is up; ' "$work/serve.log" || ! alive "$serve"; }
# The same port again where there was one.
serve_start() {
	[ -n "$port" ] || port=$(free_port)
	url=http://127.0.0.1:$port
	: >"$work/serve.log"
	"$root/nginx/serve" --port "$port" --data "$data" "$@" >"$work/serve.log" 2>&1 &
	serve=$!
	within 120 serve_is_up && alive "$serve" && return 0
	not_ok "serve starts" "$(tail -n 20 "$work/serve.log")"
	return 1
}
# serve_wait: its status, once it has ended by itself
serve_wait() {
	local rc

	wait "$serve" 2>/dev/null
	rc=$?
	serve=''
	return "$rc"
}
serve_stop() {
	[ -n "$serve" ] || return 0
	kill -TERM "$serve" 2>/dev/null
	serve_wait
}
# As if the machine's owner did kill -9: the responder alone; serve says so and ends.
serve_kill9() {
	kill -KILL "$(responder_pid)"
	serve_wait
	[ $? = 1 ] || not_ok "serve ends with 1 when its responder was killed"
}

# site_files SOCKET: the site of nginx/ in $work/etc, at a new $port, before the responder at SOCKET
site_files() {
	rm -rf "$work/etc" "$work/spill"
	mkdir -p "$work/etc/snippets" "$work/spill"
	cp "$root"/nginx/snippets/*.conf "$work/etc/snippets/"
	cp "$root/nginx/siltstone.conf" "$work/etc/"
	port=$(free_port)
	url=http://127.0.0.1:$port
	sed -i "s|/run/siltstone/siltstone.sock|$1|" "$work/etc/snippets/siltstone-upstream.conf"
	echo "listen 127.0.0.1:$port;" >"$work/etc/snippets/siltstone-listen.conf"
}
# site_conf [MAIN [HTTP]]: a plain nginx.conf around it, with these directives beside what it takes
site_conf() {
	local kind

	{
		[ "$(id -u)" != 0 ] || echo 'user root;'
		echo "daemon off; pid $work/nginx.pid; ${1:-} events { worker_connections 512; } http { access_log off; ${2:-}"
		for kind in client_body fastcgi proxy scgi uwsgi; do echo "${kind}_temp_path $work/spill/$kind;"; done
		echo 'include siltstone.conf; }'
	} >"$work/etc/nginx.conf"
}
# site_nginx [OPTION...]: nginx with it, in the foreground
site_nginx() { exec nginx -e stderr -p "$work" -c "$work/etc/nginx.conf" "$@"; }
site_is_right() { (site_nginx -t); }
listens() { ! port_is_free "$port"; }

http_cleanup() {
	trap '' INT TERM
	if alive "$serve"; then
		kill -TERM "$serve"
		wait "$serve"
	fi
	rm -rf "$work"
} 2>/dev/null
trap http_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# request CURL-ARGUMENT...: fills $status, $head, $body
request() {
	local -a arguments=()
	local a

	for a in "$@"; do
		case $a in
		/*) a=$url$a ;;
		esac
		arguments+=("$a")
	done
	: >"$head"; : >"$body"
	status=$(curl -sS -g --path-as-is -m 120 -D "$head" -o "$body" -w '%{http_code}' "${arguments[@]}" 2>"$work/curl.err")
}
# header NAME: its value in the last answer
header() { sed -n "s/^$1: *//Ip" "$head" | tr -d '\r' | tail -n 1; }
etag() { header etag; }
version() { etag | tr -d '"'; }

problem_wrong() {
	[[ $(header content-type) == application/problem+json ]] || echo "no problem+json but '$(header content-type)'"
	jq -e --argjson s "$1" '.status == $s and (.type|type) == "string" and (.title|length) > 0 and (.detail|length) > 0' \
	    "$body" >/dev/null 2>&1 || echo "not a problem document with status $1"
	grep -qi '^cache-control: no-store' "$head" || echo "no Cache-Control: no-store"
}
headers_wrong() {
	grep -qi '^x-content-type-options: nosniff' "$head" || echo "no X-Content-Type-Options"
	grep -qi '^cross-origin-resource-policy: same-origin' "$head" || echo "no Cross-Origin-Resource-Policy"
}
# check CHECK: prints what is wrong
check() {
	case $1 in
	is:*)   [ "$(cat "$body"; echo .)" = "${1#is:}." ] || echo "the body is not '${1#is:}'" ;;
	file:*) cmp "$body" "${1#file:}" 2>&1 ;;
	h:*)    tr -d '\r' <"$head" | grep -qiE "^${1#h:}\$" || echo "no header like '${1#h:}'" ;;
	no:*)   ! tr -d '\r' <"$head" | grep -qiE "^${1#no:}\$" || echo "a header like '${1#no:}'" ;;
	type:*) jq -e --arg t "urn:siltstone:problem:${1#type:}" '.type == $t' "$body" >/dev/null 2>&1 || echo "its type is not ${1#type:}" ;;
	*)      jq -e "$1" "$body" >/dev/null 2>&1 || echo "not so of the body: $1" ;;
	esac
}
expect() {
	local name=$1 wanted=$2 wrong='' c is_head=no
	local -a checks=()

	shift 2
	while [ "$1" != -- ]; do
		checks+=("$1")
		shift
	done
	shift
	case " $* " in *' -I '*) is_head=yes ;; esac
	request "$@"
	if [ "$status" != "$wanted" ]; then
		wrong="the status is $status and not $wanted; $(cat "$work/curl.err")"
	else
		wrong=$(headers_wrong)
		[ "$wanted" -lt 400 ] || [ "$is_head" = yes ] || wrong+=$(problem_wrong "$wanted")
		for c in "${checks[@]}"; do
			wrong+=$(check "$c")
		done
	fi
	if [ -z "$wrong" ]; then
		ok "$name"
	else
		not_ok "$name" "curl $(printf '%q ' "$@" | head -c 300)" "$wrong" "$(head -c 600 "$head")" "$(head -c 600 "$body" | tr -d '\0')"
	fi
}

# put KEY VALUE, get KEY: the shortest way in and out, by ?key= (already percent-encoded); the version in $version
put() { request -X PUT --data-binary "$2" -H 'Content-Type:' "/v1/kv?key=$1"; version=$(version); [ "$status" = 201 ] || [ "$status" = 204 ]; }
get() { request "/v1/kv?key=$1"; }
holds() { get "$1" && [ "$status" = 200 ] && [ "$(cat "$body")" = "$2" ]; }
lacks() { get "$1" && [ "$status" = 404 ]; }
# all_hold KEY COMMAND... <NUMBERS: each KEYn has what `COMMAND... n` prints; read over many connections at once
all_hold() {
	local key=$1 i

	shift
	rm -rf "$work/is" "$work/should"
	mkdir "$work/is" "$work/should"
	while read -r i; do
		"$@" "$i" >"$work/should/$i"
		printf 'url = "%s/v1/kv/%s%s"\noutput = "%s/is/%s"\nnext\n' "$url" "$key" "$i" "$work" "$i"
	done | sed '$d' >"$work/reads"
	[ ! -s "$work/reads" ] || curl -s -Z --parallel-max 16 -K "$work/reads" 2>/dev/null
	diff -rq "$work/should" "$work/is"
}
# gauge NAME: what /metrics says of siltstone_NAME, which has no labels; whoever asks is one of those parked. is_at, at_least NAME NUMBER
gauge() { curl -s "$url/metrics" | awk -v m="siltstone_$1" '$1 == m { print $2 }'; }
is_at() { [ "$(gauge "$1")" = "$2" ]; }
at_least() { [ "$(gauge "$1")" -ge "$2" ]; }
# rss: KiB that the responder holds
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(responder_pid)/status"; }
# repeated CHARACTER COUNT
repeated() { head -c "$2" /dev/zero | tr '\0' "$1"; }
# raw [SECONDS]: what a socket says to the bytes on stdin, until it closes or 30 s have passed
raw() {
	(
		exec 3<>"/dev/tcp/127.0.0.1/$port" || exit
		cat >&3
		timeout "${1:-30}" cat <&3
	) 2>/dev/null
}
