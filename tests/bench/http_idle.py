# SPDX-License-Identifier: Apache-2.0
"""
http_idle.py PORT CLIENTS POLLS - those who do nothing, for http_table.py: CLIENTS that asked once and keep their connection, and POLLS
that wait for a change under quiet/. Says `held ...` when all are there; on a line on stdin it asks for every idle one again, sees
whether every poll is told of quiet/now, and says how many were answered.
"""
import re
import select
import socket
import sys
import time

IDLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POLL = b"GET /v1/changes?prefix=quiet/&timeout=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Holder:
    """Clients that ask once and stay, and polls that ask again whenever they are answered with nothing."""

    def __init__(self, port, clients, polls):
        self.port, self.polls = port, polls
        self.epoll = select.epoll()
        self.sockets = {}
        self.idle = []
        self.busy = set()       # of the idle ones: asked, and not answered
        self.waiting = set()    # of the polls
        self.found = set()      # polls that were told of a change
        self.part = {}
        for n in range(clients + polls):
            self.connect(n < clients)
            if len(self.busy) > 200:
                self.turn(lambda: len(self.busy) <= 100, 60)
        self.turn(lambda: not self.busy, 60)

    def connect(self, idle):
        s = socket.create_connection(("127.0.0.1", self.port), 30)
        s.setblocking(False)
        self.sockets[s.fileno()] = s
        self.epoll.register(s, select.EPOLLIN)
        if idle:
            self.idle.append(s.fileno())
            self.ask(s.fileno())
        else:
            self.poll(s.fileno())

    def ask(self, fd):
        self.busy.add(fd)
        self.sockets[fd].send(IDLE)

    def poll(self, fd):
        self.waiting.add(fd)
        self.sockets[fd].send(POLL)

    def read(self, fd):
        try:
            got = self.sockets[fd].recv(65536)
        except BlockingIOError:
            return
        if not got:
            self.epoll.unregister(fd)
            self.sockets.pop(fd).close()
            self.busy.discard(fd)
            self.waiting.discard(fd)
            if fd in self.idle:     # nginx ends what was idle for 75 s
                self.idle.remove(fd)
                self.connect(True)
            return
        text = self.part.pop(fd, b"") + got
        head, end, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not end or (length and len(body) < int(length[1])):
            self.part[fd] = text
            return
        if fd in self.busy:
            if head.startswith(b"HTTP/1.1 200"):
                self.busy.remove(fd)
            return
        self.waiting.discard(fd)
        if b"quiet/now" in body:
            self.found.add(fd)
        elif head.startswith(b"HTTP/1.1 200"):
            self.poll(fd)

    def turn(self, done, seconds):
        until = time.monotonic() + seconds
        while not done() and time.monotonic() < until:
            for fd, _ in self.epoll.poll(0.2, 1024):
                if fd == 0:
                    return
                self.read(fd)


def hold(port, clients, polls):
    h = Holder(port, clients, polls)
    print(f"held {len(h.idle)} clients and {len(h.waiting)} polls" if len(h.idle) == clients and len(h.waiting) == polls and not h.busy
          else f"not held: {len(h.idle)} clients, {len(h.busy)} of them unanswered, {len(h.waiting)} polls", flush=True)
    h.epoll.register(0, select.EPOLLIN)
    h.turn(lambda: False, 1200)         # until a word comes on stdin
    h.epoll.unregister(0)
    for fd in list(h.idle):
        if fd in h.sockets and fd not in h.busy:
            h.ask(fd)
        if len(h.busy) > 500:
            h.turn(lambda: len(h.busy) <= 250, 30)
    h.turn(lambda: not h.busy and len(h.found) == polls, 30)
    print(f"{len(h.idle) - len(h.busy)} idle clients and {len(h.found)} polls answered", flush=True)


if __name__ == "__main__":
    hold(*map(int, sys.argv[1:]))
