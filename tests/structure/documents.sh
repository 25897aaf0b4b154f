#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# documents.sh - README, the operations guide, the alert rules and the package's notes name only what there is: options, commands of siltctl,
# paths, files, sections of each other; and the guide has every answer of 500 and above.
. "$(dirname "$0")/../lib/http.sh"
guide=$root/app/service/OPERATIONS.md
rules=$root/app/service/monitoring/siltstone.rules.yml
documents=("$root/README.md" "$guide" "$root/app/service/monitoring"/*.yml)
for f in "$root"/debian/*.README.Debian; do
	[ ! -e "$f" ] || documents+=("$f")
done
# none FILE: it is empty
none() { ! grep '' "$1"; }

# ---- boxes of commands: programs of the shell, and the guide's are those that tests/packaging/booted runs
for f in "$root/README.md" "$guide"; do
	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$f" >"$work/boxes"
	that "the boxes of ${f##*/} are well-formed" bash -n "$work/boxes"
	that "${f##*/} has boxes" test -s "$work/boxes"
done

# ---- answers of 500 and above
sed -nE 's/.*PROBLEM_TYPE\("([a-z-]+)"\) *\/\* *(5[0-9][0-9]).*/\1 \2/p' "$root/app/server/problem.h" | sort >"$work/answers"
sed -nE 's/^\| `([a-z-]+)` \| (5[0-9][0-9]) \|.*/\1 \2/p' "$guide" | sort >"$work/told"
that 'the server has such answers' test "$(wc -l <"$work/answers")" -gt 8
that 'the guide says what to do about each, and has no other' diff "$work/answers" "$work/told"

# ---- options: what is in backticks and looks like one; metrics and nginx's own aside
"$build/siltstone" --check-config | sed -n 's/ = .*//p' | sort >"$work/keys"
that 'the program has options' grep -qx memory "$work/keys"
grep -ohE '`[a-z]+(_[a-z]+)+( = [^`]*)?`' "$guide" | tr -d '`' | sed 's/ = .*//' | grep -vE '^(siltstone|process)_|^(worker_connections|fastcgi_param|peer_gone)$' |
    sort -u | comm -23 - "$work/keys" >"$work/unknown"
that 'the options in the guide are options' none "$work/unknown"

# ---- siltctl
"$build/siltctl" --help >"$work/help"
sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p' "$work/help" | sort -u >"$work/commands"
grep -ohE 'siltctl( --(db|url) [^ ]+)? [a-z][a-z-]+' "${documents[@]}" | sed 's/.* //' | sort -u | grep -vxE 'is|looks|opens|has|stands|reads|that|and' |
    comm -23 - "$work/commands" >"$work/unknown"
that 'commands of siltctl in the documents are commands' none "$work/unknown"
grep -ohE 'siltctl [^`|#]*' "${documents[@]}" | grep -oE -- ' --[a-z][a-z-]*' | tr -d ' ' | sort -u >"$work/options"
while read -r option; do
	that "siltctl has $option" grep -qE -- "$option( |,|=|\$)" "$work/help"
done <"$work/options"

# ---- paths of the API
jq -r '.paths | keys[]' "$root/nginx/html/openapi.json" | sed 's/{[^}]*}.*//' | sort -u >"$work/paths"
grep -ohE '/(v1/[a-z/]+|healthz|readyz|metrics|shutdown)\b' "$guide" "$rules" | sed 's|/$||' | sort -u >"$work/named"
while read -r path; do
	that "there is $path" grep -qE "^$path/?\$" "$work/paths"
done < <(sed -E 's|^(/v1/kv)/.*|\1|; s|(/checkpoints)/.*|\1|; /openapi/d' "$work/named" | sort -u)

# ---- files and sections
for name in $(grep -ohE 'siltstone-[a-z]+\.conf' "${documents[@]}" | sort -u); do
	that "there is a snippet $name" test -s "$root/nginx/snippets/$name"
done
for name in $(grep -ohE '`siltstone[a-z.-]*\.(yml|json)`' "$guide" | tr -d '`' | sort -u); do
	that "there is $name" test -s "$root/app/service/monitoring/$name"
done
sed -n 's/^## //p' "$guide" | sort >"$work/sections"
{
	grep -ohE "See '[^']+'" "$rules" | sed "s/See '//; s/'//"
	sed -nE 's/^\| .* \| ([A-Z][a-z][A-Za-z ,-]+) \|$/\1/p' "$guide" | sed 's/.*: //; s/^verify, then //' | grep -E '^[A-Z]'
} | sort -u | comm -23 - "$work/sections" >"$work/unknown"
that 'sections that are referred to are there' none "$work/unknown"
finish
