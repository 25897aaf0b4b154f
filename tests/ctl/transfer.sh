#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# transfer.sh - siltctl export and import: a few thousand entries with awkward keys and values in every format, from a stopped store into a
# server and back, equal; and files that no export would write.
. "$(dirname "$0")/../lib/ctl.sh"
serve_start || finish
cd "$work" || exit 1

# 3000 entries: every seventh key no UTF-8 (its base64 begins with ff ff ff), names that a path can't have, values of every kind
jq -cn 'range(3000) as $i | ["/\($i)", "a/../\($i)", "dir/\($i % 50)/\($i)", "\($i)//", "é ü\t\($i)\n", "q\"\u0000\($i),x", "%41\($i)"][$i % 7] as $k |
	["", "plain \($i)", "a,\"b\"\r\nc\n", "\u0000\u001b\($i)", "ß" * ($i % 900), "{\"n\": \($i)}"][$i % 6] as $v |
	(if $i % 13 == 0 then {key: ("////" + ($k | @base64)), key_encoding: "base64"} else {key: $k} end) +
	(if $i % 11 == 0 then {value: ("/v7+" + ($v | @base64)), encoding: "base64"} else {value: $v} end) +
	(if $i % 5 == 0 then {content_type: "text/x-\($i)"} else {} end)' >source.ndjson
printf '{"key":"big","value":"%s"}\n' "$(repeated 'b' 700000)" >>source.ndjson
printf '{"key":"dir","value":"in the way of a directory"}\n{"key":"later","value":"1","expires_at":2000000000000}\n' >>source.ndjson
printf '{"key":"%s/%s","value":"long"}\n' "$(repeated n 700)" "$(repeated m 300)" >>source.ndjson
printf '{"key":"gone","value":"1","expires_at":1000}\n{"end":true,"count":3005}\n' >>source.ndjson

# plain FILE: an export without what every import changes, the versions
plain() { sed -E 's/,"version":[0-9]+//' "$1"; }
alike() { cmp <(plain "$1") <(plain "$2"); }
untyped() { plain "$1" | sed -E 's/,"(content_type|expires_at)":[^,}]*//g'; }
alike_untyped() { cmp <(untyped "$1") <(untyped "$2"); }

run --db a import source.ndjson --create
so 'import into a new store' 0 'o:import: 3004 entries' 'o:1 more had expired'
run --db a export --output a.ndjson
so 'export' 0 'o:3004 entries' 'o:a.ndjson'
that 'it has a last line' jq -se '.[-1] == {end: true, count: 3004, version: ([.[].version] | max)}' a.ndjson
that 'it is what came in' cmp <(jq -cS 'del(.version)' a.ndjson | sort) \
    <(jq -cS 'if .end then .count -= 1 else . end' source.ndjson | grep -v '"gone"' | sort)
for f in ndjson csv files; do
	equal=alike
	[ $f != files ] || equal=alike_untyped
	run --db a export --format $f --output out.$f
	so "$f: export of a stopped store" 0
	run --url "$url" import out.$f
	so "$f: import into a server" 0 'o:3004 entries'
	run --url "$url" export --output server.ndjson
	so "$f: export of the server" 0
	that "$f: the server has all of it" $equal a.ndjson server.ndjson
	run --url "$url" export --format $f --output back.$f
	run --db "into.$f" import --create back.$f
	so "$f: import of what the server exported" 0 'o:3004 entries'
	run --db "into.$f" export --output b.ndjson
	that "$f: all of it came back" $equal a.ndjson b.ndjson
	run --url "$url" delete --start '' --end '~' --yes
	run --url "$url" delete --start '~' --yes
	run --url "$url" count
	so "$f: the server is empty again" 0 'o:0'
done
that 'files of both are the same tree' diff -r out.files back.files
curl -sS -H 'Accept: application/x-ndjson' "$url/v1/kv" >none.ndjson
run --url "$url" import none.ndjson --json
so 'what curl lists can be imported' 0 'o:{"imported":0,"expired":0}'
run --db a export --prefix dir/ --format csv
n=$(jq -c 'select(.key_encoding == null and (.key // "" | startswith("dir/")))' source.ndjson | wc -l)
so 'a range, on stdout' 0 "e:export: $n entries"
that 'as CSV' [ "$(grep -c '^dir/' out)" = "$n" ]
"$ctl" --db a export 2>/dev/null | "$ctl" --url "$url" import >"$work/out" 2>"$work/err" && "$ctl" --url "$url" export --output server.ndjson >/dev/null
that 'one into the other' alike a.ndjson server.ndjson

