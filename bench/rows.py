"""What is measured: one Row per line of the report, with the goals of design.md section 8."""
import dataclasses
import glob
import os
import socket
import statistics
import threading
import time

import configs
from procs import Failed, Load, Proxy, rss_bytes

SATURATED = 0.95  # a proxy that had less of its CPU than this was waiting for something that is not its own work
STALLED = 0.005  # latency: a thread kept from its CPU for longer would itself make up the 99th percentile


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str
    label: str
    must: float = 0  # ratio to the reference, or with absolute=True the value itself; 0: no goal
    aim: float = 0
    absolute: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    metrics: tuple
    run: object  # (bench, row, contender, directory) -> {key: value}; may raise Failed
    config: dict = dataclasses.field(default_factory=dict)
    mode: str = "http"
    load: tuple = ()
    only: tuple = ("haproxy", "nginx")  # kinds of contenders
    saturate: bool = True
    totals: bool = False  # compare show stat with the load generator
    rounds: int = 0  # fixed; 0: as asked for


class Rejected(Exception):
    """This round does not count."""


def timed(bench):
    return ("--warm-ms", bench.warm_ms, "--ms", bench.ms)


def under_load(bench, row, contender, directory, args, then=lambda proxy, result: None):
    """Backend, then proxy, then load; `then` looks at the proxy while it still runs."""
    threads = row.config.get("nbthread", 1)
    direct = contender.kind == "direct"
    load = Load(bench.load, row.mode, args, bench.cpus.load, bench.nice, direct)
    proxy = None
    try:
        pids = []
        if not direct:
            proxy = Proxy(contender, contender.config(row.config), directory, bench.cpus.proxy(threads), bench.nice)
            proxy.wait_listening(configs.FRONT)
            pids = proxy.pids()
        result = load.go(pids)
        if proxy:
            proxy.check_alive()
        if result["failed"]:
            faults = {k: v for k, v in result["errors"].items() if v}
            raise Rejected(f"errors {faults}")
        then(proxy, result)
        return result
    finally:
        load.stop()
        if proxy:
            proxy.stop()


def shares(result):
    """Of the time measured: on a CPU; and ready to run while somebody else had the CPU (the worse of the two)."""
    wait = max(result["proxy_wait_ns"], result["self_wait_ns"])
    return {"cpu": result["proxy_ns"] / result["wall_ns"], "load_cpu": result["self_ns"] / result["wall_ns"],
            "wait": wait / result["wall_ns"]}


def check_saturated(bench, row, values):
    """With both below the mark somebody else had the CPU. A proxy that waits for a busy load generator is only cheaper
    than it; its cost per unit is then a little too high, for it sleeps more often than a saturated one."""
    if not row.saturate or not bench.cpus.own(row.config.get("nbthread", 1)) or values["cpu"] >= SATURATED:
        return
    if values["load_cpu"] < SATURATED:
        raise Rejected(f"proxy had {values['cpu']:.1%} of its CPU, load {values['load_cpu']:.1%}, "
                       f"kept waiting {values['wait']:.1%}")
    values["load_limited"] = 1


def sink_args(row):
    return ("--sink-port", configs.SINK) if row.config.get("log") or row.config.get("seed") else ()


def run_units(bench, row, contender, directory):
    """CPU time of the proxy per request or connection."""
    notes = []

    def then(proxy, result):
        if row.totals and contender.kind == "haproxy":
            notes.append(check_totals(proxy, result["total"]))

    result = under_load(bench, row, contender, directory, (*row.load, *timed(bench), *sink_args(row)), then)
    values = shares(result)
    values["rate"] = result["units"] / result["wall_ns"] * 1e9
    values["us"] = result["proxy_ns"] / max(result["units"], 1) / 1000
    values["notes"] = notes
    if sink_args(row):
        values["lines_per_unit"] = result["total"]["log_lines"] / max(result["total"]["units"], 1)
    check_saturated(bench, row, values)
    return values


def difference(got, want, units):
    """A byte count that is off by the same for every request says so, and reads the same in every round."""
    off = int(got or 0) - want
    if units and off % units == 0:
        return f"{off // units:+d} per request"
    return f"{got} instead of {want}"


