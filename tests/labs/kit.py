"""What the labs share: TAP lines, a temporary folder, Telamon as a child, raw sockets. Python's own library only."""
import atexit, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
TMP = pathlib.Path(tempfile.mkdtemp(prefix="tlm-lab-", dir="/tmp"))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored, and a child would keep that
HOST = "127.0.0.1"
children = []
counts = [0, 0]


@atexit.register
def _clean():
    for p in reversed(children):
        if p.poll() is None:
            p.terminate()  # a killed supervisor would leave its worker, which serves on for a while
            try:
                p.wait(3)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
    shutil.rmtree(TMP, ignore_errors=True)


def ok(passed, name, detail=()):
    """One TAP line; detail is shown when it failed."""
    counts[0] += 1
    counts[1] += not passed
    print(f"{'ok' if passed else 'not ok'} {counts[0]} - {name}", flush=True)
    if not passed:
        for line in detail if isinstance(detail, (list, tuple)) else str(detail).splitlines():
            print("#", line, flush=True)
    return passed


def note(text):
    print("#", text, flush=True)


def done():
    print(f"1..{counts[0]}", flush=True)
    sys.exit(1 if counts[1] or not counts[0] else 0)


def wait_for(what, seconds=5.0, step=0.01):
    """Polls until what() is true; its last value."""
    end = time.monotonic() + seconds
    while True:
        r = what()
        if r or time.monotonic() > end:
            return r
        time.sleep(step)


def read(path):
    """A file's bytes; nothing when the process it tells of has gone."""
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def child(args, **kw):
    p = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL, **kw)
    children.append(p)
    return p


def listening(port, host=HOST):
    with socket.socket() as s:
        return s.connect_ex((host, port)) == 0


class Telamon:
    """`telamon -db -f` (or -W) with this text as its file."""

    def __init__(self, text, *args, port=None, name="t.cfg", prefix=()):
        self.cfg = TMP / name
        self.cfg.write_text(text)
        self.err = open(TMP / (name + ".err"), "w+b")
        self.p = child([*prefix, TELAMON, *(args or ["-db"]), "-f", self.cfg], stdout=self.err, stderr=self.err)
        if port and not wait_for(lambda: listening(port) or self.p.poll() is not None) or self.p.poll() is not None:
            ok(False, "telamon starts", self.output())
            done()

    def output(self):
        return pathlib.Path(self.err.name).read_text(errors="replace")

    def worker(self):
        """The pid of the process that serves: the child of the master, or the process itself."""
        kids = pathlib.Path(f"/proc/{self.p.pid}/task/{self.p.pid}/children").read_text().split()
        for k in kids:
            if b"worker" in read(f"/proc/{k}/cmdline"):
                return int(k)
        return 0 if kids else self.p.pid

    def stop(self, sig=signal.SIGINT, seconds=10):
        """Exit code; negative when a signal ended it (SIGINT gives -2)."""
        if self.p.poll() is None:
            self.p.send_signal(sig)
        try:
            return self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            return "does not end"


def serve(handler, port=0, backlog=1024):
    """A thread per connection; handler(socket). Returns the listening socket."""
    ls = socket.create_server((HOST, port), backlog=backlog)

    def one(c):
        try:
            handler(c)
        except OSError:
            pass
        finally:
            c.close()

    def loop():
        while True:
            try:
                c, _ = ls.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(c,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return ls


def port_of(ls):
    return ls.getsockname()[1]


def cli(path, command, seconds=5):
    """One command to a runtime socket or the master's (which stays open until we have said all); its answer."""
    out = b""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds)
        s.connect(str(path))
        s.sendall(command.encode() + b"\n")
        if "master" in str(path):
            s.shutdown(socket.SHUT_WR)
        while d := s.recv(65536):
            out += d
    return out.decode(errors="replace")


def stat(path):
    """`show stat` as {(proxy, name): {column: value}}."""
    lines = [line for line in cli(path, "show stat").splitlines() if line]
    names = lines[0].lstrip("# ").split(",")
    rows = [dict(zip(names, line.split(","))) for line in lines[1:]]
    return {(r["pxname"], r["svname"]): r for r in rows}


def rss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def fds(pid, kind=""):
    """What the open files of this kind (a prefix: "socket:", "pipe:") are."""
    out = []
    for f in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            out.append(os.readlink(f))
        except FileNotFoundError:  # closed in between
            pass
    return [x for x in out if x.startswith(kind)]


def listen_inodes(port):
    """Inodes of the TCP sockets that listen on this loopback port."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {r[9] for r in rows if r[3] == "0A" and r[1].endswith(f":{port:04X}")}
