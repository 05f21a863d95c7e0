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
frontend metrics
    bind unix@{dir}/m
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 200
frontend tcp
    mode tcp
    bind unix@{dir}/t
    default_backend app
backend app
    description apples
    server s1 unix@{dir}/none check inter 50ms
    server s2 127.0.0.1:1
    server s3 127.0.0.1:1 check disabled
"""
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (NaN|-?[0-9]+(?:\.[0-9]+)?)')


def parse(text):
    """{metric: (type, [(labels, value)])}; fails on what the text format forbids."""
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
            assert m[1] == current, "out of its group: " + line
            out[current][1].append((dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or "")), m[3]))
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
                state = [v for labels, v in cls.scrape("")["haproxy_server_check_status"][1] if v == "1"]
                if state:
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
                labels = {",".join(labels) for labels, _ in samples}
                self.assertEqual(len(labels), 1, name)
                got[name] = (kind, labels.pop())
        self.assertEqual(got, want)

    def test_values(self):
        m = self.scrape("")

        def value(name, **labels):
            found = [v for have, v in m[name][1] if have == labels]
            self.assertEqual(len(found), 1, (name, labels))
            return found[0]
        self.assertEqual(value("haproxy_process_description", desc='the \\"whole\\" process'), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s1", state="DOWN"), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s2", state="UP"), "1")
        self.assertEqual(value("haproxy_server_status", proxy="app", server="s3", state="MAINT"), "1")
        self.assertEqual(value("haproxy_backend_agg_server_status", proxy="app", state="UP"), "1")
        self.assertEqual(value("haproxy_server_check_status", proxy="app", server="s1", state="L4CON"), "1")
        self.assertEqual(value("haproxy_server_limit_sessions", proxy="app", server="s2"), "NaN")
        self.assertEqual(value("haproxy_server_last_session_seconds", proxy="app", server="s2"), "-1")
        self.assertEqual(value("haproxy_backend_queue_time_average_seconds", proxy="app"), "0.000000")
        self.assertNotIn("s3", {have["server"] for have, _ in m["haproxy_server_check_status"][1]})
        self.assertNotIn("tcp", {have["proxy"] for have, _ in m["haproxy_frontend_http_requests_total"][1]})
        process = int(value("haproxy_process_max_connections"))
        self.assertEqual(int(value("haproxy_frontend_limit_sessions", proxy="tcp")), process)

    def test_counters_grow(self):
        def requests():
            return int(self.scrape("?metrics=haproxy_frontend_http_requests_total")[
                "haproxy_frontend_http_requests_total"][1][0][1])
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
        self.assertEqual([labels["server"] for labels, _ in servers], ["s1", "s2"])
        labels = self.scrape("?desc-labels&scope=backend")["haproxy_backend_weight"][1][0][0]
        self.assertEqual(labels, {"proxy": "app", "desc": "apples"})
        extra = self.scrape("?extra-counters&scope=frontend")["haproxy_frontend_h1_open_connections"]
        self.assertEqual(extra, ("counter", [({"proxy": "metrics", "mod": "h1"}, "1")]))

    def test_head(self):
        head, body = self.http("?scope=global", "1.1")
        self.assertIn("\r\ncontent-type: text/plain; version=0.0.4\r\n", head)
        self.assertIn("\r\ncache-control: no-cache\r\n", head)
        self.assertIn("\r\ntransfer-encoding: chunked", head)
        self.assertTrue(body.endswith("\r\n0\r\n\r\n"))


if __name__ == "__main__":
    unittest.main()
