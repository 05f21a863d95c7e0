"""HTTP/1 framing: hostile bytes from a raw client (and a raw server), and what the other side then reads.

One TAP line per class of past failures. In every case at least this holds: what Telamon forwards is read by two parsers that are not
ours (python3-h11, and nginx, which forwards what it read to a recording server) as the same list of method, target and body; nothing
follows the last message. A case says besides: REFUSE (an error answer or a close, nothing whole forwarded), PASS (forwarded once) or ANY.
"""
import hashlib, itertools, queue, socket, threading, time
import h11
from kit import HOST, TMP, Telamon, child, done, listening, note, ok, serve, wait_for

FRONT, BACK, NGINX, SINK, REUSE, HOSTILE, VIA = 32001, 32002, 32003, 32004, 32005, 32006, 32007
REFUSE, PASS, ANY = "refuse", "pass", "any"
BIG = 4 << 20


def digest(body):
    return len(body), hashlib.sha256(body).hexdigest()[:8]


class Reading:
    """A server's side of one connection, read by h11."""

    def __init__(self):
        self.h = h11.Connection(h11.SERVER, max_incomplete_event_size=BIG)
        self.done, self.req, self.body, self.error, self.headers = [], None, b"", None, []

    def feed(self, data):
        """How many requests became whole."""
        n = 0
        try:
            self.h.receive_data(data)
            while True:
                e = self.h.next_event()
                if isinstance(e, h11.Request):
                    self.req, self.body = e, b""
                    self.headers.append([(k.lower(), v) for k, v in e.headers])
                elif isinstance(e, h11.Data):
                    self.body += bytes(e.data)
                elif isinstance(e, h11.EndOfMessage):
                    self.done.append((self.req.method.decode(), target_path(self.req.target.decode()), digest(self.body)))
                    n += 1
                    self.answer()
                elif e in (h11.NEED_DATA, h11.PAUSED) or isinstance(e, h11.ConnectionClosed):
                    return n
        except h11.RemoteProtocolError as e:
            self.error = str(e)
            return n

    def answer(self):
        self.h.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        self.h.send(h11.EndOfMessage())
        if self.h.our_state is h11.DONE and self.h.their_state is h11.DONE:
            self.h.start_next_cycle()


def target_path(t):
    """What nginx passes on of an absolute-form target."""
    if "://" in t and not t.startswith("/"):
        rest = t.split("://", 1)[1]
        return "/" + rest.split("/", 1)[1] if "/" in rest else "/"
    return t


class Recorder:
    """A server that keeps all bytes of each connection and answers 200 to each request h11 saw whole."""

    def __init__(self, port, keep=True):
        self.conns, self.open, self.keep = [], 0, keep
        self.lock = threading.Lock()
        self.ls = serve(self.one, port)

    def one(self, c):
        r = Reading()
        with self.lock:
            self.conns.append((r, raw := bytearray()))
            self.open += 1
        try:
            while data := c.recv(65536):
                raw += data
                for _ in range(r.feed(data)):
                    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                if r.error:
                    break
        finally:
            with self.lock:
                self.open -= 1

    def take(self):
        wait_for(lambda: self.open == 0, 2, 0.0005)
        with self.lock:
            out, self.conns = self.conns, []
        return out


def exchange(data, port=FRONT, seconds=3):
    """Sends, shuts, reads to the end."""
    out = b""
    with socket.create_connection((HOST, port)) as s:
        s.settimeout(seconds)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while d := s.recv(65536):
                out += d
        except TimeoutError:
            out += b"<NOT CLOSED>"
        except OSError:
            pass
    return out


def status(out):
    return int(out[9:12]) if out[:7] == b"HTTP/1." and out[9:12].isdigit() else 0


nginx_cache, stricter = {}, set()


def by_nginx(raw):
    """What nginx read of these bytes: (list of requests, refused?)."""
    if raw not in nginx_cache:
        sink.take()
        out = exchange(raw, NGINX)
        reqs = [q for r, _ in sink.take() for q in r.done]
        nginx_cache[raw] = reqs, status(out) >= 400 or not out
    return nginx_cache[raw]


