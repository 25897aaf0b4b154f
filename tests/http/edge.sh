#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# edge.sh - what nginx answers by itself, and what of a request it hands on.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

# ---- the page
expect 'the page' 200 'h:content-type: text/html; charset=utf-8' "h:content-security-policy: default-src 'none'.*" 'h:x-content-type-options: nosniff' -- /
that 'shows three curl lines' [ "$(grep -c '^curl ' "$body")" = 3 ]
expect 'its style' 200 'h:content-type: text/css; charset=utf-8' -- /style.css
expect 'HEAD of it' 200 -- -I /
expect 'OPTIONS' 204 'h:allow: GET, HEAD, OPTIONS' -- -X OPTIONS /
expect 'POST to it' 405 'h:allow: GET, HEAD, OPTIONS' type:method-not-allowed -- -X POST -d x /
expect 'a directory of it' 404 -- /index.html

# ---- errors of nginx are problem documents
expect 'no such route' 404 type:no-such-route -- /nope
expect 'nor with a body' 404 type:no-such-route -- -X POST -d '{"key":"a"}' /v2/kv
expect 'the error page itself' 404 type:no-such-route -- /.siltstone/problem
expect 'TRACE' 405 type:method-not-allowed 'h:allow: .*GET.*' -- -X TRACE /get
expect 'percent-encoding that is none' 400 -- '/get/%zz'
expect 'a request line over 32 KiB' 414 -- "/get/$(repeated k 33000)"
expect 'a header over 32 KiB' 431 -- -H "X-Long: $(repeated k 33000)" /get
long=$(repeated k 30000)
expect 'headers that do not fit into FastCGI, a read' 500 'has("outcome") | not' -- -H "If-Match: $long" -H "If-None-Match: $long" -H "Prefer: $long" '/v1/kv/a'
expect 'a write: outcome unknown' 500 '.outcome == "unknown"' -- -X PUT -d x -H "If-Match: $long" -H "If-None-Match: $long" -H "Prefer: $long" /v1/kv/a
printf 'nonsense\r\n\r\n' | raw >"$work/raw"
that 'a line that is no request' grep -q 'application/problem+json' "$work/raw"
printf 'GET /get HTTP/1.1\r\nConnection: close\r\n\r\n' | raw >"$work/raw"
that 'no Host' grep -q '"status":400' "$work/raw"
printf 'PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: bogus\r\nConnection: close\r\n\r\n' | raw >"$work/raw"
that 'a transfer coding that is none' grep -q '"status":501' "$work/raw"
printf 'GET /get?key=a HTTP/2.5\r\nHost: localhost\r\n\r\n' | raw >"$work/raw"
that 'a version of HTTP that is none' grep -q '"status":505' "$work/raw"
expect 'a page that is newer than it may be' 412 type:condition-failed -- -H 'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT' /
expect 'one that is another' 412 type:condition-failed -- -H 'If-Match: "x"' /v1/openapi.json
printf 'GET /get?key=a HTTP/1.0\r\n\r\n' | raw >"$work/raw"
that 'HTTP/1.0 without Host is served' grep -q '"type":"urn:siltstone:problem:no-such-key"' "$work/raw"
request /nope
id=$(jq -r .id "$body")
request /nope
that 'each error has an id of its own' [ -n "$id" -a "$id" != "$(jq -r .id "$body")" ]
expect "the responder's too" 404 '(.id|length) == 32' -- /v1/kv/nope

# ---- headers that nginx hands on, and those that it does not
put h v
expect 'an If-Match with an underscore is no condition' 204 -- -X PUT -H 'If_Match: "1"' -d v2 /v1/kv/h
expect 'two If-Match' 400 -- -X PUT -H 'If-Match: "1"' -H 'If-Match: "2"' -d v3 /v1/kv/h
expect 'X-HTTP-Method-Override means nothing' 200 is:v2 -- -H 'X-HTTP-Method-Override: DELETE' /v1/kv/h
expect 'a large If-None-Match passes' 200 is:v2 -- -H "If-None-Match: $(for i in $(seq 100 160); do printf '"%s", ' "$i"; done)\"1\"" /v1/kv/h

# ---- one connection, many requests of every kind: each gets its own answer
{
	for i in $(seq 1 60); do
		printf 'url = "%s/v1/kv/k%s"\nrequest = "PUT"\ndata = "value-%s"\noutput = "/dev/null"\nnext\n' "$url" "$i" "$i"
		printf 'url = "%s/v1/kv/k%s"\noutput = "%s/ka%s"\nnext\n' "$url" "$i" "$work" "$i"
		printf 'url = "%s/v1/kv/k%s"\nhead\noutput = "/dev/null"\nnext\n' "$url" "$i"
		printf 'url = "%s/set"\ndata = "{bad"\noutput = "/dev/null"\nnext\n' "$url"
	done
	printf 'url = "%s/healthz"\noutput = "/dev/null"\n' "$url"
} >"$work/many"
curl -s -K "$work/many" 2>/dev/null
wrong=0
for i in $(seq 1 60); do
	[ "$(cat "$work/ka$i")" = "value-$i" ] || wrong=$((wrong + 1))
done
that 'on a kept connection every request gets its own answer' [ "$wrong" = 0 ]

# ---- many connections, more than there are reactors, none starves
seq 1 400 | sed "s|.*|url = \"$url/v1/kv/k1\"\noutput = \"$work/p&\"|" >"$work/parallel"
curl -s -Z --parallel-max 200 -K "$work/parallel" 2>/dev/null
that 'four hundred requests over two hundred connections' [ "$(cat "$work"/p[0-9]* | grep -o value-1 | wc -l)" = 400 ]
finish
