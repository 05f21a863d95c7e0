"""RELOADS (20) reloads, each changing servers, a bind, a timeout and maxconn, under clients that never retry.

New connections, keep-alive with think times of 0-1 s, TCP echo tunnels and large bodies, all bodies hashed. Nothing may fail, the worker
stays the same process on the same listening sockets, and its sockets come back to where they were.
"""
import hashlib, os, random, signal, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, fds, listen_inodes, note, ok, rss_kib, serve, stat, wait_for

WEB, TCP, STILL, MOVING, BACK, ECHO, POOLED = 32210, 32211, 32212, 32220, 32230, 32240, 32241
RELOADS = int(os.environ.get("RELOADS", "20"))
BLOB = random.Random(7).randbytes(3_000_000)
SUM = hashlib.sha256(BLOB).hexdigest()
stop, errors, counted, lock = threading.Event(), [], {}, threading.Lock()
accepted = []


def web(c):
    """Keep-alive: /blob gives the blob, a POST its hash, all else a small body."""
    f = c.makefile("rb")
    while line := f.readline():
        length = 0
        while (h := f.readline()) not in (b"\r\n", b""):
            if h.lower().startswith(b"content-length:"):
                length = int(h.split(b":")[1])
        if line.startswith(b"POST"):
            body = hashlib.sha256(f.read(length)).hexdigest().encode()
        else:
            body = BLOB if b"/blob" in line else b"small"
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def echo(c):
    while d := c.recv(65536):
        c.sendall(d)


def pooled(c):
    """A server that counts what it accepts; a websocket's bytes come back."""
    accepted.append(c)
    f = c.makefile("rb")
    while f.readline():
        upgrade = False
        while (h := f.readline()) not in (b"\r\n", b""):
            upgrade |= h.lower().startswith(b"upgrade:")
        if upgrade:
            c.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            return echo(c)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstill")


def config(i):
    servers = [f"    server s{k} {HOST}:{BACK + k} weight {1 + (i + k) % 5}" + (f" maxconn {40 + i % 7}" if k == 2 else "") for k in range(4) if k == 0 or (i >> (k - 1)) & 1]
    return f"""
global
    nbthread 2
    maxconn {2000 + i}
    stats socket {TMP}/cli.sock level admin
defaults
    timeout connect 3s
    timeout client {20 + i % 3}s
    timeout server {20 + i % 5}s
    timeout tunnel 10m
frontend web
    mode http
    maxconn {1000 + i}
    bind {HOST}:{WEB}
    bind {HOST}:{MOVING + i % 3}
    default_backend app
backend app
    mode http
    balance roundrobin
    http-reuse always
{os.linesep.join(servers)}
listen tcp
    mode tcp
    maxconn {500 + i}
    bind {HOST}:{TCP}
    server e {HOST}:{ECHO} weight {1 + i % 9}
listen still
    balance roundrobin
    mode http
    timeout client 10m
    timeout server 10m
    http-reuse always
    bind {HOST}:{STILL}
    server pooled {HOST}:{POOLED} pool-purge-delay 1h
    server checked {HOST}:{ECHO} check inter 60s weight 0
    server dead {HOST}:1 check inter 200ms fall 1 weight 0
"""


def exchange(f, s, data):
    """One request; the body. Raises when the answer is not whole."""
    s.sendall(data)
    line = f.readline()
    if b" 200 " not in line:
        raise OSError(f"status line {line!r}")
    length = None
    while (h := f.readline()) not in (b"\r\n", b""):
        if h.lower().startswith(b"content-length:"):
            length = int(h.split(b":")[1])
    body = f.read(length)
    if len(body) != length:
        raise OSError(f"{len(body)} of {length} bytes")
    return body


def client(kind, session):
    """Runs session(count) until the end; a failure of any sort is kept, never repeated."""
    def count():
        with lock:
            counted[kind] = counted.get(kind, 0) + 1

    try:
        while not stop.is_set():
            session(count)
    except Exception as e:
        with lock:
            errors.append(f"{kind} at {time.monotonic() - t0:.3f}: {type(e).__name__} {e}")


def fresh(count):
    with socket.create_connection((HOST, WEB), 5) as s, s.makefile("rb") as f:
        if exchange(f, s, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") != b"small" or f.read(1):
            raise OSError("wrong body")
    count()
    time.sleep(0.005)


def kept(count):
    with socket.create_connection((HOST, WEB), 5) as s, s.makefile("rb") as f:
        while not stop.is_set():
            if exchange(f, s, b"GET /k HTTP/1.1\r\nHost: a\r\n\r\n") != b"small":
                raise OSError("wrong body")
            count()
            stop.wait(random.random())


def tunnel(count):
    with socket.create_connection((HOST, TCP), 5) as s, s.makefile("rb") as f:
        while not stop.is_set():
            data = os.urandom(1000)
            s.sendall(data)
            if f.read(1000) != data:
                raise OSError("not what was sent")
            count()
            stop.wait(0.02)


def large(count):
    with socket.create_connection((HOST, WEB), 5) as s, s.makefile("rb") as f:
        while not stop.is_set():
            if hashlib.sha256(exchange(f, s, b"GET /blob HTTP/1.1\r\nHost: a\r\n\r\n")).hexdigest() != SUM:
                raise OSError("wrong hash of a download")
            up = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BLOB) + BLOB
            if exchange(f, s, up).decode() != SUM:
                raise OSError("wrong hash of an upload")
            count()
            stop.wait(0.1)


