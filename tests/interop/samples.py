#!/usr/bin/python3
"""The expressions of samples.tsv, evaluated by Telamon and by HAProxy on the same messages, must have the same values.

A row is PLACE, EXPRESSION and flags, between tabs. PLACE says where it stands:
  req    in `http-request return ... lf-file` of a frontend: the value and its length are compared
  res    likewise in `http-response set-header`: the server's answer is one of the generated ones
  if     a condition of an `http-request` rule: whether it holds is compared
  ifres  a condition of an `http-response` rule
Flags: `bin` compares the bytes in hexadecimal; `val` (of a name with "_val") looks only at texts that are numbers of up to nine digits, as
HAProxy makes odd numbers of others; `3.x` leaves the row out when the oracle is older.

Each case is one request, or one request and its answer, made by a generator with a seed: fields repeated, empty and odd, cookies and
parameters of every shape, targets in each form. What both programs refuse as a message is counted apart.
Environment: TELAMON, HAPROXY (the oracle; Debian's by default), SAMPLES_CASES (default 1500), SAMPLES_SEED, SAMPLES_TABLES (files, split
by blanks), SAMPLES_PORT (of 30 that are used). --only REGEX takes the rows that it finds; --keep keeps the scratch folder.
"""
import argparse, collections, os, pathlib, random, re, socket, subprocess, sys, tempfile, threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
ORACLE = os.environ.get("HAPROXY", "/usr/sbin/haproxy")
CASES = int(os.environ.get("SAMPLES_CASES", "1500"))
SEED = int(os.environ.get("SAMPLES_SEED", "20261121"))
TABLES = os.environ.get("SAMPLES_TABLES", str(HERE / "samples.tsv")).split()
PORT = int(os.environ.get("SAMPLES_PORT", "23500"))
ORIGIN = PORT + 20
PLACES = ("req", "if", "res", "ifres")

CONFIG = """\
global
    tune.bufsize 65536
    node samples
    hard-stop-after 1s
defaults
    mode http
    timeout client 5s
    timeout server 7s
    timeout connect 3s
    timeout queue 4s
    timeout http-request 5s
    retries 0
{fronts}
backend be
    id 21
    fullconn 77
    server s1 127.0.0.1:{origin} maxconn 50 maxqueue 20 weight 30
    server s2 127.0.0.1:{origin} weight 7 disabled
backend other
    id 22
    server o1 127.0.0.1:{origin} maxconn 5 maxqueue 9 weight 2
    server o2 127.0.0.1:{origin} maxconn 6 maxqueue 1 weight 3
    server o3 127.0.0.1:{origin} maxconn 7 maxqueue 2 weight 3 backup
backend open
    server p1 127.0.0.1:{origin} maxconn 5
    server p2 127.0.0.1:{origin}
backend standby
    server q1 127.0.0.1:{origin} maxconn 5 maxqueue 3 disabled
    server q2 127.0.0.1:{origin} maxconn 6 maxqueue 3 backup
"""


# name of the place: what stands in a frontend, before the rules of its rows and behind them
FRONT = """\
frontend {name}
    id {id}
    bind 127.0.0.1:{port} name b{place}
    maxconn 900
    default_backend be
"""
CHUNK = {"req": 60, "if": 400, "res": 40, "ifres": 400}  # rows a frontend


# ---- the table ----

class Row:
    def __init__(self, where, place, text, flags):
        self.where, self.place, self.text, self.flags = where, place, text, flags.split()

    def format(self):
        if "bin" in self.flags:
            return f"%[{self.text},hex]"
        if "val" in self.flags:
            return f"%[{self.text}]|%[{self.text.replace('_val', '')}]"
        return f"%[{self.text},length]|%[{self.text}]"

    def same(self, ours, theirs):
        odd = "val" in self.flags and theirs and not re.fullmatch(r"(-?\d{1,9}([A-Za-z].*)?|[A-Za-z].*)?", theirs.partition("|")[2], re.S)
        return ours == theirs or odd


def rows_of(paths, old):
    rows = []
    for path in paths:
        for no, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            place, text, flags = (line.split("\t") + [""])[:3]
            assert place in PLACES, f"{path}:{no}: {place}"
            row = Row(f"{pathlib.Path(path).name}:{no}", place, text, flags)
            if not (old and "3.x" in row.flags):
                rows.append(row)
    return rows


# ---- messages ----

NAMES = ("x-a", "X-B", "x-n", "x-forwarded-for", "Accept", "x-empty", "x-odd", "x-i")
IPS = ("10.0.0.1", "10.0.0.1:80", "1.2.3.4:99999", "::1", "[::1]", "[2001:db8::7]:80", "2001:db8::7", "300.1.2.3", "1.2.3", "127.0.0.1 ", "",
       "10.0.0.1:", "10.0.0.1:x", "[::1", "::ffff:1.2.3.4", "unknown", '"10.1.1.1"', "1.2.3.4.5", "[::1]:", "[::1]x", "1.2.3.4:0080")
