"""promtool, hatop, halog, haproxy_log_analysis, prometheus-haproxy-exporter, check_haproxy_stats, netdata's collector and Ansible's haproxy
module: what each reads from Telamon is what it reads from Debian's HAProxy 2.6 after the same requests. Ports 25500-25529."""
import json, os, pathlib, re, shutil, socket, subprocess, sys, threading, time, urllib.error, urllib.request
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "labs"))
from kit import HOST, TELAMON, TMP, child, done, note, ok, serve, wait_for  # noqa: E402

FRONT, PAGE, SYSLOG, GOOD, DEAD, SERVICE = 25500, 25501, 25502, 25510, 25511, 25520
HAPROXY = "/usr/sbin/haproxy"


def origin(c):
    """HTTP/1.1 with keep-alive; the path is the status."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            piece = c.recv(65536)
            if not piece:
                return
            data += piece
        head, data = data.split(b"\r\n\r\n", 1)
        status = re.search(rb" /(\d\d\d)", head)
        code = int(status[1]) if status else 200
        body = b"x" * 100
        c.sendall(b"HTTP/1.1 %d Some\r\ncontent-length: %d\r\n\r\n" % (code, len(body)) + body)


def config(d):
    return f"""
global
    stats socket {d}/sock level admin
    log {HOST}:{SYSLOG} local0
    log-send-hostname box
    node box
defaults
    mode http
    log global
    option httplog
    retries 0
    timeout client 10s
    timeout server 10s
    timeout connect 1s
    default-server inter 100ms rise 1 fall 1
frontend web
    bind {HOST}:{FRONT}
    default_backend app
frontend page
    bind {HOST}:{PAGE}
    stats enable
    stats uri /stats
    http-request use-service prometheus-exporter if {{ path /metrics }}
backend app
    balance roundrobin
    server good {HOST}:{GOOD} check
    server dead {HOST}:{DEAD} check
    server spare {HOST}:{GOOD} disabled
"""


class Sink:
    """A syslog server that keeps the lines as syslogd would write them."""

    def __init__(self):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((HOST, SYSLOG))
        self.lines = []
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            line = self.s.recv(65536).decode(errors="replace")
            self.lines.append(re.sub(r"^<\d+>", "", line).rstrip("\n"))

    def traffic(self):
        return [line for line in self.lines if " web " in line and '"' in line]


sink = Sink()


class Proxy:
    def __init__(self, name, program):
        self.name, self.dir = name, TMP / name
        self.dir.mkdir()
        (self.dir / "cfg").write_text(config(self.dir))
        self.p = child([program, "-db", "-f", self.dir / "cfg"], stdout=open(self.dir / "out", "w"), stderr=subprocess.STDOUT)
        if not wait_for(self.checked, 20):
            ok(False, name + " starts", (self.dir / "out").read_text())
            done()

    def ask(self, command):
        out = b""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(self.dir / "sock"))
            s.sendall(command.encode() + b"\n")
            while d := s.recv(65536):
                out += d
        return out.decode()

    def status(self, server):
        rows = [line.split(",") for line in self.ask("show stat").splitlines()]
        return next((r[17] for r in rows if r[:2] == ["app", server]), "")

    def checked(self):
        try:
            return self.status("good") == "UP" and self.status("dead") == "DOWN"
        except OSError:
            return False

    def requests(self):
        """Forty requests, one connection each, so that both proxies do the same; ends when all are logged."""
        sink.lines.clear()
        for path in ["/200"] * 25 + ["/404"] * 10 + ["/500"] * 5:
            try:
                urllib.request.urlopen(f"http://{HOST}:{FRONT}{path}").read()
            except urllib.error.HTTPError:
                pass
        wait_for(lambda: len(sink.traffic()) == 40, 10)
        (self.dir / "log").write_text("\n".join(sink.traffic()) + "\n")

    def stop(self):
        self.p.terminate()
        self.p.wait(10)


def run(*args, text=None, env=None):
    r = subprocess.run([str(a) for a in args], input=text, capture_output=True, text=True, timeout=120,
                       env={**os.environ, **(env or {})})
    return r.returncode, r.stdout + r.stderr


def get(url):
    return urllib.request.urlopen(url, timeout=10).read().decode()


# ---- one function a client: what it says, in a form that must be equal ----
def promtool(p):
    """Prometheus reads the metrics: no error, only the names that its linter finds in HAProxy's, too."""
    text = get(f"http://{HOST}:{PAGE}/metrics")
    code, said = run("promtool", "check", "metrics", text=text)
    note(f"{p.name}: promtool ends with {code}, {len(said.splitlines())} remarks")
    lint = {line.split()[0] for line in said.splitlines()}
    known = {"haproxy_process_failed_resolutions", "haproxy_process_total_warnings", "haproxy_process_patterns_added_total",
             "haproxy_process_patterns_freed_total"}
    values = {}
    for line in text.splitlines():
        m = re.match(r'(haproxy_(?:frontend|backend|server)_(?:http_responses_total|status|sessions_total|http_requests_total|'
                     r'check_failures_total|active_servers|weight|loadbalanced_total)\{.*?proxy="(?:web|app)".*\}) (\S+)$', line)
        if m and "MAINT" not in m[1] and "NOLB" not in m[1] and "DRAIN" not in m[1]:
            values[m[1]] = m[2]
    failures = [k for k in values if "check_failures" in k]
    for k in failures:  # how often the check has run by now
        values[k] = values[k] != "0"
    return {"unknown remarks": sorted(lint - known), **values}


