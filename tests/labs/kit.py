"""What the labs share: TAP lines, a temporary folder, Telamon as a child, raw sockets. Python's own library only."""
import atexit, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
TMP = pathlib.Path(tempfile.mkdtemp(prefix="tlm-lab-", dir="/tmp"))
HOST = "127.0.0.1"
children = []
counts = [0, 0]


@atexit.register
def _clean():
    for p in reversed(children):
        if p.poll() is None:
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
            if b"worker" in pathlib.Path(f"/proc/{k}/cmdline").read_bytes() + pathlib.Path(f"/proc/{k}/comm").read_bytes():
                return int(k)
        return int(kids[-1]) if kids else self.p.pid

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
