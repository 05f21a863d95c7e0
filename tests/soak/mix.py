"""Everything at once on four threads, for tools that watch (tests/soak/tsan.sh): keep-alive, uploads, big answers, TCP, commands, scrapes, dying servers."""
import http.client, os, pathlib, random, signal, socket, sys, threading, time
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "labs"))
from kit import HOST, TMP, Telamon, cli, done, note, ok, serve

WEB, TCP, BACK, ECHO, LOG = 22540, 22541, 22550, 22560, 22570
SECONDS = int(os.environ.get("SECONDS_MIX", "15"))
BIG = os.urandom(1 << 20)
tally, lock = {}, threading.Lock()


def count(what):
    with lock:
        tally[what] = tally.get(what, 0) + 1


def web(c):
    f = c.makefile("rb")
    while line := f.readline():
        length = 0
        while (h := f.readline()) not in (b"\r\n", b""):
            if h.lower().startswith(b"content-length:"):
                length = int(h.split(b":")[1])
        f.read(length)
        body = BIG if b"/big" in line else b"x" * 100
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def echo(c):
    while d := c.recv(65536):
        c.sendall(d)


def http_client():
    r = random.Random()
    while time.monotonic() < end:
        try:
            c = http.client.HTTPConnection(HOST, WEB, timeout=20)
            for _ in range(r.randrange(1, 20)):
                path = r.choice(("/", "/", "/", "/big", "/stats;csv"))
                c.request("POST" if path == "/" and r.random() < 0.3 else "GET", path, body=b"y" * r.randrange(1, 50000) if r.random() < 0.2 else None)
                a = c.getresponse()
                count(a.status)
                a.read(r.randrange(100, 200000) if r.random() < 0.1 else None)
                if not a.isclosed():
                    break  # leaves in the middle
            c.close()
        except (OSError, http.client.HTTPException):
            count("cut")


def tcp_client():
    r = random.Random()
    while time.monotonic() < end:
        try:
            with socket.create_connection((HOST, TCP), 20) as s:
                s.settimeout(20)
                for _ in range(r.randrange(1, 10)):
                    d = os.urandom(r.randrange(1, 30000))
                    s.sendall(d)
                    got = 0
                    while got < len(d) and (n := len(s.recv(65536))):
                        got += n
                    count("echoed" if got == len(d) else "cut")
        except OSError:
            count("cut")


def commands():
    r, sock = random.Random(), f"{TMP}/cli.sock"
    every = ["show info", "show stat", "show servers state", "show sess", "show servers conn", "show activity", "disable server web/s2", "enable server web/s2", "set server web/s1 weight 50", "set server web/s1 weight 100%",
             "set maxconn server web/s3 3", "set maxconn server web/s3 0", "set maxconn frontend web 500", "set maxconn global 900", "disable frontend tcp", "enable frontend tcp", "set server web/s3 state drain",
             "set server web/s3 state ready", "shutdown sessions server tcp/e1", "clear counters all"]
    while time.monotonic() < end:
        try:
            cli(sock, r.choice(every), 20)
            count("commands")
        except OSError:
            count("command lost")
    for c in ("enable frontend tcp", "enable server web/s2", "set server web/s3 state ready"):
        cli(sock, c, 20)


sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind((HOST, LOG))
text = f"""
global
    nbthread 4
    maxconn 1000
    stats socket {TMP}/cli.sock level admin
    log {HOST}:{LOG} local0
defaults
    log global
    option httplog
    option redispatch
    retries 3
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout queue 20s
frontend web
    mode http
    bind {HOST}:{WEB}
    stats uri /stats
    option forwardfor
    default_backend web
backend web
    mode http
    balance random
    default-server check inter 100ms
    server s1 {HOST}:{BACK} maxconn 10
    server s2 {HOST}:{BACK} minconn 2 maxconn 20
    server s3 {HOST}:{BACK}
listen tcp
    mode tcp
    bind {HOST}:{TCP}
    server e1 {HOST}:{ECHO} check inter 100ms
"""
serve(web, BACK)
serve(echo, ECHO)
t = Telamon(text, "-W", "-S", f"{TMP}/m.sock", port=TCP)
end = time.monotonic() + SECONDS
threads = [threading.Thread(target=f, daemon=True) for f in [http_client] * 12 + [tcp_client] * 6 + [commands] * 2]
for th in threads:
    th.start()
n = 0
while time.monotonic() < end - 1:
    time.sleep(1.5)
    n += 1
    t.cfg.write_text(text.replace("timeout client 20s", f"timeout client {20 + n % 3}s").replace("maxconn 20", f"maxconn {20 + n % 4}"))
    cli(f"{TMP}/m.sock", "reload", 20)
for th in threads:
    th.join(40)
note(f"{n} reloads; {tally}")
ok(tally.get(200, 0) > 100 and tally.get("echoed", 0) > 20 and tally.get("commands", 0) > 20, "all kinds were there", [str(tally)])
ok(not any(th.is_alive() for th in threads), "nobody hangs")
ok(t.stop(signal.SIGTERM, 20) is not None and "fatal" not in t.output(), "it ends", t.output())
done()
