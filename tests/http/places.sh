#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# places.sh - a full disk: writes are refused with 507, reads go on, nothing acknowledged is lost, and it goes away by itself.
. "$(dirname "$0")/../lib/http.sh"

if [ "$(id -u)" != 0 ] || ! mkdir "$work/small" || ! mount -t tmpfs -o size=120m none "$work/small" 2>/dev/null; then
	skip 'a full disk' 'it takes root and a mount'
	exit 0
fi
trap 'http_cleanup; umount -l "$work/small"; rm -rf "$work"' EXIT
data=$work/small/data
printf 'memtable_size = 2M\nwal_segment_size = 4M\nmin_free_space = 24M\n' >"$work/small.conf"
head -c 400000 /dev/urandom >"$work/large"
is_refused() { request -X PUT --data-binary small /v1/kv/refused; [ "$status" = 507 ]; }
free_kib() { df -k --output=avail "$work/small" | tail -n 1; }

# ---- somebody else takes the room, and gives it back
serve_start --config "$work/small.conf" || finish
put kept value
put old value
head -c $((($(free_kib) - 12 * 1024) * 1024)) /dev/zero >"$work/small/ballast"
that 'a disk that runs full is noticed' within 60 is_refused
expect 'writes are 507' 507 type:disk-full -- -X PUT --data-binary x /v1/kv/refused
expect 'in the classic dialect too' 507 type:disk-full -- -d 'key=refused&value=x' /set
expect 'readyz says so' 503 -- /readyz
expect 'it is alive' 200 -- /healthz
expect 'reads go on' 200 is:value -- /v1/kv/kept
expect 'a delete helps, and is taken' 204 -- -X DELETE /v1/kv/old
rm "$work/small/ballast"
that 'with room again it takes writes, by itself' within 60 put again 1
expect 'and says so' 200 -- /readyz

# ---- not a byte left, then an end and a start
cat /dev/zero >"$work/small/ballast" 2>/dev/null
that 'not a byte left is noticed' within 60 is_refused
expect 'reads go on with not a byte left' 200 is:value -- /v1/kv/kept
serve_stop
"$root/nginx/serve" --port "$port" --data "$data" --config "$work/small.conf" >"$work/said" 2>&1 &
serve=$!
serve_spoke() { grep -q ' is up; ' "$work/said" || gone "$serve"; }
within 120 serve_spoke
that 'started there it serves, or says why not' grep -qiE ' is up; |disk is full|No space left' "$work/said"
serve_stop
rm "$work/small/ballast"
serve_start --config "$work/small.conf" || finish
expect 'what was there is there' 200 is:value -- /v1/kv/kept
expect 'what was deleted is not' 404 -- /v1/kv/old

# ---- the store itself takes the room: refused by the responder, or by nginx, which has no place for a large body either
n=0
while [ "$n" -lt 1000 ]; do
	request -X PUT --data-binary "@$work/large" "/v1/kv/fill-$((n + 1))"
	[ "$status" = 201 ] || break
	n=$((n + 1))
done
that "a store that fills its disk is refused after $n values ($status)" [ "$status" = 507 -o "$status" = 500 ]
all_there() {
	local i wrong=0

	for i in $(seq 1 "$n"); do
		get "fill-$i"
		cmp -s "$body" "$work/large" || wrong=$((wrong + 1))
	done
	[ "$wrong" = 0 ]
}
that 'all that was acknowledged is there' all_there
serve_kill9
mount -o remount,size=300m "$work/small"
serve_start --config "$work/small.conf" || finish
that 'and after kill -9 and a start with room' all_there
that 'which takes writes' within 60 put again 2
serve_stop
that 'and closes cleanly' [ $? = 0 ]
finish
