#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# snippets.sh - each optional snippet of nginx/, as its own words say it is to be used, with a real client.
. "$(dirname "$0")/../lib/http.sh"
nginx='' responders=()
stop_nginx() {
	while alive "$nginx"; do kill -QUIT "$nginx"; sleep 0.05; done
	nginx=''
} 2>/dev/null
snippets_cleanup() {
	trap '' INT TERM
	stop_nginx
	for r in "${responders[@]}"; do alive "$r" && kill -TERM "$r" && wait "$r"; done
	rm -rf "$work"
} 2>/dev/null
trap snippets_cleanup EXIT

# responder N: the Nth, with a store of its own
responder() {
	"$SILT_RESPONDER" --db "$data$1" --listen "unix:$work/$1.sock" --memory 16M --memtable-size 1M --wal-segment-size 8M 2>>"$work/serve.log" &
	responders[$1]=$!
	within 20 test -S "$work/$1.sock"
}
# site [OLD=NEW | http:NAME | server:NAME | edit:FILE:SED]...: the site with snippets put in the place of others, or beside them
site() {
	local change

	stop_nginx
	rm -rf "$work/cache"
	mkdir "$work/cache"
	site_files "$work/1.sock"
	sed -i "s|/run/siltstone-\([12]\)/siltstone.sock|$work/\1.sock|" "$work/etc/snippets/siltstone-shards.conf"
	sed -i "s|/etc/ssl/[a-z]*/|$work/|" "$work/etc/snippets/siltstone-tls.conf"
	sed -i "s|443|127.0.0.1:$port|; /\[::\]/d" "$work/etc/snippets/siltstone-tls.conf"
	sed -i "s|/etc/nginx/|$work/|" "$work"/etc/snippets/siltstone-{login,certificates}.conf
	sed -i "s|/var/cache/nginx/siltstone|$work/cache|" "$work/etc/snippets/siltstone-cache.conf"
	for change in "$@"; do
		case $change in
		http:*)         sed -i "s|^server {|include snippets/siltstone-${change#*:}.conf;\n&|" "$work/etc/siltstone.conf" ;;
		server:*)       sed -i "s|include snippets/siltstone-routes.conf;|include snippets/siltstone-${change#*:}.conf;\n&|" "$work/etc/siltstone.conf" ;;
		edit:*)         change=${change#*:}; sed -i "${change#*:}" "$work/etc/snippets/siltstone-${change%%:*}.conf" ;;
		*=*)            sed -i "s|snippets/siltstone-${change%%=*}.conf|snippets/siltstone-${change#*=}.conf|" "$work/etc/siltstone.conf" ;;
		esac
	done
	site_conf
	that "nginx -t with $*" site_is_right
	site_nginx 2>"$work/nginx.log" &
	nginx=$!
	within 10 listens
}

responder 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 -addext 'subjectAltName=IP:127.0.0.1' \
    -keyout "$work/siltstone.key" -out "$work/siltstone.pem" 2>"$work/openssl.log"

# ---- TLS with HTTP/2
site listen=tls
url=https://127.0.0.1:$port
cd "$work" || exit 1                            # files by names that do not begin with /
tls=(--cacert siltstone.pem)
expect 'TLS: a write' 201 -- "${tls[@]}" -X PUT -d 1 /v1/kv/tls
if curl --version | grep -q HTTP2; then
	expect "over HTTP/2" 200 is:1 "h:HTTP/2 200 ?" -- "${tls[@]}" --http2 /v1/kv/tls
	expect 'a large body over HTTP/2' 201 -- "${tls[@]}" --http2 -X PUT --data-binary "@$(command -v bash)" /v1/kv/large
	expect 'comes back' 200 "file:$(command -v bash)" -- "${tls[@]}" --http2 /v1/kv/large
else
	skip 'over HTTP/2' 'curl has none here'
