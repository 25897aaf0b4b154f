# SPDX-License-Identifier: Apache-2.0
"""
history.py PORT - 64 clients at once on a few counters and on a few keys under conditions, each of whose requests is recorded with the
time when it was sent and when its answer was there; then the histories are judged.

Judging   a key's writes have one order, their versions'. So a history is linearizable if each request can be given a place in that order,
          a write its own, any other one behind the write whose result it saw, so that
          (1) what each saw is what the write before its place had left: value, version, presence, condition;
          (2) none has a place before that of one that was over when it was sent.
          What saw that nothing was there may have one of several places, behind a delete or before all: the first that (2) allows is
          the best for all others.
Prints    `ok - ` and `not ok - ` lines. The judge is shown some histories that are wrong first.
"""
import collections
import http.client
import json
import random
import sys
import threading
import time

CLIENTS, STEPS, KEYS = 64, 16, 3
SOME = "some"

# kind: add, put, delete, read; version: of the write, or of what was seen, 0 = nothing; detail: of add (by, sum), of put the value, of read the value
# was: what a write says stood there: None = not said, 0 = nothing, N = this version, SOME = something
Op = collections.namedtuple("Op", "kind begin end version detail was")


def judge(ops):
    """What is wrong with the history of one key, or None."""
    writes = sorted((o for o in ops if o.kind != "read"), key=lambda o: o.version)
    index = {o.version: n + 1 for n, o in enumerate(writes)}
    if len(index) != len(writes):
        return "two writes have one version"
    state = [(0, None)]                 # (version, value) behind each write; version 0 = nothing
    for o in writes:
        before = state[-1]
        if o.was == SOME and before[0] == 0 or o.was not in (None, SOME) and o.was != before[0]:
            return f"a write found {o.was} where {before[0]} was: {o}"
        if o.kind == "add":
            total = (before[1] or 0) + o.detail[0]
            if total != o.detail[1]:
                return f"a counter is at {o.detail[1]} and not at {total}"
            state.append((o.version, total))
        else:
            state.append((0, None) if o.kind == "delete" else (o.version, o.detail))
    return judge_places(ops, index, state)


def judge_places(ops, index, state):
    nothing = [n for n, s in enumerate(state) if s[0] == 0]
    over = sorted((o.end, n) for n, o in enumerate(ops))
    place, least, at = {}, -1, 0
    for n in sorted(range(len(ops)), key=lambda n: ops[n].begin):
        o = ops[n]
        while at < len(over) and over[at][0] < o.begin:     # what is over was sent earlier, and has its place
            least = max(least, place[over[at][1]])
            at += 1
        if o.kind != "read":
            place[n] = 2 * index[o.version]
            if place[n] <= least:
                return f"a write came before what was over when it was sent: {o}"
            continue
        if o.version:
            if o.version not in index or state[index[o.version]] != (o.version, o.detail if o.detail is not None else state[index[o.version]][1]):
                return f"nobody wrote what was seen: {o}"
            candidates = [index[o.version]]
        else:
            candidates = nothing
        fitting = [2 * i + 1 for i in candidates if 2 * i + 1 >= least]
        if not fitting:
            return f"what was seen was gone when it was asked for: {o}"
        place[n] = fitting[0]
    return None


