#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# metrics.sh - /metrics: by Prometheus' own parser where it is here, by its naming rules, and true to what was asked for.
. "$(dirname "$0")/../lib/http.sh"
serve_start || finish

# sample SERIES: its value in $body
sample() { awk -v s="$1" 'substr($0, 1, length(s) + 1) == s " " { print $2; found = 1 } END { exit !found }' "$body"; }
is() { [ "$(sample "$1")" = "$2" ]; }
above() { awk -v a="$(sample "$1")" -v b="$2" 'BEGIN { exit !(a > b) }'; }

put a 1; put a 2; put b 3; get a; get nope; get nope
request -X DELETE '/v1/kv?key=b'
request /v1/kv/$(repeated %FF 3)
request -d 'x' -X PATCH /v1/kv/a
request -X POST /v1/admin/flush
head -c 100000 /dev/zero >"$work/big"
request -X PUT --data-binary "@$work/big" /v1/kv/big
expect 'it is there, in text form' 200 'h:content-type: text/plain; version=0.0.4; charset=utf-8' 'h:cache-control: no-store' -- /metrics
expect 'HEAD too' 200 -- -I /metrics
expect 'it takes no parameters' 400 type:bad-query -- '/metrics?x=1'
expect 'and no POST' 405 'h:allow: GET, HEAD, OPTIONS' -- -X POST /metrics
request /metrics
cp "$body" "$work/metrics"

# ---- well-formed, and by the conventions
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
	that "Prometheus' own parser reads it" /usr/bin/python3 - "$work/metrics" <<'PY'
import math, sys
from prometheus_client.parser import text_string_to_metric_families
units = ("_seconds", "_bytes", "_ratio", "_total", "_info")
seen = set()
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(families) > 40, len(families)
for f in families:
    assert f.name.startswith(("siltstone_", "process_")), f.name
    assert f.documentation, f.name
    assert f.type in ("counter", "gauge", "histogram"), (f.name, f.type)
    assert f.name not in seen, f.name
    seen.add(f.name)
    for word in ("_ms", "_ns", "_us", "_milliseconds", "_mb", "_kb", "level", "reason"):
        assert not f.name.endswith(word), f.name
    for s in f.samples:
        assert not math.isnan(s.value) and s.value >= 0, s
        assert set(s.labels) <= {"route", "method", "code", "kind", "level", "reason", "le", "version"}, s
        if f.type == "counter":
            assert s.name.endswith("_total"), s
    if f.type == "histogram":
        series = {}
        for s in f.samples:
            key = tuple(sorted((k, v) for k, v in s.labels.items() if k != "le"))
            series.setdefault(key, {"le": []})
            if s.name.endswith("_bucket"):
                series[key]["le"].append((float(s.labels["le"]), s.value))
            else:
                series[key][s.name.rsplit("_", 1)[1]] = s.value
        assert f.name.endswith("_seconds"), f.name
        for key, h in series.items():
            bounds = [b for b, _ in h["le"]]
            counts = [c for _, c in h["le"]]
            assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), (f.name, bounds)
            assert counts == sorted(counts) and counts[-1] == h["count"], (f.name, counts)
            assert h["count"] == 0 or h["sum"] >= 0
PY
else
	skip "Prometheus' own parser" 'no python3-prometheus-client here'
fi
that 'every line is a comment or a sample' bash -c '! grep -vE "^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(\{[a-z]+=\"[^\"\\]*\"(,[a-z]+=\"[^\"\\]*\")*\})? ([0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|NaN)$" "$1"' - "$work/metrics"
that 'no name of a family comes twice' bash -c '[ -z "$(grep "^# TYPE" "$1" | cut -d" " -f3 | sort | uniq -d)" ]' - "$work/metrics"
that 'its last line ends' [ "$(tail -c 1 "$work/metrics" | od -An -tx1 | tr -d ' ')" = 0a ]
that 'no key is in it' bash -c '! grep -qE "nope|FF" "$1"' - "$work/metrics"

# ---- true
r='siltstone_http_requests_total{route="/v1/kv",'
that 'writes that were new' is "$r"'method="PUT",code="201"}' 2
that 'writes that were not' is "$r"'method="PUT",code="204"}' 1
that 'reads' is "$r"'method="GET",code="200"}' 1
that 'reads of nothing' is "$r"'method="GET",code="404"}' 2
that 'deletes' is "$r"'method="DELETE",code="204"}' 1
that 'no route of ours' above 'siltstone_http_requests_total{route="",method="other",code="405"}' 0
that 'their times are counted' is 'siltstone_http_request_duration_seconds_count{route="/v1/kv",method="PUT"}' 3
that 'and are none of nothing' above 'siltstone_http_request_duration_seconds_sum{route="/v1/kv",method="PUT"}' 0
that 'bytes of bodies' is 'siltstone_http_request_bytes_total{route="/v1/kv/",method="PUT"}' 100000
that 'a flush is a job that wrote to level 0' above 'siltstone_compactions_total{level="0"}' 0
that 'writes in the store' above siltstone_writes_total 3
that 'syncs' above siltstone_wal_sync_duration_seconds_count 0
that 'nothing is parked but perhaps this request' [ "$(sample siltstone_http_requests_parked)" -le 1 ]
that 'connections' above siltstone_http_connections 0
that 'memory' above process_resident_memory_bytes 1000000
that 'files' above process_open_fds 5
that 'CPU time' above process_cpu_seconds_total 0
that 'started a moment ago' bash -c 'd=$(($(date +%s) - ${1%.*})); [ $d -ge 0 ] && [ $d -lt 300 ]' - "$(sample process_start_time_seconds)"
request /metrics
that 'it counts itself' above 'siltstone_http_requests_total{route="/metrics",method="GET",code="200"}' 1
that 'nothing counts down' /usr/bin/awk '
	/^#/ { type[$3] = $4; next }
	{ name = $1; sub(/\{.*/, "", name); if (name ~ /_(total|count|bucket|sum)$/ && NR == FNR) was[$1] = $2; else if (NR != FNR && ($1 in was) && $2 + 0 < was[$1] + 0) { print; bad = 1 } }
	END { exit bad }' "$work/metrics" "$body"
finish