def judge(name, data, want, bad, use_nginx=True):
    """Runs one case; what is wrong goes into bad."""
    back.take()
    out = exchange(data)
    conns = [(r, bytes(raw)) for r, raw in back.take() if raw]
    whole = [q for r, _ in conns for q in r.done]
    say = lambda text: bad.append(f"{name}: {text}; sent {data[:160]!r}, client got {out[:60]!r}, forwarded {[x[:200] for _, x in conns][:3]}")
    if b"<NOT CLOSED>" in out:
        say("the client's end is not seen")
    for r, raw in conns:
        if r.error and "Missing mandatory Host" in r.error and by_nginx(raw)[1]:
            stricter.add(raw)
        elif r.error:
            say(f"h11 refuses what was forwarded ({r.error})")
        elif r.h.trailing_data[0]:
            say("bytes follow the message")
        elif len(r.done) and use_nginx:
            reqs, refused = by_nginx(raw)
            if refused and not reqs:
                stricter.add(raw)  # it closes after its 400 or 405: nothing is read differently
            elif refused or reqs != r.done:
                say(f"nginx reads {reqs}, h11 {r.done}")
    if want == REFUSE and (whole or out and status(out) < 400):
        say("not refused")
    if want == PASS and (len(whole) != 1 or status(out) != 200):
        say("not passed")
    return out, conns, whole


def row(title, cases, **kw):
    bad, n, t0 = [], 0, time.monotonic()
    for name, data, want in cases:
        judge(name, data, want, bad, **kw)
        n += 1
    ok(not bad, f"{title} ({n} cases)", [f"{len(bad)} of {n}"] + bad[:8])
    return time.monotonic() - t0


def get(*lines, line="GET / HTTP/1.1", host=b"Host: a"):
    lines = [x.encode("latin-1") if isinstance(x, str) else x for x in lines]
    first = line.encode("latin-1") if isinstance(line, str) else line
    return b"\r\n".join([first] + ([host] if host else []) + lines) + b"\r\n\r\n"


def post(*lines, body=b"", line="POST / HTTP/1.1"):
    return get(*lines, line=line) + body


SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

# ---- the rows of requests ----


def empty_names():
    for i in range(3):
        lines = ["a: 1", "b: 2"]
        lines.insert(i, ": x")
        yield f"at {i}", get(*lines), REFUSE
    yield "before Host", b"GET / HTTP/1.1\r\n: x\r\nHost: a\r\n\r\n", REFUSE
    yield "only a colon", get(":"), REFUSE
    yield "space and colon", get(" : x"), REFUSE


def lengths():
    for n in [255, 256, 257, 1023, 1024, 4095, 4096, 8191, 8192, 15000, 16384, 32767, 65535, 65536, 65537, 262144, 1 << 20]:
        yield f"name of {n}", post("n" * n + ": v", "Content-Length: 5", body=b"hello"), ANY
        yield f"value of {n}", post("n: " + "v" * n, "Content-Length: 5", body=b"hello"), ANY
    for n in (255, 256, 270, 65535 - 14):  # the length of a name that spilled into the next field
        yield f"cl in a name of {n}", post("Content-Length0" + "a" * n + ":", "Content-Length: 5", body=b"hello"), ANY


def content_lengths():
    values = ["", "0", "5", "5,5", "5,6", "+5", "0x5", " 5", "5 ", "18446744073709551616", "-5", "5;", "5 5", "05", "5.0"]
    for v in values:
        want = {"0": ANY, "5": PASS, " 5": PASS, "5 ": PASS, "5,5": ANY, "05": ANY}.get(v, REFUSE)
        yield f"[{v}]", post(f"Content-Length: {v}", body=b"hello"), want
    for v, w in itertools.product(values, values):
        same = v.strip() == w.strip() and v.strip() in ("5", "0", "05", "5,5") or {v.strip(), w.strip()} <= {"5", "5,5", "05"}
        yield f"[{v}] [{w}]", post(f"Content-Length: {v}", f"Content-Length: {w}", body=b"hello"), ANY if same else REFUSE
        yield f"[{v}, {w}]", post(f"Content-Length: {v}, {w}", body=b"hello"), ANY if same else REFUSE


