#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kv.sh - the v1 dialect: raw bytes in, raw bytes out, ETag, conditions, ranges, HEAD.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

# ---- put, get, head, delete
expect 'PUT of a new key' 201 'h:etag: "[0-9]+"' 'h:silt-version: [0-9]+' -- -X PUT -H 'Content-Type: text/plain' --data-binary 'hello' /v1/kv/a
v1=$(version)
expect 'PUT of the same again' 204 'h:etag: "[0-9]+"' is: -- -X PUT -H 'Content-Type: text/html; charset=utf-8' --data-binary '<b>2</b>' /v1/kv/a
v2=$(version)
that 'versions increase' [ "$v2" -gt "$v1" ]
expect 'GET' 200 'is:<b>2</b>' "h:etag: \"$v2\"" 'h:content-type: text/html; charset=utf-8' 'h:content-length: 8' \
    'h:content-security-policy: sandbox' 'h:cache-control: no-cache' -- /v1/kv/a
expect 'GET by ?key=' 200 'is:<b>2</b>' "h:etag: \"$v2\"" -- '/v1/kv?key=a'
expect 'HEAD' 200 "h:etag: \"$v2\"" 'h:content-length: 8' 'h:content-type: text/html; charset=utf-8' -- -I /v1/kv/a
expect 'and the connection goes on after HEAD' 200 'is:<b>2</b>' -- /v1/kv/a
expect 'HEAD of nothing' 404 -- -I /v1/kv/nope
expect 'GET of nothing' 404 type:no-such-key '.key == "nope"' -- /v1/kv/nope
expect 'PUT without a type' 201 -- -X PUT -H 'Content-Type:' --data-binary 'x' /v1/kv/untyped
expect 'is octets' 200 'h:content-type: application/octet-stream' -- /v1/kv/untyped
expect "PUT with curl's form type" 201 -- -X PUT --data-binary 'x' /v1/kv/formtype
expect 'is octets too' 200 'h:content-type: application/octet-stream' -- /v1/kv/formtype
expect 'a content type of 255 bytes' 201 -- -X PUT -H "Content-Type: text/$(repeated x 250)" --data-binary 'x' /v1/kv/longtype
expect 'comes back' 200 "h:content-type: text/$(repeated x 250)" -- /v1/kv/longtype
expect 'one of 256' 400 -- -X PUT -H "Content-Type: text/$(repeated x 251)" --data-binary 'x' /v1/kv/longtype2
expect 'one that is not ASCII' 400 -- -X PUT -H 'Content-Type: text/é' --data-binary 'x' /v1/kv/longtype2
expect 'was not stored' 404 -- /v1/kv/longtype2
expect 'PUT of nothing is the empty value' 201 -- -X PUT -H 'Content-Length: 0' /v1/kv/empty
expect 'which comes back' 200 is: 'h:content-length: 0' -- /v1/kv/empty
expect 'PUT without a length' 201 -- -X PUT /v1/kv/nolength
expect 'is the empty value too' 200 is: -- /v1/kv/nolength
expect 'PUT in chunks' 201 -- -X PUT -H 'Transfer-Encoding: chunked' --data-binary 'chunked body' /v1/kv/chunked
expect 'is whole' 200 'is:chunked body' -- /v1/kv/chunked
head -c 3000000 /dev/urandom >"$work/big"
expect 'PUT of 3 MB' 201 -- -X PUT --data-binary "@$work/big" /v1/kv/big
expect 'comes back byte for byte' 200 "file:$work/big" -- /v1/kv/big
head -c 256 /dev/urandom >"$work/bytes"
printf '\0\r\n\xff' >>"$work/bytes"
expect 'PUT of bytes' 201 -- -X PUT --data-binary "@$work/bytes" /v1/kv/bytes
expect 'come back byte for byte' 200 "file:$work/bytes" -- /v1/kv/bytes
expect 'DELETE' 204 is: -- -X DELETE /v1/kv/untyped
expect 'a second DELETE' 404 -- -X DELETE /v1/kv/untyped
expect 'DELETE with the old value' 200 "file:$work/bytes" 'h:etag: "[0-9]+"' 'h:preference-applied: return=representation' \
    'h:content-security-policy: sandbox' -- -X DELETE -H 'Prefer: return=representation' '/v1/kv?key=bytes'