NUMBERS = ("0", "7", "-3", "42abc", "abc", "", "99999999999999999999", "+5", "-", " 12", "0x10", "9223372036854775807", "-9223372036854775809")
SANE = ("0", "7", "-3", "42abc", "12", "9", "2147483647")  # HAProxy wraps what does not fit into 32 bits
COOKIES = ("a", "b", "A", "sid", "", "a b", "JSESSIONID", "$Version", "a.b")
PARAMS = ("a", "b", "A", "sid", "", "a%62", "a.b", "ab")


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def word(self, n=8, extra=""):
        return "".join(self.r.choice("abcdefghijklmnopqrstuvwxyzABC0123456789" + extra) for _ in range(self.r.randrange(n)))

    def one(self, *makers):
        return self.r.choice(makers)()

    def item(self):
        r = self.r
        return self.one(lambda: self.word(), lambda: self.word(20, ' ;=."\\'), lambda: '"' + self.word(9, ',\\; ') + r.choice('""x'),
                        lambda: r.choice(IPS), lambda: r.choice(NUMBERS), lambda: "", lambda: self.word(250), lambda: "\xe9\xff" + self.word())

    def listed(self, each):
        return self.r.choice((",", ", ", " ,", ",,", " , ")).join(each() for _ in range(self.r.choice((1, 1, 1, 2, 3, 5))))

    def cookie(self):
        r = self.r
        value = self.one(lambda: self.word(), lambda: self.word(), lambda: '"' + self.word(8, ";, ") + '"', lambda: r.choice(NUMBERS),
                         lambda: self.word(9, " =,"))
        return r.choice(("", "", "", " ")) + r.choice(COOKIES) + r.choice(("=", "=", "=", " = ", "= ", "", "==")) + value

    def cookies(self):
        return self.r.choice(("; ", "; ", ";", " ; ", ";;", ", ")).join(self.cookie() for _ in range(self.r.randrange(6))) + \
            self.r.choice(("", "", "", ";", "; ", ","))

    def full(self, cookies):
        """HAProxy does not see a cookie without a value at the end or before a comma."""
        return re.sub(r"=([ =]*)(?=,|$)", r"=\1v", cookies)

    def set_cookie(self):
        r = self.r
        tail = ("", "", "; path=/", "; Expires=Wed, 21 Oct 2026 07:28:00 GMT; secure", ";HttpOnly", ", b=2", ", sid=77; path=/x,a=3")
        one = self.cookie()
        return one + r.choice(tail if re.match("[^$]*=", one) else tail[:4])

    def params(self):
        r = self.r
        sep = lambda: r.choice("&&&&;?:|")
        out = ""
        for _ in range(r.randrange(6)):
            out += r.choice(PARAMS) + r.choice(("=", "=", "=", "", "==")) + r.choice((self.word(), self.word(), r.choice(NUMBERS).strip(), "a%20b+c")) + sep()
        return out if r.random() < 0.3 else out[:-1]

    def target(self):
        r = self.r
        path = self.one(lambda: "/", lambda: "/" + self.word(), lambda: "/" + "/".join(self.word(6, ".-_~%2") for _ in range(4)),
                        lambda: "//" + self.word(), lambda: "/a;sid=" + self.word() + ";b=2", lambda: "/" + self.word(300), lambda: "/x/../y/./z//")
        path = re.sub("%(?![0-9a-fA-F]{2})", "p", path)
        query = self.one(lambda: "", lambda: "?", lambda: "?" + self.params(), lambda: "?" + self.params(), lambda: "?" + self.params())
        if r.random() < 0.75:
            return path + query
        host = r.choice(("h.example", "H.Example:8080", "1.2.3.4", "1.2.3.4:81", "[::1]:82", "[2001:db8::1]", "h.example:80", "1.2.3", "a-b.c_d:0"))
        return r.choice(("http", "https", "HTTP", "ws")) + "://" + host + (path if r.random() < 0.85 else "") + query

    def fields(self, special):
        r = self.r
        out = []
        for _ in range(r.choice((0, 1, 2, 4, 7))):
            name = r.choice(NAMES)
            each = (lambda: r.choice(IPS)) if name == "x-forwarded-for" else (lambda: r.choice(NUMBERS)) if name == "x-n" else (lambda: r.choice(SANE)) if name == "x-i" else self.item
            out.append((name, "" if name == "x-empty" else self.listed(each)))
        out += special
        r.shuffle(out)
        return out

    def request(self, number):
        r = self.r
        method = r.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO", "get", "M-SEARCH"))
        target = self.target()
        if method == "OPTIONS" and r.random() < 0.4:
            target = "*"
        version = r.choice(("HTTP/1.1",) * 5 + ("HTTP/1.0",))
        m = re.match(r"[A-Za-z]+://([^/?]+)", target)
        host = m[1] if m else r.choice(("www.example.com", "www.Example.com:81", "h", "1.2.3.4:80", "[::1]:9", "", "x" * 90))
        special = [("Cookie", self.full(self.cookies())) for _ in range(r.choice((0, 1, 1, 1, 2, 3)))]
        if r.random() < 0.93 or version == "HTTP/1.1":
            special.append((r.choice(("Host", "host")), host))
        special.append(("x-case", str(number)))
        if r.random() < 0.1:
            special.append(("Connection", r.choice(("close", "keep-alive"))))
        body = b""
        if method in ("POST", "PUT", "PATCH") and r.random() < 0.7:
            body = b"x" * r.randrange(9)
            special.append(("Content-Length", str(len(body))))
        return self.head(f"{method} {target} {version}", self.fields(special)) + body

    def answer(self):
        r = self.r
        status = r.choice(("200 OK", "200 OK", "404 Not Found", "302 Found", "503 Busy", "299 ", "201", "599 x y z", "418 I'm a teapot"))
        special = [("Set-Cookie", self.full(self.set_cookie())) for _ in range(r.choice((0, 1, 1, 2, 4)))]
        special += [("Content-Length", "0"), ("x-origin", "1")]
        return self.head(f"{r.choice(('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'))} {status}", self.fields(special))

    def head(self, line, fields):
        ows = lambda: self.r.choice((" ", " ", "", "  ", "\t"))
        return (line + "\r\n" + "".join(f"{k}:{ows()}{v}{self.r.choice(('', '', '', ' '))}\r\n" for k, v in fields) + "\r\n").encode("latin-1")