def codings():
    good = ["chunked", "Chunked", "CHUNKED", " chunked", "chunked ", "\tchunked"]
    for v in good:
        yield repr(v), post(f"Transfer-Encoding:{v}", body=b"5\r\nhello\r\n0\r\n\r\n"), PASS
    bad = ["xchunked", "chunked,", ",chunked", "chunked, chunked", "chunked, identity", "identity, chunked", "identity", "chunked;q=1", "\x0bchunked", "chunked\x0b",
           "chunked\x00", "\x0cchunked", "\"chunked\"", "'chunked'", "chun ked", "chunkedx", "chunk", "x", "gzip", "gzip, chunked", "chunked, gzip", "",
           "[chunked]", "chunked#", "chunked\x7f", "\xa0chunked", "ch\xfcnked", "chunked ;", "chunked\\", "cow, chunked", "deflate", "compress, chunked"]
    for v in bad:
        yield repr(v), post(f"Transfer-Encoding: {v}", body=SMUGGLED), ANY if v in (",chunked", "chunked,") else REFUSE
    for name in ("Transfer-Encoding ", "Transfer_Encoding", "Transfer-Encoding\t", " Transfer-Encoding", "Transfer Encoding", "X\nTransfer-Encoding",
                 "\x00Transfer-Encoding", "Transfer-Encoding\x00", "Transfer-Encoding\x0b"):
        yield repr(name), post(f"{name}: chunked", "Content-Length: 5", body=b"0\r\n\r\n"), ANY if name == "Transfer_Encoding" else REFUSE
    yield "twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=SMUGGLED), ANY
    yield "twice, identity", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=SMUGGLED), REFUSE
    yield "twice, empty", post("Transfer-Encoding:", "Transfer-Encoding: chunked", body=SMUGGLED), ANY
    yield "1.0", post("Transfer-Encoding: chunked", line="POST / HTTP/1.0", body=SMUGGLED), ANY
    yield "folded", post("Transfer-Encoding:\r\n chunked", body=SMUGGLED), ANY


def both_lengths():
    for a, b in itertools.permutations(("Content-Length: 5", "Transfer-Encoding: chunked")):
        yield f"{a} / {b}", post(a, b, body=b"0\r\n\r\n"), ANY
        yield f"{a} / {b}, smuggling", post(a, b, body=SMUGGLED), ANY
    yield "cl 0", post("Content-Length: 0", "Transfer-Encoding: chunked", body=SMUGGLED), ANY
    yield "te x", post("Content-Length: 5", "Transfer-Encoding: x", body=SMUGGLED), REFUSE


def chunks():
    te = lambda body: post("Transfer-Encoding: chunked", body=body)
    for text in ("5\r\nhello\r\n0\r\n\r\n", "005\r\nhello\r\n0\r\n\r\n", "5;a\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0;x\r\n\r\n", "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n",
                 "A\r\n0123456789\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n",
                 "5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0 \r\n\r\n", "5;a \r\nhello\r\n0\r\n\r\n"):
        yield repr(text), te(text.encode()), PASS
    for size in (1 << 31, 1 << 32, (1 << 32) + 5, 1 << 63, 1 << 64, (1 << 64) + 5, 1 << 68):
        yield f"size {size:x}", te(b"%x\r\nhello\r\n0\r\n\r\n" % size), REFUSE
    for text in ("5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "\r\n5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n",
                 "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5h\r\nhello\r\n0\r\n\r\n", ";\r\nhello\r\n0\r\n\r\n", "5,5\r\nhello\r\n0\r\n\r\n",
                 "5;a\nhello\r\n0\r\n\r\n", "5;\x00\r\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5;a=\"\r\nhello\"\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n",
                 "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n", "5\r\nhel", "5\r\nhello\r\n0\n\n", "5\r\nhello\r\r\n0\r\n\r\n", "5\r\n\r\nhello\r\n0\r\n\r\n", "_5\r\nhello\r\n0\r\n\r\n", "5_0\r\nhello\r\n0\r\n\r\n"):
        yield repr(text), te(text.encode()), REFUSE
    for text in ("5 ;a\r\nhello\r\n0\r\n\r\n", "0" * 40 + "5\r\nhello\r\n0\r\n\r\n"):
        yield repr(text), te(text.encode()), ANY


