"""A reload that changes nbthread: a new worker on the same sockets, the old one retires. Clients that never retry see no error.

New connections, keep-alive (closed when the answer says so), TCP echo tunnels that live through, large bodies, all hashed. SWAPS (6) times
1 -> 2 -> 4 -> 2 -> 1 ... threads.
"""
import hashlib, os, random, signal, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, listen_inodes, note, ok, serve, stat, wait_for

WEB, TCP, BACK, ECHO, DEAD = 22100, 22101, 22110, 22120, 22130
SWAPS = int(os.environ.get("SWAPS", "6"))
BLOB = random.Random(9).randbytes(2_000_000)
SUM = hashlib.sha256(BLOB).hexdigest()
stop, errors, counted, lock = threading.Event(), [], {}, threading.Lock()
MASTER, CLI = f"{TMP}/master.sock", f"{TMP}/cli.sock"


def web(n):
    def run(c):
        f = c.makefile("rb")
        while line := f.readline():
            while f.readline() not in (b"\r\n", b""):
                pass
            body = BLOB if b"/blob" in line else b"%d" % n
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return run


def echo(c):
    while d := c.recv(65536):
        c.sendall(d)


def config(threads):
    return f"""
global
    nbthread {threads}
    stats socket {CLI} level admin
defaults
    timeout connect 3s
    timeout client 20s
    timeout server 20s
    timeout tunnel 1m
    timeout http-keep-alive 5s
frontend web
    mode http
    bind {HOST}:{WEB}
    default_backend app
backend app
    mode http
    balance roundrobin
    http-reuse always
    server s0 {HOST}:{BACK}
    server s1 {HOST}:{BACK + 1}
    server s2 {HOST}:{BACK + 2}
    server dead {HOST}:{DEAD} check inter 200ms fall 2
listen tcp
    mode tcp
    bind {HOST}:{TCP}
    server e {HOST}:{ECHO}
"""


def exchange(f, s, data):
    """One request: its body, and whether the connection may be used again."""
    s.sendall(data)
    line = f.readline()
    if b" 200 " not in line:
        raise OSError(f"status line {line!r}")
    length, more = 0, True
    while (h := f.readline()) not in (b"\r\n", b""):
        name, value = h.lower().split(b":", 1)
        length = int(value) if name == b"content-length" else length
        more = more and not (name == b"connection" and b"close" in value)
    body = f.read(length)
    if len(body) != length:
        raise OSError(f"{len(body)} of {length} bytes")
    if body == b"2":
        raise OSError("an answer of the drained server")
    return body, more


