#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# completion.sh - what bash and zsh offer for siltctl is what its --help says, and what its --help says of options is what it takes.
. "$(dirname "$0")/../lib/ctl.sh"
at=$root/app/ctl/completion
PATH=$build:$PATH
cd "$work" || exit 1

"$ctl" --help >"$work/help"
sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p' "$work/help" | sort -u >"$work/commands"
grep -oE -- '--[a-z][a-z-]*' "$work/help" | sort -u >"$work/options"

# ---- both ask --help in the same way
part() { sed -n '/^# _siltctl_help PROGRAM/,/^}/p' "$1"; }
that 'bash and zsh read --help alike' diff <(part "$at/siltctl") <(part "$at/_siltctl")
that 'and do read it' bash -c '[ "$(wc -l)" -gt 30 ]' - < <(part "$at/siltctl")
# shellcheck source=/dev/null
. "$at/siltctl"
_siltctl_help "$ctl" '' | awk -F'\t' '$1 == "command" { print $2 }' | sort >"$work/got"
that 'every command is found' diff "$work/commands" "$work/got"
while read -r c; do _siltctl_help "$ctl" "$c"; done <"$work/commands" | awk -F'\t' '$1 == "option" { print $2 }' | sort -u >"$work/got"
that 'every option belongs to a command' diff "$work/options" "$work/got"
that 'a command that is none has those that all have' bash -c '. "$1"; _siltctl_help "$2" nonsense | grep -q "^option	--json" && ! _siltctl_help "$2" nonsense | grep -q "^option	--keep"' - "$at/siltctl" "$ctl"

# What --help says that a command takes, it takes: there is no store here, so that nothing is done.
while read -r c; do
	_siltctl_help "$ctl" "$c" | awk -F'\t' '$1 == "option" && !($2 in seen) { seen[$2]; print $2, $3 }' >"$work/takes"
	wrong=''
	while read -r option value; do
		case $option in
		--help|--version|--json|--escaped|--db|--url|--user|--cacert|--timeout) continue ;;
		--format)       value=csv ;;
		--if-*match)    value=1 ;;
		esac
		with=()
		case $option in
		--copy) with=(--to x) ;;
		--yes)  with=(--prefix x) ;;
		esac
		timeout 60 "$ctl" "$c" "$option" ${value:+"${value/[A-Z]*/1}"} ${with[@]+"${with[@]}"} >/dev/null 2>"$work/err" </dev/null
		! grep -qE 'takes no|unrecognized|requires|allow an argument' "$work/err" || wrong+="$option: $(head -n 1 "$work/err"); "
	done <"$work/takes"
	if [ -z "$wrong" ]; then ok "$c takes what --help says"; else not_ok "$c takes what --help says" "$wrong"; fi
done <"$work/commands"

# offered SHELL NAME WANTED WORD...: SHELL offers what is wanted for these words behind siltctl, the last of which is being typed
offered() {
	local ask=$1_offers name="$1: $2" wanted=$3

	shift 3
	that "$name" [ "$("$ask" siltctl "$@")" = "$wanted" ]
}

# ---- bash: : and = are words, as readline has them
bash_offers() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_siltctl 2>"$work/err"
	printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | grep . | sort | tr '\n' ' '
}
mkdir -p "$work/store/checkpoints/monday" "$work/some directory" && : >"$work/some file"
offered bash 'a command' 'backup ' ba
offered bash 'all of them' "$(tr '\n' ' ' <"$work/commands")" ''
offered bash 'behind options' 'watch ' --url http : //localhost : 8080 --timeout 5 --json wat
offered bash 'an option of a command' '--keep ' backup --k
offered bash 'of a range' '--prefix ' scan --pre
offered bash 'not of another command' '' get --k
offered bash 'directories for --db' 'some directory store ' --db s
offered bash 'with =, too' 'some directory store ' --db = s
offered bash 'files for dump' 'some directory some file ' dump some
offered bash 'forms for --format' 'csv files ndjson ' export --format ''
offered bash 'the checkpoints of the store' 'monday ' --db store checkpoint --remove ''
offered bash 'nothing for a key' '' get ''
that 'bash: registered' bash -c '. "$1"; complete -p siltctl | grep -q _siltctl' - "$at/siltctl"
that 'bash: no word on stderr' [ ! -s "$work/err" ]
_siltctl_help "$ctl" backup | awk -F'\t' '$1 == "option" { print $2 }' | sort | tr '\n' ' ' >"$work/wanted"
offered bash 'all options of one' "$(cat "$work/wanted")" backup --

# ---- zsh: its own functions replaced by ones that print what they are given
if command -v zsh >/dev/null; then
	cat >"$work/zsh" <<-'END'
	_files() { print -l FILES }
	_directories() { print -l DIRECTORIES }
	_message() { print -l "MESSAGE $1" }
	compset() { : }
	compadd() { shift $(( ${@[(i)--]} > $# ? 0 : ${@[(i)--]} )); print -l -- "$@" }
	_describe() { local name=${@[-1]}; print -l -- ${(P)name} }
	file=$1
	shift
	words=("$@") CURRENT=$#
	_load() { source $file }
	_siltctl_run() { local IPREFIX PREFIX; eval "$(sed '$d' $file)"; _siltctl }
	_siltctl_run
	END
	zsh_offers() { zsh -f "$work/zsh" "$at/_siltctl" "$@" 2>"$work/err" | sed 's/:.*//' | sort | tr '\n' ' '; }
	that 'zsh: reads it' zsh -n "$at/_siltctl"
	offered zsh 'all commands' "$(tr '\n' ' ' <"$work/commands")" ''
	offered zsh 'all options of one' "$(cat "$work/wanted")" backup --
	offered zsh 'behind options' 'csv files ndjson ' --url http://localhost:8080 --timeout 5 export --format ''
	offered zsh 'directories for --db' 'DIRECTORIES ' --db ''
	offered zsh 'with =, too' 'DIRECTORIES ' --db=
	offered zsh 'files for dump' 'FILES ' dump ''
	offered zsh 'the checkpoints of the store' 'monday ' --db store checkpoint --remove ''
	that 'zsh: no word on stderr' [ ! -s "$work/err" ]
	# and its real ones, at a terminal of its own: what is typed is completed
	cat >"$work/typed" <<-'END'
	zmodload zsh/zpty || exit 3
	export TERM=dumb
	zpty shell zsh -f -i
	zpty -w shell "PS1='> '; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $2/dump; print rea''dy"
	zpty -m -r shell seen '*ready*'
	zpty -w -n shell $'siltctl checkp\t --li\t'
	zpty -m -r shell seen '*checkpoint *--list*' && print typed
	zpty -d shell
	END
	timeout 60 zsh -f "$work/typed" "$at" "$work" >"$work/out" 2>&1
	case $? in
	3)      skip 'zsh: typed at a terminal' 'no zsh/zpty here' ;;
	*)      that 'zsh: typed at a terminal' grep -qx typed "$work/out" ;;
	esac
else
	skip 'zsh: all of it' 'no zsh here'
fi
finish
