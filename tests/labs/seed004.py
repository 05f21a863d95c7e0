"""Seed 004: its file in the original form (tests/labs/seed004.cfg, Unlicense) under -W, with a real rsyslogd and the seed's rule file.

Runs in a mount and a network namespace of its own (seed004.sh): the file's addresses are on lo, /dev, /var/lib and /var/log are ours.
"""
import base64, os, pathlib, re, shutil, signal, socket, subprocess, threading, time
from kit import ROOT, TELAMON, TMP, Telamon, child, done, note, ok, wait_for

VIP, NODES = "10.4.0.10", {"bettley": "10.4.0.11", "fenn": "10.4.0.15", "gardener": "10.4.0.16"}
LOG = pathlib.Path("/var/log/haproxy.log")
RULE = """\
# Create an additional socket in haproxy's chroot in order to allow logging via
# /dev/log to chroot'ed HAProxy processes
$AddUnixListenSocket /var/lib/haproxy/dev/log

# Send HAProxy messages to a dedicated logfile
:programname, startswith, "haproxy" {
  /var/log/haproxy.log
  stop
}
"""
run = lambda *a: subprocess.run([str(x) for x in a], check=True)


def own_world():
    run("ip", "link", "set", "lo", "up")
    for a in [VIP, *NODES.values()]:
        run("ip", "addr", "add", a + "/32", "dev", "lo")
    dev = TMP / "dev"
    dev.mkdir()
    for n in ("null", "zero", "random", "urandom"):
        (dev / n).touch()
        run("mount", "--bind", f"/dev/{n}", dev / n)
    (dev / "fd").symlink_to("/proc/self/fd")
    run("mount", "--rbind", dev, "/dev")
    for d in ("/var/lib", "/var/log"):
        run("mount", "-t", "tmpfs", "tmpfs", d)
    os.makedirs("/var/lib/haproxy/dev")
    for name, line in (("passwd", "haproxy:x:64123:64123::/var/lib/haproxy:/usr/sbin/nologin\n"), ("group", "haproxy:x:64123:\n")):
        text = pathlib.Path(f"/etc/{name}").read_text()
        if "\nhaproxy:" not in text:
            (TMP / name).write_text(text + line)
            run("mount", "--bind", TMP / name, f"/etc/{name}")


class Node:
    """A TCP echo server that can die: its listening socket and its sessions go."""

    def __init__(self, name):
        self.name, self.ls = name, None

    def up(self):
        self.ls, self.sessions = socket.create_server((NODES[self.name], 6443)), []
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
            while d := c.recv(65536):
                c.sendall(self.name.encode() + b" " + d)
        except OSError:
            pass
        c.close()


def syslogd():
    p = child(["rsyslogd", "-n", "-f", TMP / "rsyslog.conf", "-i", TMP / "rsyslog.pid"])
    wait_for(lambda: os.path.exists("/dev/log") and os.path.exists("/var/lib/haproxy/dev/log"))
    return p


def end(p, sig=signal.SIGTERM):
    p.send_signal(sig)
    p.wait(10)


def lines(pattern, at_least=1, seconds=8):
    """Lines of the log file that match; waits until there are so many."""
    rx = re.compile(pattern)
    find = lambda: [x for x in (LOG.read_text().splitlines() if LOG.exists() else []) if rx.search(x)]
    wait_for(lambda: len(find()) >= at_least, seconds, 0.05)
    return find()


def ask(text=b"hi", seconds=5):
    """A session through the front: the node that answered, '' when there is none."""
    try:
        with socket.create_connection((VIP, 6443), seconds) as s:
            s.sendall(text)
            return s.recv(4096).split(b" ")[0].decode()
    except OSError:
        return ""


def http(target, login=None):
    auth = f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n" if login else ""
    with socket.create_connection((VIP, 8404), 5) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n{auth}Connection: close\r\n\r\n".encode())
        out = b""
        while d := s.recv(65536):
            out += d
    return out.decode(errors="replace")


def verdict(binary, cfg):
    p = subprocess.run([binary, "-c", "-f", str(cfg)], capture_output=True, text=True)
    text = re.sub(r"\(\d+\)", "(pid)", p.stderr + p.stdout)
    return p.returncode, [x for x in text.splitlines() if "[NOTICE]" not in x]


def differences():
    """The reviewed differences of this file's verdict: a set of lines that only one of the two prints."""
    rows = [x.split("\t") for x in (ROOT / "tests/differences.tsv").read_text().splitlines() if x and not x.startswith("#")]
    return {(r[1], r[2]) for r in rows if r[0] == "seed004 -c"}


