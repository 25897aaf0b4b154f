#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# backup_server.sh - siltctl backup of a running server under load: what is restored is what the writes acknowledged up to its version had
# made; the checkpoint behind it goes whatever happens.
. "$(dirname "$0")/../lib/ctl.sh"
b=$work/backups
serve_start || finish

# ---- a writer: puts and deletes of 200 keys, one after the other, each with the version that acknowledged it, until it is told to end
batch() { # NUMBER: a batch of requests for curl, and beside it what they do
	awk -v batch="$1" -v url="$url" -v plan="$work/plan.$1" 'BEGIN {
		srand(batch)
		for (i = 0; i < 100; i++) {
			key = sprintf("load/%03d", int(rand() * 200))
			value = "b" batch "i" i
			if (i) print "next"
			print "silent"
			printf "url = \"%s/v1/kv?key=%s\"\n", url, key
			print "output = /dev/null"
			print "write-out = \"%{http_code} %header{silt-version}\\n\""
			if (rand() < 0.15) {
				print "request = DELETE"
				print key, "-" >plan
			} else {
				print "request = PUT"
				printf "data-binary = \"%s\"\n", value
				print key, value >plan
			}
		}
	}'
}
writer() {
	local n=0

	while [ ! -e "$work/enough" ]; do
		n=$((n + 1))
		batch "$n" >"$work/batch"
		curl -K "$work/batch" >"$work/answers" || return 1
		paste -d' ' "$work/answers" "$work/plan.$n" >>"$work/written"
	done
}
: >"$work/written"
written() { wc -l <"$work/written"; }
more() { [ "$(written)" -ge "$1" ]; }
# What the writes up to a version had made, as scan prints it.
model() { awk -v version="$1" '$2 != "" && $2 <= version + 0 { v[$3] = $4 } END { for (k in v) if (v[k] != "-") print k "\t" v[k] }' "$work/written" | sort; }
agrees() { "$ctl" --db "$2" scan --prefix load/ | sort | diff - <(model "$1"); }

writer &
pid=$!
for n in 1 2 3; do
	within 60 more $(($(written) + 200)) || not_ok "the writer writes" "$(written) so far"
	run --url "$url" backup "$b" --json
	so "backup $n, under load" 0
	version[n]=$(jq .version "$work/out") name[n]=$(jq -r .name "$work/out")
	jq .linked_bytes "$work/out" >"$work/linked"
done
within 60 more $(($(written) + 100))
: >"$work/enough"
wait "$pid"
that 'the writer was heard to the end' bash -c '! grep -vE "^(20[14] [0-9]+|404 ) " "$1"' - "$work/written"
that 'what later ones share with earlier ones is linked' [ "$(cat "$work/linked")" -gt 0 ]
for n in 1 2 3; do
	run restore "$b/${name[n]}" --to "$work/r$n"
	so "backup $n is restored" 0 "o:version ${version[n]}:"
	that "and is what was there at version ${version[n]}" agrees "${version[n]}" "$work/r$n"
	that 'with more written before it, and behind it' bash -c 'awk -v v="$1" "\$2 != \"\" { if (\$2 <= v) a++; else b++ } END { exit !(a >= 100 && b >= 50) }" "$2"' - "${version[n]}" "$work/written"
done
expect 'no checkpoint is left' 200 '.checkpoints == []' -- /v1/admin/checkpoints
run backup --verify "$b"; so 'all three are sound' 0

# ---- what a server goes on with after a restore
old=$(tail -n 1 "$work/written" | cut -d' ' -f2)
serve_stop
mv "$data" "$work/lost" && mkdir "$data"
run restore "$b" --to "$data"; so 'the newest backup in the place of the lost store' 0
serve_start || finish
that 'what a server shows is the backup' bash -c 'diff <("$1" --url "$2" scan --prefix load/) <("$1" --db "$3" scan --prefix load/)' - "$ctl" "$url" "$b/${name[3]}"
expect 'changes after what was lost are not to be had' 410 -- "/v1/changes?since=$old"
put again 1
that 'no version is given twice' [ "$version" -gt 1700000000000000 ]
now=$version
put again 2
expect 'changes go on from here' 200 '.changes | length == 1' -- "/v1/changes?since=$now"

# ---- what can go wrong with a server
run --url http://127.0.0.1:1 backup "$work/b2"; so 'nobody there' 4 'e:nothing answers there'
run --url "$url/nowhere" backup "$work/b2"; so 'another place' 6 'e:404'
mkdir "$work/file" && : >"$work/file/x"
run --url "$url" backup "$work/file/x"; so 'a file in the place of the directory' 4 "e:$work/file/x"
expect 'nothing was asked for' 200 '.checkpoints == []' -- /v1/admin/checkpoints
mkdir "$work/b4" && : >"$work/b4/.lock"
(
	exec 9>"$work/b4/.lock"
	flock 9
	"$ctl" --url "$url" backup "$work/b4" >"$work/out" 2>"$work/err"
)
status=$?; so 'another backup at it' 5 'e:in use'
expect 'nor then' 200 '.checkpoints == []' -- /v1/admin/checkpoints
cp -r "$b" "$work/b5" && printf X | dd of="$work/b5/${name[3]}/$(cd "$b/${name[3]}" && ls ./*.sst | head -n 1)" bs=1 seek=20 conv=notrunc status=none
run --url "$url" backup "$work/b5" --quick
expect 'no checkpoint is left behind a backup' 200 '.checkpoints == []' -- /v1/admin/checkpoints