fi
expect 'over HTTP/1.1' 200 is:1 'h:HTTP/1.1 200 OK' -- "${tls[@]}" --http1.1 /v1/kv/tls
expect 'a page of our own origin may write' 204 -- "${tls[@]}" -X PUT -H "Origin: https://127.0.0.1:$port" -d 2 /v1/kv/tls
expect 'a page elsewhere may not' 403 type:cross-site -- "${tls[@]}" -X PUT -H 'Origin: https://elsewhere.example' -d 2 /v1/kv/tls
expect 'plain HTTP at this port' 400 -- "http://127.0.0.1:$port/v1/kv/tls"
that 'a stranger without our certificate is not talked to' bash -c '! curl -s "$1"' - "$url/healthz"
that 'siltctl with --cacert' test "$("$build/siltctl" --url "$url" --cacert siltstone.pem get tls)" = 2
"$build/siltctl" --url "$url" get tls >"$work/that" 2>&1
that 'siltctl without it' test "$?:$(grep -c 'certificate.*--cacert' "$work/that")" = 4:1
"$build/siltctl" --url "$url" --cacert nowhere.pem get tls >"$work/that" 2>&1
that 'siltctl with a file that is not there' test "$?:$(grep -c 'the file that --cacert names' "$work/that")" = 4:1

# ---- basic auth, roles and prefixes
for user in alice bob carol dave; do
	printf '%s:%s\n' "$user" "$(openssl passwd -apr1 "$user's")"
done >"$work/siltstone.users"
site roles=users server:login
expect 'no login' 401 type:login 'h:www-authenticate: Basic .*' -- /v1/kv/tls
expect 'a wrong one' 401 type:login -- -u 'alice:x' /v1/kv/tls
expect 'nor for the dashboard' 401 type:login -- /ui/
expect 'and nothing is written' 401 -- -X PUT -d no -u 'bob:x' /v1/kv/bob/x
expect 'alice reads' 200 is:2 -- -u "alice:alice's" /v1/kv/tls
expect 'alice administers' 200 -- -u "alice:alice's" -X POST /v1/admin/flush
expect 'bob does not' 403 type:forbidden -- -u "bob:bob's" -X POST /v1/admin/flush
expect 'bob writes below bob/' 201 -- -u "bob:bob's" -X PUT -d 1 /v1/kv/bob/x
expect 'and there alone' 403 type:outside-prefix -- -u "bob:bob's" -X PUT -d 1 /v1/kv/alice/x
for path in '/v1/kv?key=alice/x' '/v1/kv/bo' '/v1/kv/bob' '/v1/kv/Bob/x' '/v1/kv/%2fbob/x' '/v1/kv//bob/x' '/v1/kv/alice%2f%62ob%2f' \
    '/get?key=alice/x' '/get/alice/x' '/v1/kv?key=bo%62' '/v1/kv?key=%00bob/'; do
	expect "bob does not read $path" 403 type:outside-prefix -- -u "bob:bob's" "$path"
done
for path in '/v1/kv/bob%2Fx' '/v1/kv/%62ob/x' '/v1/kv?key=bob/x' '/get/bob/x'; do
	expect "bob reads $path" 200 -- -u "bob:bob's" "$path"
done
expect 'a dot segment does not lead out' 400 -- -u "bob:bob's" '/v1/kv/bob%2f..%2falice'
expect 'a classic write outside' 403 type:outside-prefix -- -u "bob:bob's" -d '{"key":"alice/x","value":"1"}' /set
expect 'a classic delete outside' 403 type:outside-prefix -- -u "bob:bob's" -X DELETE '/del?key=tls'
expect 'a classic write inside' 200 -- -u "bob:bob's" -d '{"key":"bob/y","value":"1"}' /set
expect 'carol reads no more than the public part' 403 type:outside-prefix -- -u "carol:carol's" /v1/kv/bob/x
expect 'and writes nothing' 403 type:forbidden -- -u "carol:carol's" -X PUT -d 1 /v1/kv/bob/public/x
expect 'dave, whom nobody listed, gets nothing' 403 type:outside-prefix -- -u "dave:dave's" /v1/kv/tls
for request in '-X GET /v1/kv' '-X GET /v1/kv?prefix=b' '-X GET /v1/kv?start=bob/' '-X GET /v1/kv?start=bob/&end=bp' '-X DELETE /v1/kv?prefix=a' '-X DELETE /v1/kv?all=true' \
    '-X GET /v1/changes' '-X GET /v1/changes?prefix=bo' '-X POST /v1/kv/n?op=incr' '-X POST -d {"ops":[{"get":{"key":"bob/x"}},{"get":{"key":"tls"}}]} /v1/batch' \
    '-X POST -d {"if":[{"key":"tls","version":1}],"ops":[{"get":{"key":"bob/x"}}]} /v1/batch'; do
	# shellcheck disable=SC2086
	expect "bob does not leave his part: $request" 403 type:outside-prefix -- -u "bob:bob's" $request
