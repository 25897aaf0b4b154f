#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# keys.sh - which bytes a key is, whatever way it came; a path that was folded is never another key.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

# in_path KEY-IN-THE-PATH KEY-IN-THE-QUERY VALUE: written by the one, read by the other, and the other way round
same_key() {
	put "$2" "query $3"
	expect "the path $1 is the key $2" 200 "is:query $3" -- "/v1/kv/$1"
	expect "and written there" 204 -- -X PUT --data-binary "path $3" "/v1/kv/$1"
	expect "is read by ?key=" 200 "is:path $3" -- "/v1/kv?key=$2"
	expect "and in the classic dialect" 200 ".value == \"path $3\"" -- "/get/$1"
}
same_key 'a/b' 'a%2Fb' 1
same_key 'a%2Fb' 'a/b' 2
same_key 'a//b' 'a%2F%2Fb' 3
same_key '/a' '%2Fa' 4
same_key 'a/' 'a%2F' 5
same_key 'a+b' 'a%2Bb' 6
same_key 'a%20b' 'a+b' 7
same_key 'a%2520b' 'a%2520b' 8
same_key 'a%3Fb' 'a%3Fb' 9
same_key 'a%23b' 'a%23b' 10
same_key 'a&b=c' 'a%26b%3Dc' 11
same_key 'caf%C3%A9' 'caf%c3%a9' 12
same_key 'café' 'caf%C3%A9' 13
same_key '%FF%FE' '%ff%fe' 14
same_key '...' '...' 15
same_key 'a..b' 'a..b' 16
same_key '.a/b.' '.a/b.' 17
same_key '%0A%0D%7F' '%0a%0d%7f' 18
same_key '%22%5C' '%22%5c' 19
same_key '~-_.!*()' '~-_.!*()' 20
same_key 'v1/kv/x' 'v1/kv/x' 21
put 'a%2Fb' one; put 'a%2F%2Fb' two
expect 'a/b and a//b are two keys' 200 is:one -- /v1/kv/a/b
expect 'a//b is the other' 200 is:two -- /v1/kv/a//b

# ---- keys that only ?key= can carry
put 'n%00ul' nul; put '..' dots; put 'x/../y' folded; put 'a%23b' hash; put b plain; put a only
expect 'a NUL' 200 is:nul -- '/v1/kv?key=n%00ul'
expect 'dots' 200 is:dots -- '/v1/kv?key=..'
expect 'a segment of dots' 200 is:folded -- '/v1/kv?key=x/../y'
expect 'a NUL in a path' 400 -- '/v1/kv/n%00ul'
for path in /v1/kv/x/../y /v1/kv/x/./y /v1/kv/. /v1/kv/x/.. /v1/kv/x/%2e%2e/y /v1/kv/x/%2E/y /v1/kv/x%2F..%2Fy '/v1/kv/x/.%2e/y' \
    /get/x/../b /get/./b /get/x/.. '/get/a#b' '/v1/kv/a#b' /del/x/../b; do
	method=GET
	[[ $path != /del* ]] || method=DELETE
	request -X "$method" --request-target "$path" "$url/"
	that "$path is nobody's key" [ "$status" = 400 ]
done
expect 'a NUL by /get' 400 -- '/get/n%00ul'
for path in '/get/../get?key=b' '/x/../get?key=b' '/./get?key=b' '/get%3Fkey=b' '/%67et?key=b' '//get?key=b' '/get/../get/b' \
    '/get%2Fb' '/v1/kv/../../get/b' '/v1/kv%2Fb' '/v1%2Fkv/b' '/v1/./kv/b' '/v1//kv/b' '/%761/kv/b' '/v1/kv/../stats'; do
	request --request-target "$path" "$url/"
	that "$path is no other route's way in" [ "$status" = 400 -o "$status" = 404 ]
done
request -X POST --request-target '/get/../shutdown' "$url/"
that '/get/../shutdown shuts nothing down' [ "$status" = 400 ]
request --request-target '/get/..' "$url/"
that '/get/.. is never a value' [ "$status" != 200 -o "$(header content-type)" = 'text/html; charset=utf-8' ]
printf 'GET /v1/kv/a#b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >"$work/raw"
that 'a raw # is not cut off' grep -q '^HTTP/1.1 400' "$work/raw"
printf 'GET /v1/kv/a b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw >"$work/raw"
that 'a raw blank is refused' grep -q '^HTTP/1.1 400' "$work/raw"

# ---- empty, malformed, too long
expect 'an empty key in the path' 400 -- /v1/kv/
expect 'in the classic dialect' 400 -- /get/
expect 'for a delete' 400 -- -X DELETE /del/
expect 'an empty ?key=' 400 -- '/v1/kv?key='
expect 'an empty ?key= for /get' 400 -- '/get?key='
expect 'an empty key in JSON' 400 -- -d '{"key":"","value":"x"}' /set
expect 'an empty key in a form' 400 -- -d 'key=&value=x' /set
expect 'no key' 400 -- /get
expect 'no key for PUT' 400 -- -X PUT -d x /v1/kv
expect 'a slash behind an exact route' 404 -- -X POST -d '{"key":"a","value":"b"}' /set/
expect 'behind stats' 404 -- /v1/stats/
for bad in '%' '%4' '%zz' '%4z' 'a%'; do
	expect "?key=$bad" 400 -- "/get?key=$bad"
	expect "?key=$bad on v1" 400 -- -X PUT -d x "/v1/kv?key=$bad"
	expect "the path $bad" 400 -- "/v1/kv/$bad"
done
longest=$(repeated k 4096)
expect 'a key of 4,096 bytes' 201 -- -X PUT --data-binary long "/v1/kv/$longest"
expect 'comes back' 200 is:long -- "/v1/kv?key=$longest"
expect 'one of 4,097' 400 '.limit == 4096' -- -X PUT --data-binary long "/v1/kv/${longest}k"
expect 'by ?key=' 400 -- "/get?key=${longest}k"
expect 'in JSON' 400 -- -H 'Content-Type: application/json' -d "{\"key\":\"${longest}k\",\"value\":\"x\"}" /set
encoded=$(repeated x 4096 | sed 's/x/%FE/g')
expect 'one of 4,096 bytes, each percent-encoded' 201 -- -X PUT --data-binary enc "/v1/kv/$encoded"
expect 'comes back' 200 is:enc -- "/v1/kv?key=$encoded"
expect 'a key in path and query' 400 -- '/v1/kv/a?key=a'
expect 'in the classic dialect' 400 -- '/get/a?key=a'
expect 'of a delete' 400 -- -X DELETE '/del/a?key=a'
expect 'which deleted nothing' 200 is:only -- /v1/kv/a
finish
