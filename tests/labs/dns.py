"""A worker in an empty root, without rights, follows names through a DNS server that can be as wrong as one likes."""
import os, signal, socket, subprocess, threading, time
from kit import HOST, TELAMON, TMP, Telamon, cli, done, ok, read, stat, wait_for
from fakedns import FakeDns

PORT, DNS, SOCK, MASTER = 25380, 25382, TMP / "d.sock", TMP / "m.sock"
EMPTY = TMP / "empty"
EMPTY.mkdir()
os.chmod(TMP, 0o755)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def web(ip):
    """An HTTP server that says where it is."""
    ls = socket.create_server((ip, 25383))

    def loop():
        while True:
            c, _ = ls.accept()
            c.recv(4096)
            c.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {len(ip)}\r\nconnection: close\r\n\r\n{ip}".encode())
            c.close()
    threading.Thread(target=loop, daemon=True).start()


def get():
    with socket.create_connection((HOST, PORT)) as c:
        c.settimeout(5)
        c.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        out = b""
        while d := c.recv(4096):
            out += d
    return out.split(b"\r\n\r\n")[-1].decode() if b" 200 " in out else out[9:12].decode()


def states():
    """{server: (address, admin state, name)}; nothing while a worker is replaced."""
    try:
        rows = [line.split() for line in cli(SOCK, "show servers state").splitlines()[2:]]
    except OSError:
        return {}
    return {r[3]: (r[4], int(r[6]), r[17]) for r in rows if r}


def counters():
    return {line.split(":")[0].strip(): int(line.split(":")[1]) for line in cli(SOCK, "show resolvers dns").splitlines()
            if line.startswith("  ")}


def conf(extra="", hold="    hold nx 3s\n    hold other 1s\n    hold refused 1s\n    hold timeout 1s\n"):
    return f"""
global
    stats socket {SOCK} level admin
    chroot {EMPTY}
    uid 65534
    gid 65534
    nbthread 2
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
    default-server init-addr none resolvers dns resolve-prefer ipv4
resolvers dns
    nameserver a {HOST}:{DNS}
    resolve_retries 2
    timeout resolve 100ms
    timeout retry 150ms
    accepted_payload_size 8192
{hold}
backend b
    server s1 web.test:25383
backend two
    server-template t 2 two.test:25383
    server t3 two.test:25383 resolve-opts allow-dup-ip
backend bad
    balance roundrobin
    server g good.test:25383
    server v victim.test:25383
frontend f
    bind {HOST}:{PORT}
    default_backend b
{extra}"""


for ip in ("127.0.0.11", "127.0.0.12", "127.0.0.13"):
    web(ip)
dns = FakeDns(DNS)
dns.set("web.test", a=["127.0.0.11"])
dns.set("two.test", a=["127.0.0.12", "127.0.0.13"])
dns.set("good.test", a=["127.0.0.11"])
dns.set("victim.test", how="nx")
t = Telamon(conf(), "-W", "-db", "-S", MASTER, port=PORT)


def reload():
    t.p.send_signal(signal.SIGUSR2)


def said(text):
    return wait_for(lambda: text in t.output())


# ---- addresses come, and move
ok(wait_for(lambda: get() == "127.0.0.11"), "an address comes, and traffic goes there", t.output())
ok(said("b/s1 changed its IP from (none) to 127.0.0.11 by dns/a.") and said("Server b/s1 ('web.test') is UP/READY (resolves again).")
   and said("Server b/s1 administratively READY thanks to valid DNS answer."), "the three lines of HAProxy", t.output())
dns.set("web.test", a=["127.0.0.12"])
ok(wait_for(lambda: get() == "127.0.0.12"), "another address: traffic moves")
ok(wait_for(lambda: {states()[s][0] for s in ("t1", "t2")} == {"127.0.0.12", "127.0.0.13"}), "two servers, two addresses", states())
ok(wait_for(lambda: states()["t3"][0] in ("127.0.0.12", "127.0.0.13")), "allow-dup-ip: a third one shares", states())
dns.set("two.test", a=["127.0.0.13"])
ok(wait_for(lambda: sorted(states()[s][1] for s in ("t1", "t2")) == [0, 32]), "one address less: one server less", states())
ok(said("(No IP for server )"), "and the reason", t.output())
ok(set(dns.payload) == {4096}, "what it can read is announced", set(dns.payload))
ok(len(set(dns.ids)) > len(dns.ids) * 0.9 - 10, "ids of questions are not a row", dns.ids[:20])

