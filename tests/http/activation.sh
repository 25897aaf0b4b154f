#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# activation.sh - the socket from systemd, or at fd 0; and the site as an administrator installs it, under a plain nginx.conf.
. "$(dirname "$0")/../lib/http.sh"
command -v systemd-socket-activate >/dev/null || { skip 'socket activation' 'no systemd-socket-activate here'; exit 0; }
nginx=''
stop_nginx() { [ -z "$nginx" ] || kill -QUIT "$nginx"; }
trap 'stop_nginx; kill "$activator" 2>/dev/null; http_cleanup' EXIT
site_files "$work/s.sock"
site_conf '' 'gzip on;'
site_is_right >"$work/test.log" 2>&1 && ok 'nginx -t of the site' || not_ok 'nginx -t of the site' "$(cat "$work/test.log")"
that 'without a warning' bash -c '! grep -q "\[warn\]" "$1"' - "$work/test.log"
site_nginx 2>"$work/nginx.log" &
nginx=$!
that 'nginx listens' within 100 listens

# activate OPTION...: listens and starts the responder with the first connection
activate() {
	rm -f "$work/s.sock"
	systemd-socket-activate -l "$work/s.sock" "$@" "$SILT_RESPONDER" --db "$data" >"$work/serve.log" 2>&1 &
	activator=$!
	within 100 test -S "$work/s.sock"
	chmod 660 "$work/s.sock"
}
# the connection waits in the backlog while the responder starts
answers() { request /readyz; [ "$status" = 200 ]; }
activate --fdname=fcgi
that 'the first request starts the responder' answers
that 'it writes' put a 1
that 'and reads' holds a 1
expect 'a shutdown says that the socket would start it again' 200 '.message | test("socket|again")' -- /shutdown
wait "$activator"
that 'and the responder ends with 0' [ $? = 0 ]
that 'the socket that systemd gave was not removed' test -S "$work/s.sock"
expect 'nobody there: 502' 502 'has("outcome")|not' -- /v1/kv/a
expect 'a write: outcome unknown' 502 '.outcome == "unknown"' -- -X PUT -d 2 /v1/kv/a
activate --fdname=fcgi
that 'the next one finds the data' holds a 1
kill -TERM "$activator"
wait "$activator"
that 'SIGTERM ends it with 0' [ $? = 0 ]
activate --inetd
that 'the socket at fd 0' holds a 1
kill -TERM "$activator"
wait "$activator"
that 'ends with 0 too' [ $? = 0 ]

# ---- the units
that 'the socket stays with its group: no RuntimeDirectory' bash -c '! grep "^RuntimeDirectory=" "$1"' - "$root/app/service/siltstone.service.in"
if command -v systemd-analyze >/dev/null; then
	mkdir "$work/units"
	cp "$root/app/service/siltstone.socket" "$work/units/"
	sed "s|@sbindir@/siltstone|$SILT_RESPONDER|; s|@[a-z]*@|/usr/share|g" "$root"/app/service/siltstone.service* >"$work/units/siltstone.service"
	SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no --recursive-errors=no "$work/units/siltstone.service" "$work/units/siltstone.socket" \
	    >"$work/verify" 2>&1
	that 'systemd-analyze verify has nothing to say of the units' bash -c '! grep siltstone "$1"' - "$work/verify"
	systemd-analyze security --offline=true --threshold=10 "$work/units/siltstone.service" >"$work/security" 2>&1
	that "the sandbox is tight: exposure $(sed -n 's/.*service: \([0-9.]* [A-Z]*\).*/\1/p' "$work/security")" \
	    systemd-analyze security --offline=true --threshold=10 "$work/units/siltstone.service"
else
	skip 'the units' 'no systemd-analyze here'
fi
finish
