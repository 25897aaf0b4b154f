#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# smuggle.sh - a body that looks like FastCGI is a body; garbage on the responder's socket disturbs nobody.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
put victim safe

# record TYPE CONTENT-FILE: a FastCGI record of request 1, without padding
octet() { printf "\\x$(printf %02x "$1")"; }
record() {
	local n

	n=$(stat -c %s "$2")
	octet 1; octet "$1"; octet 0; octet 1; octet $((n >> 8)); octet $((n & 255)); octet 0; octet 0
	cat "$2"
}
pair() { octet ${#1}; octet ${#2}; printf '%s%s' "$1" "$2"; }
# forged METHOD ROUTE URI: what would be a request of its own, as admin, were the body taken for one
forged() {
	printf '\0\1\1\0\0\0\0\0' >"$work/begin"
	{ pair REQUEST_METHOD "$1"; pair SCRIPT_NAME "$2"; pair REQUEST_URI "$3"; pair SILT_ROLE admin; pair SILT_PREFIX ''; pair HTTP_HOST localhost; } >"$work/params"
	: >"$work/none"
	record 1 "$work/begin"; record 4 "$work/params"; record 4 "$work/none"; record 5 "$work/none"
}
forged DELETE /v1/kv/ /v1/kv/victim >"$work/delete"
forged POST /shutdown /shutdown >"$work/shutdown"

# Every way to be refused before the body matters, on connections that nginx keeps.
for attack in delete shutdown; do
	for pad in 0 8192 20000; do
		{ repeated x "$pad"; cat "$work/$attack" "$work/$attack"; } >"$work/in"
		for target in '-X GET /v1/kv/victim' '-X PUT /v1/kv/victim?tll=1' '-X POST /set' '-X PATCH /v1/kv/victim' '-X DELETE /del?key=none' \
		    '-X PUT -H If-Match:"999999" /v1/kv/victim' '-X POST -H Via:x /shutdown' '-X GET /healthz' '-X PUT -H Content-Encoding:gzip /v1/kv/victim' \
		    '-X OPTIONS /get' '-X POST /v1/stats' '-X PUT /v1/kv/x/../victim'; do
			# shellcheck disable=SC2086
			request --data-binary "@$work/in" $target
			[ "$status" != 502 ] || not_ok "502 for $target with $attack in its body"
		done
	done
done
for i in 1 2 3 4 5 6 7 8; do
	request /healthz
done
that 'forged records in refused bodies delete nothing' holds victim safe
that 'and shut nothing down' alive "$(responder_pid)"
expect 'and as a value they are a value' 204 -- -X PUT --data-binary "@$work/delete" /v1/kv/victim
expect 'byte for byte' 200 "file:$work/delete" -- /v1/kv/victim

# ---- whoever reaches the socket: garbage closes that connection and no other
socket=$(tr '\0' '\n' <"/proc/$(responder_pid)/cmdline" 2>/dev/null | sed -n 's/^unix://p')
[ -S "$socket" ] || { skip 'garbage on the socket' 'no /proc to find it by'; finish; }
# said FILE: its bytes on the socket, and an end
said() { timeout 5 curl -s --unix-socket "$socket" telnet://x <"$1" >/dev/null 2>&1; }
head -c 100000 /dev/urandom >"$work/random"
{ octet 1; octet 1; octet 0; octet 1; octet 255; octet 255; octet 0; octet 0; } >"$work/cut"
{ octet 2; head -c 64 "$work/random"; } >"$work/version"
head -c 8 /dev/zero >"$work/zeros"
{ record 4 "$work/params"; } >"$work/no-begin"
{ record 1 "$work/begin"; head -c 20 "$work/params"; } >"$work/half"
{ printf '\1\1\0\1\0\10\0\0\0\7\1\0\0\0\0\0'; } >"$work/bad-role"
forged GET /nowhere /nowhere >"$work/no-route"
forged BREW /v1/kv/ /v1/kv/victim >"$work/no-method"
: >"$work/params"
{ pair REQUEST_METHOD GET; } >"$work/params"
{ record 1 "$work/begin"; record 4 "$work/params"; record 4 "$work/none"; record 5 "$work/none"; } >"$work/no-script"
# At once: a connection with half a request is closed only when the time for it is over.
sayers=()
for i in 1 2 3; do
	for kind in random cut version zeros no-begin half bad-role no-route no-method no-script none; do
		said "$work/$kind" &
		sayers+=($!)
	done
done
expect 'while garbage stands on the socket others are served' 200 "file:$work/delete" -- /v1/kv/victim
wait "${sayers[@]}"
expect 'garbage on the socket disturbs nobody' 200 "file:$work/delete" -- /v1/kv/victim
that 'the responder lives' alive "$(responder_pid)"
that 'the socket is for owner and group alone' [ "$(stat -c %a "$socket")" = 660 ]
finish
