#!/usr/bin/python3
"""Generated rules must do in Telamon what they do in HAProxy: the same answer, the same request at the server, the same log line.

rules_gen.py makes frontends (conditions, samples, converters with arguments, variables, edits, redirects, answers, maps, lists, counters,
formats of log lines), the generator of samples.py the messages. A case is a frontend and a request. FRONTS of them run in one process of
each program; each request goes to one program and then to the other, so that maps and counters see the same order.
Compared: status and reason, fields (without case of names; several of one name in their order), body; the request at the server likewise,
or that there was none; the log line. A file that one of the two refuses is a difference, too. A difference is printed with the fewest
lines of its frontend and the one request, or as few as needed, that still show it.
Known are the rows of KNOWN alone; each names the row of tests/differences.tsv that it stands for, and that row must exist.
Environment: TELAMON, HAPROXY (the oracle; Debian's by default), CASES (default 5000), SEED, RULES_PORT (of 220 that are used).
--batch N runs that batch alone; --keep keeps the scratch folder; --show N minimizes that many differences.
"""
import argparse, collections, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, threading, time

import rules_gen
import samples

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON") or str(ROOT / "build/telamon")
ORACLE = os.environ.get("HAPROXY") or "/usr/sbin/haproxy"
CASES = int(os.environ.get("CASES") or "5000")
SEED = int(os.environ.get("SEED") or "20261121")
PORT = int(os.environ.get("RULES_PORT") or "26500")
FRONTS, REQUESTS = 40, 20  # of a batch; of a frontend

CONFIG = """\
global
    node rules
    hard-stop-after 1s
    nbthread 1
    expose-experimental-directives
    log 127.0.0.1:{log} len 8192 format raw local0
defaults
    mode http
    log global
    log-format 'case=%[var(txn.case)] -'
    timeout client 5s
    timeout server 5s
    timeout connect 3s
    timeout http-request 5s
    timeout tarpit 20ms
    retries 0
{fronts}
backend spare
    server sp 127.0.0.1:{origin}
"""

# (kind, regular expression of the lines of the smallest configuration, the row's first column)
KNOWN = (
    ("server", r"normalize-uri path-strip-dotdot", "normalize-uri path-strip-dotdot: empty segments"),
    ("log", r"capture cookie", "capture cookie of a Set-Cookie with a comma"),
    ("server", r"set-pathq?|set-uri|replace-(path|uri)", "an absolute target of HTTP/1.0 without Host"),
)


class Case:
    def __init__(self, number, request, answer):
        self.number, self.request, self.answer = number, request, answer


class Wire:
    """The origin and the log server of one program: what they saw, by case."""

    def __init__(self, port, answers):
        self.answers, self.seen, self.lines = answers, {}, {}
        self.sock = socket.create_server(("127.0.0.1", port), backlog=200)
        self.logs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.logs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.logs.bind(("127.0.0.1", port))
        self.more = threading.Condition()
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            line = self.logs.recv(65536).decode("latin-1")
            m = re.match(r"case=(\d+) ", line)
            if m:
                with self.more:
                    self.lines.setdefault(int(m[1]), []).append(line[m.end():].rstrip("\n\0"))
                    self.more.notify_all()

    def line(self, number, wait):
        with self.more:
            self.more.wait_for(lambda: number in self.lines, wait)
            return self.lines.get(number)

    def accept(self):
        while True:
            c, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        with c:
            data = b""
            while b"\r\n\r\n" not in data:
                got = c.recv(65536)
                if not got:
                    return
                data += got
            head, _, body = data.partition(b"\r\n\r\n")
            m = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
            while m and len(body) < int(m[1]) and (got := c.recv(65536)):
                body += got
            m = re.search(rb"\r\nx-case: *(\d+)", head, re.I)
            number = int(m[1]) if m else -1
            self.seen[number] = message(head, body)
            c.sendall(self.answers.get(number) or b"HTTP/1.1 500 no case\r\ncontent-length: 0\r\n\r\n")


def message(head, body):
    """First line, fields in the order of their names, body."""
    lines = head.decode("latin-1").split("\r\n")
    fields = [ln.partition(":")[::2] for ln in lines[1:]]
    # Connection is of each hop; blanks at the '=' of cookies and a reason that is not there: rows of differences.tsv
    # and at the commas that replace-value rebuilds
    blank = lambda k, v: re.sub("[ \t]*,[ \t]*", ",", re.sub(" *= *", "=", v) if k in ("cookie", "set-cookie") else v)
    fields = [(k.lower(), blank(k.lower(), v.strip(" \t"))) for k, v in fields if k.lower() != "connection"]
    first = lines[0].replace("413 Request Entity Too Large", "413 Content Too Large")
    first = re.sub(r"^(HTTP/1.. \d+) (|Created|Success)$", r"\1 ", first)
    if re.match("HTTP/1.. (204|304)", first):
        fields = [f for f in fields if f[0] != "content-length"]
    if not body and ("content-length", "0") in fields:
        fields = [f for f in fields if f[0] != "content-type"]
    # sorted() is stable: several fields of one name keep their order
    return first, sorted(fields, key=lambda f: f[0]), body.decode("latin-1")


