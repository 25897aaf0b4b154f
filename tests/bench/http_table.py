# SPDX-License-Identifier: Apache-2.0
"""
http_table.py - what tests/bench/http runs: starts the servers, takes turns between them, prints the table.

Ours and what it is measured against stand side by side and take turns; the row says the median of the rounds' ratios, since on a
shared machine only what was measured within the same seconds can be compared. Beside it, for each, the CPU time a request: of the
responder (for other servers, of all their processes), from /proc/PID/stat, and of nginx.

A part that fails says so in its row, and the others go on; the status is 1 then.
"""
import argparse
import base64
import collections
import http.client
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from http_servers import Failed, Server, below, cpu_seconds, free_port, nginx_alone, resident_kib, start_etcd, start_webdis

KEYS = 200000
MANY = 1000000
VALUE = 100
BIG = 16 << 20


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.rounds = options.rounds
        self.seconds = options.seconds
        self.servers = []
        self.rows = []
        self.failures = 0
        self.count = 0
        self.many = None        # a store of a million entries, once somebody wants it
        self.refused = 0        # answers that were no 2xx, and are not counted in a rate

    def place(self, name):
        self.count += 1
        path = os.path.join(self.work, f"{name}-{self.count}")
        os.mkdir(path)
        return path

    def start(self, server, argv, log, **more):
        with open(log, "wb") as out:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **more)
        server.processes.append(p)
        server.log = log
        return p

    def serve(self, name, binary, config=""):
        """nginx/serve with this responder."""
        place = self.place(name)
        server = Server(free_port())
        self.servers.append(server)
        argv = [f"{self.options.root}/nginx/serve", "--port", str(server.port), "--data", f"{place}/data"]
        if config:
            with open(f"{place}/conf", "w", encoding="ascii") as f:
                f.write(config)
            argv += ["--config", f"{place}/conf"]
        environment = dict(os.environ, SILT_RESPONDER=binary, SILT_PIDFILE=f"{place}/pid")
        p = self.start(server, argv, f"{place}/log", env=environment)
        for _ in range(1200):
            with open(f"{place}/log", encoding="utf-8", errors="replace") as f:
                log = f.read()
            if " is up; " in log:
                break
            if p.poll() is not None:
                raise Failed(f"{name} does not start: {log[-500:]}")
            time.sleep(0.05)
        else:
            raise Failed(f"{name} is not up after a minute")
        server.data = f"{place}/data"
        with open(f"{place}/pid", encoding="ascii") as f:
            server.pids = [int(f.read())]
        server.nginx = below(p.pid, "nginx")
        return server

    def ours(self, config="memory = 512M\nmemtable_size = 64M\n"):
        return self.serve("ours", f"{self.options.build}/siltstone", config)

    def floor(self, name):
        return self.serve(name, f"{self.work}/{name}")

    def drop(self, *servers):
        for s in servers:
            s.stop()
            if s in self.servers:
                self.servers.remove(s)

    def stop_all(self):
        self.drop(*list(self.servers))

    # ---- wrk

    def script(self, name, text):
        path = f"{self.work}/{name}.lua"
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def wrk(self, server, connections, script, path="/", seconds=None):
        argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds or self.seconds}s", "--timeout", "30s", "--latency",
                "-s", script, server.url + path]
        cpu, nginx = cpu_seconds(server.pids), cpu_seconds(server.nginx)
        out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                             timeout=120).stdout
        cpu, nginx = cpu_seconds(server.pids) - cpu, cpu_seconds(server.nginx) - nginx
        rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
        requests = re.search(r"(\d+) requests in ", out)
        if rate is None or requests is None or int(requests[1]) == 0:
            raise Failed(f"wrk at {server.url}: {out[-300:]}")
        p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
        n = int(requests[1])
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
        refused = int(refused[1]) if refused else 0
        if refused > n / 2 or "Socket errors" in out:
            raise Failed(f"{refused} of {n} answers are no 2xx; {' '.join(re.findall('Socket errors.*', out))}")
        self.refused += refused
        return Round(float(rate[1]) * (n - refused) / n, cpu * 1e6 / n, nginx * 1e6 / n,
                     float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]] if p99 else 0)

    def pairs(self, what, connections, goal, ours, theirs, script, path="/", scripts=None, note=""):
        """A row: turns of ours and theirs, of which each begins every second round."""
        turns = [("ours", ours, script), ("theirs", theirs, (scripts or {}).get("theirs", script))]
        got = {"ours": [], "theirs": []}
        for name, server, s in turns:
            self.wrk(server, connections, s, path, 1)
        for n in range(self.rounds):
            for name, server, s in (turns if n % 2 else turns[::-1]):
                got[name].append(self.wrk(server, connections, s, path))
            a, b = got["ours"][-1], got["theirs"][-1]
            say(f"{what}, {connections} connections, round {n + 1}: {a.rate:,.0f}/s beside {b.rate:,.0f}/s: {a.rate / b.rate:.2f}; "
                f"CPU {a.cpu:.1f} us beside {b.cpu:.1f} us")
        ratios = [a.rate / b.rate for a, b in zip(got["ours"], got["theirs"])]
        self.row(what, connections, goal, got["ours"], got["theirs"], ratios, note)
        return got

    def row(self, what, connections, goal, ours, theirs, ratios, note):
        ratio = statistics.median(ratios)
        middle = lambda list, key: statistics.median(getattr(r, key) for r in list)
        self.rows.append([
            what, str(connections), f"{middle(ours, 'rate'):,.0f}", f"{middle(theirs, 'rate'):,.0f}",
            f"**{ratio:.2f}** ({min(ratios):.2f} to {max(ratios):.2f})",
            f"{goal:g} {'reached' if ratio >= goal else 'not'}",
            f"{middle(ours, 'cpu'):.1f}", f"{middle(theirs, 'cpu'):.1f}",
            f"{middle(ours, 'nginx'):.1f}", f"{middle(theirs, 'nginx'):.1f}", note])

    def table(self):
        head = ["", "connections", "ours", "the other", "ratio, median (all)", "to reach", "CPU us a request: ours", "the other",
                "nginx before ours", "before the other", ""]
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for row in self.rows:
            print("| " + " | ".join(row) + " |", flush=True)


