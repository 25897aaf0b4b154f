# SPDX-License-Identifier: Apache-2.0
#
# ctl.sh - what the tests of siltctl share, beside http.sh, which it takes in.
#
#   run ARGUMENT...                         siltctl; $status, $work/out, $work/err
#   so NAME STATUS [o:TEXT|e:TEXT]...       how that ended, and what it printed there, among others
. "${BASH_SOURCE[0]%/*}/http.sh"
ctl=$build/siltctl
make_store=$build/tests/ctl/make_store

run() {
	timeout 120 "$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}
so() {
	local name=$1 wanted=$2 wrong='' c

	shift 2
	[ "$status" = "$wanted" ] || wrong="the status is $status and not $wanted"
	for c in "$@"; do
		case $c in
		o:*) grep -qF -- "${c#o:}" "$work/out" || wrong+=" stdout lacks '${c#o:}'" ;;
		e:*) grep -qF -- "${c#e:}" "$work/err" || wrong+=" stderr lacks '${c#e:}'" ;;
		esac
	done
	if [ -z "$wrong" ]; then
		ok "$name"
	else
		not_ok "$name" "$wrong" "$(head -c 1500 "$work/out")" "$(head -c 1500 "$work/err")"
	fi
}