def check_totals(proxy, total):
    """The proxy's counters against what was really sent and received, exactly. One line of text."""
    time.sleep(0.1)  # the last connections are just being closed
    try:
        stat = proxy.show_stat()
        front, back, server = stat[("fe", "FRONTEND")], stat[("be", "BACKEND")], stat[("be", "s0")]
    except (OSError, LookupError) as e:
        return f"show stat: NO ANSWER to compare with: {e!r}"
    wanted = [("fe stot", front["stot"], total["conns"]), ("fe req_tot", front["req_tot"], total["units"]),
              ("fe hrsp_2xx", front["hrsp_2xx"], total["units"]), ("fe bin", front["bin"], total["sent"]),
              ("fe bout", front["bout"], total["rcvd"]), ("be stot", back["stot"], total["units"]),
              ("be bin", back["bin"], total["sent"]), ("be bout", back["bout"], total["rcvd"]),
              ("s0 stot", server["stot"], total["units"]), ("s0 bout", server["bout"], total["rcvd"])]
    equal = [name for name, got, want in wanted if int(got or 0) == want]
    other = [f"{name} {difference(got, want, total['units'])}" for name, got, want in wanted if name not in equal]
    text = f"show stat equals the load's totals: {', '.join(equal) or 'none'}"
    return text + (f"; DIFFERS: {', '.join(other)}" if other else "")


def run_bulk(bench, row, contender, directory):
    result = under_load(bench, row, contender, directory, (*row.load, *timed(bench)))
    values = shares(result)
    values["gbs"] = result["bytes"] / result["wall_ns"]
    values["s_gib"] = result["proxy_ns"] / 1e9 / max(result["bytes"] / 2**30, 1e-9)
    check_saturated(bench, row, values)
    return values


def run_latency(bench, row, contender, directory):
    result = under_load(bench, row, contender, directory, (*row.load, *timed(bench)))
    values = shares(result)
    if values["wait"] > STALLED:
        raise Rejected(f"other work had a CPU for {values['wait']:.1%} of the time")
    for key in ("p50", "p99", "p999"):
        values[key] = result[key + "_ns"] / 1000
    values["us"] = result["proxy_ns"] / max(result["units"], 1) / 1000
    return values


def add_direct(samples):
    """Latency beyond that of the same load without a proxy, which stands in the report too."""
    direct = samples.get("direct")
    if not direct:
        return
    for key in ("p50", "p99"):
        base = statistics.median(v[key] for v in direct)
        for name, values in samples.items():
            for v in values:
                v[key + "_added"] = v[key] - base if name != "direct" else v[key]


def run_idle(bench, row, contender, directory):
    args = (*row.load, "--conns", bench.idle_conns, "--ms", 500, "--rss")
    result = under_load(bench, row, contender, directory, args)
    return {"bytes": (result["rss_to"] - result["rss_from"]) / result["conns"]}


class Answerer:
    """A backend for the start-up rows: every address of the namespace's loopback, one fixed answer."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    def __init__(self):
        self.s = socket.create_server(("0.0.0.0", configs.BACK), backlog=64)
        self.t = threading.Thread(target=self.serve, daemon=True)
        self.t.start()

    def serve(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            with c:
                c.recv(4096)
                c.sendall(self.ANSWER)

    def close(self):
        self.s.shutdown(socket.SHUT_RDWR)
        self.s.close()
        self.t.join(5)


def first_answer(proxy, host, seconds):
    """Returns once a request through the proxy has been answered by the backend."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        proxy.check_alive()
        try:
            with socket.create_connection(("127.0.0.1", configs.FRONT), timeout=seconds) as c:
                c.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                if c.recv(4096).startswith(b"HTTP/1.1 200 "):
                    return
        except OSError:
            pass
        time.sleep(0.001)
    raise Failed(f"no answer within {seconds} s: {proxy.complaint()}")


def run_start(bench, row, contender, directory):
    """From the start of the process to the first answer through it, by the last backend of the file."""
    backends, servers = row.load
    text = configs.haproxy_many(backends, servers)
    answerer = Answerer()
    try:
        begin = time.monotonic()
        proxy = Proxy(contender, text, directory, bench.cpus.proxy(1), bench.nice)
        try:
            first_answer(proxy, f"h{backends - 1}.bench.example", 60)
            ready = time.monotonic() - begin
            return {"ms": ready * 1000, "mib": rss_bytes(proxy.pids()) / 2**20}
        finally:
            proxy.stop()
    finally:
        answerer.close()


INSTR_FEW, INSTR_MORE = 200, 2000


def count_instructions(bench, row, contender, directory, requests):
    for old in glob.glob(os.path.join(directory, "callgrind.*")):
        os.unlink(old)
    args = ("--conns", 1, "--requests", requests, "--ms", 60000, *sink_args(row))
    load = Load(bench.load, "http", args, bench.cpus.load, bench.nice)
    wrap = ("valgrind", "--tool=callgrind", "--callgrind-out-file=callgrind.%p")
    proxy = Proxy(contender, contender.config(row.config), directory, bench.cpus.proxy(1), bench.nice, wrap)
    try:
        proxy.wait_listening(configs.FRONT, 60)
        result = load.go(proxy.pids())
        if result["failed"]:
            raise Failed(f"errors under callgrind: {result['errors']}")
    finally:
        load.stop()
        proxy.stop()
    total = 0
    for path in glob.glob(os.path.join(directory, "callgrind.*")):
        with open(path, encoding="ascii", errors="replace") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("totals:"))
    if not total:
        raise Failed("callgrind wrote no totals")
    return total


