"""kill -9 of the worker, 20 times, with a drained server and a broken file on disk: nobody is refused, the drain is kept."""
import os, signal, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, note, ok, serve, stat, wait_for

FRONT, BACK, KILLS = 32401, 32410, int(os.environ.get("KILLS", "20"))
stop, refused, cut, slow, good = threading.Event(), [], [], [], [0]


def named(n):
    def run(c):
        if c.recv(65536):
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n%d" % n)
    return run


def probe():
    while not stop.is_set():
        t0 = time.monotonic()
        try:
            s = socket.create_connection((HOST, FRONT), 5)
        except OSError as e:
            refused.append(f"{time.monotonic() - start:.3f} {e}")
            continue
        with s:
            try:
                s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                out = b""
                while d := s.recv(4096):
                    out += d
                if out.endswith(b"1"):
                    good[0] += 1
                else:
                    cut.append(out[-20:])
            except OSError as e:
                cut.append(str(e))
        slow.append(time.monotonic() - t0)
        stop.wait(0.002)


serve(named(1), BACK + 1)
serve(named(2), BACK + 2)
t = Telamon(f"""
global
    nbthread 2
    stats socket {TMP}/cli.sock level admin
defaults
    mode http
    timeout connect 3s
    timeout client 5s
    timeout server 5s
frontend f
    bind {HOST}:{FRONT}
    default_backend b
backend b
    balance roundrobin
    server s1 {HOST}:{BACK + 1}
    server s2 {HOST}:{BACK + 2}
""", "-W", port=FRONT)
wait_for(lambda: os.path.exists(f"{TMP}/cli.sock"))
sock = f"{TMP}/cli.sock"
answer = cli(sock, "set server b/s2 state drain")
ok(answer.strip() == "" and wait_for(lambda: stat(sock)[("b", "s2")]["status"].startswith("DRAIN"), 2), "a server is drained", answer)
with open(t.cfg, "a") as f:
    f.write("    server broken in the middle of an edit\n    nonsense\n")
start = time.monotonic()
threads = [threading.Thread(target=probe, daemon=True) for _ in range(4)]
for th in threads:
    th.start()
stalls = []
for i in range(KILLS):
    time.sleep(0.25)
    was = t.worker()
    os.kill(was, signal.SIGKILL)
    k0 = time.monotonic()
    wait_for(lambda: t.worker() not in (was, 0, t.p.pid), 5, 0.001)
    with socket.create_connection((HOST, FRONT), 5) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        s.recv(4096)
    stalls.append((time.monotonic() - k0) * 1000)
time.sleep(0.3)
stop.set()
for th in threads:
    th.join(10)
first, stalls = sorted(stalls[:5]), sorted(stalls)  # after five deaths in a short time respawns are put off
note(f"{KILLS} kills; first answer after a kill: {first[0]:.0f} to {first[-1]:.0f} ms in the first five, worst of all {stalls[-1]:.0f} ms; {good[0]} answered, {len(cut)} cut in flight, longest request {max(slow) * 1000:.0f} ms")
ok(not refused, f"no connect was refused ({good[0]} answered)", refused[:10])
ok(not any(isinstance(c, bytes) and c.endswith(b"2") for c in cut), "the drained server got nothing", cut[:10])
ok(len(cut) <= 4 * KILLS, f"only what was in flight is lost ({len(cut)})", cut[:10])
ok(wait_for(lambda: os.path.exists(sock) and stat(sock)[("b", "s2")]["status"].startswith("DRAIN"), 3), "the drain is kept over all respawns", cli(sock, "show stat"))
ok(t.p.poll() is None, "the master is the same process", t.output())
ok(t.stop(signal.SIGTERM) in (0, 143), "it ends", t.output()[-2000:])
done()
