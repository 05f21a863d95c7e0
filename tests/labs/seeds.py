"""Seeds 000, 002 and 003: their files (tests/labs/seeds/) started, reloaded and stopped the way each seed does it.

000: in a container as `-W -db`, reloaded by SIGUSR2 to the master. 002: by a cluster agent as `-f file -p pidfile`, which looks whether
that pid is alive, and starts it anew. 003: by a controller in the foreground, reloaded by a new process with `-sf oldpid`.
"""
import base64, os, pathlib, signal, socket, subprocess, threading
from fakedns import FakeDns
from kit import ROOT, TELAMON, TMP, child, cli, done, note, ok, read, stat, wait_for

VIP = "10.43.0.100"
NODES = ["10.43.0.11", "10.43.0.12", "10.43.0.13"]
run = lambda *a: subprocess.run([str(x) for x in a], check=True)


def own_world():
    run("ip", "link", "set", "lo", "up")
    for a in ["10.43.0.1", VIP, "10.43.0.101", *NODES]:
        run("ip", "addr", "add", a + "/32", "dev", "lo")
    dev = TMP / "dev"
    dev.mkdir()
    for n in ("null", "zero", "random", "urandom"):
        (dev / n).touch()
        run("mount", "--bind", f"/dev/{n}", dev / n)
    (dev / "fd").symlink_to("/proc/self/fd")
    run("mount", "--rbind", dev, "/dev")
    for d in ("/var/lib", "/run"):
        run("mount", "-t", "tmpfs", "tmpfs", d)
    os.makedirs("/var/lib/haproxy")
    os.makedirs("/run/haproxy")
    text = pathlib.Path("/etc/passwd").read_text()
    if "\nhaproxy:" not in text:
        for name, line in (("passwd", "haproxy:x:64123:64123::/var/lib/haproxy:/usr/sbin/nologin\n"), ("group", "haproxy:x:64123:\n")):
            (TMP / name).write_text(pathlib.Path(f"/etc/{name}").read_text() + line)
            run("mount", "--bind", TMP / name, f"/etc/{name}")
    errors = TMP / "haproxy/errors"
    errors.mkdir(parents=True)
    for code in (400, 403, 408, 500, 502, 503, 504):
        (errors / f"{code}.http").write_bytes(f"HTTP/1.0 {code} Own\r\nContent-Type: text/html\r\nConnection: close\r\n\r\npage {code} of the seed\n".encode())
    os.makedirs("/etc/haproxy", exist_ok=True)
    run("mount", "--bind", TMP / "haproxy", "/etc/haproxy")


class Syslog:
    def __init__(self):
        self.lines, self.socks = [], []
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unix.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 514))
        for s in (unix, udp):
            threading.Thread(target=self.loop, args=(s,), daemon=True).start()

    def loop(self, s):
        while True:
            self.lines.append(s.recv(65536).decode(errors="replace"))

    def has(self, text):
        return wait_for(lambda: any(text in x for x in list(self.lines)), 10)


class Node:
    """Answers each request with its address; can die with its sessions."""

    def __init__(self, addr, port):
        self.addr, self.port = addr, port
        self.up()

    def up(self):
        self.ls, self.sessions = socket.create_server((self.addr, self.port)), []
        threading.Thread(target=self.loop, args=(self.ls,), daemon=True).start()

    def down(self):
        self.ls.shutdown(socket.SHUT_RDWR)
        self.ls.close()
        for c in self.sessions:
            c.close()

    def loop(self, ls):
        while True:
            try:
                c, _ = ls.accept()
            except OSError:
                return
            self.sessions.append(c)
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            while c.recv(65536):
                c.sendall(self.addr.encode())
        except OSError:
            pass
        c.close()


def say(s):
    s.sendall(b"x")
    return s.recv(100).decode()


def ask(addr, port):
    """The node that answered a session of its own; '' when none did."""
    try:
        with socket.create_connection((addr, port), 5) as s:
            return say(s)
    except OSError:
        return ""


def http(port, target, login="", addr="127.0.0.1"):
    auth = f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n" if login else ""
    with socket.create_connection((addr, port), 5) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n{auth}Connection: close\r\n\r\n".encode())
        out = b""
        while d := s.recv(65536):
            out += d
    return out.decode(errors="replace")