# ---- holds
asked = len(dns.queries("web.test"))
dns.set("web.test", how="nx")
wait_for(lambda: len(dns.queries("web.test")) > asked + 4)
ok(get() == "127.0.0.12", "a failure that is held does nothing")
ok(said("Server b/s1 is going DOWN for maintenance (DNS NX status)."), "after hold nx it counts", t.output())
ok(stat(SOCK)["b", "s1"]["status"] == "MAINT (resolution)" and states()["s1"][:2] == ("-", 32), "MAINT (resolution)", states())
ok(get() == "503", "nobody left")
dns.set("web.test", aaaa=[], a=["127.0.0.13"])
ok(wait_for(lambda: get() == "127.0.0.13"), "DNS is back: the server is")
for how, text in (("refused", "DNS refused status"), ("servfail", "unspecified DNS error"), ("drop", "DNS timeout status")):
    dns.set("web.test", how=how)
    ok(said(f"Server b/s1 is going DOWN for maintenance ({text})"), f"{how}: {text}", t.output())
    dns.set("web.test", a=["127.0.0.13"])
    ok(wait_for(lambda: states()["s1"][:2] == ("127.0.0.13", 0)), "and back")

# ---- lies: no address comes of them, and other names do not suffer
before = counters()
for how in ("garbage", "wrong-id", "other-name", "short", "truncated", "loop", "no-question", "huge", "late"):
    n = len(dns.queries("victim.test"))
    dns.set("victim.test", how=how, a=["127.6.6.6"], delay=0.7)
    wait_for(lambda: len(dns.queries("victim.test")) > n + 3)
    s = states()
    ok(s["v"][0] != "127.6.6.6" and s["g"][:2] == ("127.0.0.11", 0), f"{how}: not believed", s)
after = counters()
ok(after["truncated"] > before["truncated"] and after["cname_error"] > before["cname_error"] and after["timeout"] > before["timeout"]
   and after["invalid"] + after["too_big"] > before["invalid"] + before["too_big"], "each kind is counted", (before, after))
dns.set("victim.test", how="cname", a=["127.0.0.12"])
ok(wait_for(lambda: states()["v"][0] == "127.0.0.12"), "an honest alias is followed", states())

# ---- the runtime socket
ok("changed its FQDN from web.test to other.test by 'stats socket command'" in cli(SOCK, "set server b/s1 fqdn other.test"), "fqdn")
ok("no need to change the FDQN" in cli(SOCK, "set server b/s1 fqdn other.test"), "the same fqdn")
ok("no name" in cli(SOCK, "set server b/s1 fqdn a..b"), "no name at all")
dns.set("other.test", a=["127.0.0.11"])
ok(wait_for(lambda: states()["s1"] == ("127.0.0.11", 0, "other.test")), "the new name is followed", states())
ok("Can't find that resolvers section" in cli(SOCK, "show resolvers nope"), "show resolvers nope")

# ---- a reload keeps what DNS said; a killed worker learns it again
(TMP / "t.cfg").write_text(conf("    maxconn 999\n"))
reload()
ok(wait_for(lambda: read(t.err.name).count(b"frontend f: maxconn") or "999" in cli(SOCK, "show stat f 1 -1")), "reloaded", t.output())
ok(states()["s1"] == ("127.0.0.11", 0, "other.test") and states()["g"][0] == "127.0.0.11", "addresses and the runtime's name stay", states())
(TMP / "t.cfg").write_text(conf("    maxconn 999\n", hold="    hold nx 4s\n"))
p = subprocess.run([TELAMON, "plan", "-f", TMP / "t.cfg", "-S", MASTER], capture_output=True, text=True)
ok("~ resolvers dns: hold" in p.stdout, "plan tells of the section", p.stdout + p.stderr)
sent = counters()["sent"]
reload()
ok(wait_for(lambda: counters()["sent"] < sent), "a section that changed begins anew")
ok(states()["s1"][:2] == ("127.0.0.11", 0), "its servers keep their addresses meanwhile", states())
pid = t.worker()
os.kill(pid, signal.SIGKILL)
ok(wait_for(lambda: t.worker() not in (0, pid) and states().get("s1") == ("127.0.0.11", 0, "other.test"), 10),
   "a killed worker's successor has the name and finds the address", states())
(TMP / "t.cfg").write_text(conf().replace("web.test", "good.test"))
reload()
ok(wait_for(lambda: states().get("s1") == ("127.0.0.11", 0, "good.test")), "a name that changed in the file wins", states())
(TMP / "t.cfg").write_text(conf().replace(" resolvers dns ", " ").replace("init-addr none", "init-addr 127.0.0.12"))
reload()
ok(wait_for(lambda: states().get("s1", ("",))[0] == "127.0.0.12"), "without resolvers the file's address counts", states())


def quiet():
    n = len(dns.queries())
    time.sleep(0.5)
    return len(dns.queries()) == n


ok(wait_for(quiet), "and nobody asks any more")
ok(t.stop(signal.SIGTERM) in (143, -15, 0), "ends")
done()
