"""kill -9 of the supervisor, KILLS (5) times, and a new one each time, under clients that never retry: nobody is refused or cut.

The worker serves on until its successor's worker does, which has the drain and the health of the servers; listening sockets stay.
"""
import os, signal, socket, subprocess, threading, time
from kit import HOST, TMP, Telamon, child, cli, done, listen_inodes, note, ok, serve, stat, wait_for

WEB, TCP, BACK, ECHO, DEAD = 22180, 22181, 22182, 22184, 22185
KILLS = int(os.environ.get("KILLS", "5"))
MASTER, CLI = f"{TMP}/master.sock", f"{TMP}/cli.sock"
stop, errors, good, lock = threading.Event(), [], [0, 0], threading.Lock()


def named(n):
    def run(c):
        if c.recv(65536):
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n%d" % n)
    return run


def echo(c):
    while d := c.recv(65536):
        c.sendall(d)


def fresh():
    while not stop.is_set():
        try:
            with socket.create_connection((HOST, WEB), 5) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                out = b""
                while d := s.recv(4096):
                    out += d
            if not out.endswith(b"\r\n\r\n1"):
                raise OSError(f"answer {out[-40:]!r}")
            good[0] += 1
        except OSError as e:
            with lock:
                errors.append(f"{time.monotonic() - t0:.3f} {type(e).__name__} {e}")
        stop.wait(0.003)


def tunnel():
    try:
        with socket.create_connection((HOST, TCP), 5) as s:
            while not stop.is_set():
                s.sendall(b"0123456789")
                if s.recv(10) != b"0123456789":
                    raise OSError("not what was sent")
                good[1] += 1
                stop.wait(0.02)
    except OSError as e:
        with lock:
            errors.append(f"tunnel {time.monotonic() - t0:.3f} {type(e).__name__} {e}")


serve(named(1), BACK)
serve(named(2), BACK + 1)
serve(echo, ECHO)
t0 = time.monotonic()
TEXT = f"""
global
    nbthread 2
    stats socket {CLI} level admin
defaults
    mode http
    timeout connect 3s
    timeout client 20s
    timeout server 20s
frontend f
    bind {HOST}:{WEB}
    default_backend b
backend b
    balance roundrobin
    server s1 {HOST}:{BACK}
    server s2 {HOST}:{BACK + 1}
    server dead {HOST}:{DEAD} check inter 200ms fall 2
listen t
    mode tcp
    bind {HOST}:{TCP}
    server e {HOST}:{ECHO}
"""
t = Telamon(TEXT, "-W", "-S", MASTER, port=WEB)
wait_for(lambda: os.path.exists(CLI))
cli(CLI, "set server b/s2 state drain")
ok(wait_for(lambda: stat(CLI)[("b", "dead")]["status"] == "DOWN"), "a server is found dead")
was = listen_inodes(WEB) | listen_inodes(TCP)
threads = [threading.Thread(target=fn, daemon=True) for fn in (fresh, fresh, fresh, tunnel, tunnel)]
for th in threads:
    th.start()
time.sleep(0.3)
for i in range(KILLS):
    old = t.worker()
    t.p.kill()
    t.p.wait()
    time.sleep(0.3)  # as long as systemd waits, and more
    ok("serving on for 30 s, until a new one takes over" in t.output(), f"{i + 1}: the worker says what it does", t.output()[-500:])
    t = Telamon(TEXT, "-W", "-S", MASTER, port=WEB, name=f"t{i}.cfg")
    new = wait_for(lambda: "Loading success." in t.output() and t.worker())
    ok("its sockets are taken over" in t.output() and new != old, "the new supervisor takes over", t.output())
    rows = stat(CLI)
    ok(rows[("b", "s2")]["status"].startswith("DRAIN") and rows[("b", "dead")]["status"] == "DOWN", "the drain and the health are kept", rows)
    if errors:
        break
ok(listen_inodes(WEB) | listen_inodes(TCP) == was, "the listening sockets are the first ones", [was, listen_inodes(WEB)])
time.sleep(0.2)
stop.set()
for th in threads:
    th.join(10)
ok(not errors and min(good) > 20, f"nobody was refused or cut: {good[0]} requests, {good[1]} exchanges in 2 tunnels", errors[:10])
ok(wait_for(lambda: not os.path.exists(f"/proc/{old}")), "the last orphan has left")
ok(t.stop(signal.SIGTERM) == 0, "it ends", t.output()[-500:])

# another form that wants the address: the orphan leaves, it does not share the port for long
t = Telamon(TEXT, "-W", port=WEB, name="u.cfg")
old = wait_for(t.worker)
time.sleep(0.3)
t.p.kill()
t.p.wait()
wait_for(lambda: "serving on for 30 s" in t.output())
s = Telamon(TEXT, "-db", port=WEB, name="v.cfg")
ok(wait_for(lambda: not os.path.exists(f"/proc/{old}")), "a single process on the same address ends the wait, too", s.output())
ok(s.stop(signal.SIGTERM) == -15, "it ends")

# somebody else's socket under our name is not believed
if os.geteuid() == 0:
    fake = child(["python3", "-c", f"""
import os, socket, time
os.setresuid(65534, 65534, 65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("\\0telamon/orphan/{HOST}:{WEB}")
s.listen()
print("ready", flush=True)
c, _ = s.accept()
c.settimeout(3)
print("said", c.recv(100), flush=True)
"""], stdout=subprocess.PIPE)
    fake.stdout.readline()
    t = Telamon(TEXT, "-W", port=WEB, name="w.cfg")
    ok("taken over" not in t.output() and fake.stdout.readline() == b"said b''\n", "another user's socket is left alone", t.output())
    ok(t.stop(signal.SIGTERM) == 0, "it ends")
done()