done
expect 'he lists it' 200 '.items | length == 2' -- -u "bob:bob's" '/v1/kv?prefix=bob/'
before=$(jq '[.items[].version] | min' "$body")
expect 'follows it' 200 '.changes | length == 2' -- -u "bob:bob's" "/v1/changes?since=$((before - 1))&prefix=bob/"
expect 'a batch within it' 200 '.results | length == 1' -- -u "bob:bob's" -d '{"ops":[{"get":{"key":"bob/x"}}]}' /v1/batch
expect 'its end is the last key of it' 200 '.items | length == 2' -- -u "bob:bob's" '/v1/kv?start=bob/&end=bob0'
expect "a client's own header changes nothing" 403 type:outside-prefix -- -u "bob:bob's" -H 'Silt-Prefix: ' -H 'SILT_PREFIX: ' /v1/kv/tls
expect 'what was written outside is not there' 404 -- -u "alice:alice's" /v1/kv/alice/x
# siltctl: as told, or by ~/.netrc
ctl() { HOME=$work/home "$build/siltctl" --url "$url" "$@"; }
mkdir "$work/home"
that 'siltctl --user' test "$(ctl --user "alice:alice's" get tls)" = 2
that 'siltctl with the login in the URL' test "$("$build/siltctl" --url "http://alice:alice%27s@${url#http://}" get tls)" = 2
printf '{"key":"bob/1","value":"1"}\n{"key":"alice/1","value":"1"}\n{"key":"bob/2","value":"1"}\n' >"$work/three"
ctl --user "bob:bob's" import --no-end "$work/three" >"$work/that" 2>&1
that 'siltctl imports up to what is outside' test "$?:$(grep -c '1 entries were imported, up to the key bob/1; go on with --from-line 2' "$work/that")" = 6:1
that 'siltctl counts what is inside' test "$(ctl --user "bob:bob's" count --prefix bob/)" = 3
that 'siltctl without a login is refused' bash -c '! "$@"' - env HOME="$work/home" "$build/siltctl" --url "$url" get tls
printf "machine 127.0.0.1 login alice password alice's\n" >"$work/home/.netrc"
that 'siltctl by ~/.netrc' test "$(ctl get tls)" = 2
that 'which --user beats' bash -c '! "$@"' - env HOME="$work/home" "$build/siltctl" --url "$url" --user "carol:carol's" get tls

# ---- client certificates
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout "$work/ca.key" -out "$work/siltstone-clients.pem" 2>>"$work/openssl.log"
for name in operator writer reader stranger; do
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$work/$name.key" -out "$work/$name.csr" 2>>"$work/openssl.log"
	openssl x509 -req -in "$work/$name.csr" -CA "$work/siltstone-clients.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 -out "$work/$name.pem" 2>>"$work/openssl.log"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=operator -keyout "$work/forged.key" -out "$work/forged.pem" 2>>"$work/openssl.log"
