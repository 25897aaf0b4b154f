#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# monitoring.sh - alert rules, dashboard and operations guide name what /metrics has: every metric, label and label's value in them is one that
# the running server exposes; and the guide leaves out none.
. "$(dirname "$0")/../lib/http.sh"
places=$root/app/service
rules=$places/monitoring/siltstone.rules.yml
dashboard=$places/monitoring/siltstone-grafana.json
serve_start || finish

# a request to each route, so that each has its series
put a 1
for path in '/get?key=a' /get/a /del/a /delete/a '/del?key=a' '/delete?key=a' /v1/kv/a '/v1/kv?key=a' /v1/kv /v1/stats /v1/changes /v1/batch /healthz /readyz; do
	request "$path"
done
request -d '{"key":"a","value":"1"}' /set
request -d '{"key":"a","value":"1"}' /put
request -d '{"ops":[{"get":{"key":"a"}}]}' /v1/batch
request -X DELETE /del/a; request -X DELETE '/del?key=b'; request -X DELETE '/delete?key=b'; request -X DELETE /delete/b
request /metrics
that 'the server says what it has' test "$status" = 200
cp "$body" "$work/metrics"

# one expression a line
sed -n 's/^ *expr: //p' "$rules" >"$work/of-rules"
jq -r '.. | objects | .expr? // .definition? // empty' "$dashboard" >"$work/of-dashboard"
that 'the rules have expressions' test "$(wc -l <"$work/of-rules")" = "$(grep -c 'alert:' "$rules")"
that 'the dashboard has expressions' test "$(wc -l <"$work/of-dashboard")" -gt 40

# What Prometheus adds are job and instance; `up` is its own.
cat >"$work/check.awk" <<'AWK'
function wrong(what) { print what ": " expr; bad = 1 }
# value V of LABEL is one that the server has, or a regular expression of which each branch matches one; not of codes, which need a fault
function known(label, op, v,   n, i, k, some, branch) {
	if (label == "job" || label == "instance" || label == "code")
		return 1
	n = op ~ /~/ ? split(v, branch, "|") : split(v, branch, SUBSEP)
	for (i = 1; i <= n; i++) {
		some = 0
		for (k in values)
			if (index(k, label SUBSEP) == 1 && (op ~ /~/ ? substr(k, length(label) + 2) ~ ("^" branch[i] "$") : k == label SUBSEP branch[i]))
				some = 1
		if (!some)
			return 0
	}
	return 1
}
NR == FNR {
	if ($0 !~ /^#/) {
		name = $1
		sub(/[{].*/, "", name)
		names[name]
		if (match($0, /[{].*[}]/)) {
			n = split(substr($0, RSTART + 1, RLENGTH - 2), pair, /",?/)
			for (i = 1; i < n; i += 2) {
				label = pair[i]
				sub(/=$/, "", label)
				labels[name, label]
				values[label, pair[i + 1]]
			}
		}
	}
	next
}
{
	expr = rest = $0
	delete mine
	count = 0
	while (match(rest, /(siltstone|process)_[a-z_]+([{][^}]*[}])?/)) {
		name = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		inner = ""
		if (match(name, /[{].*/)) {
			inner = substr(name, RSTART + 1, RLENGTH - 2)
			name = substr(name, 1, RSTART - 1)
		}
		if (!(name in names))
			wrong("no metric " name)
		mine[++count] = name
		n = split(inner, pair, /",?/)
		for (i = 1; i < n; i += 2) {
			match(pair[i], /[!=~]+$|[!=~]+/)
			label = substr(pair[i], 1, RSTART - 1)
			op = substr(pair[i], RSTART)
			if (label != "job" && label != "instance" && !((name, label) in labels))
				wrong(name " has no label " label)
			if (!known(label, op, pair[i + 1]))
				wrong(label " is never " pair[i + 1])
		}
	}
	if (count == 0 && expr !~ /^up[{]/)
		wrong("no metric of ours")
	rest = expr
	while (match(rest, /(by|on) *\([^)]*\)/)) {
		list = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		gsub(/^[a-z]+ *\(|\)$/, "", list)
		n = split(list, each, /, */)
		for (i = 1; i <= n; i++) {
			some = each[i] == "job" || each[i] == "instance"
			for (k = 1; k <= count; k++)
				some = some || ((mine[k], each[i]) in labels)
			if (!some)
				wrong("grouped by " each[i] ", which none of its metrics has")
		}
	}
}
END { exit bad }
AWK
that 'the rules use names, labels and values that there are' awk -f "$work/check.awk" "$work/metrics" "$work/of-rules"
that 'so does the dashboard' awk -f "$work/check.awk" "$work/metrics" "$work/of-dashboard"
# the check itself can say no
for wrong in 'siltstone_nothing_total' 'sum(siltstone_tables{layer="1"})' 'siltstone_tables{level="9"}' 'sum by (reason) (siltstone_tables)' \
    'siltstone_http_requests_total{route=~"/get/?|/nowhere"}'; do
	echo "$wrong" >"$work/wrong"
	that "it would notice $wrong" bash -c '! awk -f "$1" "$2" "$3"' - "$work/check.awk" "$work/metrics" "$work/wrong"
done

# ---- what is printed of a series is a label that the expression leaves
jq -r '.. | objects | select(.expr?) | [.expr, .legendFormat // ""] | @tsv' "$dashboard" >"$work/legends"
that 'legends name labels that the expressions keep' awk -F '\t' '
	{ rest = $2
	  while (match(rest, /[{][{][a-z]+[}][}]/)) {
		label = substr(rest, RSTART + 2, RLENGTH - 4); rest = substr(rest, RSTART + RLENGTH)
		if ($1 !~ ("by \\([^)]*" label)) { print label ": " $1; bad = 1 } } }
	END { exit bad }' "$work/legends"
that 'alerts do so too' awk '
	/^ *expr: / { expr = $0 }
	{ rest = $0
	  while (match(rest, /[$]labels[.][a-z]+/)) {
		label = substr(rest, RSTART + 8, RLENGTH - 8); rest = substr(rest, RSTART + RLENGTH)
		if (expr ~ / by / && expr !~ ("by \\([^)]*" label) || expr !~ / by / && label != "instance") { print label ": " expr; bad = 1 } } }
	END { exit bad }' "$rules"
that 'no place of the dashboard is taken twice' jq -e '[.panels[] | .gridPos | [.x, .y]] | length == (unique | length)' "$dashboard"
that 'its panels have numbers of their own' jq -e '[.panels[].id] | length == (unique | length)' "$dashboard"

# ---- Prometheus' own word
if command -v promtool >/dev/null; then
	that 'promtool finds nothing in the rules' promtool check rules "$rules"
	that 'nor in the example for prometheus.yml' promtool check config --syntax-only "$places/monitoring/siltstone-scrape.yml"
else
	skip 'promtool check rules' 'no promtool here'
fi

# ---- the guide: every family, and no other
sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$work/metrics" | sort >"$work/families"
grep -oE '`(siltstone|process)_[a-z_]+' "$places/OPERATIONS.md" | tr -d '`' | sort -u >"$work/in-guide"
that 'the operations guide has every metric, and no other' diff "$work/families" "$work/in-guide"
finish