def client(kind, session):
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
        exchange(f, s, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    count()
    time.sleep(0.003)


def kept(count):
    with socket.create_connection((HOST, WEB), 5) as s, s.makefile("rb") as f:
        more = True
        while more and not stop.is_set():
            _, more = exchange(f, s, b"GET /k HTTP/1.1\r\nHost: a\r\n\r\n")
            count()
            stop.wait(random.random() / 2)


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
        body, _ = exchange(f, s, b"GET /blob HTTP/1.1\r\nHost: a\r\n\r\n")
        if hashlib.sha256(body).hexdigest() != SUM:
            raise OSError("wrong hash")
        count()
    stop.wait(0.05)


def current():
    """Pid of the worker that serves now."""
    answer = cli(MASTER, "@1 show info")
    return int(answer.split("\nPid: ")[1].split()[0]) if "\nPid: " in answer else 0


for k in range(3):
    serve(web(k), BACK + k)
serve(echo, ECHO)
t0 = time.monotonic()
t = Telamon(config(1), "-W", "-S", MASTER, port=WEB)
wait_for(lambda: os.path.exists(CLI))
first = wait_for(current)
cli(CLI, "set server app/s2 state drain")
ok(wait_for(lambda: stat(CLI)[("app", "dead")]["status"] == "DOWN"), "a server is found dead", cli(CLI, "show stat"))
was = listen_inodes(WEB)
threads = [threading.Thread(target=client, args=(kind, fn), daemon=True) for kind, fn, n in (("new", fresh, 3), ("keep-alive", kept, 8), ("tunnel", tunnel, 3), ("large", large, 2)) for _ in range(n)]
for th in threads:
    th.start()
time.sleep(0.5)
pids, n_threads = [first], []
for i in range(SWAPS):
    n = (2, 4, 2, 1)[i % 4]
    t.cfg.write_text(config(n))
    answer = cli(MASTER, "reload", 30)
    pids.append(current())
    got = cli(MASTER, "@1 show info").split("\nNbthread: ")[1].split()[0]
    n_threads.append(got == str(n))
    if "Success=1" not in answer or errors:
        errors.append(f"swap {i}: {answer}")
        break
    if i == 0:
        table = cli(MASTER, "show proc")
        ok("# old workers" in table and f"{first} " in table.split("# old workers")[1], "the old worker is listed while it has sessions", table)
        ok("Pid: %d\n" % first in cli(MASTER, f"@!{first} show info"), "and answers by its pid", cli(MASTER, f"@!{first} show info"))
        ok("Pid: %d\n" % pids[1] in cli(CLI, "show info"), "the stats socket is the new worker's")
        rows = stat(CLI)
        ok(rows[("app", "s2")]["status"].startswith("DRAIN"), "the drain is kept", rows[("app", "s2")])
        ok(rows[("app", "dead")]["status"] == "DOWN", "who was down is down in the new worker at once", rows[("app", "dead")])
    time.sleep(0.5)
ok(not errors, "no client and no reload failed", errors[:20] + t.output().splitlines()[-15:])
ok(n_threads and all(n_threads) and len(set(pids)) == SWAPS + 1, "each reload brought a new worker with its number of threads", [n_threads, pids])
ok(was <= listen_inodes(WEB), "no listening socket was closed", [was, listen_inodes(WEB)])
one = cli(MASTER, "show proc")
stop.set()
for th in threads:
    th.join(10)
ok(not errors and min(counted.values()) > SWAPS and len(counted) == 4, f"exchanges: {dict(sorted(counted.items()))}", errors)
ok(wait_for(lambda: "# old workers" not in cli(MASTER, "show proc"), 15, 0.1), "the old workers leave when their sessions end", cli(MASTER, "show proc"))
ok(f"Former worker ({first}) exited with code 0 (Exit)" in t.output(), "and it is told", t.output()[-3000:])
note(one)

# hard-reload: a new worker at once, connections of the old one end
with socket.create_connection((HOST, TCP), 5) as s:
    s.sendall(b"x")
    s.recv(1)
    last = current()
    answer = cli(MASTER, "hard-reload", 30)
    s.settimeout(5)
    try:
        gone = s.recv(1) == b""
    except ConnectionError:
        gone = True
    ok("Success=1" in answer and gone and current() != last, "hard-reload: another worker, the tunnel is cut", answer)
ok(wait_for(lambda: f"Former worker ({last}) exited with code 143 (Terminated)" in t.output()), "and the old one was ended", t.output()[-1000:])

# a new worker that cannot start: the old one stays, with all its sockets
last, was = current(), listen_inodes(WEB)
t.cfg.write_text(config(4).replace("global", f"global\n    chroot {TMP}/nowhere"))
answer = cli(MASTER, "reload", 30)
ok("Success=0" in answer and "the old one serves on" in answer and current() == last, "a new worker that does not start changes nothing", answer)
ok(listen_inodes(WEB) == was, "and its sockets are closed", [was, listen_inodes(WEB)])
with socket.create_connection((HOST, WEB), 5) as s, s.makefile("rb") as f:
    ok(exchange(f, s, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")[1], "the old one serves on")
t.cfg.write_text(config(2))
answer = cli(MASTER, "reload", 30)
ok("Success=1" in answer and wait_for(lambda: current() != last), "the next reload tries again", answer)
ok(t.stop(signal.SIGTERM) == 0, "it ends", t.output()[-2000:])
done()
