#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# strict.sh - bad input: each refused with the reason, nothing stored by halves, nothing else disturbed.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
json=(-H 'Content-Type: application/json')
put witness here

# ---- queries: an unknown or repeated parameter is a typing error that would make a key or a choice permanent
expect 'an unknown parameter of /get' 400 type:bad-query -- '/get?key=witness&x=1'
expect 'a repeated one' 400 type:bad-query -- '/get?key=witness&key=witness'
expect 'a misspelt one' 400 type:bad-query -- '/get?Key=witness'
expect 'an unknown one behind a path' 400 type:bad-query -- '/v1/kv/witness?tll=5'
expect 'ttl on a read' 400 type:bad-query -- '/v1/kv/witness?ttl=5'
expect 'ttl twice' 400 type:bad-query -- -X PUT -d x '/v1/kv/new?ttl=5&ttl=6'
expect 'value on a delete' 400 type:bad-query -- -X DELETE '/del?key=witness&value=x'
expect 'query and JSON body at once' 400 -- "${json[@]}" -d '{"key":"new","value":"x"}' '/set?key=new&value=y'
expect 'a key without a value' 400 -- -X POST '/set?key=new'
expect 'a value without a key' 400 -- -X POST '/set?value=new'
expect 'an unknown parameter of /set' 400 -- -X POST '/set?key=new&value=x&tll=5'
expect 'an unknown field of a form' 400 -- -d 'key=new&value=x&tll=5' /set
expect 'a repeated field of a form' 400 -- -d 'key=new&value=x&value=y' /set
expect 'malformed percent-encoding in a form' 400 -- -d 'key=new&value=%zz' /set
expect 'an empty body on /set' 400 -- -X POST /set
expect 'an unknown parameter of stats' 400 -- '/v1/stats?x=1'
expect 'of a flush' 400 -- -X POST '/v1/admin/flush?x=1'

# ---- JSON: RFC 8259 and nothing beside it
while IFS= read -r bad; do
	expect "no JSON: $bad" 400 -- "${json[@]}" --data-binary "$bad" /set
done <<'END'
{
{}
{"key":"new"}
{"value":"x"}
{"key":"new","value":"x"
{"key":"new","value":"x"}}
{"key":"new","value":"x"} x
{"key":"new","value":"x",}
{"key":"new" "value":"x"}
{"key":"new","value":"x","ttl":}
{'key':'new','value':'x'}
{key:"new",value:"x"}
{"key":"new","value":NaN}
{"key":"new","value":Infinity}
{"key":"new","value":01}
{"key":"new","value":1.}
{"key":"new","value":.5}
{"key":"new","value":+1}
{"key":"new","value":0x10}
{"key":"new","value":True}
{"key":"new","value":"x"}/* c */
// c {"key":"new","value":"x"}
{"key":"new","value":"\ud800"}
{"key":"new","value":"\udc00\ud800"}
{"key":"new","value":"\u00zz"}
{"key":"new","value":"\x41"}
{"key":"new","value":"	"}
{"key":"new","value":"x","value":"y"}
{"key":"new","value":"x","k\u0065y":"other"}
{"key":"new","value":"x","tll":5}
{"key":"new","value":"x","key\u0000":"y"}
{"key":5,"value":"x"}
{"key":null,"value":"x"}
{"key":["new"],"value":"x"}
{"key":"new","value":"x","encoding":5}
{"key":"new","value":5,"encoding":"base64"}
["key","new"]
"key"
END
expect 'an error names the byte' 400 type:bad-json '.offset == 24' -- "${json[@]}" --data-binary '{"key":"new","value":"x"x' /set
printf '{"key":"new","value":"\xff"}' >"$work/in"
expect 'a value that is no UTF-8' 400 -- "${json[@]}" --data-binary "@$work/in" /set
printf '{"key":"new","value":"\xc0\xaf"}' >"$work/in"
expect 'an overlong form' 400 -- "${json[@]}" --data-binary "@$work/in" /set
printf '{"key":"new","value":"\xed\xa0\x80"}' >"$work/in"
expect 'a surrogate in UTF-8' 400 -- "${json[@]}" --data-binary "@$work/in" /set
printf '{"key":"new\0","value":"x"}' >"$work/in"
expect 'a raw NUL' 400 -- "${json[@]}" --data-binary "@$work/in" /set
printf '\xef\xbb\xbf{"key":"new","value":"x"}' >"$work/in"
expect 'a byte order mark' 400 -- "${json[@]}" --data-binary "@$work/in" /set
{ repeated '[' 200000; repeated ']' 200000; } >"$work/deep"
{ printf '{"key":"new","value":'; cat "$work/deep"; printf '}'; } >"$work/in"
expect 'a depth that would take the stack' 400 -- "${json[@]}" --data-binary "@$work/in" /set
expect 'the server is well' 200 -- /healthz

# ---- sizes
{ printf '{"key":"new","value":"'; repeated x 16777217; printf '"}'; } >"$work/in"
expect 'a value of 16 MiB and a byte in JSON' 413 type:too-large '.limit == 16777216' -- "${json[@]}" --data-binary "@$work/in" /set
repeated x 16777217 >"$work/in"
expect 'the same raw' 413 type:too-large '.limit == 16777216' -- -X PUT --data-binary "@$work/in" /v1/kv/new
{ printf '{"key":"new","value":"'; repeated x 33554400; printf '"}'; } >"$work/in"
expect 'a JSON body of more than 32 MiB' 413 type:too-large -- "${json[@]}" --data-binary "@$work/in" /set
repeated x 35000000 >"$work/in"
expect 'more than nginx takes' 413 type:too-large -- -X PUT --data-binary "@$work/in" /v1/kv/new
expect 'the same in chunks' 413 type:too-large -- -X PUT -H 'Transfer-Encoding: chunked' --data-binary "@$work/in" /v1/kv/new
expect 'nothing of all that was stored' 404 -- /v1/kv/new
expect 'nor under a cut name' 404 -- '/v1/kv?key=new%00'
repeated y 16777216 >"$work/in"
expect 'a value of exactly 16 MiB' 201 -- -X PUT --data-binary "@$work/in" /v1/kv/largest
expect 'comes back' 200 "file:$work/in" -- /v1/kv/largest

# ---- a body cut short is never acted on
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf' | raw 3 >/dev/null
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf' | raw 3 >/dev/null
expect 'a body cut short stores nothing' 404 -- /v1/kv/new
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nhalf\r\n0\r\n\r\n' | raw >"$work/raw"
that 'a chunk of no size is 400' grep -q '^HTTP/1.1 400' "$work/raw"
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhalf' | raw >"$work/raw"
that 'two lengths are 400' grep -q '^HTTP/1.1 400' "$work/raw"
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n' | raw >"$work/raw"
that 'a length beside chunks is 400' grep -q '^HTTP/1.1 400' "$work/raw"
printf 'PUT /v1/kv/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: -4\r\nConnection: close\r\n\r\nhalf' | raw >"$work/raw"
that 'a negative length is 400' grep -q '^HTTP/1.1 400' "$work/raw"
expect 'none of them stored anything' 404 -- /v1/kv/new
expect 'the witness stands' 200 is:here -- /v1/kv/witness
finish
