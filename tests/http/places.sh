#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# places.sh - disks that are full or damaged: a clear answer, reads go on, never a wrong value or a silent 404.
. "$(dirname "$0")/../lib/http.sh"
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=80m none "$work/small" 2>/dev/null; then
	trap 'http_cleanup; umount -l "$work/small"; rm -rf "$work"' EXIT
	data=$work/small/data
	printf 'memtable_size = 2M\nwal_segment_size = 4M\nmin_free_space = 8M\n' >"$work/small.conf"
	serve_start --config "$work/small.conf" || finish
	put kept value
	head -c 400000 /dev/urandom >"$work/large"
	refused='' n=0
	while [ "$n" -lt 400 ]; do
		n=$((n + 1))
		request -X PUT --data-binary "@$work/large" "/v1/kv/fill-$n"
		[ "$status" = 201 ] || { refused=$status; break; }
	done
	that "a full disk refuses writes after $n with 507" [ "$refused" = 507 ]
	expect 'and says so' 507 type:disk-full -- -X PUT --data-binary "@$work/large" /v1/kv/one-more
	expect 'readyz says so too' 503 -- /readyz
	expect 'it is alive' 200 -- /healthz
	expect 'reads go on' 200 is:value -- /v1/kv/kept
	expect 'the last that was acknowledged is there' 200 "file:$work/large" -- "/v1/kv/fill-$((n - 1))"
	expect 'what was refused is not' 404 -- /v1/kv/one-more
	serve_stop
	that 'it closes cleanly all the same' [ $? = 0 ]
	serve_start --config "$work/small.conf" || finish
	expect 'and opens on the full disk, for reading' 200 is:value -- /v1/kv/kept
	mount -o remount,size=300m "$work/small"
	that 'with room again it takes writes, by itself' within 20 put again 1
	wrong=0
	for i in $(seq 1 $((n - 1))); do
		get "fill-$i"
		cmp -s "$body" "$work/large" || wrong=$((wrong + 1))
	done
	that 'and all that was acknowledged is there' [ "$wrong" = 0 ]
	serve_stop
else
	skip 'a full disk' 'it takes root and a mount'
fi
finish