# ---- files that no export wrote
mkdir -p tree/sub/deep
printf one >tree/one; printf two >'tree/sub/two%20.txt'; printf three >tree/sub/deep/three
run --db t import tree --create
so 'a % in a name' 3 'e:tree/sub/two%20.txt' 'e:--literal' 'e:2 entries were imported' 'e:--from-file sub/two%20.txt'
run --db t import tree --literal --from-file sub/two%20.txt --content-type text/plain
so 'is taken as it is, from there on' 0 'o:1 entries'
run --db t scan --json
that 'the whole tree is there' [ "$(jq -r '.key + "=" + .value' out | tr '\n' ' ')" = 'one=one sub/deep/three=three sub/two%20.txt=two ' ]
ln -s /etc/passwd tree/sub/link
run --db t import tree --literal
so 'a symbolic link is not followed' 3 'e:tree/sub/link' 'e:symbolic link' 'e:--from-file sub/link'
rm tree/sub/link; mkfifo tree/sub/pipe
run --db t import tree --literal
so 'nor is a pipe waited for' 3 'e:tree/sub/pipe' 'e:neither'
run --db t export --format files --output tree
so 'a tree is not written over' 4 'e:not empty'
run --db t export --format files
so 'files have to go somewhere' 2 'e:--output'
mkdir -p esc; run --db t put ../../../escaped x
run --db t export --format files --output esc/tree
so 'a key that climbs' 0
that 'stays in the tree' [ -f esc/tree/%2E%2E/%2E%2E/%2E%2E/escaped ]

run --db deep put "$(for ((i = 0; i < 600; i++)); do printf 'd/'; done)x" deep --create
run --db deep export --format files --output deep.tree
(ulimit -Sn 256 && "$ctl" --db deep.back import --create deep.tree >out 2>err); status=$?
so 'a key of many directories comes back' 0 'o:1 entries'
mkdir esc/here; chmod 700 esc/here; ln -s here esc/link
run --db t export --format files --output esc/link/
so 'a link to an empty directory' 0
that 'leads to the tree, which has the mode that it had' [ -L esc/link -a -f esc/here/one -a "$(stat -c %a esc/here)" = 700 ]
printf x >esc/secret; chmod 600 esc/secret
run --db t export --output esc/secret
that 'a file for few to read stays so' [ "$(stat -c %a esc/secret)" = 600 ]
mkdir -p names/a; printf 1 >names/a/one; printf 2 >$'names/b\e[2J'; ln -s x $'names/b\e[3J'
run --db names import names --create --json
so 'names with escape sequences' 3 'e:names/b\x1b[3J: a symbolic link' 'o:"from_file":"b\\x1b[3J"'
that 'are shown as text, and where to go on in JSON' bash -c '! grep -q $'"'\e'"' "$1" && jq -e .from_file "$2"' - err out
rm $'names/b\e[3J'
run --db names import names --json --from-file "$(jq -r .from_file out)"
so 'from there on nothing is left' 0 'o:"imported":0'
if [ "$(id -u)" = 0 ]; then                      # a directory that its owner can list and not enter: import reads as the store's owner
	mkdir "shut.$(repeated n 60)" shut; printf 1 >"shut/$(repeated n 150)"; mkdir shut/o; chmod 444 shut/o
	run --db shutdb put x y --create
	chown -R 12345 shut shutdb && chmod 711 "$work"
	run --db shutdb import shut
	so 'a directory that can not be entered' 4 'e:siltctl: shut/o/: Permission denied' 'e:1 entries were imported' 'e:go on with --from-file o/'
	that 'is named, and nothing else' [ "$(grep -c '' err)" = 2 ]
	rmdir "shut.$(repeated n 60)"
fi

