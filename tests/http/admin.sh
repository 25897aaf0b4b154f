#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# admin.sh - compaction, verification and checkpoints as jobs: done at once, or to be asked after; checkpoints that open.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish
for i in 1 2 3; do put "k$i" "v$i"; done
request -X POST /v1/admin/flush

# ---- what is quick is answered
expect 'verify' 200 '.message | length > 0' '.bytes > 0' '.job.kind == "verify" and .job.state == "done" and .job.done == .job.total' -- -X POST /v1/admin/verify
job=$(jq -r .job.id "$body")
expect 'its job can be asked after' 200 '.kind == "verify" and .state == "done" and .begun_at > 1700000000000 and .ended_at >= .begun_at' -- "/v1/admin/jobs/$job"
expect 'compact' 200 '.tables == 1' '.job.state == "done"' -- -X POST /v1/admin/compact
expect 'a checkpoint' 200 '.name == "monday" and .version >= 3 and .job.kind == "checkpoint"' -- -X POST '/v1/admin/checkpoint?name=monday'
that 'which says where it is' [ "$(jq -r .path "$body")" = "$data/checkpoints/monday" ]
expect 'one of that name is there' 409 type:checkpoint-exists '.name == "monday"' -- -X POST '/v1/admin/checkpoint?name=monday'
expect 'that too is a job: failed' 200 '.jobs | map(.state) == ["done","done","done","failed"]' -- /v1/admin/jobs
put later 1
expect 'another' 200 -- -X POST '/v1/admin/checkpoint?name=Tue-2.x_'
expect 'the list' 200 '[.checkpoints[].name] | sort == ["Tue-2.x_","monday"]' '.checkpoints[] | .version >= 3 and .tables >= 1 and .bytes > 0 and .damaged == false' -- /v1/admin/checkpoints
that 'it opens as a store' bash -c '[ "$("$1" --db "$2" get k2)" = v2 ]' - "$build/siltctl" "$data/checkpoints/monday"
that 'and has nothing of what came later' bash -c '! "$1" --db "$2" get later >/dev/null' - "$build/siltctl" "$data/checkpoints/monday"
expect 'one is removed' 204 is: -- -X DELETE /v1/admin/checkpoints/monday
expect 'and gone' 404 type:no-such-checkpoint '.name == "monday"' -- -X DELETE /v1/admin/checkpoints/monday
expect 'the other stays' 200 '[.checkpoints[].name] == ["Tue-2.x_"]' -- /v1/admin/checkpoints

# ---- names, methods, roles
for bad in '' '.' '..' '.a' 'a/b' 'a%2Fb' '..%2Fx' 'a%00b' 'a%20b' 'x.tmp' '%C3%A9' "$(repeated a 201)"; do
	expect "no name: '$(head -c 20 <<<"$bad")'" 400 type:bad-query -- -X POST "/v1/admin/checkpoint?name=$bad"
done
expect 'none at all' 400 -- -X POST /v1/admin/checkpoint
expect 'at the limit' 200 -- -X POST "/v1/admin/checkpoint?name=$(repeated a 200)"
expect 'no name to remove' 400 -- -X DELETE /v1/admin/checkpoints/
expect 'nor a path' 400 -- -X DELETE '/v1/admin/checkpoints/a%2F..%2Fb'
expect 'parameters are known ones' 400 type:bad-query -- -X POST '/v1/admin/verify?x=1'
expect 'no such job' 404 type:no-such-job -- /v1/admin/jobs/1
for route in 'POST verify' 'POST compact' 'POST checkpoint?name=x' 'GET checkpoints' 'DELETE checkpoints/x' 'GET jobs' 'GET jobs/x'; do
	expect "not for everyone: $route" 403 type:forbidden -- -H 'Via: x' -X "${route%% *}" "/v1/admin/${route#* }"
	expect "not for a page elsewhere: $route" 403 type:cross-site -- -H 'Sec-Fetch-Site: cross-site' -X "${route%% *}" "/v1/admin/${route#* }"
done
expect 'GET of verify' 405 'h:allow: POST, OPTIONS' -- /v1/admin/verify

# ---- damage is found
request -X POST /v1/admin/flush
table=$(ls "$data"/*.sst | head -n 1)
printf 'X' | dd of="$table" bs=1 seek=20 conv=notrunc 2>/dev/null
expect 'damage' 500 type:damaged 'has("outcome") | not' -- -X POST /v1/admin/verify
expect 'and its job has failed' 200 '.jobs[-1].state == "failed" and (.jobs[-1].error | length > 0)' -- /v1/admin/jobs
that 'the log says where' grep -q "$(basename "$table" .sst)" "$work/serve.log"
finish