Round = collections.namedtuple("Round", "rate cpu nginx p99")


# ---- what is asked -----------------------------------------------------------------------------------------------------------

def requests(count, made, body="nil", begin=0, step=7919):
    """A script for wrk: the requests `made` of 0 <= i < count, and of `body`, are all there before the first is sent, as wrk has one thread;
    then they are gone through from `begin` on in steps."""
    return f"""
local all, n = {{}}, {begin}
init = function()
	local body = {body}
	for i = 0, {count - 1} do all[i] = {made} end
end
request = function()
	n = (n + {step}) % {count}
	return all[n]
end
"""


def gets(keys):
    return requests(keys, 'wrk.format("GET", string.format("/v1/kv/bench-%07d", i))', begin=keys // 2)


def puts(keys, path="/v1/kv/bench-%07d"):
    some = 100000
    return requests(some, f'wrk.format("PUT", string.format("{path}", i * {max(keys // some, 1)}), nil, body)',
                    f'string.rep("x", {VALUE})')


def etcd_puts(value):
    body = f"""string.format('{{"key":"YmVuY2gt%04d%04d","value":"{value}"}}', i / 10000, i % 10000)"""
    return requests(20000, f'wrk.format("POST", "/v3/kv/put", nil, {body})')


def four(method, path):
    body = f'string.rep("0123456789abcdef", {BIG // 16})' if method == "PUT" else "nil"
    return requests(4, f'wrk.format("{method}", "{path}" .. i, nil, body)', body, step=1)


def value_of(random_source):
    return base64.b64encode(random_source.randbytes(VALUE * 3 // 4)).decode()


def load(server, keys):
    """bench-0000000 and so on, by batches; returns the version of every batch. Then all is in tables, and read once."""
    source = random.Random(7)
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    versions = []
    for at in range(0, keys, 1000):
        ops = [{"put": {"key": f"bench-{at + i:07d}", "value": value_of(source)}} for i in range(1000)]
        body = json.dumps({"ops": ops}, separators=(",", ":"))
        for _ in range(100):
            c.request("POST", "/v1/batch?durability=async", body, {"Content-Type": "application/json"})
            answer = c.getresponse()
            text = answer.read()
            if answer.status != 503:
                break
            time.sleep(0.2)
        if answer.status != 200:
            raise Failed(f"loading: {answer.status} {text[:200]}")
        versions.append(json.loads(text)["version"])
    c.close()
    for what in ("flush", "compact"):
        settle(server, what)
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    c.request("GET", "/v1/kv", headers={"Accept": "application/x-ndjson"})
    answer = c.getresponse()
    while answer.read(1 << 20):
        pass
    c.close()
    return versions


def settle(server, what):
    answer, text = server.ask("POST", f"/v1/admin/{what}")
    if answer.status == 202:
        job = answer.getheader("Location")
        for _ in range(1200):
            time.sleep(0.1)
            answer, text = server.ask("GET", job)
            if json.loads(text).get("state") != "running":
                break
    if answer.status != 200:
        raise Failed(f"{what}: {answer.status} {text[:200]}")


def check_gets(server, versions):
    """What wrk was given: the right bytes, and the ETag of the batch that wrote them."""
    source = random.Random(7)
    values = {}
    wanted = set(random.Random(8).sample(range(len(versions) * 1000), 1000))
    for i in range(len(versions) * 1000):
        value = value_of(source)
        if i in wanted:
            values[i] = value
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for i, value in values.items():
        c.request("GET", f"/v1/kv/bench-{i:07d}")
        answer = c.getresponse()
        body = answer.read().decode()
        if answer.status != 200 or body != value or answer.getheader("ETag") != f'"{versions[i // 1000]}"':
            raise Failed(f"bench-{i:07d}: {answer.status}, ETag {answer.getheader('ETag')}")
    c.close()


def check_puts(server, keys):
    """What wrk has put is there, each with an ETag of its own; the first thousand that it puts in each round."""
    seen = set()
    step = max(keys // 100000, 1)
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    written = 0
    for n in range(2, 1002):    # the first was made for wrk to look at, and not sent
        c.request("GET", f"/v1/kv/bench-{n * 7919 % 100000 * step:07d}")
        answer = c.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"the key of request {n} is missing: {answer.status}")
        if body == b"x" * VALUE:
            written += 1
            if answer.getheader("ETag") in seen:
                raise Failed("two keys have one ETag")
            seen.add(answer.getheader("ETag"))
    c.close()
    if written < 900:
        raise Failed(f"of 1000 keys that were put only {written} hold what was")


def cache_note(server):
    stats = json.loads(server.ask("GET", "/v1/stats")[1])
    text = json.dumps(stats)
    capacity = re.search(r'"cache_capacity": ?(\d+)', text)
    table = re.search(r'"table_bytes": ?(\d+)', text)
    if not capacity or not table:
        return ""
    return f"tables of {int(table[1]) / 2**20:,.0f} MiB, cache {int(capacity[1]) / 2**20:,.0f} MiB"


# ---- the parts ---------------------------------------------------------------------------------------------------------------

def part_get(b):
    ours, floor = b.ours(), b.floor("floor_epoll")
    versions = load(ours, KEYS)
    script = b.script("get", gets(KEYS))
    check_gets(ours, versions)
    for connections in (1, 32, 64, 256):
        b.pairs("GET, cached, of null_epoll", connections, 0.95, ours, floor, script)
    check_gets(ours, versions)
    b.drop(ours, floor)


def many_store(b):
    """A store of a million entries under a small budget; kept for the parts that want it."""
    if b.many is None:
        b.many = b.ours("memory = 20M\nmemtable_size = 4M\n")
        say("loading a million entries")
        load(b.many, MANY)
    return b.many


def part_put(b):
    ours, floor = b.ours(), b.floor("floor_parked")
    load(ours, KEYS)
    script = b.script("put", puts(KEYS))
    for connections in (32, 64, 256):
        b.pairs("durable PUT, keys cached, of the parking floor", connections, 0.95, ours, floor, script)
    check_puts(ours, KEYS)
    b.drop(ours)
    ours = many_store(b)
    note = cache_note(ours)
    script = b.script("put-many", puts(MANY))
    for connections in (32, 64, 256):
        b.pairs("durable PUT, store ten times the cache, of the same", connections, 0.95, ours, floor, script, note=note)
    check_puts(ours, MANY)
    b.drop(floor)


def part_sync(b):
    ours, floor = b.ours(), b.floor("floor_syncput")
    b.pairs("durable PUT, of one sync a request", 32, 3, ours, floor, b.script("sync", puts(KEYS)))
    b.drop(ours, floor)


def part_peers(b):
    ours = b.ours()
    put = b.script("peers", puts(KEYS))
    if shutil.which("webdis") and shutil.which("redis-server"):
        peer = start_webdis(b)
        b.pairs("durable PUT, of nginx, webdis and Redis (appendfsync always)", 64, 3, ours, peer, put,
                scripts={"theirs": b.script("webdis", puts(KEYS, "/SET/bench-%07d"))})
        b.drop(peer)
    else:
        b.rows.append(["durable PUT, of webdis and Redis", "64", "", "", "not measured: they are not here"] + [""] * 6)
    if shutil.which("etcd"):
        peer = start_etcd(b)
        value = base64.b64encode(b"x" * VALUE).decode()
        b.pairs("durable PUT, of etcd's JSON gateway", 64, 10, ours, peer, put,
                scripts={"theirs": b.script("etcd", etcd_puts(value))})
        b.drop(peer)
    else:
        b.rows.append(["durable PUT, of etcd's JSON gateway", "64", "", "", "not measured: it is not here"] + [""] * 6)
    check_puts(ours, KEYS)
    b.drop(ours)


def part_big(b):
    place = b.place("files")
    theirs = Server(free_port())
    b.servers.append(theirs)
    os.mkdir(f"{place}/files")
    theirs.pids = nginx_alone(b, theirs, place, f"server {{ listen 127.0.0.1:{theirs.port}; root {place}/files; "
                                                "location / { dav_methods PUT; } }")
    ours = b.ours("memory = 512M\n")
    put = b.script("big-put", four("PUT", "/v1/kv/big"))
    file_put = b.script("file-put", four("PUT", "/big"))
    get = b.script("big-get", four("GET", "/v1/kv/big"))
    file_get = b.script("file-get", four("GET", "/big"))
    b.pairs("16 MiB PUT, of nginx storing a file (which it does not sync)", 4, 0.8, ours, theirs, put, scripts={"theirs": file_put})
    settle(ours, "flush")
    settle(ours, "compact")
    for server, path in ((ours, "/v1/kv/big1"), (theirs, "/big1")):
        if server.ask("GET", path)[1] != b"0123456789abcdef" * (BIG // 16):
            raise Failed(f"{path} is not what was put")
    b.pairs("16 MiB GET, of nginx serving a file", 4, 0.8, ours, theirs, get, scripts={"theirs": file_get})
    b.drop(ours, theirs)


def part_ndjson(b):
    server = many_store(b)
    argv = ["curl", "-sSN", "-H", "Accept: application/x-ndjson", f"{server.url}/v1/kv"]
    last = subprocess.run(["bash", "-c", '"$@" | tail -n 1', "bash"] + argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    if not json.loads(last).get("end") or json.loads(last)["count"] != MANY:
        raise Failed(f"the list ends with {last}")
    rates, cpus, nginx, sizes, residents = [], [], [], set(), []
    for n in range(b.rounds):
        cpu, before = cpu_seconds(server.pids), cpu_seconds(server.nginx)
        p = subprocess.Popen(argv + ["-o", "/dev/null", "-w", "%{time_total} %{size_download}"], stdout=subprocess.PIPE, text=True)
        while p.poll() is None:
            residents.append(resident_kib(server.pids[0]))
            time.sleep(0.05)
        seconds, size = p.stdout.read().split()
        rates.append(MANY / float(seconds))
        cpus.append((cpu_seconds(server.pids) - cpu) * 1e6 / MANY)
        nginx.append((cpu_seconds(server.nginx) - before) * 1e6 / MANY)
        sizes.add(size)
        say(f"NDJSON, round {n + 1}: {rates[-1]:,.0f} entries/s")
    if len(sizes) != 1:
        raise Failed(f"answers of different sizes: {sizes}")
    rate = statistics.median(rates)
    b.rows.append(["NDJSON of 1,000,000 entries, entries/s", "1", f"{rate:,.0f}", "", f"({min(rates):,.0f} to {max(rates):,.0f})",
                   f"300,000 {'reached' if rate >= 300000 else 'not'}", f"{statistics.median(cpus):.2f}", "",
                   f"{statistics.median(nginx):.2f}", "",
                   f"resident {min(residents) / 1024:.0f} to {max(residents) / 1024:.0f} MiB while it goes"])


def part_idle(b):
    clients, polls = 10000, 1000
    alone, beside = b.ours(), b.ours()
    for server in (alone, beside):
        load(server, 20000)
    holder = subprocess.Popen([sys.executable, f"{b.options.root}/tests/bench/http_idle.py", str(beside.port), str(clients), str(polls)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = holder.stdout.readline()
        say(f"idle: {line.strip()}")
        if not line.startswith("held"):
            raise Failed("the idle clients can't connect")
        before = resident_kib(beside.pids[0])
        idle_rows(b, "GET", b.script("idle-get", gets(20000)), alone, beside)
        idle_rows(b, "PUT", b.script("idle-put", puts(20000)), alone, beside)
        beside.ask("PUT", "/v1/kv/quiet/now", "x")
        holder.stdin.write("ask\n")
        holder.stdin.flush()
        line = holder.stdout.readline().strip()
        say(f"idle: {line}; resident {before / 1024:.0f} MiB with {clients} clients and {polls} polls")
        b.rows[-1][-1] += f"; afterwards: {line}"
        if line != f"{clients} idle clients and {polls} polls answered":
            raise Failed(line)
    finally:
        holder.kill()
        holder.wait()
    b.drop(alone, beside)


def idle_rows(b, what, script, alone, beside):
    """p99 of a load of 64, beside the idle ones over alone."""
    got = {"alone": [], "beside": []}
    turns = [("alone", alone), ("beside", beside)]
    for name, server in turns:
        b.wrk(server, 64, script, seconds=1)
    for n in range(b.rounds):
        for name, server in (turns if n % 2 else turns[::-1]):
            got[name].append(b.wrk(server, 64, script))
        x, y = got["beside"][-1], got["alone"][-1]
        say(f"idle, {what}, round {n + 1}: p99 {x.p99:.2f} ms beside them, {y.p99:.2f} ms alone: {x.p99 / y.p99:.2f}; "
            f"{x.rate:,.0f}/s, {y.rate:,.0f}/s")
    ratios = [x.p99 / y.p99 for x, y in zip(got["beside"], got["alone"])]
    ratio = statistics.median(ratios)
    middle = lambda list, key: statistics.median(getattr(r, key) for r in list)
    b.rows.append([
        f"p99 of {what} beside 10,000 idle clients and 1,000 long polls, over alone; ms", "64", f"{middle(got['beside'], 'p99'):.2f}",
        f"{middle(got['alone'], 'p99'):.2f}", f"**{ratio:.2f}** ({min(ratios):.2f} to {max(ratios):.2f})",
        f"at most 1.2 {'reached' if ratio <= 1.2 else 'not'}", f"{middle(got['beside'], 'cpu'):.1f}",
        f"{middle(got['alone'], 'cpu'):.1f}", f"{middle(got['beside'], 'nginx'):.1f}", f"{middle(got['alone'], 'nginx'):.1f}",
        f"{middle(got['beside'], 'rate'):,.0f}/s beside them, {middle(got['alone'], 'rate'):,.0f}/s alone"])


# ---- go ----------------------------------------------------------------------------------------------------------------------

PARTS = {"get": part_get, "put": part_put, "sync": part_sync, "peers": part_peers, "big": part_big, "ndjson": part_ndjson,
         "idle": part_idle}


def run_part(b, name):
    """What went wrong, or nothing."""
    try:
        PARTS[name](b)
        return None
    except (Failed, OSError, http.client.HTTPException, subprocess.SubprocessError, ValueError, KeyError) as e:
        say(f"{name}: {type(e).__name__}: {e}")
        for s in b.servers:
            say(f"    {s.url}: {'there' if all(os.path.exists(f'/proc/{p}') for p in s.pids) else 'gone'}; its log ends with:")
            with open(s.log, encoding="utf-8", errors="replace") as f:
                say("".join("        " + line for line in f.readlines()[-8:]))
        b.many = None
        b.stop_all()
        return f"{type(e).__name__}: {e}"


def main():
    p = argparse.ArgumentParser(usage="http [--rounds N] [--seconds N] [PART...]")
    p.add_argument("--root", required=True, help=argparse.SUPPRESS)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--work", required=True, help=argparse.SUPPRESS)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=2)
    p.add_argument("part", nargs="*", choices=[[], *PARTS])
    b = Bench(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    try:
        for name in b.options.part or PARTS:
            rows = len(b.rows)
            wrong = run_part(b, name)
            if wrong:                   # something else on this machine may have been the reason
                del b.rows[rows:]
                say(f"{name}: once more")
                wrong = run_part(b, name)
            if wrong:
                b.rows.append([name, "", "", "", "failed", "", "", "", "", "", wrong.replace("|", "/").replace("\n", " ")[:200]])
                b.failures += 1
    finally:
        b.stop_all()
    b.table()
    print(f"\n{b.refused} answers were no 2xx; {b.rounds} rounds of {b.seconds} s; {time.monotonic() - began:.0f} s in all")
    return 1 if b.failures else 0


if __name__ == "__main__":
    sys.exit(main())
