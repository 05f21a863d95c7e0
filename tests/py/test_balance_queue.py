#!/usr/bin/python3
"""A key waits for its server: the queue of one server, its limit, what happens when the server goes, and who goes elsewhere.

WAITING_FOR=/usr/sbin/haproxy runs the same tests on HAProxy.
"""
import os, pathlib, re, socket, subprocess, tempfile, threading, time, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("WAITING_FOR") or os.environ.get("TELAMON", str(ROOT / "build/telamon"))
HOST, FRONT, SERVERS = "127.0.0.1", 25120, (25130, 25131)
CONFIG = """global
    log stdout format raw local0
    stats socket {sock} level admin
defaults
    mode http
    log global
    option httplog
    option httpclose
    timeout client 20s
    timeout server 20s
    timeout connect 20s
listen map
    bind 127.0.0.1:25120
    balance hdr(k)
    server s1 127.0.0.1:25130 maxconn 1 maxqueue 1
    server s2 127.0.0.1:25131 maxconn 1 maxqueue 1
listen ring
    bind 127.0.0.1:25121
    balance hdr(k)
    hash-type consistent
    server s1 127.0.0.1:25130 maxconn 1
    server s2 127.0.0.1:25131 maxconn 1
"""


class Server(threading.Thread):
    """Answers each request, with its port as the body, when it is told to."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.go, self.seen = port, threading.Semaphore(0), 0
        self.sock = socket.create_server((HOST, port))

    def run(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return  # stop() was here
            if c.recv(65536):
                self.seen += 1
                self.go.acquire()
                c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n%d" % self.port)
            c.close()


    def stop(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.go.release(100)
        self.join(20)


class Client(threading.Thread):
    def __init__(self, key, port=FRONT):
        super().__init__(daemon=True)
        self.request, self.port, self.status, self.body = f"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nk: {key}\r\n\r\n", port, None, None
        self.start()

    def run(self):
        with socket.create_connection((HOST, self.port), 30) as s:
            s.sendall(self.request.encode())
            answer = b""
            while got := s.recv(65536):
                answer += got
        self.status, self.body = int(answer[9:12]), answer.split(b"\r\n\r\n", 1)[1].decode()

    def result(self):
        self.join(30)
        return self.status, self.body


class Waiting(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="waiting-")
        self.addCleanup(self.dir.cleanup)
        self.servers = [Server(p) for p in SERVERS]
        for s in self.servers:
            s.start()
            self.addCleanup(s.stop)
        path = pathlib.Path(self.dir.name)
        (path / "a.cfg").write_text(CONFIG.format(sock=path / "sock"), encoding="ascii")
        self.log = path / "log"
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen([BINARY, "-db", "-f", str(path / "a.cfg")], stdout=log, stderr=log)
        self.addCleanup(self.proc.wait)
        self.addCleanup(self.proc.kill)
        self.until(lambda: (path / "sock").exists() and "map" in self.cli("show stat"))

    def cli(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            try:
                s.connect(f"{self.dir.name}/sock")
            except OSError:
                return ""
            s.sendall(command.encode() + b"\n")
            answer = b""
            while got := s.recv(65536):
                answer += got
            return answer.decode()

    def until(self, what):
        for _ in range(600):
            if what():
                return
            time.sleep(0.05)
        self.fail(self.cli("show stat") + self.log.read_text())

    def column(self, px, sv, name):
        lines = self.cli("show stat").lstrip("# ").splitlines()
        names = lines[0].split(",")
        for line in lines[1:]:
            f = line.split(",")
            if f[:2] == [px, sv]:
                return f[names.index(name)]
        return None

    def key_of(self, number):
        """A key of server 1 or 2 in the map: sdbm of one letter is its code."""
        return "b" if number == 1 else "a"

    def test_waits_and_maxqueue(self):
        one, other = self.servers
        first = Client(self.key_of(1))
        self.until(lambda: one.seen == 1)
        second = Client(self.key_of(1))
        self.until(lambda: self.column("map", "s1", "qcur") == "1")
        self.assertEqual("1", self.column("map", "s1", "qlimit"))
        self.assertEqual("0", self.column("map", "BACKEND", "qcur"))
        third = Client(self.key_of(1))  # the queue is full
        self.assertEqual(503, third.result()[0])
        other.go.release()
        self.assertEqual((200, "25131"), Client(self.key_of(2)).result())  # another key does not wait
        one.go.release()
        one.go.release()
        self.assertEqual([(200, "25130")] * 2, [first.result(), second.result()])
        self.assertEqual("1", self.column("map", "s1", "qmax"))
        self.until(lambda: self.log.read_text().count("GET / ") == 4)
        lines = self.log.read_text().splitlines()
        self.assertTrue(any(re.search(r" map/\S+ 0/-?\d+/-1/-1/\d+ 503 .* SQ-- ", x) for x in lines), lines)
        self.assertTrue(any(re.search(r" map/s1 .* 1/0 ", x) for x in lines), lines)  # srv_queue/backend_queue

    def test_server_goes(self):
        """Who waits for a server that goes asks again: its key has another server now."""
        one, other = self.servers
        first = Client(self.key_of(1))
        self.until(lambda: one.seen == 1)
        second = Client(self.key_of(1))
        self.until(lambda: self.column("map", "s1", "qcur") == "1")
        other.go.release()
        self.cli("set server map/s1 state maint")
        self.assertEqual((200, "25131"), second.result())
        one.go.release()
        self.assertEqual((200, "25130"), first.result())

    def test_client_leaves_the_queue(self):
        one = self.servers[0]
        first = Client(self.key_of(1))
        self.until(lambda: one.seen == 1)
        with socket.create_connection((HOST, FRONT)) as s:
            s.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nk: b\r\n\r\n")
            self.until(lambda: self.column("map", "s1", "qcur") == "1")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.until(lambda: self.column("map", "s1", "qcur") == "0")
        one.go.release()
        self.assertEqual((200, "25130"), first.result())

    def test_ring_waits_too(self):
        first = Client("x", FRONT + 1)
        self.until(lambda: self.servers[0].seen + self.servers[1].seen == 1)
        at = 0 if self.servers[0].seen else 1
        second = Client("x", FRONT + 1)
        self.until(lambda: self.column("ring", f"s{at + 1}", "qcur") == "1")
        self.servers[at].go.release()
        self.servers[at].go.release()
        self.assertEqual([(200, str(SERVERS[at]))] * 2, [first.result(), second.result()])


if __name__ == "__main__":
    unittest.main()
