"""haproxy -> telamon -W -> telamon -> telamon -> haproxy, each with -x and -sf: the sockets stay the same, and of clients that open a
connection for each request and never retry nobody is refused, nobody is cut."""
import array, os, pathlib, signal, socket, struct, subprocess, threading, time
from kit import HOST, TELAMON, TMP, child, cli, done, listening, note, ok, read, serve, wait_for

FRONT, SIX, OTHER, BACK = 24150, 24151, 24152, 24159
HAPROXY = os.environ.get("HAPROXY", "/usr/sbin/haproxy")
SOCK, UNIX, ABNS = f"{TMP}/stats.sock", f"{TMP}/front.sock", f"abns@{TMP.name}"
stop, broken, good = threading.Event(), [], [0]


def web(c):
    if c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def probe(family, where):
    while not stop.is_set():
        try:
            with socket.socket(family) as s:
                s.settimeout(10)
                s.connect(where)
                s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                out = b""
                while d := s.recv(4096):
                    out += d
            if out.endswith(b"ok"):
                good[0] += 1
            else:
                broken.append(f"{time.monotonic() - start:.3f} {where} {out[-40:]}")
        except OSError as e:
            broken.append(f"{time.monotonic() - start:.3f} {where} {e}")
        stop.wait(0.001)


CONFIG = f"""
global
    nbthread 2
    maxconn 500
    stats socket {SOCK} mode 600 level admin expose-fd listeners
    stats timeout 60s
defaults
    mode http
    option idle-close-on-response
    timeout connect 3s
    timeout client 30s
    timeout server 30s
frontend f
    bind {HOST}:{FRONT}
    bind [::1]:{SIX}
    bind {UNIX}
    bind {ABNS}
    default_backend b
backend b
    server s1 {HOST}:{BACK}
"""
(TMP / "t.cfg").write_text(CONFIG)


def inodes(pid):
    """The sockets that this process listens on at FRONT."""
    at = {l.split()[9] for l in open("/proc/net/tcp") if f":{FRONT:04X} 00000000:0000 0A" in l}
    have = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            have.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            pass
    return at & have


def pid_of_owner():
    """Who answers the stats socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(SOCK)
        s.sendall(b"show info\n")
        out = b""
        while d := s.recv(65536):
            out += d
    for line in out.decode().splitlines():
        if line.startswith("Pid: "):
            return int(line[5:])
    return 0


def served_by(p):
    """Is it this process, or its worker, that has the name now?"""
    try:
        owner = pid_of_owner()
    except OSError:
        return 0
    return owner if owner == p.pid or f"PPid:\t{p.pid}\n".encode() in read(f"/proc/{owner}/status") else 0


def take(name, old, args, text=CONFIG):
    """Starts a process that takes over from old; the process and its worker's pid."""
    file = TMP / f"{name}.cfg"
    file.write_text(text)
    before = inodes(pid_of_owner())
    err = open(TMP / f"{name}.err", "w+b")
    p = child([*args, "-f", file, "-x", SOCK, "-sf", str(old.pid)], stdout=err, stderr=err)
    owner = wait_for(lambda: served_by(p), 15)
    note(f"{name}: {time.monotonic() - start:.3f} s")
    ok(bool(owner), f"{name}: serves", read(err.name).decode())
    try:
        code = old.wait(20)
    except subprocess.TimeoutExpired:
        code = "does not end"
    ok(code == 0, f"{name}: the old process has finished and ended ({code})", read(err.name).decode())
    ok(before & inodes(owner), f"{name}: a socket of the old process is its own now", read(err.name).decode())
    time.sleep(0.3)
    note(f"{name}: " + " ".join(l for l in read(err.name).decode().splitlines() if "taken over" in l))
    return p, owner, before, read(err.name).decode()