class Client(threading.Thread):
    def __init__(self, port, number, begin):
        super().__init__()
        self.port, self.number, self.begin = port, number, begin
        self.random = random.Random(number)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.history = collections.defaultdict(list)
        self.seen = collections.defaultdict(int)        # the last version of each key that this client knows of
        self.error = None

    def ask(self, method, path, body=None, **headers):
        """(status, version by ETag or Silt-Version, body, begin, end)"""
        begin = time.monotonic_ns()
        self.connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self.connection.getresponse()
        text = answer.read()
        end = time.monotonic_ns()
        version = answer.getheader("Silt-Version") or (answer.getheader("ETag") or "0").strip('"')
        return answer.status, int(version), text, begin, end

    def note(self, key, *op):
        self.history[key].append(Op(*op))

    def count(self, key):
        by = self.random.choice((1, 1, 2, -3, 1000))
        status, version, text, begin, end = self.ask("POST", f"/v1/kv/{key}?op=incr&by={by}")
        assert status == 200, (status, text)
        self.note(key, "add", begin, end, version, (by, json.loads(text)["value"]), None)

    def read(self, key):
        status, version, text, begin, end = self.ask("GET", f"/v1/kv/{key}")
        assert status in (200, 404), (status, text)
        value = text.decode() if status == 200 else None
        self.note(key, "read", begin, end, version if status == 200 else 0, int(value) if key.startswith("count") and value else value, None)
        self.seen[key] = version

    def refused(self, key, status, text, begin, end):
        """A 412 or 404 has seen what is there."""
        seen = json.loads(text).get("version", 0) if status == 412 else 0
        self.note(key, "read", begin, end, seen, None, None)
        self.seen[key] = seen

    def put(self, key, condition):
        value = f"{self.number}-{self.random.random()}"
        headers, was = {}, None
        if condition == "absent":
            headers, was = {"If_None_Match": "*"}, 0
        elif condition == "same" and self.seen[key]:
            headers, was = {"If_Match": f'"{self.seen[key]}"'}, self.seen[key]
        status, version, text, begin, end = self.ask("PUT", f"/v1/kv/{key}", value, **headers)
        assert status in (201, 204, 412), (status, text)
        if status == 412:
            self.refused(key, status, text, begin, end)
            return
        if was is None:
            was = 0 if status == 201 else SOME
        self.note(key, "put", begin, end, version, value, was)
        self.seen[key] = version

    def batch(self, key):
        value = f"{self.number}-{self.random.random()}"
        body = json.dumps({"if": [{"key": key, "version": self.seen[key]}], "ops": [{"put": {"key": key, "value": value}}]})
        was = self.seen[key]
        status, version, text, begin, end = self.ask("POST", "/v1/batch", body, Content_Type="application/json")
        assert status in (200, 412), (status, text)
        if status == 412:
            self.refused(key, status, text, begin, end)
            return
        version = json.loads(text)["version"]
        self.note(key, "put", begin, end, version, value, was)
        self.seen[key] = version

    def delete(self, key):
        headers, was = {}, SOME
        if self.seen[key] and self.random.random() < 0.5:
            headers, was = {"If_Match": f'"{self.seen[key]}"'}, self.seen[key]
        status, version, text, begin, end = self.ask("DELETE", f"/v1/kv/{key}", **headers)
        assert status in (204, 404, 412), (status, text)
        if status != 204:
            self.refused(key, status, text, begin, end)
            return
        self.note(key, "delete", begin, end, version, None, was)
        self.seen[key] = 0

    def run(self):
        try:
            self.connection.connect()
            self.begin.wait()
            for _ in range(STEPS):
                key = self.random.randrange(KEYS)
                self.count(f"count-{key}")
                kind = self.random.choice(("read", "read", "put", "absent", "same", "same", "batch", "delete"))
                register = f"register-{key}"
                if kind in ("put", "absent", "same"):
                    self.put(register, kind)
                else:
                    {"read": self.read, "batch": self.batch, "delete": self.delete}[kind](register)
                if self.random.random() < 0.2:
                    self.read(f"count-{key}")
        except Exception as e:          # pylint: disable=broad-except
            self.error = f"client {self.number}: {type(e).__name__}: {e}"


def tell(name, wrong):
    print(f"not ok - {name}\n    {wrong}" if wrong else f"ok - {name}", flush=True)
    return bool(wrong)


def judge_the_judge():
    """It takes what is right, and nothing else."""
    def put(b, e, version, was=None):
        return Op("put", b, e, version, f"v{version}", was)

    def read(b, e, version):
        return Op("read", b, e, version, f"v{version}" if version else None, None)
    right = [put(0, 9, 1, 0), read(1, 2, 0), read(3, 4, 1), put(5, 20, 3, 1), read(6, 7, 1), read(8, 30, 3), Op("delete", 10, 40, 5, None, 3), read(15, 50, 0)]
    wrong = {
        "a read that is stale": [put(0, 1, 1), put(2, 3, 2), read(4, 5, 1)],
        "a read that sees what was later taken back": [put(0, 1, 1), read(2, 3, 0)],
        "two reads that see it appear and go": [put(0, 9, 1), read(1, 2, 1), read(3, 4, 0)],
        "a write whose version is older than one that was over": [put(0, 1, 5), put(2, 3, 4)],
        "a condition that did not hold": [put(0, 1, 1), put(2, 3, 2), put(4, 5, 3, 1)],
        "a key made twice": [put(0, 9, 1, 0), put(1, 8, 2, 0)],
        "a value that nobody wrote": [put(0, 1, 1), read(2, 3, 7)],
        "a step that was lost": [Op("add", 0, 9, 1, (1, 1), None), Op("add", 1, 8, 2, (1, 1), None)],
    }
    failed = tell("the judge takes a history that is right", judge(right))
    for name, ops in wrong.items():
        failed |= tell(f"and finds {name}", None if judge(ops) else "it does not")
    return failed


def main():
    failed = judge_the_judge()
    begin = threading.Event()
    clients = [Client(int(sys.argv[1]), n, begin) for n in range(CLIENTS)]
    for c in clients:
        c.start()
    begin.set()
    for c in clients:
        c.join()
    failed |= tell(f"{CLIENTS} clients have an answer for each request", "; ".join(c.error for c in clients if c.error))
    final = Client(int(sys.argv[1]), CLIENTS, begin)
    for kind in ("count", "register"):
        for n in range(KEYS):
            key = f"{kind}-{n}"
            final.read(key)
            ops = [o for c in clients + [final] for o in c.history[key]]
            writes = sum(o.kind != "read" for o in ops)
            failed |= tell(f"{key}: {len(ops)} requests, {writes} of them writes, in one order", judge(ops))
            if kind == "count":
                total = sum(o.detail[0] for o in ops if o.kind == "add")
                failed |= tell(f"{key} is at the sum of all steps", "" if final.history[key][0].detail == total else f"{final.history[key][0]}, and the sum is {total}")
    return failed


sys.exit(main())