site listen=tls roles=subjects server:certificates
url=https://127.0.0.1:$port
as() { echo "--cert $1.pem --key $1.key"; }
# shellcheck disable=SC2046
{
expect 'no certificate' 400 -- "${tls[@]}" --http1.1 /v1/kv/tls
expect 'one of another authority' 400 -- "${tls[@]}" --http1.1 $(as forged) -X POST /v1/admin/flush
expect 'the operator administers' 200 -- "${tls[@]}" $(as operator) -X POST /v1/admin/flush
expect 'the writer writes' 204 -- "${tls[@]}" $(as writer) -X PUT -d 3 /v1/kv/tls
expect 'and does not administer' 403 type:forbidden -- "${tls[@]}" $(as writer) -X POST /v1/admin/flush
expect 'the reader does not write' 403 type:forbidden -- "${tls[@]}" $(as reader) -X PUT -d 3 /v1/kv/public/a
expect 'and reads its part' 404 type:no-such-key -- "${tls[@]}" $(as reader) /v1/kv/public/a
expect 'and no other' 403 type:outside-prefix -- "${tls[@]}" $(as reader) /v1/kv/tls
expect 'a stranger with a certificate gets nothing' 403 type:outside-prefix -- "${tls[@]}" $(as stranger) /v1/kv/tls
}

# ---- several hosts may administer
site roles=admins 'edit:admins:s|127.0.0.0/8 |127.0.0.2/32 |'
expect 'from a host of the list' 200 -- --interface 127.0.0.2 -X POST /v1/admin/flush
expect 'from another' 403 type:forbidden -- --interface 127.0.0.3 -X POST /v1/admin/flush
expect 'which may write' 204 -- --interface 127.0.0.3 -X PUT -d 4 /v1/kv/tls
expect 'through a proxy' 403 type:forbidden -- --interface 127.0.0.2 -H 'X-Forwarded-For: 127.0.0.2' -X POST /v1/admin/flush

# ---- what nginx does not say: no route is a mistake of the configuration, no role is the least of them
site 'edit:params:/SCRIPT_NAME/d'
expect 'without SCRIPT_NAME: misconfigured' 500 type:misconfigured -- /v1/kv/tls
expect 'a write too' 500 type:misconfigured -- -X PUT -d no /v1/kv/tls
site 'edit:params:/SILT_ROLE/d'
expect 'without SILT_ROLE: reads' 200 is:4 -- /v1/kv/tls
expect 'and no writes' 403 type:forbidden -- -X PUT -d no /v1/kv/tls
expect 'nor an end' 403 type:forbidden -- /shutdown
site 'edit:roles:s|default         write;|default read;|'
expect 'default read: others read' 200 is:4 -- -H 'Via: x' /v1/kv/tls
expect 'and do not write' 403 type:forbidden -- -X PUT -H 'Via: x' -d no /v1/kv/tls

# ---- a responder that does not answer
site 'edit:limits:s|fastcgi_read_timeout 60s|fastcgi_read_timeout 300ms|'
kill -STOP "${responders[1]}"
expect 'a read: 504' 504 type:no-answer 'has("outcome") | not' -- /v1/kv/tls
expect 'a write: its outcome is unknown' 504 type:no-answer '.outcome == "unknown"' -- -X PUT -d 5 /v1/kv/tls
kill -CONT "${responders[1]}"
came() { request /v1/kv/tls && [ "$status" = 200 ] && [ "$(cat "$body")" = 5 ]; }
that 'which came later' within 20 came
put tls 4

# ---- rates: 2 a second and 5 at once are enough to meet the limit on any machine
site http:zones server:rates 'edit:zones:s|100r/s|2r/m|' 'edit:rates:s|burst=200|burst=5|'
for i in 1 2 3 4 5 6; do
	request /v1/kv/tls
	[ "$status" = 200 ] || not_ok "request $i within the burst" "$status"
done
expect 'one beyond is 429' 429 type:too-many-requests 'h:retry-after: 1' '.id | length > 0' -- /v1/kv/tls
expect 'a write too, and nothing is written' 429 -- -X PUT -d no /v1/kv/tls
site http:zones server:rates 'edit:rates:s|^limit_conn .*|limit_conn silt_clients 1;|'
mkfifo "$work/slow"
trap '' PIPE
# An upload that does not end. What was asked just before may still count, and this be refused itself: then once more.
hold() {
	exec 7>&-                         # or curl would hold its own upload open
	curl -s -T - -o "$work/slow.out" "$url/v1/kv/slow" <"$work/slow" &
	slow=$!
	exec 7>"$work/slow"
	printf x >&7
}
refused() {
	kill -0 "$slow" 2>/dev/null || hold
	request /v1/kv/tls && [ "$status" = 429 ]
}
hold
that 'a second connection of one client is 429' within 10 refused
expect 'with a problem' 429 type:too-many-requests -- /v1/kv/tls
exec 7>&-
wait "$slow"
served() { request /v1/kv/tls && [ "$status" = 200 ]; }
that 'and served once the first is done' within 10 served

