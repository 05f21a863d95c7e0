"""A worker in trouble: a thread that makes no turn, one that dies again and again, a drain that does not end.

The hang is real: ptrace(2) holds one data thread of the worker in the middle of a turn, all others run on.
"""
import ctypes, os, signal, socket, threading, time
from kit import HOST, TMP, Telamon, cli, done, note, ok, read, serve, wait_for

WEB, TCP, BACK, ECHO = 22150, 22151, 22152, 22153
MASTER = f"{TMP}/master.sock"
PTRACE_SYSCALL, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GET_SYSCALL_INFO, WALL = 24, 0x4206, 0x4207, 0x420E, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid, addr=None, data=None):
    if libc.ptrace(request, tid, addr, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def enters_other_than(tid, *calls):
    """Is the stopped thread at the beginning of a system call that is none of these?"""
    info = (ctypes.c_uint64 * 11)()
    ptrace(PTRACE_GET_SYSCALL_INFO, tid, ctypes.sizeof(info), ctypes.addressof(info))
    return info[0] & 0xFF == 1 and info[3] not in calls


def web(c):
    if c.recv(65536):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def echo(c):
    while d := c.recv(65536):
        c.sendall(d)


def current():
    """Pid of the worker that serves now; asked of the master alone."""
    lines = cli(MASTER, "show proc").split("# workers\n")[1].splitlines()
    return int(lines[0].split()[0]) if lines and " worker " in lines[0] else 0


def get():
    with socket.create_connection((HOST, WEB), 5) as s:
        s.settimeout(15)
        s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        out = b""
        while d := s.recv(4096):
            out += d
    return out.endswith(b"ok")


def config(more=""):
    return f"""
global
    nbthread 2
{more}
defaults
    timeout connect 3s
    timeout client 60s
    timeout server 60s
frontend web
    mode http
    bind {HOST}:{WEB}
    default_backend b
backend b
    mode http
    server s {HOST}:{BACK}
listen tcp
    mode tcp
    bind {HOST}:{TCP}
    server e {HOST}:{ECHO}
"""


serve(web, BACK)
serve(echo, ECHO)
t = Telamon(config("    hard-stop-after 2s"), "-W", "-S", MASTER, port=WEB)
hung = wait_for(current)

# ---- a thread that makes no turn ----
EPOLL = {"x86_64": (232, 281, 441), "aarch64": (22, 441)}[os.uname().machine]  # the poll call: asleep is not hung


def held(pid):
    """The data threads of this process; one is held in a turn for as long as the process lives."""
    tids = [int(x) for x in os.listdir(f"/proc/{pid}/task") if read(f"/proc/{pid}/task/{x}/comm").startswith(b"telamon/")]
    ptrace(PTRACE_SEIZE, tids[0], None, 1)  # PTRACE_O_TRACESYSGOOD
    ptrace(PTRACE_INTERRUPT, tids[0])
    while True:
        os.waitpid(tids[0], WALL)
        if enters_other_than(tids[0], *EPOLL):
            return tids
        ptrace(PTRACE_SYSCALL, tids[0])


wait_for(get)
quiet = threading.Event()


def traffic():  # gives the thread something to do
    while not quiet.is_set():
        try:
            get()
        except OSError:
            pass


threading.Thread(target=traffic, daemon=True).start()
stopped = held(hung)
quiet.set()
ok(len(stopped) == 2, "one of two data threads is stopped", stopped)
results, t0 = [], time.monotonic()


def one():
    try:
        results.append(get())
    except OSError as e:
        results.append(str(e))


clients = [threading.Thread(target=one, daemon=True) for _ in range(20)]
for c in clients:  # about half of them come to the listening socket of the thread that does not look
    c.start()


def reaped():  # a traced thread's end must be taken by its tracer
    try:
        os.waitpid(-1, os.WNOHANG | WALL)
    except ChildProcessError:
        pass
    return "hangs since" in t.output() and current() not in (0, hung)


ok(wait_for(reaped, 10, 0.05), f"the hung worker is replaced ({time.monotonic() - t0:.1f} s)", t.output())
for c in clients:
    c.join(15)
waiting = [r for r in results if r is not True]
ok(len(results) == 20 and not any("refused" in str(r) for r in waiting), "nobody is refused", results)
ok(results.count(True) >= 10, f"who waited in the queue is served by the new worker ({results.count(True)} of 20)", results)
ok(f"Current worker ({hung}) exited with code" in t.output(), "its end is told", t.output())

ok("makes no turn since" in t.output(), "the thread that made no turn is told", t.output())

# ---- stopped is as good as hung ----
pid = current()
os.kill(pid, signal.SIGSTOP)
ok(wait_for(lambda: current() not in (0, pid), 20) and wait_for(get, 10), "a worker that somebody stops (SIGSTOP) is replaced", t.output()[-500:])

# ---- it dies again and again ----
deaths, waits = 0, []
time.sleep(0.2)
while deaths < 9 and "next start in 3 s" not in t.output():
    pid = wait_for(current, 10)
    if not pid:
        break
    k0 = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    deaths += 1
    wait_for(lambda: current() not in (0, pid), 10)
    waits.append(time.monotonic() - k0)
ok("The worker dies too often: next start in 1 s." in t.output() and "next start in 2 s." in t.output(), "respawns are put off, longer each time", t.output()[-2000:])
ok(max(waits[:3]) < 1 and max(waits) > 1, f"the first at once, later ones not: {[round(w, 1) for w in waits]}", t.output()[-2000:])
ok(wait_for(get, 10), "and it serves again")
ok(t.p.poll() is None, "the master is the same process")

# ---- a drain that does not end by itself ----
pid = wait_for(current)
with socket.create_connection((HOST, TCP), 5) as s:
    s.sendall(b"x")
    s.recv(1)
    k0 = time.monotonic()
    t.p.send_signal(signal.SIGUSR1)
    s.settimeout(10)
    time.sleep(0.5)
    s.sendall(b"y")
    ok(s.recv(1) == b"y", "SIGUSR1: the session goes on")
    try:
        end = s.recv(1)
    except ConnectionError:
        end = b""
    took = time.monotonic() - k0
    ok(end == b"" and 1.5 < took < 6, f"hard-stop-after ends it ({took:.1f} s)", t.output()[-500:])
ok(t.stop(signal.SIGUSR1) == 0 and "soft-stop running for too long, performing a hard-stop." in t.output(), "and the master ends with 0", t.output()[-1000:])
done()