def hatop(p):
    """The table of hatop, in a terminal of its own."""
    session = f"tlm-{p.name}-{os.getpid()}"
    try:
        run("tmux", "-L", session, "new-session", "-d", "-x", "160", "-y", "50", f"hatop -s {p.dir}/sock")
        screen = lambda: run("tmux", "-L", session, "capture-pane", "-p")[1]
        found = wait_for(lambda: "spare" in screen() and "BACKEND" in screen(), 15, 0.2)
        text = screen()
        if not found:
            return {"screen": text}
        rows = {}
        for line in text.splitlines():
            m = re.match(r"^\s*(good|dead|spare|BACKEND|FRONTEND)\s+(\d+)\s+(?:\S+\s+)?(UP|DOWN|MAINT|OPEN|no check)", line)
            if m and m[1] in ("good", "dead", "spare"):
                rows[m[1]] = m[3]
        return rows
    finally:
        run("tmux", "-L", session, "kill-server")


def halog(p):
    """HAProxy's own log analyser: requests by server, by status, by URL."""
    log = (p.dir / "log").read_text()
    servers = run("halog", "-srv", "-H", text=log)[1]
    urls = run("halog", "-u", "-H", text=log)[1]
    return {"status": run("halog", "-st", text=log)[1].splitlines()[:5],
            "servers": [line.split()[:9] for line in servers.splitlines()],
            "urls": sorted((line.split()[0], line.split()[-1]) for line in urls.splitlines() if line.strip())}


