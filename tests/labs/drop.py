"""Gate c, and what a worker may still do: seen from /proc after start, after a reload and after a respawn.

In a mount namespace of its own, so that /dev/log can be ours.
"""
import os, pathlib, signal, socket, subprocess, time
from kit import HOST, TMP, Telamon, done, note, ok, read, wait_for

FRONT, UID, GID = 22801, 64124, 64125
run = lambda *a: subprocess.run([str(x) for x in a], check=True)


def own_dev():
    dev = TMP / "dev"
    dev.mkdir()
    for n in ("null", "zero", "random", "urandom"):
        (dev / n).touch()
        run("mount", "--bind", f"/dev/{n}", dev / n)
    run("mount", "--rbind", dev, "/dev")


def log_socket():
    if os.path.exists("/dev/log"):
        os.unlink("/dev/log")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("/dev/log")
    os.chmod("/dev/log", 0o666)
    s.settimeout(0.2)
    return s


def logged(s, word):
    try:
        while True:
            if word in s.recv(4096).decode():
                return True
    except OSError:
        return False


def get(path):
    with socket.create_connection((HOST, FRONT), 5) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return s.recv(4096).decode()


def rights(when, pid):
    st = dict(x.split(":", 1) for x in read(f"/proc/{pid}/status").decode().splitlines())
    caps = {k: int(st[k], 16) for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    ok(not any(caps[k] for k in ("CapInh", "CapPrm", "CapEff", "CapAmb")), f"{when}: the worker has no capability", caps)
    ok(st["NoNewPrivs"].strip() == "1", f"{when}: no_new_privs")
    ok(set(st["Uid"].split()) == {str(UID)} and set(st["Gid"].split()) == {str(GID)}, f"{when}: all four uids and gids are the file's", [st["Uid"], st["Gid"]])
    ok(not set(st.get("Groups", "").split()) - {str(GID)}, f"{when}: no other group", st["Groups"])
    root = f"/proc/{pid}/root"
    ok(os.path.samefile(root, TMP / "empty") and not os.listdir(root), f"{when}: its root is the empty directory")


def config(body, expires):
    return f"""
global
    chroot {TMP}/empty
    uid {UID}
    gid {GID}
    log /dev/log local0
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client {expires}s
    timeout server 5s
frontend f
    bind {HOST}:{FRONT}
    http-request return status 200 content-type text/plain string {body}
"""


own_dev()
os.mkdir(TMP / "empty")
os.chmod(TMP, 0o755)
log = log_socket()
t = Telamon(config("one", 5), "-W", port=FRONT)
ok(get("/first").endswith("one") and logged(log, "/first"), "it serves and logs to /dev/log")
rights("start", t.worker())
worker = t.worker()
t.cfg.write_text(config("two", 6))
t.p.send_signal(signal.SIGUSR2)
ok(wait_for(lambda: get("/reload").endswith("two")), "a reload brings the changed file into the empty root", t.output())
ok(t.worker() == worker, "in the same worker")
rights("reload", t.worker())
log.close()
get("/lost")
log = log_socket()


def returns():
    get("/again")
    return logged(log, "/again")


ok(wait_for(returns, 10, 0.2), "logging goes on after the log daemon's socket was made anew")
os.kill(worker, signal.SIGKILL)
ok(wait_for(lambda: t.worker() not in (0, worker)) and get("/new").endswith("two"), "respawn from the last good bundle")
rights("respawn", t.worker())
ok(wait_for(lambda: get("/newer") and logged(log, "/newer"), 5), "which logs")
ok(t.stop(signal.SIGTERM) in (0, 143), "it ends", t.output())
done()
