"""Makes frontends with rules by a seed: what rules.py feeds to both programs. Values stay in alphabets that no quoting touches.

What tests/differences.tsv has is not made here; each place that steers around a row of it says so.
"""
import random

S, I, B, A, L = "str", "int", "bin", "addr", "bool"

REQ = {
    S: ("req.hdr(x-a)", "req.hdr(X-B,1)", "req.fhdr(x-a)", "req.hdr(x-a,-2)", "path", "pathq", "query", "url", "base", "urlp(a)", "urlp(sid,;)",
        "req.cook(sid)", "req.cook(a)", "method", "req.ver", "req.hdr(host)", "hdr(x-empty)", "str(abc)", "str(A-b_C.d.e)", "var(txn.s1)",
        "var(txn.s2)", "var(sess.s)", "var(req.f)", "var(proc.none)", "fe_name", "req.hdr_names", "src,ipmask(8)", "hdr(x-odd)",
        "req.hdr(accept)", "urlp(b)", "req.cook(b)"),
    I: ("req.hdr_cnt(x-a)", "req.fhdr_cnt(X-B)", "req.hdr_val(x-i)", "int(7)", "int(-12)", "int(2147483648)", "var(txn.i1)", "var(sess.i)",
        "path,length", "req.cook_cnt(a)", "base32", "url32", "sc0_get_gpc0", "sc_get_gpc0(0)", "sc_http_req_cnt(0)", "req.hdr(x-a),length"),
    B: ("bin(00ff41fe)", "bin(68656c6c6f)", "req.hdr(x-a),b64dec", "path,lower,b64dec", "req.hdr(x-n),b64dec"),
    A: ("src", "req.hdr_ip(x-forwarded-for)", "hdr_ip(x-forwarded-for,-1)", "ipv4(10.2.3.4)", "ipv6(2001:db8::5)"),
    L: ("bool(true)", "bool(0)", "req.hdr(x-a),strcmp(txn.s1),bool", "method,length,even", "always_true", "src_is_local"),
}
RES = {
    S: ("res.hdr(x-a)", "res.fhdr(X-B)", "res.hdr(x-a,-2)", "res.cook(sid)", "res.hdr(x-empty)", "var(txn.s1)", "var(txn.s2)", "var(res.f)", "str(q)",
        "be_name", "srv_name", "res.ver", "res.hdr_names", "capture.req.method", "capture.req.uri", "capture.req.hdr(0)"),
    I: ("status", "res.hdr_cnt(x-a)", "res.hdr_val(x-i)", "int(3)", "var(txn.i1)", "srv_id,mul(0)", "sc_get_gpc0(0)", "res.hdr(x-a),length"),
    B: ("bin(0001ff)", "res.hdr(x-a),b64dec", "res.hdr(x-b),b64dec"),
    A: ("src", "res.hdr_ip(x-forwarded-for)", "ipv4(10.2.3.4)"),
    L: ("bool(1)", "status,even", "always_false"),
}
LOG = {
    S: ("var(txn.s1)", "var(txn.s2)", "var(sess.s)", "capture.req.hdr(0)", "capture.req.method", "capture.req.uri", "fe_name", "str(lit)", "capture.res.hdr(0)", "capture.req.ver"),
    I: ("var(txn.i1)", "int(5)", "var(sess.i)", "capture.req.uri,length"),
    B: ("bin(0aff)", "var(txn.s1),b64dec"),
    A: ("src", "ipv4(10.2.3.4)"),
    L: ("bool(1)", "bool(0)"),
}
MAPS = ("str", "beg", "end", "sub", "dir", "dom", "reg", "int", "ip", "regm")


