"""Contenders and the load generator as processes: start, wait until they listen, stop, ask."""
import json
import os
import resource
import select
import signal
import socket
import subprocess
import time

import configs

STREAM_MODULES = ("/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so")


class Failed(Exception):
    """The contender (or the load generator) could not do its part; the text says why."""


class Cpus:
    """Proxy on the first CPU, load on the last; two proxy threads share the load's CPU where there are only two."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.load = {self.all[-1]}

    def proxy(self, threads):
        return set(self.all[:threads])

    def own(self, threads):
        return not self.proxy(threads) & self.load


def child_setup(cpus, nice):
    def setup():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        os.sched_setaffinity(0, cpus)
        try:
            os.nice(nice)
        except PermissionError:
            pass  # said once, by the run script
    return setup


def descendants(pid):
    """pid and all processes below it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                parents.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(name))
        except OSError:
            continue
    found = [pid]
    for p in found:
        found += parents.get(p, [])
    return found


def rss_bytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            total += sum(int(line.split()[1]) * 1024 for line in f if line.startswith("Rss:"))
    return total


def is_listening(port):
    """From the kernel's list and not by a connect, which the proxy would count."""
    want = f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(line.split()[1] == want and line.split()[3] == "0A" for line in f.readlines()[1:])


class Contender:
    """One program under test. kind: haproxy (also telamon), nginx or direct."""

    def __init__(self, name, kind, path=None):
        self.name, self.kind, self.path = name, kind, path
        self.version = self.ask_version() if path and os.access(path, os.X_OK) else None

    def ask_version(self):
        r = subprocess.run([self.path, "-v"], capture_output=True, text=True, timeout=10, check=False)
        lines = (r.stdout + r.stderr).strip().splitlines()
        return lines[0][:100] if lines else "(says no version)"

    def missing(self):
        if self.kind == "direct" or (self.path and os.access(self.path, os.X_OK)):
            return None
        return f"{self.path or 'no path given'}: not there"

    def config(self, opts):
        """The file for these options, or None when this contender has no such form."""
        if self.kind == "nginx":
            opts = dict(opts)
            if opts.pop("seed", False) or opts.pop("splice", False):
                return None
            module = next((m for m in STREAM_MODULES if os.path.exists(m)), None)
            return configs.nginx(stream_module=module, **opts)
        return configs.haproxy(**opts)

    def command(self):
        if self.kind == "nginx":
            return [self.path, "-p", ".", "-c", "bench.cfg"]
        return [self.path, "-db", "-f", "bench.cfg"]


class Proxy:
    """A running contender in a directory of its own."""

    def __init__(self, contender, text, directory, cpus, nice, wrap=()):
        self.dir = directory
        os.makedirs(os.path.join(directory, "tmp"), exist_ok=True)
        with open(self.path("bench.cfg"), "w", encoding="ascii") as f:
            f.write(text.replace("@DIR@", directory))
        with open(self.path("stderr"), "wb") as err:
            self.p = subprocess.Popen([*wrap, *contender.command()], cwd=directory, stdin=subprocess.DEVNULL,
                                      stdout=err, stderr=err, preexec_fn=child_setup(cpus, nice))

    def path(self, name):
        return os.path.join(self.dir, name)

    def complaint(self):
        with open(self.path("stderr"), encoding="utf-8", errors="replace") as f:
            lines = [line.strip() for line in f if line.strip()]
        bad = [line for line in lines if "ALERT" in line or "emerg" in line or "rror" in line]
        return (bad or lines or ["no word of why"])[0][:200]

    def check_alive(self):
        if self.p.poll() is not None:
            raise Failed(f"ended with code {self.p.returncode}: {self.complaint()}")

    def wait_listening(self, port, seconds=20):
        end = time.monotonic() + seconds
        while not is_listening(port):
            self.check_alive()
            if time.monotonic() > end:
                raise Failed(f"does not listen after {seconds} s: {self.complaint()}")
            time.sleep(0.005)

    def pids(self):
        return descendants(self.p.pid)

    def stop(self):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            if self.p.poll() is None:
                self.p.send_signal(sig)
            try:
                self.p.wait(10)
                return
            except subprocess.TimeoutExpired:
                continue

    def show_stat(self):
        """{(proxy, name): {column: value}} from the stats socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.path("stats.sock"))
            s.sendall(b"show stat\n")
            text = b""
            while chunk := s.recv(65536):
                text += chunk
        lines = text.decode().lstrip("# ").strip().splitlines()
        names = lines[0].split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines[1:] if line]
        return {(r["pxname"], r["svname"]): r for r in rows}


class Load:
    """bench-load: listens first, is told the proxy's pids, then runs. See bench/load.c.

    It must be as nice as the proxy: the weight of a session is split over the CPUs by the weights of its tasks there.
    Beside a proxy of -10 a load of 0 would be left with a tenth, and lose half of its CPU to any other session.
    """

    def __init__(self, binary, mode, args, cpus, nice, direct=False):
        cmd = [binary, mode, "--listen", f"127.0.0.1:{configs.BACK}", "--stdin-start", *map(str, args)]
        if not direct:
            cmd += ["--target", f"127.0.0.1:{configs.FRONT}"]
        self.p = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  preexec_fn=child_setup(cpus, nice))
        if not select.select([self.p.stdout], [], [], 10)[0] or self.p.stdout.readline() != b"ready\n":
            self.stop()
            raise Failed("load generator: " + self.p.stderr.read().decode().strip()[:200])

    def go(self, pids):
        line = (" ".join(map(str, pids)) + "\n").encode()
        out, err = self.p.communicate(line, timeout=150)
        if not out.strip():
            raise Failed("load generator: " + (err.decode().strip() or f"code {self.p.returncode}")[:200])
        return json.loads(out)

    def stop(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()
