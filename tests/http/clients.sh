#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clients.sh - app/examples, each run against a real server; where its language is not on the machine, that one is skipped.
. "$(dirname "$0")/../lib/http.sh"
examples=$root/app/examples
serve_start || finish

# client LANGUAGE COMMAND...: it ends well, says that it got through to the end, and leaves nothing behind
client() {
	local name=$1

	shift
	that "$name: all that it shows is so" "$@" "$url"
	cp "$work/that" "$work/said"
	for line in '^put and got: ' '^refused, for somebody was faster' '^visits: 2$' '^the same again is refused: ' '^changed: ' '^deleted: 8$'; do
		that "$name says $line" grep -q "$line" "$work/said"
	done
	request '/v1/kv?prefix=example/&count_only=true'
	that "$name leaves nothing behind" grep -q '"count":0' "$body"
}
# told LANGUAGE COMMAND...: of a server that is not there, it says so and fails
told() {
	local name=$1

	shift
	that "$name says where there is no server" bash -c '! "$@" 2>"$0" && [ -s "$0" ]' "$work/told" "$@" http://127.0.0.1:1
}

client curl "$examples/client.sh"
told curl "$examples/client.sh"
if [ -x /usr/bin/python3 ]; then
	client Python /usr/bin/python3 "$examples/client.py"
	told Python /usr/bin/python3 "$examples/client.py"
else
	skip 'Python' 'no python3 here'
fi
if command -v node >/dev/null && node -e 'process.exit(typeof fetch === "function" ? 0 : 1)'; then
	client Node node "$examples/client.mjs"
	told Node node "$examples/client.mjs"
else
	skip 'Node' 'no node 18 or later here'
fi
if command -v go >/dev/null; then
	export GOCACHE=${GOCACHE:-$work/gocache} GO111MODULE=off
	that 'Go builds it' go build -o "$work/client" "$examples/client.go"
	client Go "$work/client"
	told Go "$work/client"
else
	skip 'Go' 'no go here'
fi
finish