# ---- lines that can't be read
lines() { printf '%s\n' "$@" >bad; }
good='{"key":"k1","value":"1"}'
run --url "$url" delete --start '' --end '~' --yes
run --url "$url" delete --start '~' --yes
refused() { # NAME TEXT...: the second line is bad
	local name=$1 c
	local -a texts=()

	shift
	for c; do texts+=("e:$c"); done
	run --url "$url" import bad
	so "$name" 3 'e:bad: line 2' 'e:1 entries were imported, up to the key k1; go on with --from-line 2' "${texts[@]}"
	run --url "$url" scan --keys-only
	that "$name: nothing behind it" cmp out <(echo k1)
	run --url "$url" delete k1
}
lines "$good" '{"key":"k2","value":}' '{"key":"k3","value":"3"}';  refused 'no JSON' 'byte 21'
lines "$good" '{"key":"k2","value":"1"' '{"key":"k3","value":"3"}'; refused 'half a line' 'byte 24'
lines "$good" '{"key":"","value":"1"}';           refused 'an empty key' '1 to 4096'
lines "$good" '{"key":"k2"}';                     refused 'no value' 'no value'
lines "$good" '{"value":"k2"}';                   refused 'no key' 'no key'
lines "$good" '{"key":"k2","val":"1"}';           refused 'an unknown member' 'byte 13'
lines "$good" '{"key":7,"value":"1"}';            refused 'a key that is no string' 'byte 8'
lines "$good" '{"key":"k2","value":"*","encoding":"base64"}'; refused 'no base64' 'base64'
lines "$good" '{"key":"k2","value":"Zg==","encoding":"hex"}'; refused 'another encoding' 'byte 39'
lines "$good" '{"key":"k2","value":"1","expires_at":-1}';     refused 'a time that is none' 'byte 38'
lines "$good" '[1]';                              refused 'no object' 'byte 1'
lines "$good" '{"error":{"title":"t","detail":"the disk failed"}}'; refused 'an export that broke off' 'the disk failed'
lines "$good" '{"end":true,"count":2}';           refused 'lines that are missing' 'to be 2 entries, and there are 1'
printf 'key,value\nk1,1\nk2,"a"b\n' >bad
run --url "$url" import --format csv bad
so 'CSV: something behind a quote' 3 'e:bad: line 3, byte 7' 'e:1 entries were imported, up to the key k1; go on with --from-line 3'
printf 'key,value\r\nk1,"a\r\nb"\r\nk2,2,3\r\nk4,4\r\n' >bad
run --url "$url" import --format csv bad
so 'CSV: too many fields' 3 'e:bad: line 4' 'e:--from-line 4'
sed -i 's/k2,2,3/k2,2/' bad
run --url "$url" import --format csv bad --from-line 4
so 'CSV: mended, and gone on' 0 'o:2 entries'
printf 'key,value\nk5,"no end\n' >bad
run --url "$url" import --format csv bad
so 'CSV: a quote that is not closed' 3 'e:line 2, byte 4' 'e:not closed'
printf 'key,valu\nk5,1\n' >bad
run --url "$url" import --format csv bad
so 'CSV: a column that is none' 3 'e:line 1, column 2'
printf '\xef\xbb\xbfvalue,key\r\n1,bom\r\n\r\n' >bom.csv
run --url "$url" import bom.csv
so 'CSV: a byte order mark, another order, a blank line' 0 'o:1 entries'
printf '\xef\xbb\xbf"key","value"\r\nbom2,2\r\n' >bom.csv
run --url "$url" import bom.csv
so 'CSV: a byte order mark before a quote' 0 'o:1 entries'
printf '\xef\xbb\xbf%s\n' '{"key":"bom3","value":"3"}' >bom.ndjson
run --url "$url" import --no-end bom.ndjson
so 'a byte order mark before lines' 0 'o:1 entries'
: >empty.csv
run --url "$url" import empty.csv
so 'CSV: nothing at all' 3 'e:names the columns'
lines "$good" "$good"
run --url "$url" import bad
so 'no last line' 3 'e:cut short' 'e:--no-end' 'e:2 entries were imported' 'e:--from-line 3'
run --url "$url" import bad --no-end
so 'which need not be' 0 'o:2 entries'
head -c $(($(stat -c %s a.ndjson) / 2)) a.ndjson >cut.ndjson
run --db n4 import cut.ndjson --create --json
so 'half an export' 3 'e:--from-line'
line=$(jq .from_line out)
that 'says how far in JSON, too' [ "$line" = $(($(wc -l <cut.ndjson) + 1)) ]
run --db n4 import a.ndjson --from-line "$line"
so 'the whole one, gone on from there' 0
run --db n4 export --output n4.ndjson
that 'makes it whole' alike a.ndjson n4.ndjson

# ---- usage
run --db n import none.ndjson --format xml;    so 'a format that is none' 2 'e:"xml"'
run --db n import nowhere.ndjson;              so 'a source that is not there' 4 'e:nowhere.ndjson'
run --db n import --format files;              so 'files from nowhere' 2 'e:needs a source'
run --db n import tree --from-line 3;          so 'a line of files' 2 'e:--from-file'
run --db n import none.ndjson --from-file a;   so 'a file of lines' 2 'e:--from-line'
run --db n import none.ndjson --literal;       so 'what is for files alone' 2 'e:files'
run --db nowhere import none.ndjson;           so 'a store that is not there' 4 'e:--create'
run --db a export --output nowhere/x;          so 'a place that is not there' 4 'e:nowhere/x'
run --db a export --limit 3;                   so 'an option of another command' 2 'e:--limit'
run --db a export --output /dev/null;          so 'a device is written as it is' 0
that 'and stays one' [ -c /dev/null ]
ln -s target.ndjson link.ndjson; echo old >target.ndjson
run --db a export --output link.ndjson;        so 'a link to a file' 0
that 'leads to the export' alike a.ndjson target.ndjson
that 'nothing else was left behind' bash -c '! ls -d *.ndjson.* *.csv.* *.files.* 2>/dev/null'
finish
