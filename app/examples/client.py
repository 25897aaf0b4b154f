#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""client.py [URL] - Siltstone with nothing but Python's standard library.

A value put, got, changed only if nobody else did; a counter; a list in pages and as a stream; a batch; a watch. What is refused comes
as application/problem+json and is raised as Problem. Uses keys that begin with example/py/.
"""
import http.client
import json
import sys
import threading
import time
from urllib.parse import quote, urlencode, urlsplit


class Problem(Exception):
    """The server said no. `kind` is the last word of its type, e.g. condition-failed; `id` stands in the server's log too."""

    def __init__(self, status, members):
        self.status = status
        self.members = members
        self.kind = members.get("type", "").rpartition(":")[2]
        self.version = members.get("version")
        self.id = members.get("id")
        super().__init__(f"{status} {members.get('title')}: {members.get('detail')} (id {self.id})")


class Unknown(Exception):
    """No whole answer came to a write: it was done, or it was not. A condition makes trying again safe."""


class Store:
    """One connection; one thread at a time."""

    def __init__(self, url):
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=70)

    def _send(self, method, path, query, body, headers):
        """The answer, its body unread; raises Problem for 400 and above."""
        if query:
            path += "?" + urlencode(query)
        for attempt in range(5):
            try:
                self._connection.request(method, path, body=body, headers=headers)
                answer = self._connection.getresponse()
                content = answer.read() if answer.status >= 400 else b""
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if method != "GET":
                    raise Unknown(f"{method} {path}: {error}") from error
                if attempt == 4:
                    raise
                continue
            if answer.status < 400:
                return answer
            try:
                members = json.loads(content)
            except ValueError:
                members = {"title": content[:200].decode(errors="replace")}
            problem = Problem(answer.status, members)
            if members.get("outcome") == "unknown" and method != "GET":
                raise Unknown(f"{method} {path}: {problem}") from problem
            # 429 and 503: refused before anything was done; later, when the server says so
            later = int(answer.headers.get("Retry-After", "0"))
            if answer.status not in (429, 503) or later > 10 or attempt == 4:
                raise problem
            time.sleep(later)

    def ask(self, method, path, *, query=None, body=None, headers=None):
        """(status, headers, bytes)"""
        answer = self._send(method, path, query, body, headers or {})
        try:
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unknown(f"{method} {path}: {error}") from error

    @staticmethod
    def _at(key):
        # `quote` leaves slashes as they are; a key with a dot segment or a NUL travels as ?key=
        return "/v1/kv/" + quote(key)

    def put(self, key, value, *, etag=None, content_type="application/octet-stream", ttl=None):
        """Writes bytes, with `etag` only over what has it ("*": over anything). The new ETag."""
        headers = {"Content-Type": content_type}
        if etag is not None:
            headers["If-Match"] = etag
        _, got, _ = self.ask("PUT", self._at(key), query={"ttl": ttl} if ttl else None, body=value, headers=headers)
        return got["ETag"]

    def get(self, key):
        """(bytes, ETag), or None."""
        try:
            _, headers, content = self.ask("GET", self._at(key))
        except Problem as problem:
            if problem.status == 404:
                return None
            raise
        return content, headers["ETag"]

    def change(self, key, function):
        """Writes function(value) over value; again from the start where somebody was faster."""
        while True:
            value, etag = self.get(key)
            try:
                return self.put(key, function(value), etag=etag)
            except Problem as problem:
                if problem.status != 412:
                    raise

    def increment(self, key, by=1):
        return json.loads(self.ask("POST", self._at(key), query={"op": "incr", "by": by})[2])["value"]

    def items(self, **bounds):
        """The entries of a range, page by page."""
        cursor = {}
        while True:
            page = json.loads(self.ask("GET", "/v1/kv", query={**bounds, **cursor})[2])
            yield from page["items"]
            if "cursor" not in page:
                return
            cursor = {"cursor": page["cursor"]}

    def stream(self, **bounds):
        """The same of one moment and of any size, as the lines come."""
        answer = self._send("GET", "/v1/kv", bounds, None, {"Accept": "application/x-ndjson"})
        for line in answer:
            item = json.loads(line)
            if "error" in item:
                raise Problem(item["error"].get("status", 500), item["error"])
            if "end" in item:
                answer.read()
                return
            yield item
        raise OSError("the stream was cut short")

    def batch(self, ops, conditions=()):
        body = json.dumps({"if": list(conditions), "ops": ops})
        return json.loads(self.ask("POST", "/v1/batch", body=body, headers={"Content-Type": "application/json"})[2])

    def changes(self, since, **query):
        """What was written after version `since`, and the version to go on from; waits `timeout` seconds where there is nothing."""
        answer = json.loads(self.ask("GET", "/v1/changes", query={"since": since, **query})[2])
        return answer["changes"], answer["next"]


def main(url):
    store = Store(url)
    key = "example/py/note"

    store.put(key, b"first", content_type="text/plain; charset=utf-8")
    value, etag = store.get(key)
    assert value == b"first"
    print("put and got:", value, etag)
    assert store.get("example/py/nothing") is None

    # change it only if it is still what was read
    store.put(key, b"second", etag=etag)
    try:
        store.put(key, b"third", etag=etag)
        raise AssertionError("a stale ETag was taken")
    except Problem as problem:
        assert problem.status == 412 and problem.kind == "condition-failed"
        print("refused, for somebody was faster: it is at version", problem.version, "now")
    store.change(key, lambda value: value + b" and more")
    assert store.get(key)[0] == b"second and more"

    # a counter: exact, whoever counts beside you
    print("visits:", store.increment("example/py/visits", 2))

    # a list in pages, and as a stream
    for i in range(5):
        store.put(f"example/py/list/{i}", b"item %d" % i)
    paged = [item["key"] for item in store.items(prefix="example/py/list/", limit=2)]
    streamed = [item["key"] for item in store.stream(prefix="example/py/list/")]
    assert paged == streamed and len(paged) == 5
    print("listed and streamed:", len(paged))

    # a batch: all or nothing
    version = int(store.get(key)[1].strip('"'))
    conditions = [{"key": key, "version": version}]
    ops = [{"put": {"key": "example/py/copy", "value": "kept"}}, {"get": {"key": "example/py/visits"}}, {"delete": {"key": key}}]
    answer = store.batch(ops, conditions)
    print("batch: version", answer["version"])
    try:
        store.batch(ops, conditions)
        raise AssertionError("a condition that does not hold was taken")
    except Problem as problem:
        assert problem.status == 412
        print("the same again is refused:", problem.members["key"], "is at version", problem.version)

    # watch: somebody else writes, with a connection of his own
    other = threading.Timer(0.2, lambda: Store(url).put("example/py/watched", b"news"))
    other.start()
    try:
        found, after = store.changes(answer["version"], prefix="example/py/", timeout=30)
    except Problem as problem:
        if problem.status == 410:
            print("older than the log that is kept: list the keys anew, and watch from the list's version")
        raise
    other.join()
    print("changed:", [(change["op"], change["key"]) for change in found], "from here on since =", after)
    assert found[0]["key"] == "example/py/watched" and found[0]["value"] == "news"

    print("deleted:", json.loads(store.ask("DELETE", "/v1/kv", query={"prefix": "example/py/"})[2])["deleted"])


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8080")
    except (Problem, Unknown, OSError) as error:
        sys.exit(f"client.py: {error}")
