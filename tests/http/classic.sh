#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# classic.sh - the classic dialect: JSON in, JSON out; every form that the contract lists.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
json=(-H 'Content-Type: application/json')

# ---- writing
expect 'POST /set with JSON' 200 '.key == "a" and (.version|type) == "number" and (keys|length) == 2' \
    'h:silt-version: [0-9]+' 'h:content-type: application/json.*' 'h:cache-control: no-store' -- "${json[@]}" -d '{"key":"a","value":"1"}' /set
first=$(jq .version "$body")
expect 'PUT /set is taken for POST' 200 ".version > $first" -- -X PUT "${json[@]}" -d '{"key":"a","value":"2"}' /set
expect 'POST /put' 200 '.key == "b"' -- "${json[@]}" -d '{"key":"b","value":"3"}' /put
expect 'PUT /put' 200 '.key == "b"' -- -X PUT "${json[@]}" -d '{"key":"b","value":"4"}' /put
expect 'JSON under the form type, as curl sends it' 200 '.key == "form"' -- -d '{"key":"form","value":"x"}' /set
expect 'JSON under text/plain' 200 '.key == "plain"' -- -H 'Content-Type: text/plain' -d '{"key":"plain","value":"x"}' /set
expect 'JSON under text/plain with a charset' 200 '.key == "plain"' -- -H 'Content-Type: text/plain; charset=utf-8' -d '{"key":"plain","value":"x"}' /set
expect 'JSON under no type' 200 '.key == "none"' -- -H 'Content-Type:' -d '{"key":"none","value":"x"}' /set
expect 'JSON after blanks' 200 '.key == "blank"' -- "${json[@]}" --data-binary $' \r\n\t{"key":"blank","value":"x"}\n ' /set
expect 'JSON under another type' 415 type:unsupported-media-type -- -H 'Content-Type: application/xml' -d '{"key":"x","value":"x"}' /set
expect 'key and value in the query, + and %20 are spaces' 200 '.key == "q r"' -- -X POST '/set?key=q+r&value=a+b%20c%2Bd'
expect 'and by PUT' 200 '.key == "q2"' -- -X PUT '/put?key=q2&value=z'
expect 'key and value as a form body' 200 '.key == "f o"' -- -d 'key=f+o&value=b%20a%26r' /set
expect 'an empty value in the query' 200 '.key == "empty"' -- -X POST '/set?key=empty&value='
expect 'an empty value in JSON' 200 '.key == "empty2"' -- "${json[@]}" -d '{"key":"empty2","value":""}' /set

# ---- reading
expect 'GET /get?key=' 200 '. == {key:"a",value:"2",version:.version}' 'h:content-type: application/json.*' -- '/get?key=a'
expect 'GET /get/K' 200 '.key == "b" and .value == "4"' -- /get/b
expect 'the query was decoded once' 200 '.value == "a b c+d"' -- '/get?key=q+r'
expect 'the form too' 200 '.value == "b a&r"' -- '/get?key=f%20o'
expect 'the empty value' 200 '.value == ""' -- '/get?key=empty'
expect 'a key that is not there' 404 type:no-such-key '.key == "nope"' -- '/get?key=nope'
expect 'the same by path' 404 type:no-such-key -- /get/nope

# ---- values that are no strings are kept as the JSON text that was sent
n=0
while IFS= read -r sent; do
	n=$((n + 1))
	expect "the value $sent is taken" 200 -- "${json[@]}" -d "{\"key\":\"typed$n\",\"value\":$sent}" /set
	request "/get?key=typed$n"
	that "and comes back as the text that was sent" [ "$(jq -r .value "$body")" = "$sent" ]
done <<'END'
1
-0.50
1e400
123456789012345678901234567890
true
false
null
[1, 2,  3]
{"b": 1, "a": [{}], "c": "\u00e9"}
END