def trailers():
    te = lambda t: post("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n" + t.encode("latin-1") + b"\r\n\r\n")
    yield "plain", te("X-Sum: 1"), PASS
    for t in (": x", "a b: c", "X : c", "nocolon", " folded: x", "a: b\x00", "a: b\rc", "a: b\nc", "\xfc: x", "a: b\r\n folded"):
        yield repr(t), te(t), REFUSE
    for t in ("Content-Length: 7", "Transfer-Encoding: chunked", "Host: evil", "Connection: close", "Authorization: x"):
        yield repr(t), te(t), ANY


def bytes_everywhere():
    places = {"method": lambda b: get(line=b"GE" + b + b"T / HTTP/1.1"), "target": lambda b: get(line=b"GET /a" + b + b"c HTTP/1.1"),
              "version": lambda b: get(line=b"GET / HTTP/1" + b + b"1"), "name": lambda b: get(b"X" + b + b"Y: v"), "value": lambda b: get(b"X: a" + b + b"c"),
              "value's end": lambda b: get(b"X: a" + b), "host": lambda b: get(host=b"Host: a" + b + b"c"), "name's end": lambda b: get(b"X" + b + b": v"),
              "chunk size": lambda b: post("Transfer-Encoding: chunked", body=b"5" + b + b"\r\nhello\r\n0\r\n\r\n"),
              "chunk extension": lambda b: post("Transfer-Encoding: chunked", body=b"5;a" + b + b"c\r\nhello\r\n0\r\n\r\n")}
    for place, make in places.items():
        for n in range(256):
            control = n < 32 and n != 9 or n == 127
            yield f"0x{n:02x} in {place}", make(bytes([n])), REFUSE if control and place not in ("host",) and not (n == 10 and "name" in place) and n not in (10, 13) else ANY


def names():
    for line in ("a b: c", "X : c", "X\t: c", "nocolon", "(x): c", "a@b: c", "a/b: c", "a[b]: c", "a{: c", "a\"b: c", "a,b: c", "a;b: c", "a=b: c", "\xe9: c", "X:c\r\n folded", "X: c\r\n\tfolded", "X: c\r\n "):
        yield repr(line), get(line), REFUSE
    yield "folded first", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", REFUSE
    for line in ("under_score: c", "a!#$%&'*+-.^`|~b: c", "X:", "X: ", "X:\tc\t"):
        yield repr(line), get(line), PASS


def targets():
    for t in ("/", "/a?b=c", "/%2f%2e%2e/x", "//host/x", "/a;b", "/?", "/a:b@c", "/..", "/./a/../b", "http://a/x"):
        yield t, get(line=f"GET {t} HTTP/1.1"), PASS
    yield "*", get(line="OPTIONS * HTTP/1.1"), PASS
    for t in ("", "a", "a/b", "/a b", "/a\tb", "?x", "*", "a:80", "@a/", "/\x7f", "/a\x00b", "http://", "http:///x"):
        yield repr(t), get(line=f"GET {t} HTTP/1.1"), REFUSE if t not in ("http://", "http:///x") else ANY
    for t in ("/a#b", "/a\\b", "/\xe9", "/\"", "/<>", "/^`{|}", "http://u:p@a/", "http://a:99999/", "http://a:x/", "http://a,b/", "https://a/", "ftp://a/", "http://b/x"):
        yield repr(t), get(line=f"GET {t} HTTP/1.1"), ANY
    for v in ("HTTP/1.2", "HTTP/1.", "HTTP/11", "HTTP/2.0", "http/1.1", "HTTP/1.1 x", "HTTP/1.1\t", "HTTX/1.1", "HTTP/01.1", "HTTP/1.10", "HTTP/0.9"):
        yield v, get(line=f"GET / {v}"), REFUSE if v != "HTTP/1.2" else ANY
    yield "0.9", b"GET /\r\n\r\n", REFUSE
    yield "two spaces", get(line="GET  / HTTP/1.1"), ANY  # RFC 9112 3: may be read; forwarded with one
    yield "leading space", get(line=" GET / HTTP/1.1"), REFUSE
    for h in ("a, b", "a b", "a/b", "a?b", "a@b", "u@a", "a:x", "", "[::1]", "[::1", "a:80", "a\\b"):
        yield f"host {h!r}", get(host=f"Host: {h}".encode()), ANY
    yield "no host", get(host=None), ANY  # as HAProxy does; left to the server
    yield "two hosts", get("Host: b"), REFUSE
    yield "same host twice", get("Host: a"), ANY
    yield "CONNECT path", get(line="CONNECT / HTTP/1.1"), REFUSE


