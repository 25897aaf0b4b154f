# SPDX-License-Identifier: Apache-2.0
"""
slow.py - clients that are slow or leave, for slow.sh. What each does is its function's own first line.

    slow.py PORT stall PATH SECONDS     asks for lines, takes a little, then nothing for a while; says whether the end came
    slow.py PORT trickle PATH SECONDS   takes a little of the lines now and then, for so long; then all, and says the last line
    slow.py PORT writers COUNT          that many PUTs, a byte at a time while others are served; says how many were stored
    slow.py PORT polls COUNT            waits for changes as often as one address may, and once more
    slow.py PORT leave                  goes away in the middle of each kind of answer
"""
import http.client
import json
import select
import socket
import sys
import time

PORT = int(sys.argv[1])


def connect(small=False):
    s = socket.socket()
    if small:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.settimeout(60)
    s.connect(("127.0.0.1", PORT))
    return s


def ask(path, accept="application/x-ndjson", method="GET", body=b"", small=True):
    s = connect(small)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
    s.sendall(head.encode() + body)
    return s


def rest(s):
    """All that still comes, until the connection ends or the last chunk is there."""
    got = b""
    while not got.endswith(b"\r\n0\r\n\r\n"):
        part = s.recv(1 << 20)
        if not part:
            break
        got = (got + part)[-(1 << 16):]
    return got


def stall(path, seconds):
    s = ask(path)
    s.recv(1000)
    time.sleep(float(seconds))
    print("whole" if rest(s).endswith(b"\r\n0\r\n\r\n") else "cut")


def trickle(path, seconds):
    s = ask(path, small=False)
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        s.recv(50000)
        time.sleep(0.05)
    lines = [l for l in rest(s).split(b"\n") if l.startswith(b"{")]
    print(lines[-1].decode())


def quick():
    """How long somebody else waits for an answer, in seconds."""
    began = time.monotonic()
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    c.request("GET", "/v1/kv/small")
    answer = c.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return time.monotonic() - began


def writers(count):
    count = int(count)
    body = b"x" * 40
    sockets = []
    for n in range(count):
        s = connect()
        s.sendall(f"PUT /v1/kv/slow-{n} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        sockets.append(s)
    waits = []
    for at in range(len(body)):
        for s in sockets:
            s.sendall(body[at:at + 1])
        if at % 10 == 0:
            waits.append(quick())
    stored = sum(s.recv(4096).startswith(b"HTTP/1.1 201") for s in sockets)
    assert max(waits) < 20, waits
    print(stored)


def leave():
    """Each is asked for, of each a few bytes or none are taken, and the connection is reset or closed."""
    batch = json.dumps({"ops": [{"get": {"key": f"big-{i}"}} for i in range(9)]}).encode()
    write = json.dumps({"ops": [{"put": {"key": f"left-{i}", "value": "v" * 1000}} for i in range(900)]}).encode()
    kinds = [
        ("/v1/kv/big-1", "*/*", "GET", b""), ("/get?key=big-1", "*/*", "GET", b""), ("/v1/kv?prefix=big&limit=200", "application/json", "GET", b""),
        ("/v1/kv?count_only=true", "*/*", "GET", b""), ("/v1/kv", "application/x-ndjson", "GET", b""),
        ("/v1/changes?since=0&limit=300", "application/json", "GET", b""), ("/v1/changes?timeout=3&prefix=never", "application/json", "GET", b""),
        ("/v1/changes?since=0", "text/event-stream", "GET", b""), ("/v1/changes?prefix=never", "text/event-stream", "GET", b""),
        ("/v1/batch", "*/*", "POST", batch), ("/v1/batch", "*/*", "POST", write), ("/v1/kv/left", "*/*", "PUT", b"x" * 300000),
        ("/v1/kv/left?op=incr", "*/*", "POST", b""), ("/v1/kv?prefix=gone", "*/*", "DELETE", b""), ("/metrics", "*/*", "GET", b""), ("/v1/stats", "*/*", "GET", b""),
        ("/set", "*/*", "POST", b'{"key":"left","value":"' + b"v" * 300000 + b'"}'), ("/v1/admin/jobs", "*/*", "GET", b""),
        ("/v1/admin/checkpoints", "*/*", "GET", b""), ("/v1/openapi.json", "*/*", "GET", b""), ("/ui/js/app.js", "*/*", "GET", b""),
        ("/nowhere", "*/*", "GET", b""), ("/v1/admin/verify", "*/*", "POST", b""), ("/v1/admin/compact", "*/*", "POST", b""), ("/v1/admin/flush", "*/*", "POST", b""),
    ]
    for number, (take, reset) in enumerate(((0, True), (1, False), (20000, True))):
        removed = [(f"/del/big-{97 + number}", "*/*", "DELETE", b""), (f"/v1/admin/checkpoint?name=left-{number}", "*/*", "POST", b"")]
        for path, accept, method, body in kinds + removed:
            s = ask(path, accept, method, body)
            if reset:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            got = 0
            while got < take and select.select([s], [], [], 0.02)[0]:
                part = s.recv(take - got)
                got += len(part)
                if not part:
                    break
            s.close()
    print("left")


def polls(count):
    """That many wait for changes; one more is refused, and let in once another has left."""
    def poll(timeout):
        return ask(f"/v1/changes?prefix=never&timeout={timeout}", "application/json", small=False)
    waiting = [poll(50) for _ in range(int(count))]
    until = time.monotonic() + 60
    while time.monotonic() < until:         # until all of them are there
        c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        c.request("GET", "/v1/stats")
        if json.loads(c.getresponse().read())["parked"] >= len(waiting):
            break
        time.sleep(0.1)
    refused = poll(0).recv(4096)
    assert refused.startswith(b"HTTP/1.1 429") and b"urn:siltstone:problem:too-many-requests" in refused, refused
    answered = select.poll()
    for s in waiting:
        answered.register(s, select.POLLIN)
    assert not answered.poll(0), "one that waits was answered"
    waiting.pop().close()
    while not poll(0).recv(4096).startswith(b"HTTP/1.1 200"):
        assert time.monotonic() < until + 60
        time.sleep(0.1)


{"stall": stall, "trickle": trickle, "writers": writers, "leave": leave, "polls": polls}[sys.argv[2]](*sys.argv[3:])
