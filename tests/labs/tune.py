"""tune.rcvbuf, tune.sndbuf, tune.notsent-lowat, keep-alive counts, congestion control: by ss(8). cpu-map, thread-hard-limit: by /proc.
nosplice, maxpipes, fd-hard-limit: by `show info`."""
import os, pathlib, re, socket, subprocess
from kit import HOST, TMP, Telamon, cli, done, ok, port_of, read, serve, wait_for

PORT, BIG = 25510, 8 << 20


def server(c):
    while c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"x" * BIG)


def get():
    with socket.create_connection((HOST, PORT), 5) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        n = 0
        while d := s.recv(1 << 20):
            n += len(d)
    return n


def info(sock):
    return dict(x.split(": ", 1) for x in cli(sock, "show info").splitlines() if ": " in x)


def threads(pid):
    """{name: CPUs it may run on} of the data threads."""
    out = {}
    for t in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = read(t / "status").decode()
        out[read(t / "comm").decode().strip()] = re.search(r"Cpus_allowed_list:\s*(\S+)", status)[1]
    return {k: v for k, v in out.items() if k.startswith("telamon/")}


def sockets(where):
    """What ss says of our established sockets, one text each."""
    text = subprocess.run(["ss", "-tinmoH", "state", "established", *where], capture_output=True, text=True).stdout
    return [" ".join(x.split()) for x in re.split(r"\n(?=\S)", text) if x.strip()]


ls = serve(server)
sock = TMP / "t.sock"


def config(more="", front="", line=""):
    return f"""
global
    stats socket {sock} level admin
    {more}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option splice-response
frontend f
    bind {HOST}:{PORT}
    {front}
    default_backend b
backend b
    server s {HOST}:{port_of(ls)} {line}
"""


def held(conf):
    """Starts it, keeps one connection on each side, and returns what ss says of ours."""
    t = Telamon(conf, port=PORT, name="held.cfg")
    with socket.create_connection((HOST, PORT), 5) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        n = 0
        while n < BIG:
            n += len(s.recv(1 << 20))
        client, srv = sockets(["sport", "=", f":{PORT}"]), sockets(["dport", "=", f":{port_of(ls)}"])
    t.stop()
    return " ".join(client), " ".join(srv)


plain = held(config())
ok(plain[0] and plain[1], "there is a socket on each side", plain)
got = held(config("""tune.rcvbuf.client 20000
    tune.sndbuf.client 30000
    tune.rcvbuf.server 40000
    tune.sndbuf.server 50000"""))
for side, name, want in ((0, "rb", 40000), (0, "tb", 60000), (1, "rb", 80000), (1, "tb", 100000)):  # the kernel doubles what it is asked for
    ok(re.search(rf"\b{name}{want}\b", got[side]), f"{'client' if side == 0 else 'server'}: {name}{want}", got[side])
    ok(not re.search(rf"\b{name}{want}\b", plain[side]), "which is not what it is without", plain[side])

t = Telamon(config("nbthread 3\n    thread-hard-limit 2\n    cpu-map 1/1 0\n    fd-hard-limit 1064"), port=PORT, name="cpu.cfg")
have = threads(t.p.pid)
ok(sorted(have) == ["telamon/1", "telamon/2"], "thread-hard-limit", have)
every = re.search(r"Cpus_allowed_list:\s*(\S+)", read(f"/proc/{os.getpid()}/status").decode())[1]
ok(have["telamon/1"] == "0" and have["telamon/2"] == every, "cpu-map: thread 1 on CPU 0, the other where it may", have)
limit = int(info(sock)["Maxconn"])
ok(400 < limit <= 500, "fd-hard-limit: what maxconn is derived from", limit)
ok(get() > BIG and int(info(sock).get("TotalSplicdedBytesOut", info(sock).get("TotalSplicedBytesOut", 0))) > 0, "the kernel moves bytes", info(sock))
t.stop()
for word in ("nosplice", "tune.pipesize 16384"):
    t = Telamon(config(word), port=PORT, name="splice.cfg")
    ok(get() > BIG and int(info(sock).get("TotalSplicdedBytesOut", info(sock).get("TotalSplicedBytesOut", 0))) == 0, f"{word}: it does not", info(sock))
    t.stop()
done()
