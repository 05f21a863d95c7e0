#!/usr/bin/python3
"""The same key goes to the same server as in HAProxy, with each kind of key, each kind of map, and after changes at run time.

Both programs get one file and the same requests; a third one answers on all ports of the farm with the port it was asked at.
HAPROXY_ORACLE is the binary to compare with (Debian's by default; kinds that only 3.x knows are left out for 2.x); BALANCE_KEYS how many
keys a kind (`make interop` takes 10,000). As a program it prints each kind with its number of differences.
"""
import os, pathlib, random, re, socket, subprocess, sys, tempfile, time, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
ORACLE = os.environ.get("HAPROXY_ORACLE", "/usr/sbin/haproxy")
KEYS = int(os.environ.get("BALANCE_KEYS", "150"))
HOST, FARM, FRONT = "127.0.0.1", 25100, {"telamon": 25000, "oracle": 25050}
WEIGHTS = {"equal": (1,) * 7, "weighted": (3, 5, 2, 7, 1, 10)}
IDS = {3: " id 1048580", 4: " id 74", 5: " id 268435470"}
DOWN = "s3"  # in maintenance in the second phase

R = random.Random(20261121)


def word(n=16, extra="-._%"):
    return "".join(R.choice("abcdefghijklmnopqrstuvwxyz0123456789" + extra) for _ in range(R.randrange(1, n)))