def ask(path):
    """_getsocks, as a successor does: how many were announced, and what came."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(b"_getsocks\n")
        n = s.recv(4)
        n = struct.unpack("i", n)[0] if len(n) == 4 else -1
        if not 0 <= n <= 65536:
            return -1, []
        fds, text = [], b""
        while len(fds) < n:
            data, anc, _, _ = s.recvmsg(65536, socket.CMSG_SPACE(253 * 4))
            if not data:
                break
            text += data
            for _, _, d in anc:
                a = array.array("i")
                a.frombytes(d)
                s.sendall(struct.pack("i", len(fds)))
                fds += a
        end = s.recv(10) == b""
    socks = [socket.socket(fileno=f) for f in fds]
    names = sorted(str(x.getsockname()) for x in socks)
    for x in socks:
        x.close()
    return n if end and len(text) == 6 * n else -2, names


serve(web, BACK)
err = open(TMP / "first.err", "w+b")
first = child([HAPROXY, "-W", "-db", "-f", TMP / "t.cfg"], stdout=err, stderr=err)
if not ok(wait_for(lambda: listening(FRONT) and served_by(first), 10), "haproxy serves", read(err.name).decode()):
    done()
start = time.monotonic()
where = [(socket.AF_INET, (HOST, FRONT))] * 2 + [(socket.AF_INET6, ("::1", SIX)), (socket.AF_UNIX, UNIX),
                                                 (socket.AF_UNIX, ("\0" + TMP.name).ljust(108, "\0"))]
threads = [threading.Thread(target=probe, args=w, daemon=True) for w in where]
for t in threads:
    t.start()
ok(wait_for(lambda: good[0] > 200), "clients are answered", broken[:5])

two, worker, before, said = take("telamon-W", first, [TELAMON, "-W"])
ok("3 of the 5 listening sockets of the old process taken over" in said and before <= inodes(worker), "telamon -W: all of haproxy's sockets are taken", said)
n, names = ask(SOCK)
ok(n == len(names) == 7 and str((HOST, FRONT)) in names, "it gives its sockets to who asks", (n, names))
three, _, _, _ = take("telamon-W-again", two, [TELAMON, "-W"])
four, worker, before, _ = take("telamon-db", three, [TELAMON, "-db"])
ok(before <= inodes(worker), "telamon -db: all sockets are taken")
# a haproxy takes one socket of an address for each shard that its line asks for, and closes the rest with who waits there
five, worker, before, _ = take("haproxy-again", four, [HAPROXY, "-W", "-db"],
                     CONFIG.replace(str(FRONT) + "\n", f"{FRONT} shards by-thread\n").replace("]:" + str(SIX), f"]:{SIX} shards by-thread"))
ok(before <= inodes(worker), "haproxy, with as many shards, takes all sockets")
six, worker, before, _ = take("telamon-at-last", five, [TELAMON, "-W"])
stop.set()
for t in threads:
    t.join()
note(f"{good[0]} requests, each on a connection of its own")
ok(not broken and good[0] > 1000, f"nobody was refused or cut ({len(broken)} were)", broken[:10])

os.kill(worker, signal.SIGKILL)
ok(wait_for(lambda: served_by(six) not in (0, worker), 10) and before <= inodes(pid_of_owner()), "a respawned worker has them, too")

# what nobody may, and what cannot be had
(TMP / "closed.cfg").write_text(CONFIG.replace("expose-fd listeners", f"\n    stats socket {TMP}/more.sock level admin"))
six.send_signal(signal.SIGTERM)
ok(six.wait(10) == 0, "it ends")
lonely = child([TELAMON, "-W", "-f", TMP / "closed.cfg", "-x", TMP / "nobody.sock"], stderr=open(TMP / "lonely.err", "wb"))
ok(wait_for(lambda: listening(FRONT) and served_by(lonely), 10) and b"No sockets from" in read(TMP / "lonely.err"),
   "nobody is there to take from: a warning, and all is bound", read(TMP / "lonely.err").decode())
ok(ask(SOCK)[0] == -1 and ask(f"{TMP}/more.sock")[0] == -1, "without expose-fd no socket is given")
ok("Ulimit-n" in cli(SOCK, "show info"), "it serves on")
done()
