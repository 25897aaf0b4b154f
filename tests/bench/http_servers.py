# SPDX-License-Identifier: Apache-2.0
"""
http_servers.py - for http_table.py: processes and their CPU time, a server under measurement, and the servers of others.
"""
import http.client
import json
import os
import re
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A server that does not start, or answers what it should not."""


# ---- processes ---------------------------------------------------------------------------------------------------------------

def parents():
    """pid -> (parent, name), of all processes."""
    table = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
                stat = f.read()
        except OSError:
            continue
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        table[int(pid)] = (int(stat[stat.rindex(")") + 2:].split()[1]), name)
    return table


def below(root, name):
    """The processes of that name that descend from root."""
    table = parents()
    found = []
    for pid, (parent, what) in table.items():
        while parent in table and parent != root:
            parent = table[parent][0]
        if parent == root and what == name:
            found.append(pid)
    return found


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="latin-1") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, what):
    for _ in range(400):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed(f"{what} does not start")


class Server:
    """Something that answers at a port: its processes, and what its CPU time is counted of."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.processes = []
        self.pids = []          # of the server itself
        self.nginx = []         # of the nginx in front of it
        self.log = os.devnull

    def stop(self):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.terminate()
                try:
                    p.wait(30)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        self.processes = []

    def ask(self, method, path, body=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        c.request(method, path, body, headers or {})
        answer = c.getresponse()
        content = answer.read()
        c.close()
        return answer, content


# ---- others ------------------------------------------------------------------------------------------------------------------

def nginx_alone(b, server, place, body):
    """An nginx of its own, with these lines in its http block."""
    os.mkdir(f"{place}/temp")
    temp = "".join(f"{kind}_temp_path {place}/temp/{kind};\n" for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
    with open(f"{place}/nginx.conf", "w", encoding="ascii") as f:
        f.write(("user root;\n" if os.getuid() == 0 else "") +
                f"daemon off;\npid {place}/nginx.pid;\nerror_log {place}/error.log error;\nworker_processes auto;\n"
                f"events {{ worker_connections 4096; }}\n"
                f"http {{\naccess_log off;\nsendfile on;\ntcp_nopush on;\nclient_max_body_size 33m;\n"
                f"keepalive_requests 100000;\n{temp}{body}\n}}\n")
    p = b.start(server, ["nginx", "-e", f"{place}/error.log", "-p", place, "-c", f"{place}/nginx.conf"], f"{place}/nginx.log")
    wait_for_port(server.port, p, "nginx")
    time.sleep(0.2)
    return [p.pid] + below(p.pid, "nginx")


def start_webdis(b):
    place = b.place("webdis")
    server = Server(free_port())
    b.servers.append(server)
    redis, webdis = free_port(), free_port()
    p = b.start(server, ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--dir", place, "--save", "",
                         "--appendonly", "yes", "--appendfsync", "always"], f"{place}/redis.log")
    wait_for_port(redis, p, "redis-server")
    server.pids.append(p.pid)
    with open(f"{place}/webdis.json", "w", encoding="ascii") as f:
        json.dump({"redis_host": "127.0.0.1", "redis_port": redis, "http_host": "127.0.0.1", "http_port": webdis, "threads": 2,
                   "daemonize": False, "database": 0, "verbosity": 0, "logfile": f"{place}/webdis.log"}, f)
    p = b.start(server, ["webdis", f"{place}/webdis.json"], f"{place}/webdis.out")
    wait_for_port(webdis, p, "webdis")
    server.pids.append(p.pid)
    server.nginx = nginx_alone(b, server, place, f"""
upstream webdis {{ server 127.0.0.1:{webdis}; keepalive 64; keepalive_requests 1000000; }}
server {{ listen 127.0.0.1:{server.port}; location / {{
	proxy_pass http://webdis; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}""")
    return server


def start_etcd(b):
    place = b.place("etcd")
    server = Server(free_port())
    b.servers.append(server)
    peer = f"http://127.0.0.1:{free_port()}"
    p = b.start(server, ["etcd", "--data-dir", f"{place}/data", "--listen-client-urls", server.url, "--advertise-client-urls",
                         server.url, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                         f"default={peer}", "--log-level", "error"], f"{place}/log")
    wait_for_port(server.port, p, "etcd")
    for _ in range(200):
        if server.ask("GET", "/health")[0].status == 200:
            break
        time.sleep(0.1)
    server.pids.append(p.pid)
    return server