# ---- text and bytes
expect 'a value with escapes' 200 -- "${json[@]}" -d '{"key":"esc","value":"\u0000\u001f\"\\\/\b\u00e9\ud83d\ude00é"}' /set
expect 'comes back the same' 200 '.value == "\u0000\u001f\"\\/\b\u00e9\ud83d\ude00\u00e9"' -- '/get?key=esc'
expect 'and raw' 200 'h:content-length: 14' -- '/v1/kv/esc'
expect 'slashes are not escaped' 200 -- "${json[@]}" -d '{"key":"a/b","value":"c/d"}' /set
request '/get?key=a/b'
that 'in what is printed either' grep -qF '"key":"a/b","value":"c/d"' "$body"
expect 'a value in base64' 200 -- "${json[@]}" -d '{"key":"b64","value":"/wD+","encoding":"base64"}' /set
expect 'comes back in base64 where it is no text' 200 '.value == "/wD+" and .encoding == "base64"' -- '/get?key=b64'
expect 'a key in base64' 200 '.key == "/wA=" and .key_encoding == "base64"' -- "${json[@]}" -d '{"key":"/wA=","key_encoding":"base64","value":"v"}' /set
expect 'is read by ?key=' 200 '.key == "/wA=" and .key_encoding == "base64" and .value == "v"' -- '/get?key=%ff%00'
expect 'base64 without its padding' 400 -- "${json[@]}" -d '{"key":"b64x","value":"/wD","encoding":"base64"}' /set
expect 'base64 with a blank in it' 400 -- "${json[@]}" -d '{"key":"b64x","value":"/w D+","encoding":"base64"}' /set
expect 'base64 with bits left over' 400 -- "${json[@]}" -d '{"key":"b64x","value":"/x==","encoding":"base64"}' /set
expect 'an encoding that is none' 400 -- "${json[@]}" -d '{"key":"b64x","value":"x","encoding":"hex"}' /set
expect 'none of them was stored' 404 -- '/get?key=b64x'

# ---- time to live
expect 'a long ttl' 200 -- "${json[@]}" -d '{"key":"ttl","value":"v","ttl":1000}' /set
expect 'is there for now' 200 'h:silt-expires-at: [0-9]{13}' -- /v1/kv/ttl
expect 'a short one' 200 -- "${json[@]}" -d '{"key":"ttl","value":"v","ttl":1}' /set
expect 'a ttl in the query' 200 -- -X POST '/set?key=ttl2&value=v&ttl=1'
sleep 1.3
expect 'and gone afterwards' 404 -- '/get?key=ttl'
expect 'the one of the query too' 404 -- '/get?key=ttl2'
expect 'a delete finds nothing either' 404 -- -X DELETE '/del?key=ttl'
expect 'a write without one' 200 -- "${json[@]}" -d '{"key":"keep","value":"v","ttl":1}' /set
expect 'clears it' 200 -- "${json[@]}" -d '{"key":"keep","value":"w"}' /set
expect 'as the headers say' 200 'no:silt-expires-at:.*' -- /v1/kv/keep
for bad in 0 -1 1.5 3155760001 99999999999999999999 '"5"' null true 1e3; do
	expect "a ttl of $bad" 400 -- "${json[@]}" -d "{\"key\":\"badttl\",\"value\":\"v\",\"ttl\":$bad}" /set
done
for bad in 0 -1 1.5 3155760001 99999999999999999999 '' +1 ' 1' 0x1; do
	expect "?ttl=$bad" 400 -- -X POST "/set?key=badttl&value=v&ttl=${bad// /%20}"
done
expect 'none of them was stored' 404 -- '/get?key=badttl'
expect 'the longest ttl' 200 -- "${json[@]}" -d '{"key":"longttl","value":"v","ttl":3155760000}' /set

# ---- deleting
put d1 one; put d2 two; put d3 three; put d4 four
newest=$version
expect 'DELETE /del?key= gives the old value and its own version' 200 ".key == \"d1\" and .value == \"one\" and .version > $newest" \
    'h:silt-version: [0-9]+' -- -X DELETE '/del?key=d1'
expect 'DELETE /del/K' 200 '.value == "two"' -- -X DELETE /del/d2
expect 'DELETE /delete?key=, no redirect' 200 '.value == "three"' 'no:location:.*' -- -X DELETE '/delete?key=d3'
expect 'DELETE /delete/K' 200 '.value == "four"' -- -X DELETE /delete/d4
for k in 1 2 3 4; do
	expect "d$k is gone" 404 type:no-such-key -- "/get?key=d$k"
done
expect 'a second delete' 404 type:no-such-key -- -X DELETE '/del?key=d1'
expect 'a delete of bytes' 200 '.key == "/wA=" and .key_encoding == "base64"' -- -X DELETE '/del?key=%ff%00'

# ---- methods
expect 'GET /set' 405 'h:allow: .*POST.*' -- /set
expect 'DELETE /get' 405 'h:allow: .*GET.*' -- -X DELETE '/get?key=a'
expect 'POST /del' 405 'h:allow: .*DELETE.*' -- -X POST '/del?key=a'
expect 'GET /delete/K' 405 'h:allow: .*DELETE.*' -- /delete/a
expect 'PATCH /put' 405 -- -X PATCH -d '{}' /put
expect 'OPTIONS /get' 204 'h:allow: .*GET.*' 'no:access-control-.*' -- -X OPTIONS /get
expect 'nothing was deleted by them' 200 '.value == "2"' -- '/get?key=a'
finish