def alive(pid):
    return pid > 0 and b"State:\tZ" not in read(f"/proc/{pid}/status") and os.path.exists(f"/proc/{pid}")


def serving(pid):
    """The process that serves: the worker of this master, or the process itself."""
    kids = read(f"/proc/{pid}/task/{pid}/children").split()
    return next((int(k) for k in kids if b"worker" in read(f"/proc/{int(k)}/cmdline")), pid)


def pid_in(path):
    text = read(path).split()
    return int(text[0]) if text else 0


class Way:
    """How a seed starts, reloads and ends it."""

    def __init__(self, seed, *args):
        self.cfg, self.args, self.seed = TMP / "haproxy/haproxy.cfg", args, seed
        self.cfg.write_text((ROOT / f"tests/labs/seeds/{seed}.cfg").read_text())
        self.err = open(TMP / f"{seed}.err", "w+b")
        self.old = []

    def spawn(self, *more):
        self.p = child([TELAMON, *self.args, "-f", self.cfg, *more], stdout=self.err, stderr=self.err)

    def output(self):
        return read(self.err.name).decode(errors="replace")


class Master(Way):
    def start(self):
        self.spawn()

    def pid(self):
        return self.p.pid

    def reload(self):
        self.p.send_signal(signal.SIGUSR2)
        return wait_for(lambda: self.output().count("Loading success") >= 2, 10)

    def after_kill(self):
        pass  # the master starts a new worker

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        return wait_for(lambda: self.p.poll() is not None, 15)


class Agent(Way):
    PIDFILE = "/run/haproxy.pid"

    def start(self):
        self.spawn("-p", self.PIDFILE)
        self.p.wait(10)  # the one in the foreground leaves once the other serves

    def pid(self):
        return pid_in(self.PIDFILE)

    def reload(self):
        old = self.pid()
        self.spawn("-p", self.PIDFILE, "-sf", str(old))
        self.p.wait(10)
        self.old.append(old)
        return wait_for(lambda: alive(self.pid()) and self.pid() != old, 10)

    def after_kill(self):
        ok(wait_for(lambda: not alive(self.pid()), 5), f"{self.seed}: the agent sees that the pid of the pidfile is gone")
        self.start()

    def stop(self):
        pid = self.pid()
        os.kill(pid, signal.SIGTERM)
        return wait_for(lambda: not alive(pid), 15)


class Controller(Way):
    def start(self):
        self.spawn()

    def pid(self):
        return self.p.pid

    def reload(self):
        old = self.p
        self.spawn("-sf", str(old.pid))
        self.old.append(old.pid)
        return wait_for(lambda: "svc-default-web" in http(3000, "/metrics") and pid_in("/var/run/haproxy.pid") == self.p.pid, 10)

    def after_kill(self):
        dead = self.p.pid
        self.p.wait(5)
        self.spawn("-sf", str(dead))

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        return wait_for(lambda: self.p.poll() is not None, 15)


