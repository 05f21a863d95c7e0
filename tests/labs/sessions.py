"""Half-closed sessions in both modes, their -fin timeouts, and signals that end the process while sessions are open."""
import signal, socket, time
from kit import HOST, Telamon, done, ok, port_of, serve, wait_for

TCP, WEB, LOG = 22901, 22902, 22903
log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
log.bind((HOST, LOG))
log.settimeout(3)


def late(c):
    """Reads to the end, then answers what it got."""
    data = b""
    while d := c.recv(65536):
        data += d
    c.sendall(b"got " + data)


def silent(c):
    c.recv(65536)
    c.sendall(b"slow")
    time.sleep(5)


def web(c):
    c.recv(65536)
    time.sleep(0.1)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000)


def start():
    return Telamon(f"""
global
    nbthread 2
    log {HOST}:{LOG} local0
defaults
    log global
    option tcplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    timeout client-fin 300ms
listen late
    bind {HOST}:{TCP}
    server s {HOST}:{port_of(l1)}
listen silent
    bind {HOST}:{TCP + 10}
    server s {HOST}:{port_of(l2)}
listen web
    mode http
    no option abortonclose
    option httplog
    bind {HOST}:{WEB}
    server s {HOST}:{port_of(l3)}
""", port=WEB)


def rest(s):
    s.settimeout(4)
    out = b""
    while d := s.recv(65536):
        out += d
    return out


def line(word):
    try:
        while True:
            x = log.recv(4096).decode()
            if word in x:
                return x
    except OSError:
        return ""


l1, l2, l3 = serve(late), serve(silent), serve(web)
t = start()
with socket.create_connection((HOST, TCP)) as s:
    s.sendall(b"query")
    s.shutdown(socket.SHUT_WR)
    ok(rest(s) == b"got query", "TCP: the client's end passes on, the answer still comes")
with socket.create_connection((HOST, WEB)) as s:
    s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    s.shutdown(socket.SHUT_WR)
    ok(len(rest(s)) > 50000, "HTTP, no option abortonclose: a client that shut its side gets its whole answer")
with socket.create_connection((HOST, TCP + 10)) as s:
    s.sendall(b"query")
    first = s.recv(10)
    s.shutdown(socket.SHUT_WR)
    t0 = time.monotonic()
    got = rest(s)
    ok(first == b"slow" and got == b"" and 0.2 < time.monotonic() - t0 < 2, f"timeout client-fin ends a half-closed session ({time.monotonic() - t0:.2f} s)")
    x = line(" silent silent/s ")
    ok(" 4 cD " in x, "its line says cD", x)
for sig, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
    with socket.create_connection((HOST, TCP + 10)) as s, socket.create_connection((HOST, WEB)) as h:
        s.sendall(b"query")
        s.recv(10)
        h.sendall(b"GET / HTTP/1.1\r\nHost")
        pid = t.p.pid
        code = t.stop(sig)
        ok(code in (-sig, 128 + sig), f"{name} with open sessions: the process ends by it ({code})", t.output())
        x = line(" silent silent/s ")
        ok(f"haproxy[{pid}]: " in x and " KD " in x, "the session's line is still written, with the pid", x)
    if sig == signal.SIGINT:
        t = start()
t = start()
with socket.create_connection((HOST, TCP + 10)) as s:
    s.sendall(b"query")
    s.recv(10)
    t.p.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    ok(t.p.poll() is None, "SIGUSR1: a session that goes on keeps the process")
ok(wait_for(lambda: t.p.poll() is not None, 8) and t.p.returncode == 0, "and its end ends it", [t.p.poll(), t.output()])
done()