own_world()
seed = pathlib.Path(__file__).with_suffix(".cfg").read_text()
cfg_text = seed.replace("global\n", "global\n  chroot /var/lib/haproxy\n", 1)
cfg = TMP / "haproxy.cfg"
cfg.write_text(cfg_text)
theirs, ours = verdict("haproxy", cfg), verdict(TELAMON, cfg)
found = {("haproxy", x) for x in theirs[1] if x not in ours[1]} | {("telamon", x) for x in ours[1] if x not in theirs[1]}
found = {(who, x.replace(str(cfg), "FILE")) for who, x in found}
ok(theirs[0] == ours[0] == 0, "-c accepts the file, as Debian's haproxy does", [theirs, ours])
ok(found <= differences(), "verdict and warnings equal Debian's, or the difference is a reviewed one", [f"{a}\t{b}" for a, b in sorted(found - differences())])
(TMP / "rsyslog.d").mkdir()
(TMP / "rsyslog.d/49-haproxy.conf").write_text(RULE)
(TMP / "rsyslog.conf").write_text(f"""module(load="imuxsock")
$ActionFileDefaultTemplate RSYSLOG_FileFormat
$WorkDirectory {TMP}
$IncludeConfig {TMP}/rsyslog.d/*.conf
*.* /var/log/other.log
""")
rsyslog = syslogd()
t0 = time.monotonic()
t = Telamon(cfg_text, "-W", name="haproxy.cfg")
wait_for(lambda: socket.socket().connect_ex((VIP, 8404)) == 0)
HEAD = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d \S+ haproxy\[\d+\]: "
for name, left in (("bettley", 2), ("fenn", 1), ("gardener", 0)):
    got = lines(HEAD + f'Server k8s-api-server/{name} is DOWN, reason: Layer4 connection problem, info: "Connection refused at initial connection step of tcp-check", '
                rf"check duration: \d+ms\. {left} active and 0 backup servers left\. 0 sessions active, 0 requeued, 0 remaining in queue\.$", 2)
    ok(len(got) == 2, f"{name} is DOWN by its first check, in the seed's words, once for each log line", LOG.read_text())
spent = time.monotonic() - t0
ok(len(lines(HEAD + "backend k8s-api-server has no server available!$", 2)) == 2, "no server available, twice", LOG.read_text())
ok(spent < 4, f"first checks are spread over the interval ({spent:.1f} s for all three)")
note(f"{len(lines('.'))} lines in {LOG}")

out = http("/stats")
ok(out.startswith("HTTP/1.1 401") and 'realm="HAProxy Statistics"' in out, "the stats page asks for a login, with the realm", out[:300])
out = http("/stats", "nathan:<redacted>")
ok(out.startswith("HTTP/1.1 200") and "refresh: 10" in out.lower() and "k8s-api-server" in out, "with it: 200, refresh, the proxies", out[:300])
out = http("/stats;csv", "nathan:<redacted>")
ok(any(x.startswith("k8s-api-server,bettley,") and ",DOWN," in x for x in out.splitlines()), "CSV shows a server DOWN", out[:600])
ok(http("/").startswith("HTTP/1.1 503"), "any other URI is a 503")
ok(lines(HEAD + r"Connect from 10\.4\.0\.\d+:\d+ to 10\.4\.0\.10:8404 \(stats-frontend/HTTP\)$", 4), "Connect from, in the seed's words", LOG.read_text())

nodes = {n: Node(n) for n in NODES}
for n in nodes.values():
    n.up()
for name in NODES:
    ok(lines(HEAD + f"Server k8s-api-server/{name} is UP, reason: Layer4 check passed, check duration: ", 2, 12), f"{name} is UP after two checks", LOG.read_text()[-1500:])
seen = [ask() for _ in range(9)]
ok(sorted(set(seen)) == sorted(NODES) and all(seen[i] != seen[i + 1] for i in range(8)), f"sessions go round: {seen}")
ok(lines(HEAD + r"10\.4\.0\.\d+:\d+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] k8s-api-server k8s-api-server/(bettley|fenn|gardener) \d+/\d+/\d+ \d+ -- \d+/\d+/\d+/\d+/0 0/0$", 9), "tcplog lines", LOG.read_text()[-1500:])

class Traffic:
    """60 s of clients that never try again: each session says two things, hears them, and leaves. Kept: [(port, node, done, begun, ended)]."""

    def __init__(self, clients):
        self.sessions, self.going, self.lock = [], True, threading.Lock()
        self.threads = [threading.Thread(target=self.client, daemon=True) for _ in range(clients)]
        for x in self.threads:
            x.start()

    def client(self):
        while self.going:
            s, begun, node, heard = socket.socket(), time.time(), "", 0
            s.settimeout(20)
            try:
                s.connect((VIP, 6443))
                port = s.getsockname()[1]
                for n in range(2):
                    s.sendall(b"say%d" % n)
                    d = s.recv(4096)
                    node = node or d.split(b" ")[0].decode()
                    heard += d.endswith(b"say%d" % n)
                    time.sleep(0.03)
            except OSError:
                pass
            s.close()
            with self.lock:
                self.sessions.append((port, node, heard == 2, begun, time.time()))

    def stop(self):
        self.going = False
        for x in self.threads:
            x.join(30)