def methods():
    for m, (lines, body) in itertools.product(("GET", "HEAD", "OPTIONS", "DELETE", "PUT", "PATCH", "PROPFIND", "get"), (
            ((), b""), (("Content-Length: 5",), b"hello"), (("Transfer-Encoding: chunked",), b"5\r\nhello\r\n0\r\n\r\n"), (("Content-Length: 5", "Expect: 100-continue"), b"hello"))):
        yield f"{m} {lines}", post(*lines, line=f"{m} / HTTP/1.1", body=body), PASS
    for m in ("GET", "POST"):
        yield f"{m} cut", post("Content-Length: 50", line=f"{m} / HTTP/1.1", body=b"hello"), REFUSE
    yield "expect nonsense", post("Expect: 200-maybe", "Content-Length: 5", body=b"hello"), ANY
    for m in ("G(T", "G T", "G\"", "G,", ""):
        yield repr(m), get(line=f"{m} / HTTP/1.1"), REFUSE
    yield "TRACE with body", post("Content-Length: 5", line="TRACE / HTTP/1.1", body=b"hello"), ANY


def path_bypass():
    """The target is forwarded as it was judged: byte for byte."""
    bad, n = [], 0
    for t in ("/admin", "/Admin", "/%61dmin", "//admin", "/./admin", "/x/../admin", "/admin%2f", "/admin;x", "/%2e/admin", "/admin/..", "/a%00b", "/admin?", "/?/admin", "http://a/admin"):
        out, conns, whole = judge(t, get(line=f"GET {t} HTTP/1.1"), ANY, bad)
        n += 1
        denied = t.startswith("/admin") or t == "http://a/admin"
        if denied and (whole or status(out) != 403):
            bad.append(f"{t}: not denied: {out[:60]!r}")
        if not denied and conns and conns[0][1].split(b" ")[1].decode() != t:
            bad.append(f"{t}: forwarded as {conns[0][1][:60]!r}")
        if not denied and not whole and status(out) < 400:
            bad.append(f"{t}: lost")
    ok(not bad, f"path normalisation: the target judged is the target forwarded ({n} cases)", bad)


def hop_headers():
    bad = []
    for named in ("Host", "X-Forwarded-For", "Content-Length", "Transfer-Encoding", "Connection", "Cookie", "Via", "close, X-Forwarded-For", "keep-alive, Host", "X-Mine"):
        data = post(f"Connection: {named}", "X-Mine: 1", "Cookie: c", "Content-Length: 5", body=b"hello", line="POST /hop HTTP/1.1")
        out, conns, whole = judge(named, data, ANY, bad)
        if not whole:
            if status(out) != 400:
                bad.append(f"{named}: {out[:60]!r}")
            continue
        have = dict(conns[0][0].headers[0])
        if have.get(b"x-forwarded-for") != b"127.0.0.1" or have.get(b"host") != b"a" or whole[0][2] != digest(b"hello"):
            bad.append(f"{named}: {have} {whole}")
    ok(not bad, "Connection names no header away that we add or rely on (10 cases)", bad)


