"""A DNS server for tests: answers by a table that the test changes while it runs; can be as wrong as asked.

    dns = FakeDns(25353); dns.set("web.test", a=["10.0.0.1"], aaaa=[]); ... dns.set("web.test", how="nx"); dns.close()

`how`: ok, nx, refused, servfail, drop, late (answered after `delay` seconds), wrong-id, garbage, short, truncated,
huge (more records than anybody wants), other-name (an answer to another question), cname (through one alias), loop (an
alias of itself), no-question.
"""
import socket, struct, threading, time

A, CNAME, AAAA = 1, 5, 28
RCODE = {"nx": 3, "refused": 5, "servfail": 2}


def name_bytes(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.rstrip(".").split(".") if x) + b"\0"


def read_name(pkt, at):
    labels = []
    while pkt[at]:
        labels.append(pkt[at + 1:at + 1 + pkt[at]].decode("ascii", "replace"))
        at += 1 + pkt[at]
    return ".".join(labels).lower(), at + 1


def record(name, kind, ttl, data):
    return name_bytes(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class FakeDns:
    def __init__(self, port, host="127.0.0.1"):
        self.table, self.asked, self.ids, self.payload, self.lock = {}, [], [], [], threading.Lock()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def set(self, name, how="ok", a=(), aaaa=(), ttl=60, delay=1.0):
        with self.lock:
            self.table[name.lower()] = {"how": how, A: list(a), AAAA: list(aaaa), "ttl": ttl, "delay": delay}

    def queries(self, name=None):
        with self.lock:
            return [q for q in self.asked if name is None or q[0] == name]

    def close(self):
        self.sock.close()

    def serve(self):
        while True:
            try:
                pkt, peer = self.sock.recvfrom(65535)
                self.answer(pkt, peer)
            except OSError:
                return
            except (IndexError, struct.error):
                continue

    def answer(self, pkt, peer):
        qid, = struct.unpack("!H", pkt[:2])
        name, at = read_name(pkt, 12)
        kind, = struct.unpack("!H", pkt[at:at + 2])
        arcount, = struct.unpack("!H", pkt[10:12])
        with self.lock:
            self.asked.append((name, kind))
            self.ids.append(qid)
            self.payload.append(struct.unpack("!H", pkt[at + 7:at + 9])[0] if arcount else 0)
            row = self.table.get(name, {"how": "nx", "ttl": 1, "delay": 0})
        if row["how"] == "late":
            threading.Timer(row["delay"], self.send, (self.reply(qid, pkt[12:at + 4], name, kind, row), peer)).start()
        else:
            out = self.reply(qid, pkt[12:at + 4], name, kind, row)
            if out is not None:
                self.send(out, peer)

    def send(self, data, peer):
        try:
            self.sock.sendto(data, peer)
        except OSError:
            pass

    def reply(self, qid, question, name, kind, row):
        how = row["how"]
        if how == "drop":
            return None
        if how == "garbage":
            return b"\xff" * 40
        if how == "wrong-id":
            qid = (qid + 1) & 0xffff
        if how == "other-name":
            question = name_bytes("other.test") + question[-4:]
        ips = row.get(kind, [])
        if how == "huge":
            ips = [f"127.9.{i // 250}.{i % 250 + 1}" for i in range(1500)] if kind == A else []
        family = socket.AF_INET if kind == A else socket.AF_INET6
        owner, body, count = name, b"", 0
        if how in ("cname", "loop"):
            target = "alias.test" if how == "cname" else name
            body, count, owner = record(name, CNAME, row["ttl"], name_bytes(target)), 1, target
        for ip in ips if how != "loop" else []:
            body += record(owner, kind, row["ttl"], socket.inet_pton(family, ip))
            count += 1
        flags = 0x8180 | RCODE.get(how, 0) | (0x0200 if how == "truncated" else 0)
        if how in RCODE or how == "truncated":
            body, count = b"", 0
        head = struct.pack("!HHHHHH", qid, flags, 0 if how == "no-question" else 1, count, 0, 0)
        out = head + (b"" if how == "no-question" else question) + body
        return out[:len(out) - 7] if how == "short" else out


if __name__ == "__main__":
    import sys
    server = FakeDns(int(sys.argv[1]))
    for entry in sys.argv[2:]:
        n, _, addrs = entry.partition("=")
        server.set(n, a=[x for x in addrs.split(",") if ":" not in x], aaaa=[x for x in addrs.split(",") if ":" in x])
    while True:
        time.sleep(3600)