for k in range(4):
    serve(web, BACK + k)
serve(echo, ECHO)
serve(pooled, POOLED)
t0 = time.monotonic()
t = Telamon(config(0), "-W", "-S", f"{TMP}/master.sock", port=WEB)
wait_for(lambda: os.path.exists(f"{TMP}/cli.sock"))


def reload(i):
    t.cfg.write_text(config(i))
    answer = cli(f"{TMP}/master.sock", "reload", 30)
    if "Success=1" not in answer:
        errors.append(f"reload {i}: {answer}")


def still(columns):
    """These columns of every row of the proxy that no reload changes."""
    return {n: [r[c] for c in columns.split()] for (p, n), r in stat(f"{TMP}/cli.sock").items() if p == "still"}


def sockets():
    """Sockets of the worker without the idle connections it pools, whose number the clients decide."""
    pools = sum(int(r["idle_conn_cur"] or 0) for r in stat(f"{TMP}/cli.sock").values() if r["svname"] not in ("FRONTEND", "BACKEND"))
    return len(fds(worker, "socket:")) - pools


COUNTED = "stot req_tot hrsp_2xx bin bout econ eresp wretr connect reuse status chkfail chkdown"
for i in range(1, 4):  # what is kept from the first ones on is there
    reload(i)
reload(0)
ok(wait_for(lambda: [r[0] for n, r in still("status").items() if n in ("checked", "dead")] == ["UP", "DOWN"]), "checks have spoken", still("status"))
upgraded = socket.create_connection((HOST, STILL), 5)
upgraded.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
got = upgraded.recv(4096)
ok(b" 101 " in got, "a websocket opens", got)
held = socket.create_connection((HOST, TCP), 5)
held.sendall(b"one")
ok(held.recv(10) == b"one", "so does a TCP session")
idle = socket.create_connection((HOST, STILL), 5)
with idle.makefile("rb") as f:
    ok(exchange(f, idle, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b"still", "a server connection is left in the pool")
wait_for(lambda: still("used_conn_cur idle_conn_cur")["pooled"][1] == "1")
untouched, reached = still(COUNTED), len(accepted)
worker = t.worker()
before = dict(inodes=listen_inodes(WEB) | listen_inodes(TCP), sockets=sockets(), rss=rss_kib(worker))
threads = [threading.Thread(target=client, args=(kind, fn), daemon=True) for kind, fn, n in (("new", fresh, 3), ("keep-alive", kept, 8), ("tunnel", tunnel, 3), ("large", large, 2)) for _ in range(n)]
for th in threads:
    th.start()
for i in range(1, RELOADS + 1):
    reload(i)
    stop.wait(0.1)
    if errors:
        break
reload(RELOADS - RELOADS % 24)  # as in the beginning: one server, the first moving bind
busy = rss_kib(worker)
stop.set()
for th in threads:
    th.join(10)
note(f"{RELOADS} reloads in {time.monotonic() - t0:.1f} s; exchanges: " + ", ".join(f"{k} {v}" for k, v in sorted(counted.items())))
ok(not errors, f"no client and no reload failed ({sum(counted.values())} exchanges)", errors[:20] + t.output().splitlines()[-10:])
ok(len(counted) == 4 and min(counted.values()) > RELOADS // 4, "every kind of client was busy throughout", counted)
ok(t.worker() == worker, "the worker is the same process")
ok(listen_inodes(WEB) | listen_inodes(TCP) == before["inodes"] and len(before["inodes"]) == 4, "the listening sockets are the same", [before["inodes"], listen_inodes(WEB), listen_inodes(TCP)])
settled = wait_for(lambda: sockets() <= before["sockets"], 8, 0.1)
ok(settled, f"sockets came back: {before['sockets']} before, {sockets()} after")
note(f"RSS {before['rss']} KiB before, {busy} KiB under load, {rss_kib(worker)} KiB after")
ok(still(COUNTED) == untouched, "counters and check states of a proxy that no reload changed are what they were", [untouched, still(COUNTED)])
with idle.makefile("rb") as f:
    exchange(f, idle, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
ok(len(accepted) == reached and still("reuse")["pooled"] != [untouched["pooled"][COUNTED.split().index("reuse")]], "its next request goes over the pooled connection of before", [reached, len(accepted)])
for name, s in (("websocket", upgraded), ("TCP session", held)):
    s.settimeout(5)
    s.sendall(name.encode())
    ok(s.recv(50) == name.encode(), f"the {name} of before, silent through all reloads, still carries")
    s.close()
idle.close()
got = stat(f"{TMP}/cli.sock")[("web", "FRONTEND")]
ok(int(got["req_tot"]) >= counted["new"] + counted["keep-alive"] + 2 * counted["large"], f"counters went on over all reloads: {got['req_tot']} requests")
ok(t.stop(signal.SIGTERM) in (0, 143), "it ends", t.output())
done()