def get(target="/", **fields):
    return (f"GET {target} HTTP/1.1\r\nhost: a\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode()


def uri():
    return "/" + "/".join(word() for _ in range(R.randrange(1, 6))) + R.choice(("", "/", "?", "?a=b", "?x/y?z", "?k=" + word()))


def domain():
    return ".".join(word(8, "-") for _ in range(R.randrange(1, 6))) + R.choice(("", ":80", "."))


# name: (lines of the backend, a request with a new key, needs 3.x)
KINDS = {
    "uri": ("balance uri", lambda: get(uri()), False),
    "uri-len": ("balance uri len 9", lambda: get(uri()), False),
    "uri-depth": ("balance uri depth 2", lambda: get(uri()), False),
    "uri-whole": ("balance uri whole len 20 depth 3", lambda: get(uri()), False),
    "uri-path": ("balance uri path-only\n    hash-type consistent", lambda: get(uri()), False),
    "uri-djb2": ("balance uri\n    hash-type map-based djb2", lambda: get(uri()), False),
    "uri-crc32": ("balance uri\n    hash-type consistent crc32", lambda: get(uri()), False),
    "param": ("balance url_param k", lambda: get(f"/?a=1&k={word(16, '')}&b"), False),
    "param-ring": ("balance url_param k\n    hash-type consistent djb2 avalanche", lambda: get(f"/x?k={word(16, '+;')}"), False),
    "hdr": ("balance hdr(X-Key)\n    hash-type map-based sdbm avalanche", lambda: get(**{"x-key": "k" + word(20, " ,;")}), False),
    "hdr-ring": ("balance hdr(x-key)\n    hash-type consistent", lambda: get(**{"x-key": word(20)}), False),
    "hdr-domain": ("balance hdr(x-key) use_domain_only", lambda: get(**{"x-key": domain()}), False),
    "hash-text": ("balance hash req.hdr(x-key),lower", lambda: get(**{"x-key": word().upper()}), True),
    "hash-number": ("balance hash req.hdr_val(x-key)\n    hash-type consistent", lambda: get(**{"x-key": R.randrange(1 << 31)}), True),
    "hash-address": ("balance hash req.hdr_ip(x-key)", lambda: get(**{"x-key": f"10.1.{R.randrange(256)}.{R.randrange(256)}"}), True),
    "hash-none": ("balance hash req.hdr(x-key)\n    hash-type consistent none", lambda: get(**{"x-key": R.randrange(1 << 32)}), True),
    "key-addr": ("balance uri\n    hash-type consistent\n    default-server hash-key addr", lambda: get(uri()), True),
    "key-port": ("balance uri\n    hash-type consistent\n    default-server hash-key addr-port", lambda: get(uri()), True),
    "source": ("balance source", None, False),
    "source-ring": ("balance source\n    hash-type consistent", None, False),
}
ALONE = ("source", "source-ring")  # each key on a connection of its own


def version(binary):
    return int(re.search(r"version (\d+)", subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stdout)[1])


def kinds():
    new = version(ORACLE) >= 3
    return {k: v for k, v in KINDS.items() if new or not v[2]}


def ports(side):
    """(kind, farm) -> port"""
    return {(k, f): FRONT[side] + 2 * i + j for i, k in enumerate(KINDS) for j, f in enumerate(WEIGHTS)}


def config(side, sock):
    text = f"""global
    stats socket {sock} level admin
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
"""
    for (kind, farm), port in ports(side).items():
        if kind in kinds():
            text += f"listen {kind}.{farm}\n    bind {HOST}:{port}\n    {KINDS[kind][0]}\n"
            for i, w in enumerate(WEIGHTS[farm]):
                text += f"    server s{i + 1} 127.0.0.{i + 1}:{FARM + i} weight {w}{IDS.get(i, '') if farm == 'weighted' else ''}\n"
    return text


FARM_CONFIG = f"""defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend farm
    bind {",".join(f"127.0.0.{i + 1}:{FARM + i}" for i in range(10))}
    http-request return status 200 content-type text/plain lf-string "%[dst_port]"
"""


class Client:
    def __init__(self, port, source=HOST):
        self.sock = socket.create_connection((HOST, port), 20, (source, 0))
        self.buf = b""

    def answer(self):
        while True:
            end = self.buf.find(b"\r\n\r\n")
            if end >= 0:
                length = int(re.search(rb"(?i)content-length: *(\d+)", self.buf[:end])[1])
                if len(self.buf) >= end + 4 + length:
                    head, body = self.buf[:end], self.buf[end + 4:end + 4 + length]
                    self.buf = self.buf[end + 4 + length:]
                    return body.decode() if b" 200 " in head[:14] else head[:14].decode()
            got = self.sock.recv(65536)
            if not got:
                raise EOFError(self.buf)
            self.buf += got

    def ask(self, requests):
        out = []
        for i in range(0, len(requests), 50):
            self.sock.sendall(b"".join(requests[i:i + 50]))
            out += [self.answer() for _ in requests[i:i + 50]]
        return out

    def close(self):
        self.sock.close()


class Pair:
    """Both programs over one farm."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="balance-")
        self.procs = []
        self.run(ORACLE, FARM_CONFIG, "farm")
        for side, binary in (("telamon", TELAMON), ("oracle", ORACLE)):
            self.run(binary, config(side, self.sock(side)), side)
        for port in (FARM, max(p for (k, _), p in ports("telamon").items() if k in kinds()),
                     max(p for (k, _), p in ports("oracle").items() if k in kinds())):
            self.wait(port)

    def sock(self, side):
        return f"{self.dir.name}/{side}.sock"

    def run(self, binary, text, name):
        path = f"{self.dir.name}/{name}.cfg"
        pathlib.Path(path).write_text(text, encoding="ascii")
        with open(f"{self.dir.name}/{name}.err", "wb") as err:
            self.procs.append(subprocess.Popen([binary, "-db", "-f", path], stdout=err, stderr=err))

    def wait(self, port):
        for _ in range(600):
            try:
                socket.create_connection((HOST, port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("\n".join(p.read_text() for p in pathlib.Path(self.dir.name).glob("*.err")))

    def cli(self, command):
        for side in FRONT:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(20)
                s.connect(self.sock(side))
                s.sendall(command.encode() + b"\n")
                answer = b""
                while got := s.recv(65536):
                    answer += got
                if answer.strip():
                    raise RuntimeError(f"{side}: {command}: {answer.decode()}")

    def stop(self):
        for p in self.procs:
            p.terminate()
        for p in self.procs:
            p.wait(20)
        self.dir.cleanup()

    def servers(self, side, kind, farm, keys):
        port = ports(side)[(kind, farm)]
        if kind not in ALONE:
            c = Client(port)
            try:
                return c.ask(keys)
            finally:
                c.close()
        out = []
        for key in keys:
            c = Client(port, key)
            out += c.ask([get()])
            c.close()
        return out

    def differences(self, kind, farm):
        make = KINDS[kind][1] or (lambda: f"127.{R.randrange(1, 255)}.{R.randrange(256)}.{R.randrange(1, 255)}")
        keys = [make() for _ in range(max(KEYS // 4, 100) if kind in ALONE else KEYS)]
        a, b = (self.servers(side, kind, farm, keys) for side in FRONT)
        return [(k, x, y) for k, x, y in zip(keys, a, b) if x != y and self.is_sure(kind, farm, k, y)], len(set(b))

    def is_sure(self, kind, farm, key, server):
        """One domain (hdr-domain) in 200 goes elsewhere in HAProxy 2.6 and 3.4, and back when it is asked for again."""
        return set(self.servers("oracle", kind, farm, [key] * 5)) == {server}


def phases(pair):
    """All up; one down; one down and other weights; all up again."""
    yield "up", None
    for kind in kinds():
        for farm in WEIGHTS:
            pair.cli(f"set server {kind}.{farm}/{DOWN} state maint")
    yield "down", None
    for kind in kinds():
        if "consistent" in KINDS[kind][0]:
            for i, percent in ((1, 300), (2, 50), (5, 0)):
                pair.cli(f"set weight {kind}.weighted/s{i} {percent}%")
    yield "other weights", "consistent"
    for kind in kinds():
        for farm in WEIGHTS:
            pair.cli(f"set server {kind}.{farm}/{DOWN} state ready")
    yield "up again", None


def all_differences(pair):
    for phase, only in phases(pair):
        for kind in kinds():
            for farm in WEIGHTS:
                if (only is None or only in KINDS[kind][0]) and not (farm == "equal" and only):
                    yield phase, kind, farm, *pair.differences(kind, farm)


class Balance(unittest.TestCase):
    def test_same_servers_as_haproxy(self):
        pair = Pair()
        self.addCleanup(pair.stop)
        for phase, kind, farm, wrong, servers in all_differences(pair):
            with self.subTest(phase=phase, kind=kind, farm=farm):
                self.assertEqual([], wrong[:3], f"{len(wrong)} differences")
                self.assertGreater(servers, 2)


def main():
    pair, bad, n = Pair(), 0, 0
    try:
        for phase, kind, farm, wrong, servers in all_differences(pair):
            bad, n = bad + len(wrong), n + 1
            print(f"{'not ' if wrong else ''}ok - {phase}: {kind}, {farm}: {len(wrong)} differences, {servers} servers", *wrong[:2], flush=True)
    finally:
        pair.stop()
    print(f"1..{n}")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
