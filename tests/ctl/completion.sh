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

# ---- bash: offers WORD...: what is offered for these words, the last of which is being typed; : and = are words, as readline has them
offers() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_siltctl 2>"$work/err"
	printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | grep . | sort | tr '\n' ' '
}
mkdir -p "$work/store/checkpoints/monday" "$work/some directory" && : >"$work/some file"
that 'bash: a command' [ "$(offers siltctl ba)" = 'backup ' ]
that 'bash: all of them' [ "$(offers siltctl '')" = "$(tr '\n' ' ' <"$work/commands")" ]
that 'bash: behind options' [ "$(offers siltctl --url http : //localhost : 8080 --timeout 5 --json wat)" = 'watch ' ]
that 'bash: an option of a command' [ "$(offers siltctl backup --k)" = '--keep ' ]
that 'bash: of a range' [ "$(offers siltctl scan --pre)" = '--prefix ' ]
that 'bash: not of another command' [ "$(offers siltctl get --k)" = '' ]
that 'bash: directories for --db' [ "$(offers siltctl --db s)" = 'some directory store ' ]
that 'bash: with =, too' [ "$(offers siltctl --db = s)" = 'some directory store ' ]
that 'bash: files for dump' [ "$(offers siltctl dump some)" = 'some directory some file ' ]
that 'bash: forms for --format' [ "$(offers siltctl export --format '')" = 'csv files ndjson ' ]
that 'bash: the checkpoints of the store' [ "$(offers siltctl --db store checkpoint --remove '')" = 'monday ' ]
that 'bash: nothing for a key' [ "$(offers siltctl get '')" = '' ]
that 'bash: registered' bash -c '. "$1"; complete -p siltctl | grep -q _siltctl' - "$at/siltctl"
that 'bash: no word on stderr' [ ! -s "$work/err" ]
_siltctl_help "$ctl" backup | awk -F'\t' '$1 == "option" { print $2 }' | sort | tr '\n' ' ' >"$work/wanted"
that 'bash: all options of one' [ "$(offers siltctl backup --)" = "$(cat "$work/wanted")" ]

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
	zoffers() { zsh -f "$work/zsh" "$at/_siltctl" "$@" 2>"$work/err" | sed 's/:.*//' | sort | tr '\n' ' '; }
	that 'zsh: reads it' zsh -n "$at/_siltctl"
	that 'zsh: all commands' [ "$(zoffers siltctl '')" = "$(tr '\n' ' ' <"$work/commands")" ]
	that 'zsh: all options of one' [ "$(zoffers siltctl backup --)" = "$(cat "$work/wanted")" ]
	that 'zsh: behind options' [ "$(zoffers siltctl --url http://localhost:8080 --timeout 5 export --format '')" = 'csv files ndjson ' ]
	that 'zsh: directories for --db' [ "$(zoffers siltctl --db '')" = 'DIRECTORIES ' ]
	that 'zsh: with =, too' [ "$(zoffers siltctl --db=)" = 'DIRECTORIES ' ]
	that 'zsh: files for dump' [ "$(zoffers siltctl dump '')" = 'FILES ' ]
	that 'zsh: the checkpoints of the store' [ "$(zoffers siltctl --db store checkpoint --remove '')" = 'monday ' ]
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