expect 'it is gone' 404 -- /v1/kv/bytes

# ---- what the stored type must not do
expect 'a type that would run' 201 -- -X PUT -H 'Content-Type: text/html' --data-binary '<script>x</script>' /v1/kv/script
expect 'is sandboxed' 200 'h:content-security-policy: sandbox' 'h:x-content-type-options: nosniff' -- /v1/kv/script

# ---- time to live
expect 'PUT ?ttl=' 201 -- -X PUT --data-binary x '/v1/kv/t?ttl=1000'
expect 'has its end in the headers' 200 'h:silt-expires-at: [0-9]{13}' -- /v1/kv/t
expect 'PUT without clears it' 204 -- -X PUT --data-binary x /v1/kv/t
expect 'as the headers say' 200 'no:silt-expires-at:.*' -- /v1/kv/t
expect 'PUT ?expires_at=' 204 -- -X PUT --data-binary x '/v1/kv/t?expires_at=2000000000123'
expect 'is to the millisecond' 200 'h:silt-expires-at: 2000000000123' -- /v1/kv/t
expect 'one that is over' 204 -- -X PUT --data-binary x '/v1/kv/t?expires_at=1'
expect 'is gone' 404 -- /v1/kv/t
expect 'ttl and expires_at' 400 type:bad-query -- -X PUT -d x '/v1/kv/t?ttl=5&expires_at=2000000000123'
expect 'a time that is none' 400 type:bad-query -- -X PUT -d x '/v1/kv/t?expires_at=soon'
expect 'PUT ?ttl=1' 201 -- -X PUT --data-binary x '/v1/kv/t?ttl=1'
sleep 1.3
expect 'expired is absent' 404 -- /v1/kv/t
expect 'in conditions too' 201 -- -X PUT -H 'If-None-Match: *' --data-binary y /v1/kv/t

# ---- conditions
put c one; v=$version
expect 'If-None-Match that matches: 304' 304 is: "h:etag: \"$v\"" -- -H "If-None-Match: \"$v\"" /v1/kv/c
expect 'as proxies write it' 304 -- -H "If-None-Match: W/\"$v\"" /v1/kv/c
expect 'in a list' 304 -- -H "If-None-Match: \"1\", \"$v\" , \"3\"" /v1/kv/c
expect 'any' 304 -- -H 'If-None-Match: *' /v1/kv/c
expect 'HEAD too' 304 -- -I -H "If-None-Match: \"$v\"" /v1/kv/c
expect 'one that does not match' 200 is:one -- -H 'If-None-Match: "1"' /v1/kv/c
expect 'GET If-Match' 200 is:one -- -H "If-Match: \"$v\"" /v1/kv/c
expect 'GET If-Match of another' 412 type:condition-failed "h:etag: \"$v\"" -- -H 'If-Match: "1"' /v1/kv/c
expect 'PUT If-Match of another' 412 type:condition-failed "h:etag: \"$v\"" ".version == $v" -- -X PUT -H 'If-Match: "1"' --data-binary no /v1/kv/c
expect 'PUT If-None-Match: * where it is' 412 "h:etag: \"$v\"" -- -X PUT -H 'If-None-Match: *' --data-binary no /v1/kv/c
expect 'DELETE If-Match of another' 412 "h:etag: \"$v\"" -- -X DELETE -H 'If-Match: "1"' /v1/kv/c
expect 'nothing changed' 200 is:one "h:etag: \"$v\"" -- /v1/kv/c
expect 'PUT If-Match' 204 -- -X PUT -H "If-Match: \"$v\"" --data-binary two /v1/kv/c
expect 'a second one with the old version' 412 -- -X PUT -H "If-Match: \"$v\"" --data-binary three /v1/kv/c
get c; v=$(version)
expect 'PUT If-Match W/' 204 -- -X PUT -H "If-Match: W/\"$v\"" --data-binary three /v1/kv/c
expect 'PUT If-Match: *' 204 -- -X PUT -H 'If-Match: *' --data-binary four /v1/kv/c
get c; v=$(version)
expect 'PUT If-None-Match of another' 204 -- -X PUT -H 'If-None-Match: "1"' --data-binary five /v1/kv/c
get c; v=$(version)
expect 'If-Match goes first' 412 -- -H 'If-Match: "1"' -H "If-None-Match: \"$v\"" /v1/kv/c
expect 'DELETE If-Match' 204 -- -X DELETE -H "If-Match: \"$v\"" /v1/kv/c
expect 'on an absent key: PUT If-Match' 412 -- -X PUT -H 'If-Match: "1"' --data-binary no /v1/kv/c
expect 'PUT If-Match: *' 412 -- -X PUT -H 'If-Match: *' --data-binary no /v1/kv/c
expect 'GET If-Match' 404 -- -H 'If-Match: "1"' /v1/kv/c
expect 'DELETE If-Match' 404 -- -X DELETE -H 'If-Match: *' /v1/kv/c
expect 'PUT If-None-Match: *' 201 -- -X PUT -H 'If-None-Match: *' --data-binary six /v1/kv/c
n=0
for bad in '1' '"1' '1"' '"1" "2"' '*,"1"' '"1",*' "'1'" 'w/"1"' 'W/1' '"a b"'; do
	expect "If-Match: $bad does not parse" 400 type:bad-condition -- -X PUT -H "If-Match: $bad" --data-binary no /v1/kv/c
	n=$((n + 1))