def life(way, front, node_port, backend, names, sock, chroot, change, more):
    seed = way.seed
    check = subprocess.run([TELAMON, "-c", "-f", way.cfg], capture_output=True, text=True)
    ok(check.returncode == 0, f"{seed}: the file is valid", check.stderr + check.stdout)
    for line in check.stderr.splitlines():
        note(line)
    nodes = {n: Node(n, node_port) for n in NODES}
    way.start()
    up = lambda: all(stat(sock)[(backend, n)]["status"].startswith("UP") for n in names)
    ok(wait_for(lambda: os.path.exists(sock) and ask(*front), 15) and wait_for(up, 20), f"{seed}: it serves, all servers are UP", way.output())
    pid = serving(way.pid())
    uid = next(x.split()[1] for x in read(f"/proc/{pid}/status").decode().splitlines() if x.startswith("Uid:"))
    want = "root" if chroot is None else "haproxy"
    ok(int(uid) == int(subprocess.check_output(["id", "-u", want])), f"{seed}: as user {want}", uid)
    ok(os.readlink(f"/proc/{pid}/root") == (chroot or "/"), f"{seed}: in {chroot or 'no chroot'}", os.readlink(f"/proc/{pid}/root"))
    seen = [ask(*front) for _ in range(9)]
    ok(sorted(set(seen)) == NODES, f"{seed}: sessions go round", seen)
    more()

    dead = NODES[1]
    column = lambda: stat(sock)[(backend, names[1])]["status"]
    nodes[dead].down()
    ok(wait_for(lambda: column().startswith("DOWN"), 20), f"{seed}: a server that dies is DOWN", column())
    seen = [ask(*front) for _ in range(8)]
    ok(set(seen) == set(NODES) - {dead}, f"{seed}: the others serve on", seen)
    nodes[dead].up()
    ok(wait_for(lambda: column().startswith("UP"), 20), f"{seed}: it returns", column())

    with socket.create_connection(front, 5) as held:
        first = say(held)
        way.cfg.write_text(way.cfg.read_text().replace(*change))
        ok(way.reload(), f"{seed}: reload", way.output())
        ok(say(held) == first in NODES, f"{seed}: a session lives through it")
        ok(wait_for(lambda: ask(*front), 10), f"{seed}: and new ones are served")
    ok(wait_for(lambda: not any(alive(p) for p in way.old), 15), f"{seed}: the old process leaves with its last session", way.old)

    os.kill(serving(way.pid()), signal.SIGKILL)
    way.after_kill()
    ok(wait_for(lambda: ask(*front), 15), f"{seed}: kill -9, and it serves again", way.output())
    ok(way.stop(), f"{seed}: it stops", way.output())
    ok(wait_for(lambda: ask(*front) == "", 5), f"{seed}: and serves no more")
    for n in nodes.values():
        n.down()


def more_000():
    out = http(8404, "/healthz")
    ok(out.endswith("<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n"), "000: the health page, to the byte", out)
    out = http(8404, "/stats")
    ok(out.startswith("HTTP/1.1 200") and "server-0" in out, "000: the stats page", out[:300])


def more_002():
    ok(http(32700, "/").startswith("HTTP/1.1 401"), "002: the stats page asks who it is")
    out = http(32700, "/", "admin:admin")
    ok(out.startswith("HTTP/1.1 200") and "mast01" in out, "002: and shows itself to admin", out[:300])
    ok("page 400 of the seed" in http(32700, "/a b c"), "002: error pages are the file's")
    ok(log.has("kube-apiserver kube-apiserver") or log.has("masters/mast0"), "002: sessions are logged to /dev/log", log.lines[-9:])
    ok(cli("/run/haproxy/admin.sock", "disable server masters/mast01").strip() == "", "002: the admin socket takes commands")
    ok(stat("/run/haproxy/admin.sock")[("masters", "mast01")]["status"] == "MAINT", "002: and does them")
    cli("/run/haproxy/admin.sock", "enable server masters/mast01")
    wait_for(lambda: stat("/run/haproxy/admin.sock")[("masters", "mast01")]["status"].startswith("UP"), 10)


def more_003():
    out = http(3000, "/metrics")
    ok(out.startswith("HTTP/1.1 200") and 'haproxy_server_status{proxy="svc-default-web",server="worker-1"' in out, "003: metrics", out[:300])
    ok(pid_in("/var/run/haproxy.pid") == c.p.pid, "003: the pidfile of the file")
    ok(log.has("svc-default-web"), "003: sessions are logged to 127.0.0.1 by UDP", log.lines[-9:])


own_world()
log = Syslog()
m = Master("000", "-W", "-db")
life(m, ("127.0.0.1", 443), 6443, "nodes", ["server-0", "server-1", "server-2"], "/var/run/haproxy.sock", None,
     ("timeout connect 5s", "timeout connect 4s"), more_000)
ok("the Data Plane API is not started" in m.output(), "000: says what becomes of the program section", m.output())

dns = FakeDns(53, "10.43.0.1")
for i, a in enumerate(NODES):
    dns.set(f"mast0{i + 1}.lab.test", a=[a])
a = Agent("002")
life(a, ("127.0.0.1", 6443), 16443, "masters", ["mast01", "mast02", "mast03"], "/run/haproxy/admin.sock", "/var/lib/haproxy",
     ("timeout connect 4s", "timeout connect 3s"), more_002)

c = Controller("003")
life(c, (VIP, 80), 30080, "svc-default-web", ["worker-1", "worker-2", "worker-3"], "/var/lib/haproxy/stats", "/var/lib/haproxy",
     ("retries 3", "retries 2"), more_003)
done()
