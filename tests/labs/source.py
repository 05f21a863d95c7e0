"""Where connections to servers come from: addresses, port ranges, the client's own address in a worker without rights."""
import re, signal, socket, subprocess, threading
from kit import HOST, TMP, Telamon, done, ok, read, wait_for

PORT, WEB, SOCK, MASTER = 25385, 25386, TMP / "s.sock", TMP / "m.sock"
checks = []
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def one(c, peer):
    text, asked = f"{peer[0]} {peer[1]}", False
    with c:
        try:
            while c.recv(4096):
                asked = True
                c.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode())
        except OSError:
            pass
    if not asked:
        checks.append(peer[0])


def serve(family, ip):
    ls = socket.create_server((ip, WEB), family=family)

    def loop():
        while True:
            c, peer = ls.accept()
            threading.Thread(target=one, args=(c, peer), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def get(path, client="127.0.0.1"):
    """What the server saw: (address, port); or the status."""
    with socket.create_connection((HOST, PORT), source_address=(client, 0)) as c:
        c.settimeout(5)
        c.sendall(f"GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        out = b""
        while d := c.recv(4096):
            out += d
    if b" 200 " not in out:
        return out[9:12].decode(), 0
    ip, port = out.split(b"\r\n\r\n")[1].decode().split()
    return ip, int(port)


def caps(pid):
    return int(re.search(rb"CapEff:\s*(\w+)", read(f"/proc/{pid}/status"))[1], 16)


def conf(foreign):
    backs = {
        "own": f"server s {HOST}:{WEB} source 127.0.0.21",
        "range": f"server s {HOST}:{WEB} source 127.0.0.22:31000-31003 pool-max-conn 0",
        "dev": f"server s {HOST}:{WEB} source 127.0.0.25 interface lo",
        "sect": f"source 127.0.0.23\n    server s {HOST}:{WEB} check inter 100ms",
        "over": f"source 127.0.0.23\n    server s {HOST}:{WEB} source 127.0.0.24",
        "lost": f"server s {HOST}:{WEB} source 192.0.2.1",
        "plain": f"server s {HOST}:{WEB} source 0.0.0.0",
    }
    if foreign:
        backs["client"] = f"source 127.0.0.26 usesrc clientip\n    server s {HOST}:{WEB} check inter 100ms\n    http-reuse always"
        backs["addr"] = f"server s {HOST}:{WEB} source 0.0.0.0 usesrc 127.0.0.27"
    use = "".join(f"    use_backend {b} if {{ path /{b} }}\n" for b in backs)
    return f"""
global
    stats socket {SOCK} level admin
    uid 65534
    gid 65534
    chroot {TMP / 'root'}
defaults
    mode http
    retries 0
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend f
    bind {HOST}:{PORT}
{use}""" + "".join(f"backend {b}\n    {text}\n" for b, text in backs.items())


(TMP / "root").mkdir()
serve(socket.AF_INET, HOST)
t = Telamon(conf(False), "-W", "-db", "-S", MASTER, port=PORT)
ok(get("own")[0] == "127.0.0.21", "server: source")
ports = [get("range") for _ in range(4)]
ok({p[0] for p in ports} == {"127.0.0.22"} and {p[1] for p in ports} == {31000, 31001, 31002, 31003}, "a range of ports, in turn", ports)
ok(get("dev")[0] == "127.0.0.25", "interface")
ok(get("sect")[0] == "127.0.0.23" and get("over")[0] == "127.0.0.24", "section, and the server's own before it")
ok(wait_for(lambda: "127.0.0.23" in checks), "checks come from there, too", checks)
ok(get("lost")[0] == "503", "an address that is not here: no connection")
ok(get("plain")[0] == "127.0.0.1", "0.0.0.0: the system's choice")
ok(caps(t.worker()) == 0, "no right is kept")

(TMP / "t.cfg").write_text(conf(True))
was = t.worker()
t.p.send_signal(signal.SIGUSR2)
ok(wait_for(lambda: t.worker() not in (0, was) and caps(t.worker()) == 1 << 13, 10), "usesrc: a new worker, with CAP_NET_RAW alone", t.output())
ok(wait_for(lambda: get("client", "127.0.0.31")[0] == "127.0.0.31"), "usesrc clientip", t.output())
ok([get("client", f"127.0.0.{i}")[0] for i in (32, 33, 32)] == ["127.0.0.32", "127.0.0.33", "127.0.0.32"],
   "each client's connections are its own")
ok(get("addr")[0] == "127.0.0.27", "usesrc with an address")
ok(wait_for(lambda: "127.0.0.26" in checks), "checks do not pretend", checks[-5:])

(TMP / "t.cfg").write_text(conf(True).replace("127.0.0.21", "127.0.0.41"))
t.p.send_signal(signal.SIGUSR2)
ok(wait_for(lambda: get("own")[0] == "127.0.0.41"), "a reload changes it, idle connections or not")
t.stop(signal.SIGTERM)
done()
