#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# man_pages.sh - the manual says what the programs say: every option with its default, every command of siltctl with its options, every
# function of the library as its header declares it; and mandoc finds nothing to say of the pages.
. "$(dirname "$0")/../lib/http.sh"
pages=$root/app/man

# ---- form
if command -v mandoc >/dev/null; then
	for page in "$pages"/*.[1-8]; do
		# what is installed on this machine is no matter of the page
		mandoc -T lint "$page" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' >"$work/lint"
		that "mandoc -T lint has nothing to say of ${page##*/}" bash -c '! grep "" "$1"' - "$work/lint"
	done
else
	skip 'the form of the pages' 'no mandoc here'
fi

# ---- siltstone.conf(5): every key, with its default
"$build/siltstone" --check-config | grep ' = ' >"$work/keys"
that 'the program has keys' grep -q '^memory = ' "$work/keys"
# described KEY: what the page says of it, macros taken off, as one line
described() {
	awk -v key="$1" '/^\.(It|El|S[hs])/ { on = $0 == ".It Ic " key; next } on { sub(/^\.[A-Z][a-z] /, ""); sub(/ \.$/, "."); print }' \
	    "$pages/siltstone.conf.5" | tr '\n' ' '
}
while IFS= read -r line; do
	key=${line%% = *}
	value=${line#* = }
	case $key in
	listen)       value=none ;;
	listen_group) value='that of the process' ;;
	esac
	text=$(described "$key")
	case $text in
	*"Default: $value. "*) ok "siltstone.conf(5): $key" ;;
	*)                     not_ok "siltstone.conf(5): $key" "it is $value; the page says: ${text:-nothing}" ;;
	esac
done <"$work/keys"
# ranges as --help has them, "8M to 1024G"; from zero the page says "up to"
"$build/siltstone" --help | awk '/^  --/ { flag = substr($1, 3); gsub("-", "_", flag) } match($0, /; [0-9]+[A-Za-z]* to [0-9]+[A-Za-z]* \(/) {
	print flag, substr($0, RSTART + 2, RLENGTH - 4) }' >"$work/ranges"
that 'the program has ranges' test "$(wc -l <"$work/ranges")" -gt 25
while read -r key range; do
	text=$(described "$key")
	that "siltstone.conf(5): $key is $range" grep -qE "\b($range|up to ${range#0 to })\b" <<<"$text"
done <"$work/ranges"
sed -n 's/^\.It Ic //p' "$pages/siltstone.conf.5" | sort >"$work/paged"
sed 's/ = .*//' "$work/keys" | sort >"$work/known"
that 'siltstone.conf(5) has no key that is none' diff "$work/known" "$work/paged"
for flag in $("$build/siltstone" --help | grep -oE '^  --[a-z-]+' | tr -d ' '); do
	key=${flag#--}
	that "siltstone(8): $flag" grep -qE "^\.(It|Fl) Fl Fl ${flag#--}|^\.It Fl Fl ${flag#--}" - < <(
		cat "$pages/siltstone.8"
		grep -qx "${key//-/_}" "$work/known" && echo ".It Fl Fl $key"      # by its key, in siltstone.conf(5)
	)
done

# ---- siltctl(1): every command, every option
"$build/siltctl" --help >"$work/help"
sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p' "$work/help" | sort -u >"$work/commands"
that 'siltctl has commands' grep -qx verify "$work/commands"
while read -r command; do
	that "siltctl(1): $command" grep -qE "^\.(It )?Cm $command( |\$)" "$pages/siltctl.1"
done <"$work/commands"
for option in $(grep -oE -- '--[a-z][a-z-]*' "$work/help" | sort -u); do
	that "siltctl(1): $option" grep -qE "Fl Fl ${option#--}( |\$)" "$pages/siltctl.1"
done

# ---- libsiltstone(3): what is declared, and as it is declared: the synopsis is made C again, and has to agree with the header
awk '/^\.Sh/ { on = $0 == ".Sh SYNOPSIS" }
	!on || !/^\.F/ { next }
	{ macro = $1; sub(/^\.F[a-z] */, "") }
	macro == ".Ft" { gsub(/"/, ""); printf "%s ", $0 }
	macro == ".Fn" { name = $1; sub(/^[^ ]+ */, ""); gsub(/" "/, ", "); gsub(/"/, ""); print name "(" $0 ");" }
	macro == ".Fo" { printf "%s(", $0; comma = "" }
	macro == ".Fa" { gsub(/"/, ""); printf "%s%s", comma, $0; comma = ", " }
	macro == ".Fc" { print ");" }' "$pages/libsiltstone.3" >"$work/synopsis"
{ echo '#include <siltstone.h>'; cat "$work/synopsis"; } >"$work/synopsis.c"
that 'libsiltstone(3) declares what the header declares' "${CC:-gcc}" -fsyntax-only -Werror -I"$root/engine/include" "$work/synopsis.c"
for name in $(sed -n '/^SILT_EXPORT/s/.*[ *]\(silt_[a-z_]*\)(.*/\1/p' "$root/engine/include/siltstone.h"); do
	that "libsiltstone(3): $name" grep -q "[ *]$name(" "$work/synopsis"
done
sed -n '/^\.Bd/,/^\.Ed/p' "$pages/libsiltstone.3" | sed '/^\./d; s/\\e/\\/g' >"$work/example.c"
that 'its example is a program' "${CC:-gcc}" -std=c17 -Wall -Wextra -Werror -fsyntax-only -I"$root/engine/include" "$work/example.c"
finish
