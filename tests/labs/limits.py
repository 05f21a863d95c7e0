"""Accept limits on four threads: bind, frontend and global maxconn are reached and never passed; who waits is served; it ends at 0."""
import collections, random, select, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, note, ok, stat, wait_for

NARROW, WIDE, OTHER, BACK = 22520, 22521, 22522, 22530
BIND, FRONT, GLOBAL = 5, 12, 20
SECONDS = 6
LETTER = {NARROW: b"n", WIDE: b"w", OTHER: b"o"}
now, peak = collections.Counter(), collections.Counter()


def gone(c):
    return c.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1  # 1 = established


def origin(ls):
    """One thread, so that the counts are exact: a connection counts from its first byte until its answer or its end."""
    fresh, due = set(), {}
    while True:
        readable = select.select([ls, *fresh], [], [], 0.002)[0]
        for k in [k for k in due if gone(k)]:
            now[due.pop(k)[0]] -= 1
            k.close()
        for s in readable:
            if s is ls:
                fresh.add(ls.accept()[0])
                continue
            fresh.discard(s)
            if letter := s.recv(1):
                due[s] = letter, time.monotonic() + random.random() * 0.03
                now[letter] += 1
                peak["bind"] = max(peak["bind"], now[b"n"])
                peak["front"] = max(peak["front"], now[b"n"] + now[b"w"])
                peak["global"] = max(peak["global"], sum(now.values()))
            else:
                s.close()
        for k in [k for k, (_, at) in due.items() if at <= time.monotonic()]:
            now[due.pop(k)[0]] -= 1  # before the answer: its place may be somebody else's then
            try:
                k.sendall(b"!")
            except OSError:
                pass
            k.close()


def client(tally, stop):
    r = random.Random()
    while not stop.is_set():
        port = r.choice((NARROW, WIDE, OTHER))
        try:
            with socket.create_connection((HOST, port), 20) as s:
                s.sendall(LETTER[port])
                if r.random() < 0.2:  # leaves the kernel's queue, or in the middle
                    time.sleep(r.random() * 0.02)
                    tally["left"] += 1
                    continue
                tally["served" if s.recv(1) == b"!" else "failed"] += 1
        except OSError:
            tally["failed"] += 1


threading.Thread(target=origin, args=(socket.create_server((HOST, BACK), backlog=512),), daemon=True).start()
t = Telamon(f"""
global
    nbthread 4
    maxconn {GLOBAL}
    stats socket {TMP}/cli.sock level admin
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend both
    maxconn {FRONT}
    bind {HOST}:{NARROW} maxconn {BIND} name narrow
    bind {HOST}:{WIDE} name wide
    default_backend b
frontend other
    bind {HOST}:{OTHER}
    default_backend b
backend b
    balance random
    server s {HOST}:{BACK}
    server s2 {HOST}:{BACK}
""", port=OTHER)
current = lambda: int(cli(f"{TMP}/cli.sock", "show info").split("CurrConns: ")[1].split()[0])
stop, tallies = threading.Event(), [collections.Counter() for _ in range(60)]
threads = [threading.Thread(target=client, args=(n, stop), daemon=True) for n in tallies]
for th in threads:
    th.start()
time.sleep(SECONDS)
stop.set()
for th in threads:
    th.join(25)
total = sum(tallies, collections.Counter())
note(f"60 clients, {SECONDS} s: {dict(total)}, peaks {dict(peak)}")
ok(peak["bind"] == BIND, f"bind maxconn {BIND} is reached and never passed ({peak['bind']})")
ok(peak["front"] == FRONT, f"frontend maxconn {FRONT} is reached and never passed ({peak['front']})")
ok(peak["global"] == GLOBAL, f"global maxconn {GLOBAL} is reached and never passed ({peak['global']})")
ok(total["failed"] == 0 and total["served"] > 200, "all who waited were served", dict(total))
ok(wait_for(lambda: current() == 0, 5, 0.1), "it ends at 0")  # the runtime socket is not counted against maxconn
row = stat(f"{TMP}/cli.sock")[("both", "FRONTEND")]
ok(row["smax"] == str(FRONT) and row["scur"] == "0", "`show stat` tells the same", row)
ok(t.stop() == -2, "it ends by its signal", t.output())
done()