class Gen:
    def __init__(self, seed, folder, old):
        self.r, self.folder, self.old = random.Random(seed), folder, old

    def c(self, *of):
        return self.r.choice(of)

    def word(self, n=6):
        return "".join(self.r.choice("abcdefAB019-_.") for _ in range(self.r.randrange(1, n))).strip("-.") or "a"

    def token(self):
        """What the messages are likely to have somewhere."""
        return self.r.choice((self.word(3), self.word(), "a", "A", "b", "1", "0", "/", "/a", "//", "sid", "GET", "www", "example", "h", "7", "10.", ".", "c",
                              "www.example.com", "/x/", "POST", "abc"))

    # ---- expressions ----

    def conv(self, t):
        """(text, type it makes) of a converter for type t."""
        r, c = self.r, self.c
        n = lambda: r.choice((0, 1, 2, 3, 7, -1, 10, 255, 65536, -2147483648, 4294967295))
        if t == I:
            one = c("add", "sub", "mul", "div", "mod", "and", "or", "xor")
            return c((f"{one}({n()})", I), (f"{one}({r.randrange(1, 99)})", I), ("neg", I), ("cpl", I), ("bool", L), ("not", L), ("even", L), ("odd", L), ("hex", S),
                     ("htonl,hex", S), (f"iif({self.word()},{self.word()})", S), (f"map_int({self.folder}/int.map,{self.word()})", S), ("length", I), ("xxh32", I),
                     (f"add(txn.i1)", I), ("and(1073741823),utime(%Y-%m-%d)", S), ("and(65535),ltime(%H:%M:%S)", S), ("and(1073741823),http_date", S), (f"map_int_int({self.folder}/nums.map,5)", I))
        if t == L:
            return c((f"iif({self.word()},{self.word()})", S), ("not", L), ("add(1)", I), ("bool", L), ("or(2)", I))
        if t == A:
            return c((f"ipmask({r.randrange(33)})", A), (f"ipmask(24,{r.randrange(129)})", A), ("hex", S), ("length", I), (f"map_ip({self.folder}/ip.map,none)", S), ("upper", S),
                     ("ipmask(255.255.0.255)", A), ("xxh64", I))
        if t == B:
            return c(("hex", S), ("base64", S), ("ub64enc", S), ("be2dec(:,1)", S), ("be2dec(-,2,1)", S), ("be2hex(:,2)", S), ("be2hex(,1)", S), ("le2dec(.,2)", S), ("length", I),
                     (f"bytes({r.randrange(3)})", B), ("crc32", I), ("xxh32", I), ("djb2", I), ("hex,hex2i", I), ("xxh3", I), ("sdbm(1)", I))
        kind = c(*MAPS)
        return r.choice((
            ("lower", S), ("upper", S), ("length", I), ("url_dec", S), ("url_enc", S), ("base64", S), ("b64dec", B), ("ub64enc", S), ("hex", S),
            (f"field({c(1, 2, 3, -1, -2)},{c('.', '/', '-', '=', './')})", S), (f"field({c(1, 2, -1)},{c('/', '.')},{c(0, 1, 2)})", S),
            (f"word({c(1, 2, 3, -1, -2)},{c('.', '/', '-', '=', './')})", S), (f"word({c(1, 2)},/,{c(0, 2)})", S),
            (f"bytes({r.randrange(5)})", B),  # with a length: "converter bytes" of differences.tsv
            (f"regsub({c('a', '[a-z]', '^/', '[0-9]+', '.', 'b+')},{c('X', '', '-', 'yy')},{c('', 'g', 'i', 'gi')})", S),
            (f"crc32({c(0, 1, 2)})", I), (f"crc32c({c(0, 1)})", I), (f"djb2({c(0, 1)})", I), (f"sdbm({c(0, 1)})", I), (f"xxh32({c(0, 7)})", I), (f"xxh64({c(0, 9)})", I), ("xxh3", I),
            (f"ltrim({c('/', 'a', 'x')})", S), (f"rtrim({c('a', '.', '0')})", S), (f"concat({self.word()},txn.s1,{self.word()})", S), ("concat(-,sess.none)", S),
            (f"strcmp(txn.{c('s1', 's2')})", I), (f"json({c('', 'ascii', 'utf8s', 'utf8p')})", S), (f"add_item(-,txn.s2,{self.word()})", S), ("cut_crlf", S),
            (f"map_{kind}({self.folder}/{kind}.map)", S), (f"map_{kind}({self.folder}/{kind}.map,{self.word()})", S), (f"map_str_int({self.folder}/num.map,{r.randrange(9)})", I),
            (f"map_str_ip({self.folder}/addr.map)", A), (f"set-var(txn.{c('s1', 's2')})", S), ("host_only", S), ("port_only", I), ("url_dec(1)", S),
            ("language(fr;en;de,xx)", S), ("param(a,&)", S), ("param(b)", S), ("upper,lower", S), ("mod(7)", I), ("hex2i", I),
            ("secure_memcmp(txn.s1)", L), ("rfc7239_is_valid", L), ("map_dom_int(%s/num.map)" % self.folder, I)))

    def expr(self, side=REQ, want=None, depth=3):
        """(text, type)"""
        t = self.r.choices((S, I, B, A, L), (10, 4, 2, 2, 1))[0]
        text = self.r.choice(side[t])
        # a converter in the text may have changed the type
        if "," in text and ")" not in text.split(",")[-1]:
            t = {"length": I, "even": L, "bool": L, "ub64dec": B, "b64dec": B}.get(text.split(",")[-1], t)
        for _ in range(self.r.randrange(depth + 1)):
            more, t = self.conv(t)
            text += "," + more
        if t == B and want is None:
            text += ",hex"
        return text, t

    def fmt(self, side=REQ):
        parts = []
        for _ in range(self.c(1, 1, 2, 3)):
            parts.append(self.c("", self.word(4) + ":", "/"))
            if self.r.random() < 0.85:
                parts.append(f"%[{self.expr(side)[0]}]")
        return "'" + ("".join(parts) or "z") + "'"

    # ---- conditions ----

    def term(self, side):
        r, c = self.r, self.c
        text, t = self.expr(side, want=S if r.random() < 0.2 else None, depth=1)
        toks = lambda: " ".join(self.token() for _ in range(c(1, 1, 2, 4)))
        flag = c("", "", "-i ")
        bare = "var(" not in text  # a variable has no way to match of its own
        if t == I or (t == L and r.random() < 0.5):
            return text + " " + ("" if bare else "-m int ") + c(*(() if not bare else (f"-m int {r.randrange(20)}", "-m found", f"-m str {r.randrange(20)}", f"-m beg {r.randrange(9)}")), f"gt {r.randrange(20)}", f"{r.randrange(5)}:{r.randrange(5, 300)}", f"le {r.randrange(9)} ge 200", f"lt {r.randrange(9)}",
                                  "200 404", f"-f {self.folder}/int.lst", "eq 0")
        if t == L:
            return text + ("" if bare else " -m bool")
        if t == A:
            return text + " " + c("-m ip 10.0.0.0/8", "-m ip 127.0.0.1 ::1", "-m found", "-m str 10.0.0.1 127.0.0.1", f"-m ip -f {self.folder}/ip.lst", "-m ip 2001:db8::/32", "-m beg 127 1")
        if t == B:
            return text + " " + c("-m found", "-m len gt 4", "-m bin 00ff41fe 68656c6c6f", "-m str hello")
        kind = c("str", "beg", "end", "sub", "dir", "dom")
        return text + " " + c(f"-m {kind} {flag}{toks()}", f"-m {kind} {flag}{toks()}", f"-m {kind} {flag}-f {self.folder}/{kind}.lst", "-m found", f"-m len {r.randrange(9)}",
                              f"-m len {c('gt', 'lt', 'ge', 'le', 'eq')} {r.randrange(12)}", f"-m reg {flag}{c('^[a-f/]', '[0-9]+$', 'a.*b', 'www|x', '^$', '[A-C]')}", f"-m {'int' if ',' in text else 'len'} {r.randrange(20)}",
                              f"-m str {flag}-- {toks()}", f"-m reg {flag}-f {self.folder}/reg.lst", "-m ip 10.0.0.0/8 ::1", f"-m beg {flag}-f {self.folder}/beg.lst {toks()}")

    def cond(self, acls, side=REQ, must=False):
        if not must and self.r.random() < 0.3:
            return ""
        pre = ("METH_GET", "METH_POST", "HTTP_1.1", "TRUE", "FALSE", "LOCALHOST") + (("HTTP_URL_ABS", "HTTP_CONTENT", "HTTP_URL_SLASH") if side is REQ else ())
        ors = []
        for _ in range(self.c(1, 1, 1, 2, 3)):
            ands = []
            for _ in range(self.c(1, 1, 2)):
                what = self.r.random()
                ands.append(self.c("", "", "!") + (self.r.choice(acls) if what < 0.4 and acls else self.r.choice(pre) if what < 0.5 else "{ " + self.term(side) + " }"))
            ors.append(" ".join(ands))
        return f" {self.c('if', 'if', 'unless')} " + self.c(" or ", " || ").join(ors)

    # ---- rules ----

    def edit(self, side):
        """A rule that edits fields or variables, for either side."""
        r, c = self.r, self.c
        name = lambda: c("x-a", "X-B", "x-new", "x-odd", "x-n", "Accept", "x-out", "x-more")
        scope = "req" if side is REQ else "res"
        rx = lambda: c("'^(.)(.*)$' '\\2\\1'", "a b", "'[a-z]+' <\\0>", "'^.*$' 'v%[int(4),add(3)]'", "'(b)(c)?' '[\\1]'", "/ _")
        return r.choice((
            lambda: f"set-header {name()} {self.fmt(side)}", lambda: f"add-header {name()} {self.fmt(side)}", lambda: f"set-header {name()} {self.fmt(side)}", lambda: f"add-header {name()} {self.fmt(side)}",
            lambda: f"del-header {name()}", lambda: f"del-header x-{c('a', 'b', 'n')} -m {c('beg', 'str', 'end')}",
            lambda: "del-header '^x-[abn]$' -m reg", lambda: f"replace-header {name()} {rx()}", lambda: f"replace-value {name()} {rx()}",
            lambda: f"set-var(txn.{c('s1', 's2')}) {self.expr(side, S)[0]}", lambda: f"set-var(txn.{c('s1', 'i1')}) {self.expr(side, S)[0]}", lambda: f"set-var(sess.{c('s', 'i')}) {self.expr(side)[0]}",
            lambda: f"set-var({scope}.f) {self.expr(side)[0]}", lambda: f"set-var(txn.i1) {c('int(5)', 'int(-3)', 'src,ipmask(8),length')}",
            lambda: f"set-var(txn.s1,{c('ifexists', 'ifnotexists', 'ifempty', 'ifnotempty', 'ifset', 'ifnotset', 'ifgt', 'iflt')}) {self.expr(side)[0]}" if not self.old else "unset-var(txn.s1)",
            lambda: f"set-var-fmt(txn.{c('s1', 's2')}) {self.fmt(side)}", lambda: f"unset-var(txn.{c('s1', 's2', 'i1')})", lambda: "sc-inc-gpc0(0)", lambda: f"sc-set-gpt0(0) {r.randrange(9)}",
            lambda: f"set-log-level {c('info', 'notice', 'err')}", lambda: f"add-acl({self.folder}/str.lst) {self.fmt(side)}", lambda: f"del-acl({self.folder}/beg.lst) {self.fmt(side)}",
            lambda: f"set-map({self.folder}/str.map) {self.fmt(side)} {self.fmt(side)}", lambda: f"del-map({self.folder}/str.map) {self.fmt(side)}"))()

    def final(self, side):
        c, r = self.c, self.r
        status = c(200, 400, 401, 403, 404, 413, 429, 500, 503)
        # an answer quotes request and variables only: "samples of an http-response return" of differences.tsv
        hdrs = "".join(f" hdr x-r{i} {self.fmt() if side is REQ else chr(39) + '%[var(txn.s1)]' + chr(39)}" for i in range(c(0, 0, 1, 2)))
        body = self.fmt() if side is REQ else "'%[var(txn.s2)]'"
        ret = (f"return status {status} content-type text/plain {c('lf-string ' + body, 'string ' + self.word())}{hdrs}", f"return status {c(200, 204, 404)}{hdrs}", f"deny deny_status {status}", "deny",
               f"deny status {status} content-type text/html lf-string {body}{hdrs}", f"return status 200 content-type text/plain lf-file {self.folder}/a.lf" if side is REQ else "deny")
        if side is RES:
            return r.choice(ret)
        code = c("", " code 301", " code 302", " code 303", " code 307", " code 308")
        return r.choice(ret + (f"redirect location {self.fmt()}{code}", f"redirect prefix http://{self.word()}.x{code}{c('', ' drop-query', ' append-slash drop-query')}",
                               f"redirect scheme https{code}", f"redirect location /{self.word()}{code} {c('set-cookie a=b', 'clear-cookie sid=', 'keep-query' if not self.old else '')}", "tarpit", "tarpit deny_status 429",
                               f"redirect prefix /{code}{c(' set-cookie SEEN', '')}"))

    def target(self):
        c = self.c
        # a target without a leading slash or with a blank: "set-path, set-uri" of differences.tsv
        safe = lambda: f"'/{self.word()}%[{c('path,url_enc', 'req.hdr(x-a),url_enc', 'query,url_enc', 'path,hex', 'var(txn.s1),url_enc')}]'"
        return self.r.choice((f"set-path {safe()}", f"set-pathq '/{self.word()}?b=%[path,url_enc]'", f"set-query 'a={self.word()}&b=%[path,url_enc]'", f"set-query '%[query,regsub({self.word(2)},z,g)]'",
                              f"set-uri {safe()}", "replace-path '^/(.*)$' '/n/\\1'", "replace-path '(.*)/([^/]*)$' '\\1/z\\2'", "replace-pathq '^([^?]*)(.*)$' '/w\\1\\2'", "replace-uri '^/(.*)$' '/u\\1'",
                              f"set-method {c('PUT', 'POST', 'GET', 'FOO')}"))

    def normalize(self):
        return "normalize-uri " + self.c("path-merge-slashes", "path-strip-dot", "path-strip-dotdot", "path-strip-dotdot full", "percent-to-uppercase", "fragment-strip", "percent-decode-unreserved")

    def log(self):
        r = self.r
        alias = ("%ST", "%HM", "%HP", "%HQ", "%HU", "%HV", "%tsc", "%ts", "%f", "%b", "%s", "%hr", "%hs", "%rc", "%ci", "%{+Q}r", "%CC", "%CS", "%hrl", "%{+E}HU", "%{+Q}HP", "%{+X}ST", "%{+Q}[capture.req.hdr(0)]")
        parts = [r.choice(alias) if r.random() < 0.6 else f"%[{self.expr(LOG)[0]}]" for _ in range(r.randrange(2, 7))]
        return "'case=%[var(txn.case)] " + " ".join(parts) + "'"

    def frontend(self, n):
        """([lines of the frontend], [lines of its backend])"""
        r, c = self.r, self.c
        acls, fe, be = [], [], []
        for i in range(r.randrange(4)):
            acls.append(f"a{i}")
            fe.append(f"acl a{i} {self.term(REQ)}")
            if r.random() < 0.3:
                fe.append(f"acl a{i} {self.term(REQ)}")
        ready = acls[:]
        if r.random() < 0.6:
            fe.append(f"http-request track-sc0 {c('src', 'path', 'req.hdr(x-a)', 'method')} table t@N@")
        for _ in range(r.randrange(2, 9)):
            what = r.random()
            rule = self.edit(REQ) if what < 0.65 else self.target() if what < 0.8 else self.normalize() if what < 0.87 else self.final(REQ)
            fe.append("http-request " + rule + self.cond(ready, REQ, must=what >= 0.87))
        if r.random() < 0.3:
            fe.append(f"redirect {c('location /r', 'prefix /p', 'scheme https code 307')}" + self.cond(ready, REQ, must=True))
        if r.random() < 0.3:
            fe.append(f"capture {c('request', 'request', 'response')} header {c('x-a', 'X-B', 'x-i')} len {r.randrange(1, 20)}")
        if r.random() < 0.2:
            fe.append(f"http-request capture {self.expr(REQ)[0]} len {r.randrange(1, 30)}" + self.cond(ready))
        if r.random() < 0.2:
            fe.append("capture cookie " + c("a", "sid", "b") + f" len {r.randrange(2, 20)}")
        if r.random() < 0.15:
            fe.append("option forwardfor" + c("", " header x-ff", " if-none", " except 127.0.0.0/8"))
        if r.random() < 0.15:
            fe.append(f"http-error status {c(403, 429, 503, 400)} content-type text/plain lf-string 'E %[src]' hdr x-e %[int(3)]")
        if r.random() < 0.3:
            fe.append(f"use_backend {c('spare', 'spare', '%[req.hdr(x-a),lower]')}" + self.cond(ready, REQ, must=True))
        for kind in ("http-response",) * r.randrange(5) + ("http-after-response",) * r.randrange(3):
            rule = self.edit(RES) if r.random() < 0.85 or kind != "http-response" else self.final(RES)
            if r.random() < 0.1:
                rule = f"set-status {c(200, 404, 418, 503)}{c('', ' reason Why')}"
            if kind == "http-after-response" and rule.startswith(("add-acl", "del-acl")):
                rule = "unset-var(txn.s2)"  # manual 4.4: not there
            c(fe, be).append(f"{kind} {rule}" + self.cond([], RES, must="return" in rule or "deny" in rule))
        for _ in range(r.randrange(4)):
            what = r.random()
            be.append("http-request " + (self.edit(REQ) if what < 0.8 else self.final(REQ)) + self.cond([], REQ, must=what >= 0.8))
        fe.append("log-format " + self.log())
        return fe, be


