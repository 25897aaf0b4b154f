#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""holder PATH NOTIFY PIDFILE COMMAND... - systemd in small: listens on PATH, starts the responder with the socket and with the connections
that its predecessor stored (FDSTORE=1 on NOTIFY), and starts it again when it has ended, until told by SIGTERM. PIDFILE: "PID GENERATION"."""
import os
import signal
import socket
import sys

path, notify_path, pid_file, *command = sys.argv[1:]
listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listening.bind(path)
listening.listen(4096)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(notify_path)
notify.settimeout(0.02)
stored, child, over = [], 0, False


def end(*_):
    global over
    over = True
    if child:
        os.kill(child, signal.SIGTERM)


def hear():
    """One message, if there is one."""
    try:
        text, fds, _, _ = socket.recv_fds(notify, 4096, 16)
    except TimeoutError:
        return False
    lines = text.decode().splitlines()
    if "FDSTORE=1" in lines:
        assert "FDNAME=connection" in lines
        stored.extend(fds)
    if "FDSTOREREMOVE=1" in lines:
        assert "FDNAME=connection" in lines
        while stored:
            os.close(stored.pop())
    return True


def start():
    pid = os.fork()
    if pid:
        return pid
    given = [os.dup(fd) for fd in [listening.fileno()] + stored]
    high = max(given) + 1
    given = [os.dup2(fd, high + i) for i, fd in enumerate(given)]
    for i, fd in enumerate(given):
        os.dup2(fd, 3 + i, inheritable=True)
    os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=notify_path,
                      LISTEN_FDNAMES=":".join(["siltstone.socket"] + ["connection"] * len(stored)))
    os.execv(command[0], command)


signal.signal(signal.SIGTERM, end)
generation = 0
while not over:
    child = start()
    generation += 1
    with open(pid_file + ".new", "w") as f:
        f.write(f"{child} {generation}\n")
    os.rename(pid_file + ".new", pid_file)
    while True:
        hear()
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
    while hear():
        pass
    child = 0
    if status != 0:
        sys.exit(f"the responder ended with status {status}")
