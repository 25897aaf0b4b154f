#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# log.sh - one line an error with the id that the answer carries; the level changes on SIGHUP; a flood of errors is no flood of lines.
. "$(dirname "$0")/../lib/http.sh"
conf=$work/siltstone.conf
printf 'log_level = error\n' >"$conf"
serve_start --config "$conf" || finish
id() { jq -r .id "$body"; }
# the relay of serve needs a moment
logged() { within 5 grep -qE -- "$1" "$work/serve.log"; }
not_logged() { ! grep -qE -- "$1" "$work/serve.log"; }
reload() {
	local had

	had=$(grep -c 'configuration read again\|stays as it was' "$work/serve.log")
	kill -HUP "$(responder_pid)"
	within 10 more_reloads "$had"
}
more_reloads() { [ "$(grep -c 'configuration read again\|stays as it was' "$work/serve.log")" -gt "$1" ]; }

request /v1/kv/secret-key
silent=$(id)
printf 'log_level = debug\n' >"$conf"
that 'SIGHUP reads the configuration again' reload
that 'and says what changed' logged 'log_level: changed'
request /v1/kv/secret-key
that 'the answer has an id' [ "${#silent}" = 32 ]
that 'a line with the id, at the new level' logged "404 to GET /v1/kv/, urn:siltstone:problem:no-such-key, id $(id): There is no such key"
that 'what came before was below the level' not_logged "$silent"
that 'no line has the key' not_logged 'secret-key'
expect 'a malformed one' 400 -- '/v1/kv?kee=secret-key'
that 'is one line, its end not ours to forge' logged "400 to GET /v1/kv, urn:siltstone:problem:bad-query, id $(id): .*kee"
expect 'what would forge a line' 400 -- $'/v1/kv?x%0A<3>forged=1'
that 'does not' not_logged '^(siltstone: error: |<3>)?forged'
printf 'log_level = warning\nnonsense = 1\n' >"$conf"
that 'a configuration with a mistake' reload
that 'changes nothing, and says why' logged 'the configuration stays as it was: .*nonsense'
request /v1/kv/other
that 'so the level is what it was' logged "id $(id)"
printf 'log_level = warning\nmin_free_space = 1024G\n' >"$conf"
kill -HUP "$(responder_pid)"
that 'what needs a restart is said' logged 'min_free_space: changed, and needs a restart'
serve_stop
serve_start --config "$conf" || finish
expect 'a full disk' 507 type:disk-full -- -X PUT -d 1 /v1/kv/a
that 'is a warning with the id' logged "507 to PUT /v1/kv/, urn:siltstone:problem:disk-full, id $(id)"
request /v1/kv/nothing
quiet=$(id)
for i in $(seq 400); do printf 'url = "%s/v1/kv/a"\nupload-file = "/dev/null"\noutput = "/dev/null"\n' "$url"; done >"$work/many"
curl -s -K "$work/many"
that 'of 400 refusals the log has some lines of each second' [ "$(grep -c 'disk-full' "$work/serve.log")" -lt 400 ]
sleep 1.1
request -X PUT -d 1 /v1/kv/a
that 'and how many more there were' logged '[0-9]+ more answers like these'
that 'a client in error is no warning' not_logged "$quiet"
finish