# ---- microcaching: with 1000 s the caveat can be seen on any machine
site http:cache server:cached 'edit:cached:s|200 1s|200 1000s|'
put c old
expect 'by path' 200 is:old -- /v1/kv/c
etag=$(etag)
put c new
expect 'the caveat: the old value' 200 is:old "h:etag: $etag" 'h:content-security-policy: sandbox' 'h:cache-control: no-cache' -- /v1/kv/c
expect 'which counts in a read with a condition' 304 -- -H "If-None-Match: $etag" /v1/kv/c
expect '?key= is never cached' 200 is:new -- '/v1/kv?key=c'
expect 'a write with the old ETag does not pass' 412 -- -X PUT -H "If-Match: $etag" -d x /v1/kv/c
expect 'another role does not see what was cached for admin' 200 is:new -- -H 'Via: x' /v1/kv/c
expect '404 is not cached' 404 -- /v1/kv/d
put d 1
expect 'so that what is new is there' 200 is:1 -- /v1/kv/d
expect 'a range of a cached one' 206 is:l -- -H 'Range: bytes=1-1' /v1/kv/c
expect 'stats are not cached' 200 '.version > 0' -- /v1/stats
site http:cache server:cached
put c old
expect 'as it is installed' 200 is:old -- /v1/kv/c
put c newer
fresh() { request /v1/kv/c && [ "$(cat "$body")" = newer ]; }
that 'the new value is there soon' within 20 fresh

# ---- sharding
responder 2
site upstream=shards server:sharded
for i in $(seq 40); do
	request -X PUT -d "v$i" "/v1/kv/shard/k%20$i"
	[ "$status" = 201 ] || not_ok "write $i" "$status"
done
right=0
for i in $(seq 40); do
	request "/v1/kv/shard%2Fk%20$i"; [ "$(cat "$body")" = "v$i" ] && right=$((right + 1))
	request "/get/sh%61rd/k%20$i"; jq -e --arg v "v$i" '.value == $v' "$body" >"$work/that" && right=$((right + 1))
done
that 'each key is found again, by every spelling and route' [ "$right" = 80 ]
expect 'a newline in a key' 201 -- -X PUT -d 1 '/v1/kv/a%0Ab'
expect 'is found' 200 is:1 -- '/v1/kv/a%0ab'
for path in '/v1/kv?key=shard/k%201' '/get?key=a' /v1/stats /metrics '/v1/kv?prefix=a' /v1/kv /v1/batch /v1/changes; do
	expect "what has no key in its path is not served: $path" 404 type:no-such-route -- "$path"
done
expect 'nor is /set' 404 -- -d 'key=a&value=1' /set
expect 'health is' 200 -- /healthz
kill -TERM "${responders[2]}"; wait "${responders[2]}"
up=0 down=0
for i in $(seq 40); do
	request "/v1/kv/shard/k%20$i"
	case $status in 200) up=$((up + 1)) ;; 502) down=$((down + 1)) ;; esac
done
that "a shard that is down is 502 for its keys, and for those alone: $up and $down" [ $((up + down)) = 40 ]
that 'both had some' [ "$up" -gt 4 -a "$down" -gt 4 ]
for i in $(seq 40); do
	request -X PUT -d 'elsewhere' "/v1/kv/shard/k%20$i"
done
responder 2
lost=0
for i in $(seq 40); do
	request "/v1/kv/shard/k%20$i"
	[ "$status" = 200 ] || lost=$((lost + 1))
done
that 'nothing was written elsewhere meanwhile: all are there again' [ "$lost" = 0 ]
that 'and those of the one that was down are as they were' [ "$(for i in $(seq 40); do request "/v1/kv/shard/k%20$i"; grep -c '^v' "$body"; done | grep -c 1)" = "$down" ]
finish