def pipelines():
    bad = []
    one = post("Content-Length: 5", body=b"hello", line="POST /%d HTTP/1.1")
    for parts in (1, 2, 7, 40):
        data = b"".join(one.replace(b"%d", b"%d" % i) for i in range(parts))
        out, conns, whole = judge(f"{parts} in one", data, ANY, bad)
        if [w[1] for w in whole] != [f"/{i}" for i in range(parts)] or out.count(b"HTTP/1.1 200") != parts:
            bad.append(f"{parts}: {len(whole)} forwarded, {out.count(b'HTTP/1.1 200')} answers")
    out, conns, whole = judge("good then bad", one.replace(b"%d", b"1") + b"GET / HTTP/1.1\r\n: x\r\n\r\n" + one, ANY, bad)
    if len(whole) != 1 or b" 400 " not in out or out.count(b"HTTP/1.1 ") != 2:
        bad.append(f"good then bad: {whole} {out!r}")
    ok(not bad, "pipelined requests: each once, in order; after a bad one nothing is read (5 cases)", bad)


# ---- responses: a hostile server ----

plan = queue.Queue()


def hostile(c):
    data = b""
    while b"\r\n\r\n" not in data:
        d = c.recv(65536)
        if not d:
            return
        data += d
    answer = plan.get_nowait() if not plan.empty() else b""
    c.sendall(answer)
    c.shutdown(socket.SHUT_WR)
    c.settimeout(2)
    while c.recv(65536):
        pass


def read_answer(raw, method):
    """(status, body, whole, what follows) as h11 reads it."""
    h = h11.Connection(h11.CLIENT, max_incomplete_event_size=BIG)
    h.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    h.send(h11.EndOfMessage())
    h.receive_data(raw)
    code, body = 0, b""
    try:
        while True:
            e = h.next_event()
            if isinstance(e, h11.Response):
                code = e.status_code
            elif isinstance(e, h11.Data):
                body += bytes(e.data)
            elif isinstance(e, h11.EndOfMessage):
                return code, body, True, h.trailing_data[0]
            elif e is h11.NEED_DATA:
                h.receive_data(b"")
            elif isinstance(e, h11.ConnectionClosed) or e is h11.PAUSED:
                return code, body, False, b""
    except h11.RemoteProtocolError as e:
        return code, body, False, str(e).encode()