def run_instructions(bench, row, contender, directory):
    """User-space instructions per request: two runs, so that start and stop cancel out."""
    few = count_instructions(bench, row, contender, directory, INSTR_FEW)
    more = count_instructions(bench, row, contender, directory, INSTR_FEW + INSTR_MORE)
    return {"instr": (more - few) / INSTR_MORE}


def us(what, must=0.0, aim=0.0):
    return (Metric("us", f"CPU us/{what}", must, aim),)


def bulk_row(name, streams, splice):
    goals = (0.60, 0.50) if splice else (0.35, 0.18)
    kind = "option splice-auto" if splice else "default settings"
    return Row(name, f"TCP bulk download, {streams} stream{'s' * (streams > 1)}, {kind}",
               (Metric("s_gib", "CPU s/GiB", *goals),), run_bulk, {"mode": "tcp", "splice": splice}, "bulk",
               ("--conns", streams))


def latency_row(rate):
    metrics = (Metric("p99_added", "added p99 us", 0.50, 0.30), Metric("p50_added", "added p50 us"),
               Metric("us", "CPU us/request"))
    return Row(f"lat-{rate}", f"HTTP at {rate}/s, open loop, 64 connections (direct: its own latency)", metrics,
               run_latency, {}, "http", ("--rate", rate), ("haproxy", "nginx", "direct"), saturate=False)


def idle_row(name, title, load, must=0.0, aim=0.0, config=None):
    return Row(name, title, (Metric("bytes", "resident bytes/connection", must, aim),), run_idle, config or {}, "idle",
               load, saturate=False)


HTTP_64 = ("--conns", 64)

ROWS = (
    Row("http", "HTTP keep-alive, 64 connections, 128 B, no log", us("request", 0.60, 0.50), run_units, {}, "http",
        HTTP_64, totals=True),
    Row("http-1k", "the same, 1 KiB bodies", us("request", 0.60, 0.50), run_units, {}, "http",
        (*HTTP_64, "--body", 1024), totals=True),
    Row("http-log", "HTTP keep-alive + httplog to UDP", us("request", 0.55, 0.48), run_units, {"log": True}, "http",
        HTTP_64, totals=True),
    Row("http-004", "options of seed 004 + httplog + forwardfor + checks", us("request", 0.55, 0.48), run_units,
        {"seed": True}, "http", HTTP_64),
    Row("http-004-2t", "the same, nbthread 2", us("request", 0.55, 0.48), run_units, {"seed": True, "nbthread": 2},
        "http", HTTP_64),
    Row("http-2t", "HTTP keep-alive, no log, nbthread 2", us("request", 0.60, 0.50), run_units, {"nbthread": 2}, "http",
        HTTP_64),
    Row("conn", "TCP connections, 64 B / 128 B, 32 clients", us("connection", 0.85, 0.70), run_units, {"mode": "tcp"},
        "conn", ("--conns", 32)),
    bulk_row("bulk-1", 1, False), bulk_row("bulk-64", 64, False), bulk_row("bulk-1000", 1000, False),
    bulk_row("splice-1", 1, True), bulk_row("splice-64", 64, True), bulk_row("splice-1000", 1000, True),
    latency_row(8000), latency_row(14000),
    idle_row("idle-http", "idle HTTP connections, all opened and asked once in one burst", ("--at-once", 9000),
             0.10, 0.05),
    idle_row("idle-http-slow", "the same, 16 at a time", ("--at-once", 16)),
    idle_row("idle-tcp", "idle TCP connections", ("--tcp",), 0.25, 0.12, {"mode": "tcp"}),
    Row("start-10k", "start with 1000 backends of 10 servers, to the first answer",
        (Metric("ms", "ms", 0.5, 0.3), Metric("mib", "resident MiB")), run_start, {}, "start", (1000, 10),
        ("haproxy",)),
    Row("start-100k", "start with 1000 backends of 100 servers, to the first answer",
        (Metric("ms", "ms", 0.3, 0.15), Metric("mib", "resident MiB", 0.35, 0.25)), run_start, {}, "start", (1000, 100),
        ("haproxy",)),
    Row("instr", "user-space instructions per request, no log (callgrind)",
        (Metric("instr", "instructions", 8000, 0, True),), run_instructions, {}, "http", rounds=1),
    Row("instr-log", "user-space instructions per request, httplog to UDP", (Metric("instr", "instructions"),),
        run_instructions, {"log": True}, "http", rounds=1),
)
