#!/usr/bin/python3
"""The exporter's metrics: names, types and labels equal to HAProxy 3.4's (tests/metrics.tsv), the text format kept, filters obeyed.

Everything goes over unix sockets, so no port is taken.
"""
import os, pathlib, re, shutil, signal, socket, subprocess, tempfile, time, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
CONFIG = """
global
    description "the \\"whole\\" process"
    stats socket {dir}/cli level admin
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 1s
    retries 0
frontend metrics
    bind unix@{dir}/m
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 200
frontend tcp
    mode tcp
    bind unix@{dir}/t
    default_backend app
backend app
    balance roundrobin
    description apples
    server s1 unix@{dir}/none check inter 50ms
    server s2 127.0.0.1:1 agent-check agent-port 1 agent-inter 50ms
    server s3 127.0.0.1:1 check disabled
"""
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (NaN|-?[0-9]+(?:\.[0-9]+)?)')


def parse(text):
    """{metric: (type, [(name, labels, value)])}; fails on what the text format forbids."""
    out, current, helped = {}, None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped = line.split()[2]
            assert helped not in out, "twice: " + line
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split()
            assert current == helped, line
            out[current] = (kind, [])
        else:
            m = SAMPLE.fullmatch(line)
            assert m, "no sample: " + line
            base = re.sub("_(bucket|sum|count)$", "", m[1]) if out[current][0] == "histogram" else m[1]
            assert base == current, "out of its group: " + line
            out[current][1].append((m[1], dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or "")), m[3]))
    return out


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="tlm-metrics-")
        cfg = pathlib.Path(cls.dir, "cfg")
        cfg.write_text(CONFIG.format(dir=cls.dir), encoding="ascii")
        cls.log = open(cls.dir + "/log", "wb")
        cls.proc = subprocess.Popen([TELAMON, "-db", "-f", str(cfg)], stdout=cls.log, stderr=cls.log)
        end = time.monotonic() + 20
        while True:
            try:
                seen = cls.scrape("")
                if "haproxy_server_check_status" in seen and "haproxy_server_agent_status" in seen:
                    return
            except (OSError, KeyError):
                pass
            if time.monotonic() > end or cls.proc.poll() is not None:
                raise AssertionError(pathlib.Path(cls.dir, "log").read_text(errors="replace"))
            time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.proc.send_signal(signal.SIGTERM)
        cls.proc.wait(10)
        cls.log.close()
        shutil.rmtree(cls.dir)

    @classmethod
    def http(cls, query, version="1.0"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(cls.dir + "/m")
            s.sendall(f"GET /metrics{query} HTTP/{version}\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            data = b""
            while piece := s.recv(65536):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head.decode(), body.decode()

    @classmethod
    def scrape(cls, query):
        head, body = cls.http(query)
        if " 200 " not in head.splitlines()[0]:
            raise AssertionError(head)
        return parse(body)

    def test_names_types_and_labels(self):
        want = {}
        for line in (ROOT / "tests/metrics.tsv").read_text(encoding="ascii").splitlines()[1:]:
            name, kind, labels = line.split("\t")
            want[name] = (kind, labels)
        got = {}
        for name, (kind, samples) in self.scrape("").items():
            if name.startswith("haproxy_"):
                labels = {",".join(labels) for _, labels, _ in samples}
                self.assertEqual(len(labels), 1, name)
                got[name] = (kind, labels.pop())
        self.assertEqual(got, want)

    def test_values(self):
        m = self.scrape("")

        def value(name, **labels):
            found = [v for _, have, v in m[name][1] if have == labels]
            self.assertEqual(len(found), 1, (name, labels))
            return found[0]
        self.assertEqual(value("haproxy_process_description", desc='the \\"whole\\" process'), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s1", state="DOWN"), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s2", state="UP"), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s3", state="MAINT"), "1")
        self.assertEqual(value("haproxy_backend_agg_server_status", proxy="app", state="UP"), "1")
        self.assertEqual(value("haproxy_server_check_status", proxy="app", server="s1", state="L4CON"), "1")
        self.assertEqual(value("haproxy_server_agent_status", proxy="app", server="s2", state="L4CON"), "1")
        self.assertEqual(value("haproxy_server_agent_code", proxy="app", server="s2"), "0")
        self.assertEqual(value("haproxy_server_limit_sessions", proxy="app", server="s2"), "NaN")
        self.assertEqual(value("haproxy_server_last_session_seconds", proxy="app", server="s3"), "-1")
        self.assertEqual(value("haproxy_backend_queue_time_average_seconds", proxy="app"), "0.000000")
        self.assertNotIn("s3", {have["server"] for _, have, _ in m["haproxy_server_check_status"][1]})
        self.assertNotIn("tcp", {have["proxy"] for _, have, _ in m["haproxy_frontend_http_requests_total"][1]})
        process = int(value("haproxy_process_max_connections"))
        self.assertEqual(int(value("haproxy_frontend_limit_sessions", proxy="tcp")), process)

    def test_counters_grow(self):
        def requests():
            return int(self.scrape("?metrics=haproxy_frontend_http_requests_total")[
                "haproxy_frontend_http_requests_total"][1][0][2])
        first = requests()
        self.assertEqual(requests(), first + 1)

    def test_scope(self):
        def scopes(query):
            return {name.split("_")[1] for name in self.scrape(query) if name.startswith("haproxy_")}
        every = {"process", "frontend", "backend", "server"}
        self.assertEqual(scopes("?scope=server"), {"server"})
        self.assertEqual(scopes("?scope=frontend&scope=backend"), {"frontend", "backend"})
        self.assertEqual(scopes("?scope=*"), every)
        self.assertEqual(scopes("?scope=*&scope="), set())
        self.assertEqual(scopes("?scope=&scope=global"), {"process"})
        self.assertEqual(scopes("?scope=listener"), set())
        self.assertEqual(scopes("?foo=1"), every)
        for bad in ("?scope=nope", "?scope", "?metrics=" + 2000 * "x"):
            self.assertIn(" 400 ", self.http(bad)[0].splitlines()[0], bad)

    def test_names(self):
        self.assertEqual(list(self.scrape("?metrics=haproxy_server_w%65ight,haproxy_process_nbproc")),
                         ["haproxy_process_nbproc", "haproxy_server_weight"])
        self.assertEqual(self.scrape("?metrics=haproxy_server_weight&metrics=-haproxy_server_weight"), {})
        without = self.scrape("?metrics=-haproxy_server_weight")
        self.assertNotIn("haproxy_server_weight", without)
        self.assertIn("haproxy_server_uweight", without)

    def test_no_maint_desc_extra(self):
        servers = self.scrape("?no-maint&scope=server")["haproxy_server_weight"][1]
        self.assertEqual([labels["server"] for _, labels, _ in servers], ["s1", "s2"])
        labels = self.scrape("?desc-labels&scope=backend")["haproxy_backend_weight"][1][0][1]
        self.assertEqual(labels, {"proxy": "app", "desc": "apples"})
        extra = self.scrape("?extra-counters&scope=frontend")["haproxy_frontend_h1_open_connections"]
        self.assertEqual(extra, ("counter", [("haproxy_frontend_h1_open_connections", {"proxy": "metrics", "mod": "h1"}, "1")]))

    def test_histograms(self):
        """The buckets grow, end in +Inf, and sum to the count of requests; the rest comes with extra-counters."""
        def read(name, **labels):
            m = self.scrape("?extra-counters")
            kind, samples = m[name]
            self.assertEqual(kind, "histogram")
            mine = [(s, have, v) for s, have, v in samples if {**have, "le": 0} == {**labels, "le": 0}]
            buckets = [(have["le"], int(v)) for s, have, v in mine if s.endswith("_bucket")]
            count, = [int(v) for s, have, v in mine if s.endswith("_count")]
            total, = [float(v) for s, have, v in mine if s.endswith("_sum")]
            counts = [n for _, n in buckets]
            self.assertEqual(counts, sorted(counts))
            self.assertEqual(buckets[-1], ("+Inf", count))
            bounds = [float(le) for le, _ in buckets]
            self.assertEqual(bounds, sorted(set(bounds)))
            requests = m.get("haproxy_" + name.split("_")[1] + "_http_requests_total")
            return count, total, {r[1]["proxy"]: int(r[2]) for r in requests[1]}.get(labels["proxy"]) if requests else 0
        for _ in range(3):
            count, total, requests = read("telamon_frontend_request_duration_seconds", proxy="metrics")
            self.assertEqual(count, requests - 1)  # the one that asks has not ended
        before = read("telamon_server_connect_duration_seconds", proxy="app", server="s2")[0]
        self.assertEqual(read("telamon_backend_request_duration_seconds", proxy="app")[0], self.sessions("app"))
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.dir + "/t")  # the only server is not there: no connect is counted, the session is
            s.recv(1)
        end = time.monotonic() + 10
        while read("telamon_frontend_request_duration_seconds", proxy="tcp")[0] < 1 and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual(read("telamon_frontend_request_duration_seconds", proxy="tcp")[0], 1)
        self.assertEqual(read("telamon_backend_request_duration_seconds", proxy="app")[0], self.sessions("app"))
        self.assertEqual(read("telamon_server_connect_duration_seconds", proxy="app", server="s2")[0], before)
        plain = [n for n in self.scrape("") if n.startswith("telamon_")]
        self.assertEqual(plain, ["telamon_frontend_request_duration_seconds", "telamon_backend_request_duration_seconds"])

    def sessions(self, proxy):
        samples = self.scrape("?scope=backend")["haproxy_backend_sessions_total"][1]
        return [int(v) for _, have, v in samples if have["proxy"] == proxy][0]

    def test_head(self):
        head, body = self.http("?scope=global", "1.1")
        self.assertIn("\r\ncontent-type: text/plain; version=0.0.4\r\n", head)
        self.assertIn("\r\ncache-control: no-cache\r\n", head)
        self.assertIn("\r\ntransfer-encoding: chunked", head)
        self.assertTrue(body.endswith("\r\n0\r\n\r\n"))


if __name__ == "__main__":
    unittest.main()
