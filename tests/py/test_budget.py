#!/usr/bin/python3
"""User-space instructions per request and per connection, counted by callgrind, against tests/budgets.tsv.

The proxy alone runs under callgrind, in a network namespace of its own, once with FEW and once with FEW + MORE units from
bench-load: the difference is free of start and stop. One client at a time, so the count depends little on how fast the machine
is: whether two events come in one turn of the loop or in two. So only what is too much in each of TRIES counts. A path may cost SLACK more than its line says; `tests/py/test_budget.py --update` writes the lines anew (with the build of `make`).
"""
import glob, os, pathlib, shutil, subprocess, sys, tempfile, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import configs, procs  # noqa: E402

TABLE = ROOT / "tests/budgets.tsv"
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))
LOAD = os.path.join(os.path.dirname(TELAMON), "bench/bench-load")
FEW, MORE = 100, 1000
SLACK = 1.05
TRIES = 4
PATHS = {  # name: (mode of bench-load, options of bench/configs.py)
    "http": ("http", {}),
    "http-log": ("http", {"log": True}),
    "http-004": ("http", {"seed": True}),
    "tcp-conn": ("conn", {"mode": "tcp"}),
}
WRAP = ("valgrind", "--tool=callgrind", "--callgrind-out-file=callgrind.%p")


def totals(directory):
    n = 0
    for path in glob.glob(os.path.join(directory, "callgrind.*")):
        with open(path, encoding="ascii", errors="replace") as f:
            n += sum(int(line.split()[1]) for line in f if line.startswith("totals:"))
    return n


def run_once(mode, options, units):
    contender = procs.Contender("telamon", "haproxy", TELAMON)
    cpus = procs.Cpus()
    sink = ("--sink-port", configs.SINK) if options.get("log") or options.get("seed") else ()
    directory = tempfile.mkdtemp(prefix="budget-")
    load = procs.Load(LOAD, mode, ("--conns", 1, "--requests", units, "--ms", 60000, *sink), cpus.load, 0)
    try:
        proxy = procs.Proxy(contender, contender.config(options), directory, cpus.proxy(1), 0, WRAP)
        try:
            proxy.wait_listening(configs.FRONT, 60)
            result = load.go(proxy.pids())
        finally:
            proxy.stop()
        if result["failed"]:
            raise procs.Failed(f"errors under callgrind: {result['errors']}")
        if not totals(directory):
            raise procs.Failed("callgrind wrote no totals: " + proxy.complaint())
        return totals(directory)
    finally:
        load.stop()
        shutil.rmtree(directory)


def measure(name):
    mode, options = PATHS[name]
    return round((run_once(mode, options, FEW + MORE) - run_once(mode, options, FEW)) / MORE)


def inside(name):
    """The same in a network namespace, where the fixed ports of bench/configs.py are free."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    cmd = ["unshare", *user, "--net", sys.executable, str(pathlib.Path(__file__).resolve()), "--measure", name]
    r = subprocess.run(cmd, capture_output=True, text=True, timeout=150, check=False)
    if r.returncode:
        raise AssertionError(f"{name}: {r.stderr.strip()[-600:]}")
    return int(r.stdout)


def budgets():
    lines = TABLE.read_text(encoding="ascii").splitlines()
    return {name: int(n) for name, n in (line.split("\t") for line in lines if line and not line.startswith("#"))}


def update():
    text = ("# User-space instructions of one request or connection (callgrind, the build of `make`); tests/py/test_budget.py\n"
            "# fails at 5 % more. After a change that is worth its price, or made it cheaper: tests/py/test_budget.py --update\n")
    TABLE.write_text(text + "".join(f"{name}\t{min(inside(name) for _ in range(TRIES))}\n" for name in PATHS), encoding="ascii")


class Budget(unittest.TestCase):
    def check(self, name):
        allowed, got = budgets()[name], inside(name)
        for _ in range(TRIES - 1):
            got = min(got, inside(name)) if got > allowed * SLACK else got
        print(f"# {name}: {got} instructions, the budget is {allowed}")
        self.assertLessEqual(got, allowed * SLACK,
                             f"{name} costs {got} instructions, {got / allowed - 1:+.1%} against tests/budgets.tsv ({allowed}). "
                             "callgrind_annotate finds where; if it is worth it: tests/py/test_budget.py --update")

    def test_http(self):
        self.check("http")

    def test_http_log(self):
        self.check("http-log")

    def test_http_004(self):
        self.check("http-004")

    def test_tcp_conn(self):
        self.check("tcp-conn")

    def test_the_table_has_every_path_and_no_other(self):
        self.assertEqual(set(budgets()), set(PATHS))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        print(measure(sys.argv[2]))
    elif sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main()