class Program:
    def __init__(self, name, binary, base, wire, folder):
        self.name, self.binary, self.base, self.wire, self.dir, self.proc = name, binary, base, wire, folder / name, None
        self.origin = wire.sock.getsockname()[1]

    def write(self, fronts, seed):
        """fronts: [(frontend lines, backend lines)]; returns what the program has against the file."""
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir()
        rules_gen.files(self.dir, seed)
        text = ""
        for n, (fe, be) in enumerate(fronts):
            own = lambda ls: "".join(f"    {ln}\n" for ln in ls).replace("@DIR@", str(self.dir)).replace("@N@", str(n))
            text += (f"frontend f{n}\n    bind 127.0.0.1:{self.base + n}\n    http-request set-var(txn.case) req.hdr(x-case)\n"
                     f"    default_backend b{n}\n" + own(fe) + f"backend b{n}\n    server s1 127.0.0.1:{self.origin}\n" + own(be) +
                     f"backend t{n}\n    stick-table type string len 64 size 1k expire 1h store gpc0,gpt0,http_req_cnt\n")
        (self.dir / "a.cfg").write_text(CONFIG.format(fronts=text, origin=self.origin, log=self.origin))
        got = subprocess.run([self.binary, "-c", "-f", str(self.dir / "a.cfg")], capture_output=True, text=True)
        return "" if got.returncode == 0 else "".join(ln + "\n" for ln in (got.stdout + got.stderr).splitlines() if "ALERT" in ln)[:600] or "refused"

    def start(self):
        self.log = open(self.dir / "log", "w")
        self.proc = subprocess.Popen([self.binary, "-db", "-f", str(self.dir / "a.cfg")], stdout=self.log, stderr=self.log)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.proc.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.base), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit(f"{self.name} does not start:\n" + (self.dir / "log").read_text())

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait()
            self.log.close()
            self.proc = None

    def ask(self, n, case):
        self.wire.seen.pop(case.number, None)
        self.wire.lines.pop(case.number, None)
        with socket.create_connection(("127.0.0.1", self.base + n), 10) as s:
            s.sendall(case.request)
            try:
                answer = self.read(s)
            except OSError as e:
                answer = type(e).__name__
        return answer

    def read(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            if not (got := s.recv(65536)):
                return "closed after " + repr(data)
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        m = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        bodiless = re.match(rb"HTTP/1.. (204|304)", head)
        while not bodiless and (not m or len(body) < int(m[1])) and (got := s.recv(65536)):
            body += got
        return message(head, body)


class Run:
    def __init__(self, folder, old):
        self.old, self.answers = old, {}
        self.programs = [Program("telamon", TELAMON, PORT, Wire(PORT + 200, self.answers), folder),
                         Program("oracle", ORACLE, PORT + 100, Wire(PORT + 201, self.answers), folder)]
        self.number = 0

    def cases(self, maker, n):
        out = []
        for _ in range(n):
            out.append(Case(self.number, maker.request(self.number), maker.answer()))
            self.answers[self.number] = out[-1].answer
            self.number += 1
        return out

    def start(self, fronts, seed):
        """None, or what the one says and what the other says; nothing runs when it is not None."""
        why = [p.write(fronts, seed) for p in self.programs]
        if any(why):
            return why
        for p in self.programs:
            p.start()
        return None

    def stop(self):
        for p in self.programs:
            p.stop()

    def both(self, n, case):
        """[what differs]: (kind, ours, theirs)"""
        ours, theirs = (p.ask(n, case) for p in self.programs)
        out = [("answer", ours, theirs)] if ours != theirs else []
        seen = [p.wire.seen.get(case.number) for p in self.programs]
        if seen[0] != seen[1]:
            out.append(("server", *seen))
        # both have answered: a line that only one of them wrote is waited for in the other
        # neither may have the case's number: a request that is refused before the rules
        refused = ours[0].startswith("HTTP/1.1 400") and not seen[0] and not seen[1] if isinstance(ours, tuple) else True
        lines = [p.wire.line(case.number, 0.02 if refused else 3) for p in self.programs]
        if lines[0] != lines[1]:
            out.append(("log", *lines))
        return out

    # ---- the smallest that shows it ----

    def shows(self, front, cases, seed):
        why = self.start([front], seed)
        try:
            if why:
                return None
            for c in cases:
                if d := self.both(0, c):
                    return c, d
            return None
        finally:
            self.stop()

    def smallest(self, front, cases, seed):
        got = self.shows(front, cases[-1:], seed)
        if got:
            cases = cases[-1:]
        elif not (got := self.shows(front, cases, seed)):
            return None
        lines = [("fe", ln) for ln in front[0]] + [("be", ln) for ln in front[1]]
        split = lambda ls: ([t for k, t in ls if k == "fe"], [t for k, t in ls if k == "be"])
        i = 0
        while i < len(lines):
            less = lines[:i] + lines[i + 1:]
            if now := self.shows(split(less), cases, seed):
                lines, got = less, now
            else:
                i += 1
        return split(lines), cases, got


def settled(run, gen, seed, found):
    """FRONTS frontends that both take; what one alone refuses is a difference, unless the oracle is old and does not know it yet."""
    good, both = [], 0
    for n in range(FRONTS * 8):
        front = gen.frontend(n)
        why = [p.write([front], seed) for p in run.programs]
        if not any(why):
            good.append(front)
            if len(good) == FRONTS:
                break
        elif all(why) or (run.old and why[1]):
            both += 1
        else:
            found.append(("config", front, [], why, seed))
    return good, both


def show_difference(n, kind, front, cases, diff):
    print(f"difference {n} ({kind}):")
    print("".join(f"    {ln}\n" for ln in front[0]) + "  backend:\n" + "".join(f"    {ln}\n" for ln in front[1]), end="")
    for c in cases:
        print(f"  request {c.request!r}")
    if cases:
        print(f"  answer of the server {cases[-1].answer!r}")
    for what, ours, theirs in diff:
        print(f"  {what}:")
        if isinstance(ours, tuple) and isinstance(theirs, tuple):
            for a, b in zip(ours, theirs):
                if isinstance(a, list) and a != b:
                    a, b = [x for x in a if x not in b] or a, [x for x in b if x not in a] or b
                if a != b:
                    print(f"    ours   {a!r}\n    theirs {b!r}")
        else:
            print(f"    ours   {ours!r}\n    theirs {theirs!r}")
    sys.stdout.flush()


def known(front, kinds):
    text = "\n".join(front[0] + front[1])
    return next((row for kind, rx, row in KNOWN if kind in kinds and re.search(rx, text)), None)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--batch", type=int)
    ap.add_argument("--keep", action="store_true")
    ap.add_argument("--show", type=int, default=8)
    o = ap.parse_args()
    reviewed = {ln.split("\t")[0] for ln in (ROOT / "tests/differences.tsv").read_text().splitlines()}
    for _, _, row in KNOWN:
        assert row in reviewed, f"not in differences.tsv: {row}"
    version = re.search(r"version (\d+)", subprocess.run([ORACLE, "-v"], capture_output=True, text=True).stdout)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="rules-"))
    run = Run(scratch, bool(version) and int(version[1]) < 3)
    done, fronts_run, refused, batch, found = 0, 0, 0, 0, []
    try:
        while done < CASES if o.batch is None else batch <= o.batch:
            seed = SEED * 1000 + batch
            if o.batch is None or batch == o.batch:
                gen, maker = rules_gen.Gen(seed, "@DIR@", run.old), samples.Maker(seed)
                fronts, both = settled(run, gen, seed, found)
                refused += both
                run.start(fronts, seed)
                for n, front in enumerate(fronts):
                    cases = run.cases(maker, REQUESTS)
                    for i, c in enumerate(cases):
                        done += 1
                        if diff := run.both(n, c):
                            found.append((diff[0][0], front, cases[:i + 1], diff, seed))
                            done += len(cases) - i - 1 if o.batch is not None else 0
                            break  # what was changed may have changed what follows
                    fronts_run += 1
                run.stop()
            batch += 1
        shown, open_ones, rows = 0, 0, collections.Counter()
        for kind, front, cases, diff, seed in found:
            if kind == "config":
                open_ones += 1
                if shown < o.show:
                    shown += 1
                    show_difference(shown, kind, front, [], [("config", *diff)])
                continue
            small = run.smallest(front, cases, seed) if shown < o.show or KNOWN else None
            where, used, (_, what) = small if small else (front, cases, (None, diff))
            if row := known(where, {k for k, _, _ in what}):
                rows[row] += 1
                continue
            open_ones += 1
            if shown < o.show:
                shown += 1
                show_difference(shown, kind + f", seed {seed}" + ("" if small else ", not seen again"), where, used, what)
    finally:
        run.stop()
    for row, n in rows.most_common():
        print(f"reviewed: {row}: {n}")
    print(f"rules: {done} cases, {fronts_run} frontends, {refused} refused by both, {sum(rows.values())} reviewed differences, {open_ones} differences")
    if o.keep:
        print(scratch)
    else:
        shutil.rmtree(scratch)
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