LINE = re.compile(r" haproxy\[\d+\]: 10\.4\.0\.\d+:(\d+) \[\S+\] k8s-api-server k8s-api-server/(\S+) \S+ \d+ (..) \S+ 0/0$")
held = socket.create_connection((VIP, 6443), 5)
held.sendall(b"first")
first = held.recv(100)
worker = t.worker()
before = len(lines("."))
began, traffic, outages = time.monotonic(), Traffic(6), []
time.sleep(2)
t.cfg.write_text(cfg_text.replace("timeout connect 10s", "timeout connect 9s"))
t.p.send_signal(signal.SIGUSR2)
ok(wait_for(lambda: t.output().count("Loading success") >= 2), "reload by SIGUSR2, under traffic", t.output())
ok(len(lines("Server k8s-api-server/.* is DOWN")) == 6, "no server is checked anew by it")
held.sendall(b"again")
ok(first and held.recv(100).split(b" ")[0] == first.split(b" ")[0], "a session lives through it")
held_port = held.getsockname()[1]
held.close()
for name in NODES:
    died = time.time()
    nodes[name].down()
    got = lines(HEAD + f"Server k8s-api-server/{name} is DOWN, reason: ", 4, 12)
    ok(len(got) == 4, f"{name} dies: DOWN after three checks, said twice", LOG.read_text()[-1500:])
    noticed = time.time()
    time.sleep(1)
    nodes[name].up()
    got = lines(HEAD + f"Server k8s-api-server/{name} is UP, reason: ", 4, 12)
    ok(len(got) == 4, f"{name} returns: UP after two checks, said twice", LOG.read_text()[-1500:])
    outages.append((name, died, noticed))
time.sleep(max(0, 60 - (time.monotonic() - began)))
traffic.stop()
spent = time.monotonic() - began
ok(t.worker() == worker, "all in the same worker")

made = traffic.sessions
wait_for(lambda: sum(1 for x in LOG.read_text().splitlines()[before:] if LINE.search(x)) > len(made), 8, 0.1)
logged = {}
for x in LOG.read_text().splitlines()[before:]:
    m = LINE.search(x)
    if m:
        logged.setdefault(int(m[1]), []).append((m[2], m[3]))
n_lines = sum(len(x) for x in logged.values())
ok(n_lines == len(made) + 1 and len(made) > 1000 and held_port in logged, f"one log line for each of the clients' {len(made)} sessions in {spent:.0f} s, and for the one that lived through the reload", f"{n_lines} lines")
ended = [(*x, *(logged[x[0]].pop(0) if logged.get(x[0]) else ("", ""))) for x in sorted(made, key=lambda x: x[4])]  # a port may come again
good = [x for x in ended if x[2]]
wrong = [x for x in good if x[5:] != (x[1], "--")]
ok(not wrong, f"each of the {len(good)} served sessions is logged with the node that answered, as ended without trouble", wrong[:9])
# Not served is only who was sent to a node between its death and the check that noticed it: the file has no `option redispatch`, so such
# a session tries its node again, one second apart, until that is DOWN (then another node serves it) or its three retries are used up.
RETRIES_S = 3.5
bad, cut, refused = [], 0, 0
for x in ended:
    port, node, served, t0, t1, by, flags = x
    if served:
        continue
    out = [o for o in outages if o[0] == by and t0 <= o[2] and o[1] <= t1 <= o[2] + RETRIES_S]
    if out and flags == "SC":
        refused += 1
    elif out and flags in ("SD", "--") and t0 <= out[0][1] + 0.1:
        cut += 1
    else:
        bad.append(x)
ok(not bad, f"not served: {cut} that were on a node when it died, {refused} sent to it before the check noticed and out of retries; no other", bad[:9])
ok(len(good) + cut + refused == len(made), f"{len(good)} served + {cut} cut + {refused} refused = {len(made)} made")
share = {n: sum(1 for x in good if x[1] == n) for n in NODES}
ok(min(share.values()) > len(good) // 6, f"every node served its share: {share}")

end(rsyslog)
for name in ("/dev/log", "/var/lib/haproxy/dev/log"):
    if os.path.exists(name):
        os.unlink(name)
ask()
rsyslog = syslogd()
mark = len(lines("."))
wait_for(lambda: ask(b"after") and len(lines(".", mark + 1, 1)) > mark, 10, 0.2)
ok(len(lines(".", 0, 0)) > mark, "lines arrive again after rsyslog has restarted", LOG.read_text()[-600:])

worker = t.worker()
os.kill(worker, signal.SIGKILL)
k0 = time.monotonic()
answer = ask(seconds=10)
note(f"kill -9 of the worker: next session served after {(time.monotonic() - k0) * 1000:.0f} ms")
ok(answer and t.worker() not in (worker, 0), "kill -9 of the worker: the next session is served by a new one", t.output())
mark = len(lines("tcp|k8s-api-server k8s-api-server/"))
ask()
ok(len(lines("k8s-api-server k8s-api-server/", mark + 1)) > 0, "which logs too")
ok(t.stop(signal.SIGTERM, 15) in (0, 143), "it stops", t.output())
for text in ("New worker", "Loading success", "Exiting Master process...", "exited with code 143 (Terminated)", "All workers exited. Exiting... (0)"):
    ok(text in t.output(), f"the master said: {text}", t.output())
end(rsyslog)
done()
