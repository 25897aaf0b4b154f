#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# client.sh [URL] - Siltstone with curl and jq: a value put, got, changed only if nobody else did; a counter; a list in pages and as a stream; a
# batch; a watch. What is refused comes as application/problem+json, and is looked at. Uses keys that begin with example/sh/.
set -eu
url=${1:-http://localhost:8080}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ask CURL-ARGUMENT...: $status, and the answer in $work/head and $work/body. curl itself fails where there is no answer: then it is not
# known whether a write was done.
ask() {
	status=$(curl -sS --max-time 60 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@") || {
		echo "no answer from $url; a write may have been done or not" >&2
		exit 1
	}
}
header() { sed -n "s/^$1: *//Ip" "$work/head" | tr -d '\r'; }
problem() { jq -r ".$1 // empty" "$work/body"; }
# must STATUS...: anything else is said with the server's own words, and is the end. The id stands in the server's log too.
must() {
	case " $* " in *" $status "*) return 0 ;; esac
	case $(header content-type) in
	application/problem+json) echo "$status: $(problem title): $(problem detail) ($(problem type), id $(problem id))" >&2 ;;
	*) echo "$status: $(head -c 200 "$work/body")" >&2 ;;
	esac
	exit 1
}
# retried CURL-ARGUMENT...: what may be asked twice is asked again where the server says "later" (429, 503)
retried() {
	for _ in 1 2 3 4 5; do
		ask "$@"
		case $status in 429 | 503) sleep "$(header retry-after)" ;; *) return 0 ;; esac
	done
}

# ---- put and get: bytes in, bytes out
retried -X PUT -H 'Content-Type: text/plain; charset=utf-8' --data-binary 'first' "$url/v1/kv/example/sh/note"
must 201 204
retried "$url/v1/kv/example/sh/note"
must 200
[ "$(cat "$work/body")" = first ]
etag=$(header etag)
echo "put and got: $(cat "$work/body"), ETag $etag"
retried "$url/v1/kv/example/sh/nothing"
must 404
echo "nothing there: $(problem title)"

# ---- change it only if it is still what was read
ask -X PUT -H "If-Match: $etag" --data-binary 'second' "$url/v1/kv/example/sh/note"
must 204
ask -X PUT -H "If-Match: $etag" --data-binary 'third' "$url/v1/kv/example/sh/note"
must 412
[ "$(problem type)" = urn:siltstone:problem:condition-failed ]
echo "refused, for somebody was faster: it is at version $(problem version) now"
# read, change, write; again from the start where somebody was faster
for _ in 1 2 3 4 5; do
	retried "$url/v1/kv/example/sh/note"
	must 200
	ask -X PUT -H "If-Match: $(header etag)" --data-binary "$(cat "$work/body") and more" "$url/v1/kv/example/sh/note"
	must 204 412
	[ "$status" = 412 ] || break
done
[ "$status" = 204 ]

# ---- a counter: exact, whoever counts beside you
ask -X POST "$url/v1/kv/example/sh/visits?op=incr&by=2"
must 200
echo "visits: $(jq .value "$work/body")"

# ---- a list in pages: a cursor says that there is more
for i in 1 2 3 4 5; do
	ask -X PUT --data-binary "item $i" "$url/v1/kv/example/sh/list/$i"
	must 201 204
done
cursor=''
count=0
while :; do
	retried -G -d prefix=example/sh/list/ -d limit=2 ${cursor:+-d "cursor=$cursor"} "$url/v1/kv"
	must 200
	count=$((count + $(jq '.items | length' "$work/body")))
	cursor=$(jq -r '.cursor // empty' "$work/body")
	[ -n "$cursor" ] || break
done
[ "$count" = 5 ]
echo "listed: $count"

# ---- all of it, an entry a line; without its last line it is not whole
retried -G -d prefix=example/sh/list/ -H 'Accept: application/x-ndjson' "$url/v1/kv"
must 200
[ "$(tail -n 1 "$work/body" | jq -r '.end')" = true ]
echo "streamed: $(tail -n 1 "$work/body" | jq .count)"

# ---- a batch: all or nothing
version=$(ask "$url/v1/kv/example/sh/note" && header etag | tr -d '"')
jq -n --argjson v "$version" '{if: [{key: "example/sh/note", version: $v}],
	ops: [{put: {key: "example/sh/copy", value: "kept"}}, {get: {key: "example/sh/visits"}}, {delete: {key: "example/sh/note"}}]}' >"$work/batch"
ask -H 'Content-Type: application/json' --data-binary "@$work/batch" "$url/v1/batch"
must 200
before=$(jq .version "$work/body")
echo "batch: version $before"
ask -H 'Content-Type: application/json' --data-binary "@$work/batch" "$url/v1/batch"
must 412
echo "the same again is refused: $(problem key) is at version $(problem version)"

# ---- watch: what was written since a version; waits where there is nothing yet
(sleep 0.2; curl -sS -o /dev/null -X PUT --data-binary 'news' "$url/v1/kv/example/sh/watched") &
retried -G -d "since=$before" -d prefix=example/sh/ -d timeout=30 "$url/v1/changes"
must 200                # 410: what is asked for is older than the log that is kept; list the keys anew, and watch from the list's version
wait
echo "changed: $(jq -r '.changes[0] | .op + " " + .key' "$work/body"); from here on since=$(jq .next "$work/body")"

ask -X DELETE -G -d prefix=example/sh/ "$url/v1/kv"
must 200
echo "deleted: $(jq .deleted "$work/body")"
