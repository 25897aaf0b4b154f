#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# readme.sh - every command that README shows of the API and of siltctl, in its order, against a server that has just been started.
. "$(dirname "$0")/../lib/http.sh"

# box HEADING: what stands in the first box of commands below it, continued lines made one
box() {
	awk -v heading="## $1" '
		/^## / { here = $0 == heading }
		here && /^```sh$/ { on = 1; next }
		/^```$/ { if (on) exit }
		on { if (sub(/\\$/, "")) { printf "%s", $0 } else print }' "$root/README.md"
}
# As typed, but for the status being kept: $status of the last one.
curl() {
	command curl -sS -m "$patience" -o "$work/answer" -w '%{http_code}' "$@" >"$work/status" 2>"$work/curl.err"
	ended=$?
	status=$(cat "$work/status")
	return "$ended"
}

# http COMMANDS: each a curl; what was answered is what its comment says, as far as that says it
http() {
	local line command said wanted fine json

	while IFS= read -r line <&3; do
		command=${line%%  #*}
		said=${line#"$command"}
		patience=30 status='' ended=''
		[[ $command != *text/event-stream* ]] || patience=1               # without an end
		eval "${command//http:\/\/localhost:8080/$url}" </dev/null
		wanted=$(grep -oE '^ *# *(.*: )?[1-5][0-9][0-9]\b' <<<"$said" | grep -oE '[0-9]+$')
		case $ended/$status in
		28/200) [ "$patience" = 1 ]; fine=$? ;;
		0/2??)  [ -z "$wanted" ] || [ "$status" = "$wanted" ]; fine=$? ;;
		*)      fine=1 ;;
		esac
		if [ "$fine" = 0 ]; then
			ok "$command"
		else
			not_ok "$command" "ended with $ended, status $status${wanted:+ and not $wanted}" "$(head -c 300 "$work/answer")$(cat "$work/curl.err")"
		fi
		# a whole JSON text without dots for what varies is the answer
		json=$(grep -oE '^ *# *\{[^.N]*\}' <<<"$said" | sed 's/^ *# *//')
		[ -z "$json" ] || that "answers $json" jq -e --argjson told "$json" '. == $told' "$work/answer"
	done 3<"$1"
}
# tool COMMANDS: each a siltctl; its status is 0, or one that the comment names. What follows a server has no end of its own: it is there
# after two seconds, and ends by Ctrl-C.
tool() {
	local line command ended limit endless

	while IFS= read -r line <&3; do
		command=${line%%  #*}
		endless=no limit='timeout 60'
		case " $command " in
		*' --once '* | *' --limit '*) ;;
		*' top '* | *' watch '*) endless=yes limit='timeout --signal=INT --kill-after=10 2' ;;
		esac
		eval "$limit ${command//http:\/\/localhost:8080/$url}" >"$work/said" 2>&1 </dev/null
		ended=$?
		if [ "$ended" = 0 ] || [ "$endless/$ended" = yes/124 ] || grep -q "# .*status $ended\b" <<<"$line"; then
			ok "$command"
		else
			not_ok "$command" "ended with $ended" "$(tail -n 5 "$work/said")"
		fi
	done 3<"$1"
}

serve_start || finish
cp "$root/README.md" "$work/"
mkdir "$work/build"
ln -s "$build/siltctl" "$work/build/siltctl"
cd "$work" || exit 1
box 'The API in a screen' | grep . >"$work/api"
that 'README shows the API' test "$(wc -l <"$work/api")" -gt 20
box 'siltctl' | grep . >"$work/siltctl"
that 'README shows siltctl' test "$(wc -l <"$work/siltctl")" -gt 4

grep -v /shutdown "$work/api" >"$work/commands"
http "$work/commands"
grep -e ' --url ' "$work/siltctl" >"$work/commands"
tool "$work/commands"
grep /shutdown "$work/api" >"$work/commands"
http "$work/commands"
that 'that ended the server' serve_wait
grep -v -e ' --url ' "$work/siltctl" >"$work/commands"
tool "$work/commands"
finish