def exporter(p):
    """The Prometheus project's exporter, over the socket and over the page."""
    out = {}
    for kind, uri in (("unix", f"unix:{p.dir}/sock"), ("http", f"http://{HOST}:{PAGE}/stats;csv")):
        e = child(["prometheus-haproxy-exporter", f"--haproxy.scrape-uri={uri}", f"--web.listen-address={HOST}:{SERVICE}"],
                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            text = wait_for(lambda: _try(f"http://{HOST}:{SERVICE}/metrics"), 10, 0.1) or ""
        finally:
            e.terminate()
            e.wait(10)
        for line in text.splitlines():
            m = re.match(r'(haproxy_(?:up|server_up|server_weight|backend_up|frontend_sessions_total|server_sessions_total|'
                         r'backend_http_responses_total|server_http_responses_total|frontend_http_responses_total)(?:\{.*\})?) (\S+)$', line)
            if m and "page" not in m[1]:
                out[kind + " " + m[1]] = m[2]
    return out


def _try(url):
    try:
        return get(url)
    except OSError:
        return None


def nagios(p):
    """check_haproxy_stats of Debian's monitoring plugins."""
    out = {}
    for name, args in (("backend", ("-p", "app")), ("all", ())):
        code, text = run("perl", "/usr/lib/nagios/plugins/check_haproxy_stats", "-s", p.dir / "sock", *args)
        out[name] = (code, re.sub(r"\d+(\.\d+)?%?", "N", text.split("|")[0]).strip())
    return out


def ansible(p):
    """community.general.haproxy: takes a server out, waits, brings it back."""
    out = []
    for state in ("disabled", "enabled", "drain"):
        code, text = run("ansible", "localhost", "-m", "community.general.haproxy", "-a",
                         f"state={state} host=good backend=app socket={p.dir}/sock wait=yes wait_interval=1 wait_retries=10",
                         env={"ANSIBLE_LOCALHOST_WARNING": "False", "ANSIBLE_HOME": str(TMP / "ansible"), "ANSIBLE_NOCOLOR": "1"})
        status = "UP" if p.status("good").startswith("UP") else p.status("good").split()[0]
        out.append((state, code, re.search(r"localhost \| (\w+)", text)[1] if "localhost |" in text else text[-400:], status))
    return out


def log_analysis(p):
    """haproxy_log_analysis: every line of the log is understood, and says the same."""
    commands = ("counter", "counter_invalid", "http_methods", "status_codes_counter", "request_path_counter", "server_load")
    code, text = run("haproxy_log_analysis", "-l", p.dir / "log", "-c", ",".join(commands),
                     env={"HOME": str(p.dir)})
    return {"code": code, "text": [line for line in text.splitlines() if line.strip()]}


def netdata(p):
    """netdata's collector: requests, bytes and states of each proxy."""
    here = pathlib.Path(__file__).resolve().parent
    code, text = run(sys.executable, here / "netdata_once.py", p.dir / "sock")
    found = [line for line in text.splitlines() if line.startswith('{"check"')]
    data = json.loads(found[0]) if code == 0 and found else {"data": {"error": text[-500:]}}
    # bytes are counted as on the wire (tests/differences.tsv); times, idle and open connections differ from run to run
    skip = re.compile("_(bin|bout|scur|qtime|ctime|rtime|ttime)_|idle|_page$")
    return {k: str(v) for k, v in data["data"].items() if not skip.search(k)}


serve(origin, GOOD)
CLIENTS = [(promtool, "promtool"), (hatop, "hatop"), (halog, "halog"), (exporter, "prometheus-haproxy-exporter"),
           (nagios, "perl"), (log_analysis, "haproxy_log_analysis"), (netdata, "python3"), (ansible, "ansible")]
results = {}
for name, program in (("haproxy", HAPROXY), ("telamon", TELAMON)):
    proxy = Proxy(name, program)
    proxy.requests()
    for fn, tool in CLIENTS:
        try:
            results[name, fn] = fn(proxy) if shutil.which(tool) else f"{tool} is not installed"
        except (OSError, ValueError, subprocess.SubprocessError) as e:
            results[name, fn] = repr(e)
    proxy.stop()

for fn, tool in CLIENTS:
    want, got = results["haproxy", fn], results["telamon", fn]
    detail = []
    if isinstance(want, dict) and isinstance(got, dict):
        if fn is promtool:  # 3.4 has more metrics than 2.6
            got = {k: v for k, v in got.items() if k in want}
        for k in sorted({*want, *got}):
            if want.get(k) != got.get(k):
                detail.append(f"{k}: HAProxy {want.get(k)!r}")
                detail.append(f"{k}: Telamon {got.get(k)!r}")
    else:
        detail = [f"HAProxy {want!r}", f"Telamon {got!r}"]
    size = len(want)
    ok(want == got and not isinstance(got, str) and size > 0, f"{fn.__name__}: {fn.__doc__.splitlines()[0]}", detail)
    note(f"{fn.__name__}: {size} things compared")
done()