def files(folder, seed):
    """The maps and lists of a folder: str.map, str.lst and so on."""
    g = Gen(seed, folder, False)
    toks = lambda n: list(dict.fromkeys(g.token() for _ in range(n)))
    for kind in ("str", "beg", "end", "sub", "dir", "dom"):
        (folder / f"{kind}.map").write_text("# a comment\n" + "".join(f"{k} {g.word()}\n" for k in toks(12)))
        (folder / f"{kind}.lst").write_text("".join(f"{k}\n" for k in toks(8)) + "\n# end\n")
    for kind in ("reg", "regm"):
        (folder / f"{kind}.map").write_text("^/(.)(.*)$ <\\2-\\1>\n[a-c]([0-9]) n\\1\nx(y)? q\\1\n^[A-Z]+$ upper\n")
    (folder / "reg.lst").write_text("^/[a-m]\n[0-9]{3}\nw+\n")
    (folder / "int.map").write_text("0 zero\n1:9 few\n10:200 many\n404 none\n")
    (folder / "int.lst").write_text("0\n5:9\n404\n")
    (folder / "num.map").write_text("a 1\n7 -5\nGET 42\n/ 9\n0 11\nexample 12\nabc 3\n")
    (folder / "ip.map").write_text("10.0.0.0/8 ten\n127.0.0.1 me\n2001:db8::/32 doc\n1.2.3.4 four\n")
    (folder / "ip.lst").write_text("10.0.0.0/9\n::1\n127.0.0.1\n")
    (folder / "addr.map").write_text("a 10.9.8.7\nGET 1.2.3.4\n/ 2001:db8::9\n")
    (folder / "nums.map").write_text("0 1\n1:5 -4\n200 9\n7:300 77\n")
    (folder / "a.lf").write_text("p=%[path] m=%[method] s=%[var(txn.s1)]\n")