# ---- programs ----

class Program:
    def __init__(self, name, binary, base, rows, scratch):
        self.name, self.binary, self.base, self.rows = name, binary, base, rows
        self.dir = scratch / name
        self.dir.mkdir()
        self.unknown = {}
        self.proc = None

    def front(self, place, chunk, port):
        name = f"{place}{port - self.base}"
        text = FRONT.format(name=name, id=port - self.base + 100, port=port, place=place)
        answer = "    http-request return status 200 content-type text/plain "
        number = {r: i for i, r in enumerate(self.rows)}
        if place == "req":
            (self.dir / f"{name}.lf").write_text("".join(f"{number[r]}\t{r.format()}\n" for r in chunk))
            return text + answer + f"lf-file {self.dir}/{name}.lf\n"
        for r in chunk:
            if place == "res":
                text += f'    http-response set-header x-s-{number[r]} "{r.format()}"\n'
            else:
                way = "request" if place == "if" else "response"
                text += f'    http-{way} set-header x-hits "%[{way[:3]}.fhdr(x-hits)] {number[r]}" if {r.text}\n'
        return text + (answer + 'lf-string "%[req.fhdr(x-hits)]"\n' if place == "if" else "")

    def write(self, rows):
        """Makes the file; returns what the program has against it."""
        self.fronts, text, port = [], "", self.base
        for place in PLACES:
            mine = [r for r in rows if r.place == place]
            for i in range(0, len(mine), CHUNK[place]):
                chunk = mine[i:i + CHUNK[place]]
                self.fronts.append((place, chunk, port))
                text += self.front(place, chunk, port)
                port += 1
        (self.dir / "a.cfg").write_text(CONFIG.format(fronts=text, origin=ORIGIN))
        got = subprocess.run([self.binary, "-c", "-f", str(self.dir / "a.cfg")], capture_output=True, text=True)
        return "" if got.returncode == 0 else got.stdout + got.stderr

    def settle(self):
        """Rows that the program refuses are found one by one and left out."""
        if not self.write(self.rows):
            return
        good = []
        for r in self.rows:
            why = self.write([r])
            if why:
                lines = [ln for ln in why.splitlines() if "[ALERT]" in ln]
                self.unknown[r] = lines[0] if lines else why.strip()
            else:
                good.append(r)
        why = self.write(good)
        if why:
            sys.exit(f"{self.name}: {why}")

    def start(self, rows):
        self.write(rows)
        self.log = open(self.dir / "log", "w")
        self.proc = subprocess.Popen([self.binary, "-db", "-f", str(self.dir / "a.cfg")], stdout=self.log, stderr=self.log)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.base), 1).close()
                return
            except OSError:
                if self.proc.poll() is not None:
                    break
                time.sleep(0.02)
        sys.exit(f"{self.name} does not start:\n" + (self.dir / "log").read_text())

    def stop(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait()

    def ask(self, place, port, request):
        """{row number: value}, or the status line when there is no such answer."""
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            s.sendall(request)
            head, body = self.read(s)
        lines = head.decode("latin-1").split("\r\n")
        fields = [ln.partition(": ")[::2] for ln in lines[1:]]
        if place in ("if", "req") and ("content-type", "text/plain") not in fields:
            return lines[0]
        if place == "req":
            return {int(n): v for n, _, v in (ln.partition("\t") for ln in body.decode("latin-1").split("\n") if "\t" in ln)}
        if place == "res":
            return {int(n[4:]): v for n, v in fields if n.startswith("x-s-")} or lines[0]
        if place == "ifres" and ("x-origin", "1") not in fields:
            return lines[0]
        hits = body.decode("latin-1") if place == "if" else " ".join(v for n, v in fields if n == "x-hits")
        return {int(n): "true" for n in hits.split()}

    def read(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            if not (got := s.recv(65536)):
                return data, b""
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        m = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        while m and len(body) < int(m[1]) and (got := s.recv(65536)):
            body += got
        return head, body


class Origin(threading.Thread):
    """Answers with the answer of the case that the request names."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.sock = socket.create_server(("127.0.0.1", ORIGIN), backlog=100)

    def run(self):
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
            m = re.search(rb"\r\nx-case: *(\d+)", data, re.I)
            c.sendall(self.answers[int(m[1])] if m else b"HTTP/1.1 500 no case\r\ncontent-length: 0\r\n\r\n")


# ---- comparing ----

def differences(rows, chunk, ours, theirs):
    """[(row or None, ours, theirs)]; None: both refuse the message."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return None
    if isinstance(ours, str) or isinstance(theirs, str):
        return [(None, ours if isinstance(ours, str) else "served", theirs if isinstance(theirs, str) else "served")]
    return [(r, ours.get(n), theirs.get(n)) for n, r in enumerate(rows) if r in chunk and not r.same(ours.get(n), theirs.get(n))]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--only", default="")
    ap.add_argument("--keep", action="store_true")
    ap.add_argument("--show", type=int, default=2, help="examples printed for each row that differs")
    o = ap.parse_args()
    version = re.search(r"version (\d+)", subprocess.run([ORACLE, "-v"], capture_output=True, text=True).stdout)
    rows = [r for r in rows_of(TABLES, version and int(version[1]) < 3) if re.search(o.only, r.place + " " + r.text)]
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="samples-"))
    maker = Maker(SEED)
    cases = [(maker.request(i), maker.answer()) for i in range(CASES)]
    programs = [Program("telamon", TELAMON, PORT, rows, scratch), Program("oracle", ORACLE, PORT + 10, rows, scratch)]
    for p in programs:
        p.settle()
        for r, why in p.unknown.items():
            print(f"refused by {p.name}: {r.where}: {r.place} {r.text}\n    {why}")
    refused = {r for p in programs for r in p.unknown}
    known = [r for r in rows if r not in refused]
    one_sided = sum((r in programs[0].unknown) != (r in programs[1].unknown) for r in refused)
    Origin([a for _, a in cases]).start()
    compared = both_refuse = 0
    found, examples = collections.Counter(), collections.defaultdict(list)
    try:
        for p in programs:
            p.start(known)
        for request, answer in cases:
            for (place, chunk, port), (_, _, other) in zip(*(p.fronts for p in programs)):
                diff = differences(rows, chunk, programs[0].ask(place, port, request), programs[1].ask(place, other, request))
                if diff is None:
                    both_refuse += 1
                    continue
                compared += len(chunk)
                for row, ours, theirs in diff:
                    found[row] += 1
                    if len(examples[row]) < o.show:
                        examples[row].append((request if place in ("req", "if") else answer, place, ours, theirs))
    finally:
        for p in programs:
            p.stop()
    for row, n in found.most_common():
        print(f"{row.where + ': ' + row.place + ' ' + row.text if row else 'message'}: {n} differences")
        for message, place, ours, theirs in examples[row]:
            print(f"    {message!r}\n      {place}: ours {ours!r}, theirs {theirs!r}")
    print(f"samples: {len(cases)} cases, {len(known)} expressions, {compared} values compared, {both_refuse} messages refused by both, "
          f"{one_sided} expressions known to one only, {sum(found.values())} differences")
    if o.keep:
        print(scratch)
    else:
        subprocess.run(["rm", "-rf", str(scratch)])
    return 1 if found or one_sided else 0


if __name__ == "__main__":
    sys.exit(main())
