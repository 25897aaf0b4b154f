#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# serve.sh - the launcher: what it says, where it writes, how it ends.
. "$(dirname "$0")/../lib/http.sh"
launch="$root/nginx/serve"
# refuses NAME STATUS REGEX ARGUMENT...: serve ends with that status and says so
refuses() {
	local name=$1 wanted=$2 regex=$3 rc

	shift 3
	timeout 200 "$launch" "$@" >"$work/said" 2>&1
	rc=$?
	if [ "$rc" = "$wanted" ] && grep -qE -e "$regex" "$work/said"; then
		ok "$name"
	else
		not_ok "$name" "status $rc, said: $(head -c 1500 "$work/said")"
	fi
}
leftovers() { find /tmp -maxdepth 1 -name 'siltstone.*' -newer "$work/mark" 2>/dev/null; }
: >"$work/mark"
port=$(free_port)

refuses '--help' 0 '^usage: ' --help
refuses 'an unknown argument' 2 'unknown argument: --prot' --prot 1
refuses 'an option without its value' 2 'port needs a value' --port
refuses 'a port that is none' 2 'not a port' --port 80x
refuses 'a port beyond the last' 2 'not a port' --port 65536
refuses 'an address that is none' 2 'not an address' --listen 'a b'
refuses 'a configuration that is not there' 1 'cannot read the configuration .*/none.conf' --port "$port" --data "$data" --config "$work/none.conf"
printf 'memory = 64M\nmemmory = 1M\n' >"$work/bad.conf"
refuses 'an unknown option in the configuration, by file and line' 1 'bad\.conf:2: .*memmory' --port "$port" --data "$data" --config "$work/bad.conf"
printf 'max_value_size = much\n' >"$work/bad.conf"
refuses 'a size that is none' 1 'bad\.conf:1: .*max_value_size' --port "$port" --data "$data" --config "$work/bad.conf"
: >"$work/file"
refuses 'a data directory that is a file' 1 'data directory' --port "$port" --data "$work/file"
refuses 'one below a file' 1 'cannot make the data directory' --port "$port" --data "$work/file/below"
if [ "$(id -u)" != 0 ]; then
	mkdir "$work/locked" && chmod 555 "$work/locked"
	refuses 'one that can not be written' 1 'cannot write to the data directory .*/locked' --port "$port" --data "$work/locked"
	refuses 'one that can not be made' 1 'cannot make the data directory: .*/locked/below' --port "$port" --data "$work/locked/below"
elif mkdir "$work/ro" && mount -t tmpfs -o ro none "$work/ro" 2>/dev/null; then
	refuses 'one that can not be written' 1 'cannot write to the data directory .*/ro' --port "$port" --data "$work/ro"
	refuses 'one that can not be made' 1 'cannot make the data directory: .*/ro/below' --port "$port" --data "$work/ro/below"
	umount "$work/ro"
else
	skip 'a data directory that can not be written' 'root, and no mount'
fi

# ---- places: relative to the caller, blanks and quotes in the name, a deep path
mkdir -p "$work/call er" && cd "$work/call er" || exit 1
data="relative \"da'ta"
serve_start || finish
that 'the data directory is relative to the caller' test -e "$work/call er/$data/LOCK"
that 'the URL is printed' grep -qF "http://localhost:$port is up" "$work/serve.log"
that 'with three curl lines' [ "$(grep -c '^  curl ' "$work/serve.log")" = 3 ]
sed -n "s|^  \(curl .*\)|\1|p" "$work/serve.log" >"$work/lines"
that 'which work as printed' bash -e "$work/lines"
head -c 1000000 /dev/zero >"$work/large"
expect 'a body that goes through a file of nginx' 201 -- -X PUT --data-binary "@$work/large" /v1/kv/large
that 'a second one on the port' bash -c '! "$1" --port "$2" --data "$3/other" 2>"$3/said" && grep -q "port $2 is in use" "$3/said"' - "$launch" "$port" "$work"
other=$(free_port)
refuses 'a second one on the same data' 1 'another process|already|in use|locked' --port "$other" --data "$data"
that 'which names the directory' grep -qF "da'ta" "$work/said"
expect 'while the first one serves' 200 is:hello -- /v1/kv/greeting
if grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null; then
	url=http://[::1]:$port
	expect 'on IPv6 too' 200 is:hello -- /v1/kv/greeting
	url=http://127.0.0.1:$port
else
	skip 'on IPv6 too' 'no IPv6 here'
fi
serve_stop
that 'SIGTERM ends it with 0' [ $? = 0 ]
that 'nothing is left in /tmp' [ -z "$(leftovers)" ]
that 'nor in the data directory' [ -z "$(find "$work/call er/$data" -name 'nginx.*')" ]
cd "$work" || exit 1
deep=$work/$(repeated d 200)/$(repeated e 200)
data=$deep
serve_start || finish
that 'a path longer than a socket may have' put deep 1

# ---- ways to end
expect '/shutdown' 200 -- /shutdown
serve_wait
that 'ends serve with 0' [ $? = 0 ]
serve_start || finish
kill -SEGV "$(responder_pid)"
serve_wait
that 'a responder that died ends it with 1' [ $? = 1 ]
that 'with the reason' grep -q 'was ended by signal 11 (SEGV)' "$work/serve.log"
that 'and its last lines' grep -q '^    ' "$work/serve.log"
mkdir "$work/bin"
printf '#!/bin/bash\nsleep 1\nexec %s "$@"\n' "$(command -v nginx)" >"$work/bin/nginx"
chmod +x "$work/bin/nginx"
PATH=$work/bin:$PATH SILT_RESPONDER=/bin/false timeout -k 5 120 "$launch" --port "$port" --data "$data" >"$work/said" 2>&1
that 'one that died before nginx was up ends it as well' [ $? = 1 ]
serve_start || finish
nginx_pid=$(cat /tmp/siltstone.*/nginx.pid 2>/dev/null | while read -r p; do [ "$(awk '{ print $4 }' "/proc/$p/stat" 2>/dev/null)" = "$serve" ] && echo "$p"; done)
if [ -n "$nginx_pid" ]; then
	was=$(responder_pid)
	kill -KILL "$nginx_pid"
	serve_wait
	that 'so does nginx' [ $? = 1 ]
	that 'and the responder was ended' gone "$was"
else
	skip 'so does nginx' 'its process was not found: no /proc?'
	serve_stop
fi
serve_start || finish
was=$(responder_pid)
kill -KILL "$serve"
serve_wait
that 'kill -9 of serve ends its responder' within 100 gone "$was"
that 'and frees the port' within 100 port_is_free "$port"
rm -rf $(leftovers)

# Ctrl-C reaches the whole foreground process group. What a script starts in the background ignores it, and bash can't take that back.
: >"$work/serve.log"
env --default-signal=INT setsid "$launch" --port "$port" --data "$data" >"$work/serve.log" 2>&1 &
serve=$!
within 120 serve_is_up
if kill -INT -- "-$serve" 2>/dev/null && within 120 gone "$serve"; then
	serve_wait
	rc=$?
	that 'Ctrl-C ends it with 0' [ "$rc" = 0 ]
	that 'and says so' grep -q '^serve: stopping' "$work/serve.log"
	that 'nothing is left' [ -z "$(leftovers)" ]
else
	not_ok 'Ctrl-C ends it' "$(cat "$work/serve.log")"
fi
finish
