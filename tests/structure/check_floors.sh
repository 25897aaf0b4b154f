#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check_floors.sh - the plan of the house, read from the includes (engine/README.md says it in words).
#
#   a file includes its own folder and lower floors only; folders on one floor do not know each other; within a folder the includes
#   have no circle; only app/store and app/ctl see siltstone.h; the server sees nothing of the engine; what the library exports
#   begins with silt_; what a file of the engine exports begins with its room's name or silt_.
#
# Usage: check_floors.sh [BUILD_DIR]   (with a build directory the symbols are looked at too). Prints ok / not ok lines.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${1:-${SILT_BUILD:-}}
failed=0

say() { # RESULT NAME [TEXT]
	if [ "$1" = 0 ]; then
		echo "ok - structure: $2"
	else
		echo "not ok - structure: $2"
		[ -n "${3:-}" ] && sed 's/^/    /' <<<"$3"
		failed=1
	fi
}

# Lines "FROM TO": both files, relative to the top, of every include of our own.
arrows() { # TOP FOLDER...
	local top=$1 f inc
	find "$top" -name '*.[ch]' | sort | while read -r f; do
		sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+["<]([^">]+)[">].*/\1/p' "$f" | while read -r inc; do
			if [ -e "$top/$inc" ]; then
				echo "$f $top/$inc"
			elif [ "$inc" = siltstone.h ]; then
				echo "$f engine/include/siltstone.h"
			elif [ -e "$(dirname "$f")/$inc" ]; then
				echo "$f $(dirname "$f")/$inc"
			elif grep -q '/' <<<"$inc" && [ -e "engine/$inc" ]; then
				echo "$f engine/$inc"
			fi
		done
	done
}

# Every arrow goes to the own folder or to a lower floor. Floors: "folder number" lines.
check_down() { # NAME FLOORS ARROWS
	local bad
	bad=$(awk '
		function room(f,  p) { sub(/\/[^\/]*$/, "", f); return f }
		NR == FNR { floor[$1] = $2; next }
		{ a = room($1); b = room($2)
		  if (!(a in floor) || !(b in floor)) { print $1 " -> " $2 ": not in the plan"; next }
		  if (a != b && floor[b] >= floor[a]) print $1 " -> " $2 }' <(printf '%s\n' "$2") <(printf '%s\n' "$3"))
	[ -z "$bad" ]; say $? "$1" "$bad"
}

# No circle: tsort complains of one.
check_no_circle() { # NAME ARROWS
	local bad
	bad=$(printf '%s\n' "$2" | awk '$1 != $2' | tsort 2>&1 >/dev/null | grep -v '^$')
	[ -z "$bad" ]; say $? "$1" "$bad"
}

engine_floors='engine/include 0
engine/base 1
engine/os 2
engine/core 3
engine/mem 4
engine/log 4
engine/table 4
engine/version 5
engine/job 6
engine/db 7'
app_floors='engine/include 0
app/util 1
app/store 2
app/server 3
app/ctl 3'

engine_arrows=$(arrows engine)
app_arrows=$(arrows app)
[ "$(wc -l <<<"$engine_arrows")" -gt 100 ] && [ "$(wc -l <<<"$app_arrows")" -gt 30 ]
say $? "the includes were found"
check_down "engine: floors look downwards only" "$engine_floors" "$engine_arrows"
check_down "app: floors look downwards only" "$app_floors" "$app_arrows"
check_no_circle "engine: no circles" "$engine_arrows"
check_no_circle "app: no circles" "$app_arrows"

bad=$(awk '$2 == "engine/include/siltstone.h" && $1 !~ /^app\/(store|ctl)\//' <<<"$app_arrows")
[ -z "$bad" ]; say $? "app: only store/ and ctl/ know the engine" "$bad"
bad=$(awk '$2 ~ /^engine\// && $2 != "engine/include/siltstone.h"' <<<"$app_arrows")
[ -z "$bad" ]; say $? "app: nothing deeper than siltstone.h" "$bad"

bad=$(find engine app tests nginx -name '*.[ch]' -o -name '*.sh' | xargs grep -L 'SPDX-License-Identifier: Apache-2.0' 2>/dev/null)
[ -z "$bad" ]; say $? "every source file names its licence" "$bad"

# The raw heap is base/mem's alone: everything else goes through it, and so can be made to fail.
bad=$(grep -nE '(^|[^_[:alnum:]])(malloc|calloc|realloc|strdup|strcpy|strcat|sprintf)[[:space:]]*\(' engine/*/*.c engine/*/*.h |
	grep -vE '^engine/base/mem\.[ch]:|^[^:]+:[0-9]+:[[:space:]]*(/?\*)')
[ -z "$bad" ]; say $? "engine: the heap only through base/mem" "$bad"

if [ -n "$build" ] && command -v nm >/dev/null; then
	lib=$(find "$build" -name 'libsiltstone.so' | head -1)
	if [ -n "$lib" ]; then
		bad=$(nm -D --defined-only "$lib" | awk '{print $3}' | grep -v '^silt_')
		[ -z "$bad" ]; say $? "libsiltstone.so exports silt_ alone" "$bad"
		[ "$(nm -D --defined-only "$lib" | grep -c ' silt_')" -gt 20 ]
		say $? "libsiltstone.so exports the public functions"
	fi
	# An object's externs begin with its folder's or its own room's name: the reader knows where to look.
	bad=$(find "$build/engine" -path '*/.libs/*' -prune -o -name '*.o' -print | sort | while read -r o; do
		room=$(basename "$o" .o); room=${room#libsiltstone_core_la-}
		dir=$(basename "$(dirname "$o")")
		nm --defined-only --extern-only "$o" | awk -v r="${room}" -v d="$dir" '{print $3, r, d}'
	done | awk '$1 !~ "^silt_" && $1 !~ "^__" { stem = $2; sub(/_.*/, "", stem); if (index($1, stem) != 1 && index($1, $3) != 1) print $1 " in " $3 "/" $2 }')
	[ -z "$bad" ]; say $? "engine: an extern is named after its room" "$bad"
fi
exit $failed