run --db "$data" backup "$work/b8"; so 'a store in use, by its directory' 5 'e:--url'

# a checkpoint whose backup was killed, and one that is in use
request -X POST '/v1/admin/checkpoint?name=siltctl-20200101T000000Z-1'
request -X POST '/v1/admin/checkpoint?name=siltctl-20200101T000000Z-2'
request -X POST '/v1/admin/checkpoint?name=mine'
touch -d '1 hour ago' "$data/checkpoints/"*
(
	exec 9<"$data/checkpoints/siltctl-20200101T000000Z-2"
	flock 9
	"$ctl" --url "$url" backup "$b" >"$work/out" 2>"$work/err"
)
status=$?; so 'a checkpoint that a killed backup left is removed' 0 'e:siltctl-20200101T000000Z-1, left by'
expect 'one in use, or of somebody else, is not' 200 '[.checkpoints[].name] | sort == ["mine","siltctl-20200101T000000Z-2"]' -- /v1/admin/checkpoints

# ---- a server elsewhere: its answer, from another machine, is a path that is not here
cat >"$work/elsewhere.py" <<'END'
import http.server, os, signal, sys, time
class H(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b''):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        if len(sys.argv) > 1:           # Ctrl-C while the answer is waited for
            while not os.path.exists(sys.argv[1]): time.sleep(0.01)
            os.kill(int(open(sys.argv[1]).read()), signal.SIGTERM)
            time.sleep(30)
        place = os.environ.get('PLACE', '/no/such/place')
        name = self.path.split('name=')[1]
        if os.environ.get('PLACE'):     # this machine after all: a checkpoint that is there, and a server that goes away behind it
            os.rename(place + '/checkpoints/here', place + '/checkpoints/' + name)
            place += '/checkpoints/' + name
        self.answer(200, ('{"message":"x","job":{"id":"1-1","kind":"checkpoint","state":"done","name":"n","path":"%s","version":%s}}' %
                          (place, os.environ.get('VERSION', '5'))).encode())
    def do_DELETE(self):
        print('DELETE', self.path, flush=True)
        if os.environ.get('PLACE'):
            self.connection.close()
        else:
            self.answer(204)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
print(s.server_address[1], flush=True)
s.serve_forever()
END
if command -v python3 >/dev/null; then
	python3 "$work/elsewhere.py" >"$work/elsewhere" &
	pid=$!
	within 30 test -s "$work/elsewhere"
	run --url "http://127.0.0.1:$(head -n 1 "$work/elsewhere")" backup "$work/b6"
	so 'a server on another machine' 4 'e:/no/such/place' "e:on the server's own"
	that 'whose checkpoint is removed' grep -q '^DELETE /v1/admin/checkpoints/siltctl-20' "$work/elsewhere"
	kill "$pid"; wait "$pid" 2>/dev/null

	python3 "$work/elsewhere.py" "$work/pid" >"$work/elsewhere2" &
	pid=$!
	within 30 test -s "$work/elsewhere2"
	"$ctl" --url "http://127.0.0.1:$(head -n 1 "$work/elsewhere2")" backup "$work/b6" >"$work/out" 2>"$work/err" &
	echo $! >"$work/pid.new" && mv "$work/pid.new" "$work/pid"
	wait $!
	status=$?; so 'ended while it waits for the checkpoint' 143
	that 'which is removed, whether it was made or not' grep -q '^DELETE /v1/admin/checkpoints/siltctl-20' "$work/elsewhere2"
	that 'no backup is there' [ -z "$(find "$work/b6" -mindepth 1 -type d)" ]
	kill "$pid"; wait "$pid" 2>/dev/null

	"$make_store" "$work/here" && "$ctl" --db "$work/here" checkpoint here >"$work/made"
	PLACE=$work/here VERSION=$(sed 's/.*version //' "$work/made") python3 "$work/elsewhere.py" >"$work/elsewhere3" 2>/dev/null &
	pid=$!
	within 30 test -s "$work/elsewhere3"
	run --url "http://127.0.0.1:$(head -n 1 "$work/elsewhere3")" backup "$work/b7"
	so 'a server that goes away when all is copied: a backup it is' 0 'o:; verified'
	that 'and the checkpoint is gone' [ -z "$(ls "$work/here/checkpoints")" ]
	kill "$pid"; wait "$pid" 2>/dev/null
else
	skip 'a server on another machine' 'no python3 here'
	skip 'ended while it waits for the checkpoint' 'no python3 here'
	skip 'a server that goes away when all is copied' 'no python3 here'
fi
finish
