"""A worker in foreign hands, and clients of the master socket that do not read: the supervisor goes on.

The worker's side of the channel is taken out of the worker (pidfd_getfd), whose control thread is held by ptrace(2): one that is stopped
would be replaced. What is said on it comes from here.
"""
import ctypes, os, signal, socket, struct, time
from kit import HOST, TMP, Telamon, cli, done, listening, ok, read, rss_kib, wait_for

WEB = 22190
MASTER, STATS, LOG = f"{TMP}/master.sock", f"{TMP}/stats.sock", f"{TMP}/log.sock"
REOPEN, JOURNAL = 16, 15  # enum channel_type
SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def hold(pid):
    """Stops the control thread, until the process ends; reap() must be called for that."""
    if libc.ptrace(SEIZE, pid, None, None) or libc.ptrace(INTERRUPT, pid, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, WALL)


def reap(pid):
    try:
        os.waitpid(pid, WALL | os.WNOHANG)
    except ChildProcessError:
        pass
    return True


def config(port=WEB, log=LOG):
    return f"""
global
    stats socket {TMP}/stats.sock level admin
    log {log} local0
defaults
    timeout connect 1s
    timeout client 5s
    timeout server 5s
listen web
    mode http
    bind {HOST}:{port}
    server s {HOST}:1 weight 10
"""


def channel(pid):
    fd = libc.syscall(438, os.pidfd_open(pid), 3, 0)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    s = socket.socket(fileno=fd)
    return s


def text(b):
    return struct.pack("=I", len(b)) + b


def flood(s, messages):
    """What went out until the other side took no more for a second."""
    s.setblocking(False)
    n, last = 0, time.monotonic()
    for m in messages:
        while True:
            try:
                s.send(m)
                n, last = n + 1, time.monotonic()
                break
            except BlockingIOError:
                if time.monotonic() - last > 1:
                    return n
                time.sleep(0.005)
    return n


def master(command="show proc"):
    try:
        return cli(MASTER, command, 3)
    except OSError as e:
        return f"({e})"


def current():
    lines = master().split("# workers\n")[-1].splitlines()
    return int(lines[0].split()[0]) if lines and " worker " in lines[0] else 0


def replaced(pid):
    return wait_for(lambda: reap(pid) and current() not in (0, pid) and listening(WEB), 10, 0.05)


log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(LOG)
t = Telamon(config(), "-W", "-S", MASTER, port=WEB)
wait_for(lambda: "Loading success" in t.output(), 20)
pid = wait_for(current)

# ---- a configuration that is not taken (its end comes last) ----
slow = Telamon(config(WEB + 1).replace("stats.sock", "slow.sock"), "-W", "-S", f"{TMP}/slow-master.sock", port=WEB + 1, name="slow.cfg")
wait_for(lambda: "Loading success" in slow.output(), 20)
held = slow.worker()
hold(held)
slow.p.send_signal(signal.SIGUSR2)
held_since = time.monotonic()

ok(read(f"/proc/{pid}/comm") == read(f"/proc/{t.p.pid}/comm") == b"telamon\n", "ps calls them telamon", read(f"/proc/{pid}/comm"))

# ---- asks and does not listen ----
hold(pid)
n = flood(channel(pid), (struct.pack("=H", REOPEN) + text(LOG.encode()) for _ in range(40000)))
ok(n > 1000 and current() == pid, f"a worker that asks {n} times and does not read: the supervisor answers others", master())

# ---- a journal without end, of what is no runtime change ----
s = channel(pid)
junk = [struct.pack("=H", JOURNAL) + text(b"k%d" % i) + text(b"shutdown sessions server web/s " + b"x" * 60000) for i in range(1000)]
n = flood(s, junk + [struct.pack("=H", JOURNAL) + text(b"a") + text(b"set server web/s weight 7"), struct.pack("=H", JOURNAL) + text(b"b") + text(b"set server web/s state maint; shutdown frontend web")])
ok(n == 1002 and wait_for(lambda: "is not kept for the next worker" in t.output()), "what may not be journalled is refused", t.output()[-500:])
ok(rss_kib(t.p.pid) < 30000, f"and not kept ({rss_kib(t.p.pid)} KiB)")
os.kill(pid, signal.SIGKILL)
ok(replaced(pid), "the worker is replaced", t.output()[-500:])
ok(wait_for(lambda: cli(STATS, "get weight web/s").startswith("7 ")), "what may be is replayed", cli(STATS, "get weight web/s"))
ok("web,s,0," in cli(STATS, "show stat") and ",MAINT," not in cli(STATS, "show stat"), "and nothing else", cli(STATS, "show stat"))

# ---- clients of the master socket that do not read ----
with socket.socket(socket.AF_UNIX) as c:
    c.connect(MASTER)
    c.settimeout(10)
    c.sendall(b"help;" * 3000 + b"send bundle\n")
    time.sleep(0.3)
    ok(current() not in (0, pid), "a client with 3000 answers to read: the supervisor answers others", master())
    c.sendall(b"quit\n")
    got, end = b"", time.monotonic() + 10
    while time.monotonic() < end and (d := c.recv(65536)):
        got += d
    ok(got.count(b"The following commands are valid") == 3000, "and it gets them all once it reads", got.count(b"The following commands are valid"))

# ---- a stop while the master socket hands over connections ----
pid = current()
os.kill(pid, signal.SIGSTOP)
asked = []
for _ in range(20):
    c = socket.socket(socket.AF_UNIX)
    c.connect(MASTER)
    c.sendall(b"@1 show info\n")
    asked.append(c)
time.sleep(0.3)
t.p.send_signal(signal.SIGTERM)
time.sleep(0.2)
os.kill(pid, signal.SIGCONT)
ok(t.stop(signal.SIGTERM) == 0 and f"({pid}) exited with code 143" in t.output(), "a stop with connections under way is no crash", t.output()[-500:])

# ---- the configuration that is not taken ----
said = wait_for(lambda: "does not take its configuration in time" in slow.output(), 30, 0.1)
ok(said, f"a worker that does not answer to a reload is ended ({time.monotonic() - held_since:.0f} s)", slow.output()[-500:])
ok(wait_for(lambda: reap(held) and "New worker" in slow.output().split("in time")[-1]) and wait_for(lambda: listening(WEB + 1)), "and replaced", slow.output()[-500:])
slow.p.send_signal(signal.SIGUSR2)
ok(wait_for(lambda: "Loading success" in slow.output().split("in time")[-1], 10), "the next reload is done", slow.output()[-800:])
ok(slow.stop(signal.SIGTERM) == 0, "and the master ends", slow.output()[-500:])
done()
