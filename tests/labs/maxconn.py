"""Gate b: nbthread 4: server maxconn 7 under 200 clients with random aborts, and round robin over 1,000 new connections."""
import random, select, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, note, ok, serve, stat, wait_for

FRONT, ALTER, BACK, PAIR = 32301, 32302, 32310, 32320
SECONDS = 8
order = []
server = dict(now=0, peak=0, seen=0)


def gone(c):
    """Has the proxy closed this one? What it closed before it opened another one is known by now: loopback keeps that order."""
    return c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1  # its state; 1 = established


def limited(ls):
    """One thread, so that the count is exact: answers each request after up to 20 ms, at once forgets who left."""
    due = {}
    while True:
        timeout = max(0.0, min(due.values(), default=time.monotonic() + 1) - time.monotonic())
        if select.select([ls], [], [], timeout)[0]:
            c, _ = ls.accept()
            for k in [k for k in due if gone(k)]:
                del due[k]
                k.close()
            due[c] = time.monotonic() + random.random() * 0.02
            server.update(seen=server["seen"] + 1, peak=max(server["peak"], len(due)))
        now = time.monotonic()
        for k in [k for k, at in due.items() if at <= now or gone(k)]:
            del due[k]
            try:
                if k.recv(65536, socket.MSG_DONTWAIT):
                    k.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            except BlockingIOError:
                due[k] = now + 0.001  # connected, the request is still on its way
                continue
            except OSError:
                pass
            k.close()
        server["now"] = len(due)


def named(n):
    def run(c):
        if c.recv(65536):
            order.append(n)
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return run


def clients(n_done, stop):
    r = random.Random()
    while not stop.is_set():
        try:
            with socket.create_connection((HOST, FRONT), 5) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                if r.random() < 0.5:  # leaves in the queue, while connecting or before the answer
                    time.sleep(r.random() * 0.05)
                    if r.random() < 0.5:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    n_done[1] += 1
                    continue
                s.settimeout(20)
                out = s.recv(4096)
                n_done[0 if out.endswith(b"ok") else 2] += 1
        except OSError:
            n_done[2] += 1


threading.Thread(target=limited, args=(socket.create_server((HOST, BACK), backlog=512),), daemon=True).start()
serve(named(0), PAIR)
serve(named(1), PAIR + 1)
t = Telamon(f"""
global
    nbthread 4
    stats socket {TMP}/cli.sock level admin
defaults
    mode http
    option abortonclose
    option http-server-close
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout queue 30s
frontend limited
    bind {HOST}:{FRONT}
    default_backend limited
backend limited
    server s {HOST}:{BACK} maxconn 7
frontend alter
    bind {HOST}:{ALTER}
    default_backend pair
backend pair
    balance roundrobin
    server a {HOST}:{PAIR}
    server b {HOST}:{PAIR + 1}
""", port=FRONT)
order.clear()
for _ in range(1000):
    with socket.create_connection((HOST, ALTER), 5) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while s.recv(4096):
            pass
wrong = [i for i in range(1, len(order)) if order[i] == order[i - 1]]
ok(len(order) == 1000 and not wrong, "1,000 new connections on 4 threads alternate strictly", f"{len(order)} requests, same server twice at {wrong[:20]}")

stop, tally = threading.Event(), [[0, 0, 0] for _ in range(200)]
threads = [threading.Thread(target=clients, args=(n, stop), daemon=True) for n in tally]
for th in threads:
    th.start()
time.sleep(SECONDS)
stop.set()
for th in threads:
    th.join(25)
answered, aborted, failed = (sum(n[i] for n in tally) for i in range(3))
note(f"200 clients, {SECONDS} s: {answered} answered, {aborted} left early, {server['seen']} connections at the server, {server['peak']} at a time")
peak = server['peak']
ok(peak == 7, f"concurrency at the server reaches 7 and never 8 (it was {peak})")
ok(failed == 0, f"nobody who waited failed ({failed})")
ok(answered > 200 and aborted > 200, "both kinds of client were there")
row = lambda: stat(f"{TMP}/cli.sock")[("limited", "s")]
ok(wait_for(lambda: server['now'] == 0 and row()["scur"] == "0" and row()["qcur"] == "0", 5, 0.1), "it ends at 0, at the server and in `show stat`", [server, row()])
ok(row()["smax"] == "7", f"smax is {row()['smax']}")
ok(t.stop() == -2, "it ends by its signal", t.output())
done()
