#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# trust.sh - who may do what: roles by nginx, pages elsewhere, prefetch, hosts, headers that pose as ours.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
put w 1

# ---- roles: admin is loopback, unless something stood between
expect 'admin from loopback: flush' 200 -- -X POST /v1/admin/flush
expect 'compact' 200 -- -X POST /v1/admin/compact
for header in 'X-Forwarded-For: 127.0.0.1' 'Forwarded: for=127.0.0.1' 'Via: 1.1 tunnel'; do
	expect "with ${header%%:*}: flush" 403 type:forbidden -- -X POST -H "$header" /v1/admin/flush
	expect "with ${header%%:*}: GET /shutdown" 403 type:forbidden -- -H "$header" /shutdown
	expect "with ${header%%:*}: POST /shutdown" 403 type:forbidden -- -X POST -H "$header" /shutdown
	expect "with ${header%%:*}: a write" 204 -- -X PUT -H "$header" -d 2 /v1/kv/w
	expect "with ${header%%:*}: a read" 200 -- -H "$header" /v1/kv/w
done
for header in 'Silt-Role: admin' 'SILT_ROLE: admin' 'Silt_Role: admin' 'Script-Name: /shutdown' 'SCRIPT_NAME: /shutdown' 'Request-Uri: /shutdown'; do
	expect "a client's own '$header' means nothing" 403 type:forbidden -- -X POST -H 'Via: x' -H "$header" /v1/admin/flush
done
expect 'GET of an admin route' 405 'h:allow: .*POST.*' -- /v1/admin/flush

# ---- pages elsewhere: writes, admin and shutdown
for site in cross-site same-site bogus; do
	expect "Sec-Fetch-Site: $site, a write" 403 type:cross-site -- -X PUT -H "Sec-Fetch-Site: $site" -d 3 /v1/kv/w
	expect "Sec-Fetch-Site: $site, classic" 403 type:cross-site -- -H "Sec-Fetch-Site: $site" -d 'key=w&value=3' /set
	expect "Sec-Fetch-Site: $site, a delete" 403 type:cross-site -- -X DELETE -H "Sec-Fetch-Site: $site" /del/w
	expect "Sec-Fetch-Site: $site, GET /shutdown" 403 type:cross-site -- -H "Sec-Fetch-Site: $site" /shutdown
	expect "Sec-Fetch-Site: $site, admin" 403 type:cross-site -- -X POST -H "Sec-Fetch-Site: $site" /v1/admin/flush
	expect "Sec-Fetch-Site: $site, a read" 200 -- -H "Sec-Fetch-Site: $site" /v1/kv/w
done
for site in same-origin none; do
	expect "Sec-Fetch-Site: $site, a write" 204 -- -X PUT -H "Sec-Fetch-Site: $site" -d 4 /v1/kv/w
done
for origin in 'http://evil.example' "https://127.0.0.1:$port.evil.example" "http://127.0.0.1:$((port + 1))" 'http://localhost' null '' "http://127.0.0.1:$port/x" \
    "evil://127.0.0.1:$port@x"; do
	[ -n "$origin" ] || continue
	expect "Origin: $origin, a write" 403 type:cross-site -- -X PUT -H "Origin: $origin" -d 5 /v1/kv/w
	expect "Origin: $origin, GET /shutdown" 403 type:cross-site -- -H "Origin: $origin" /shutdown
	expect "Origin: $origin, a read" 200 -- -H "Origin: $origin" /v1/kv/w
done
expect 'our own Origin' 204 -- -X PUT -H "Origin: http://127.0.0.1:$port" -d 6 /v1/kv/w
expect 'our own behind TLS' 204 -- -X PUT -H "Origin: https://127.0.0.1:$port" -d 7 /v1/kv/w
expect 'Purpose: prefetch, GET /shutdown' 403 type:cross-site -- -H 'Purpose: prefetch' /shutdown
expect 'Sec-Purpose: prefetch;prerender, GET /shutdown' 403 type:cross-site -- -H 'Sec-Purpose: prefetch;prerender' /shutdown
expect 'Sec-Purpose: prefetch, a write' 403 type:cross-site -- -X PUT -H 'Sec-Purpose: prefetch' -d 8 /v1/kv/w
expect 'a prefetched read' 200 is:7 -- -H 'Purpose: prefetch' /v1/kv/w
expect 'no CORS for anyone' 200 'no:access-control-.*' -- -H 'Origin: http://evil.example' /v1/kv/w
expect 'a preflight learns nothing' 204 'no:access-control-.*' -- -X OPTIONS -H 'Origin: http://evil.example' -H 'Access-Control-Request-Method: PUT' /v1/kv/w
serve_stop

# ---- hosts: what the configuration lists, and nothing else
echo 'hosts = store.example, 127.0.0.1' >"$work/hosts.conf"
serve_start --config "$work/hosts.conf" || finish
expect 'a Host that is ours' 200 is:7 -- /v1/kv/w
expect 'the other one' 200 is:7 -- -H 'Host: store.example' /v1/kv/w
expect 'with a port and in capitals' 200 is:7 -- -H 'Host: STORE.example:80' /v1/kv/w
expect 'one that is not' 421 type:wrong-host -- -H 'Host: evil.example' /v1/kv/w
expect 'one that only begins like ours' 421 type:wrong-host -- -H 'Host: store.example.evil.example' /v1/kv/w
expect 'nor for a write' 421 type:wrong-host -- -X PUT -H 'Host: rebound.example' -d 9 /v1/kv/w
printf 'GET /v1/kv/w HTTP/1.1\r\nHost: x/y\r\nConnection: close\r\n\r\n' | raw >"$work/raw"
that 'a Host that is none is refused' grep -qE '^HTTP/1.1 (400|421)' "$work/raw"
expect 'nothing was written' 200 is:7 -- /v1/kv/w
finish