def responses():
    R = lambda *lines, body=b"", first="HTTP/1.1 200 OK": "\r\n".join((first,) + lines).encode("latin-1") + b"\r\n\r\n" + body
    hi, none = (200, b"hello"), (204, b"")
    yield "length", R("Content-Length: 5", body=b"hello"), hi
    yield "more than the length", R("Content-Length: 5", body=b"helloHTTP/1.1 200 OK\r\n\r\n"), hi
    yield "chunked", R("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"), hi
    yield "padded chunk sizes", R("Transfer-Encoding: chunked", body=b"5  \r\nhello\r\n0 \r\n\r\n"), hi
    yield "until close", R(body=b"hello"), hi
    yield "204 with a body", R(body=b"hello", first="HTTP/1.1 204 No Content"), none
    yield "204 with a length", R("Content-Length: 5", body=b"hello", first="HTTP/1.1 204 No Content"), none
    yield "304 with a body", R("Content-Length: 5", body=b"hello", first="HTTP/1.1 304 Not Modified"), (304, b"")
    yield "103 first", R(first="HTTP/1.1 103 Early Hints") + R("Content-Length: 5", body=b"hello"), hi
    yield "100 first", R(first="HTTP/1.1 100 Continue") + R("Content-Length: 5", body=b"hello"), hi
    yield "101 unasked", R(first="HTTP/1.1 101 Switching Protocols", body=b"hello"), 502
    for name, r in {"four digits": R(first="HTTP/1.1 2000 OK"), "two digits": R(first="HTTP/1.1 20 OK"), "letters": R(first="HTTP/1.1 2x0 OK"), "no status": R(first="HTTP/1.1"),
                    "0xx": R(first="HTTP/1.1 099 OK"), "version": R(first="HTTP/2.0 200 OK"), "nonsense": b"\x15\x03\x01\x00\x02\x02\x28" + b"\r\n\r\n", "nul": R("a: b\0c"),
                    "bare cr": R("a: b\rc"), "name": R("a b: c"), "space colon": R("a : c"), "empty name": R(": c"), "fold": R("a: b", " c"), "no colon": R("a"),
                    "two lengths": R("Content-Length: 5", "Content-Length: 6", body=b"hello!"), "bad length": R("Content-Length: x", body=b"hello"),
                    "minus": R("Content-Length: -5"), "plus": R("Content-Length: +5", body=b"hello"), "list": R("Content-Length: 5,6", body=b"hello!"),
                    "te x": R("Transfer-Encoding: x", body=b"hello"), "te twice": R("Transfer-Encoding: chunked, chunked", body=SMUGGLED), "empty": b"", "half": b"HTTP/1.1 200 OK\r\na: b"}.items():
        yield name, r, 502
    yield "both", R("Content-Length: 50", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"), None
    yield "short", R("Content-Length: 50", body=b"hello"), "cut"
    yield "bad chunk", R("Transfer-Encoding: chunked", body=b"5\r\nhello\r\nzz\r\n"), "cut"
    yield "no last chunk", R("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"), "cut"
    yield "huge chunk", R("Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\nhello\r\n"), "cut"
    yield "trailer", R("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"), hi
    yield "smuggling trailer", R("Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\nContent-Length: 7\r\n\r\n"), None


def response_row():
    bad, n = [], 0
    for name, r, want in responses():
        for port, who in ((HOSTILE, "h11"), (VIA, "nginx")):
            n += 1
            plan.put(r)
            out = exchange(get("Connection: close") if who == "h11" else get(), port)
            while not plan.empty():
                plan.get()
            code, body, whole, rest = read_answer(out, "GET")
            verdict = f"{name} read by {who}: {code} {body!r} whole={whole} rest={rest!r}; out {out[:200]!r}"
            if rest and whole:
                bad.append("bytes follow: " + verdict)
            elif isinstance(want, tuple) and ((code, body) != want or not whole):
                bad.append(verdict)
            elif want == 502 and code != 502:
                bad.append(verdict)
            elif want == "cut" and whole and who == "h11" and code == 200:
                bad.append(verdict)
    ok(not bad, f"answers of a hostile server: h11 and nginx read the same, or 502, or a visible cut ({n} cases)", [f"{len(bad)}"] + bad[:12])


# ---- tunnels, early answers ----


def tunnels():
    bad = []
    up = lambda *lines: get("Connection: Upgrade", *lines)
    out, conns, whole = judge("h2c", get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), ANY, bad)
    if conns and (b"h2c" in conns[0][1].lower() or b"http2-settings" in conns[0][1].lower()):
        bad.append(f"h2c is forwarded: {conns[0][1]!r}")
    out, conns, whole = judge("early bytes", up("Upgrade: echo") + b"EARLY TUNNEL BYTES", ANY, bad)
    if any(b"EARLY" in raw for _, raw in conns):
        bad.append("tunnel bytes before 101")
    out, conns, whole = judge("upgrade with a second request", up("Upgrade: echo") + get(line="GET /2 HTTP/1.1"), ANY, bad)
    if any(b"/2" in raw and b"echo" in raw for _, raw in conns):
        bad.append("a second request went to the server with the first")
    out = exchange(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nEARLY", HOSTILE)
    plan.put(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    out = exchange(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", HOSTILE)
    if status(out) != 403:
        bad.append(f"CONNECT refused by the server: {out!r}")
    ok(not bad, "Upgrade, CONNECT, h2c: no tunnel and no early bytes without 101 or 2xx (4 cases)", bad)


def early_answers():
    """A server that answers before it has the body: its connection must never carry another request."""
    seen, bad = [], []

    def early(c):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                d = c.recv(65536)
                if not d:
                    return
                data += d
            head, data = data.split(b"\r\n\r\n", 1)
            owed = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) if b"content-length" in head.lower() else 0
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            while len(data) < owed and (d := c.recv(65536)):
                data += d
            seen.append((head.split(b"\r\n")[0], data[:owed]))
            if len(data) < owed:
                return
            data = data[owed:]

    ls = serve(early, EARLY)
    for announced, sent in ((10, 0), (10, 1), (10, 9), (100000, 50000), (5, 5)):
        with socket.create_connection((HOST, REUSE)) as s:
            s.settimeout(3)
            s.sendall(b"POST /owed HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % announced + b"x" * sent)
            got = s.recv(4096)
            victim = exchange(get(line="GET /victim HTTP/1.1"), REUSE)
            if status(got) != 200 or status(victim) != 200 or not victim.endswith(b"ok"):
                bad.append(f"{sent} of {announced}: {got[:40]!r} {victim[:60]!r}")
    wait_for(lambda: len(seen) >= 10, 3)
    bad += [f"a request went where a body was owed: {first} {body[:100]!r}" for first, body in seen if body.strip(b"x")]
    if len(seen) != 10:
        bad.append(f"{len(seen)} of 10 requests seen")
    ls.close()
    ok(not bad, "a server connection that is owed bytes carries no other request (5 cases)", bad)


EARLY = 32008
CFG = f"""
global
    nbthread 1
defaults
    mode http
    no option abortonclose  # a client here says that no more bytes come, and waits for the answer
    timeout connect 2s
    timeout client 2s
    timeout server 2s
    retries 0
frontend fe
    bind {HOST}:{FRONT}
    option http-server-close
    option forwardfor
    http-request deny if {{ path_beg /admin }}
    default_backend rec
frontend hostile
    bind {HOST}:{HOSTILE}
    option http-server-close
    default_backend hostile
frontend reuse
    bind {HOST}:{REUSE}
    default_backend early
backend rec
    server s {HOST}:{BACK}
backend hostile
    server s {HOST}:{HOSTILE + 100}
backend early
    http-reuse always
    server s {HOST}:{EARLY}
"""
NGINX_CONF = f"""
daemon off; master_process off; pid {TMP}/nginx.pid; error_log {TMP}/nginx.err;
events {{ worker_connections 512; }}
http {{
    access_log off; client_max_body_size 0; large_client_header_buffers 4 2m; client_header_buffer_size 64k;
    client_body_temp_path {TMP}/b; proxy_temp_path {TMP}/p; fastcgi_temp_path {TMP}/f; uwsgi_temp_path {TMP}/u; scgi_temp_path {TMP}/s;
    proxy_http_version 1.1; proxy_set_header Host a; proxy_buffering off; lingering_close off; proxy_ignore_client_abort on;
    server {{ listen {HOST}:{NGINX}; location / {{ proxy_pass http://{HOST}:{SINK}; }} }}
    server {{ listen {HOST}:{VIA}; location / {{ proxy_pass http://{HOST}:{HOSTILE}; }} }}
}}
"""

(TMP / "nginx.conf").write_text(NGINX_CONF)
nginx = child(["/usr/sbin/nginx", "-e", TMP / "nginx.err", "-p", TMP, "-c", TMP / "nginx.conf"])
sink, back = Recorder(SINK), Recorder(BACK)
serve(hostile, HOSTILE + 100)
t = Telamon(CFG, port=FRONT)
wait_for(lambda: listening(NGINX))
back.take()
started = time.monotonic()
row("empty header name", empty_names())
row("length of names and values", lengths())
row("empty, doubled and listed Content-Length", content_lengths())
row("obfuscated Transfer-Encoding", codings())
row("Content-Length with Transfer-Encoding", both_lengths())
row("chunk sizes, extensions, line ends", chunks())
row("trailers", trailers())
row("every byte value at every place", bytes_everywhere())
row("header names, folding, no colon", names())
row("request targets, versions, Host", targets())
row("bodies on any method, Expect, cut bodies", methods())
path_bypass()
hop_headers()
pipelines()
response_row()
tunnels()
early_answers()
note(f"{time.monotonic() - started:.1f} s, {len(nginx_cache)} distinct messages read by nginx too, which refused {len(stricter)} of them")
ok(t.p.poll() is None, "Telamon still runs", t.output())
ok(t.stop() == -2, "it ends by its signal", t.output())
done()