done
for other in '"x"' '"-1"' '"01"' '"99999999999999999999"' '""'; do
	expect "If-Match: $other is a tag that we never gave" 412 type:condition-failed -- -X PUT -H "If-Match: $other" --data-binary no /v1/kv/c
done
expect 'nor does If-None-Match' 400 type:bad-condition -- -H 'If-None-Match: x' /v1/kv/c
expect 'nothing was changed by them' 200 is:six -- /v1/kv/c

# many at once with one condition: one wins
get c; v=$(version)
for i in 1 2 3 4 5 6 7 8; do
	curl -s -o /dev/null -w '%{http_code}\n' -X PUT -H "If-Match: \"$v\"" --data-binary "w$i" "$url/v1/kv/c" >"$work/race$i" &
done
wait $(jobs -p | grep -vx "$serve")
that 'of eight writers with one If-Match one wins' [ "$(cat "$work"/race? | grep -c 204)" = 1 ]
that 'and seven are told' [ "$(cat "$work"/race? | grep -c 412)" = 7 ]

# ---- ranges, by nginx
put r 0123456789
expect 'a range' 206 is:234 'h:content-range: bytes 2-4/10' -- -H 'Range: bytes=2-4' /v1/kv/r
expect 'one from the end' 206 is:89 -- -H 'Range: bytes=-2' /v1/kv/r
expect 'one behind the end' 416 'h:content-range: bytes \*/10' -- -H 'Range: bytes=10-' /v1/kv/r
expect 'Content-Range on PUT' 400 -- -X PUT -H 'Content-Range: bytes 0-0/1' --data-binary x /v1/kv/r
expect 'Content-Encoding on PUT' 415 -- -X PUT -H 'Content-Encoding: gzip' --data-binary x /v1/kv/r
expect 'identity is none' 204 -- -X PUT -H 'Content-Encoding: identity' --data-binary 0123456789 /v1/kv/r

# ---- durability
expect 'durability=async' 204 -- -X PUT --data-binary a '/v1/kv/r?durability=async'
expect 'durability=sync' 204 -- -X PUT --data-binary b '/v1/kv/r?durability=sync'
expect 'durability=maybe' 400 -- -X PUT --data-binary c '/v1/kv/r?durability=maybe'
expect 'what was refused is not stored' 200 is:b -- /v1/kv/r

# ---- methods
expect 'PATCH' 405 'h:allow: .*GET.*' -- -X PATCH -d x /v1/kv/r
expect 'OPTIONS' 204 'h:allow: .*PUT.*' 'no:access-control-.*' -- -X OPTIONS /v1/kv/r
expect 'no compression: the ETag stays strong' 200 'h:etag: "[0-9]+"' 'no:content-encoding:.*' -- -H 'Accept-Encoding: gzip' /v1/kv/script
finish
