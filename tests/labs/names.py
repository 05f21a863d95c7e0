"""What names become at start, and that a dead DNS does not hold a load for as long as it has names."""
import socket, subprocess, time
from kit import HOST, TELAMON, TMP, Telamon, cli, done, listening, ok, stat, wait_for
from fakedns import FakeDns

PORT, SOCK, DEAD = 25380, TMP / "n.sock", 64
TIMES = "    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n"


def etc(name, text):
    (TMP / name).write_text(text)
    subprocess.run(["mount", "--bind", TMP / name, f"/etc/{name}"], check=True)


def states():
    rows = [line.split() for line in cli(SOCK, "show servers state").splitlines()[2:]]
    return {r[3]: r for r in rows if r}


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
etc("hosts", "127.0.0.1 localhost\n::5 both.test\n127.0.0.7 both.test\n127.0.0.9 both.test\n127.0.0.6 logs.test\n")
etc("resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
etc("nsswitch.conf", "hosts: files dns\n")
dns = FakeDns(53, "127.0.0.53")
dns.set("dead.test", how="drop")

logs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
logs.bind(("127.0.0.6", 25381))
logs.settimeout(5)
t = Telamon(f"""
global
    stats socket {SOCK} level admin
    log logs.test:25381 local0
defaults
    mode tcp
    log global
{TIMES}
backend b
    balance roundrobin
    server first both.test:80
    server four both.test:80 resolve-prefer ipv4
    server net both.test:80 resolve-prefer ipv6 resolve-net 127.0.0.8/29
    server six ipv6@both.test:80
    server up none.test:80 init-addr libc,127.0.0.1
    server off none.test:80 init-addr none
    server follow both.test resolve-prefer ipv4
frontend f
    bind {HOST}:{PORT}
    default_backend b
""", port=PORT)
s = states()
four = socket.getaddrinfo("both.test", None, 0, socket.SOCK_STREAM)[0][4][0]
ok(s["first"][4] == four, "the first address that libc gives", s["first"])
ok(s["four"][4] == "127.0.0.7", "resolve-prefer ipv4", s["four"])
ok(s["net"][4] == "127.0.0.9", "resolve-net", s["net"])
ok(s["six"][4] == "::5", "ipv6@", s["six"])
ok(s["up"][4:7] == ["127.0.0.1", "2", "0"] and s["up"][17:19] == ["none.test", "80"], "an address instead", s["up"])
ok(s["off"][4:7] == ["-", "0", "32"] and s["off"][17:19] == ["none.test", "80"], "none: no address", s["off"])
ok(s["follow"][4] == "127.0.0.7" and s["follow"][18] == "0", "no port: the client's", s["follow"])
ok(stat(SOCK)["b", "off"]["status"] == "MAINT (resolution)", "status text")
said = t.output()
ok(said.count("none.test") == 1 and "'server b/up' : could not resolve address 'none.test', falling back to configured address."
   in said, "one warning", said)
cli(SOCK, "set server b/off addr 127.0.0.3")
ok(wait_for(lambda: states()["off"][4:7] == ["127.0.0.3", "2", "0"] and states()["off"][18] == "80"), "set server addr brings it up")
line = ""
while "resolves again" not in line:
    try:
        line = logs.recv(4096).decode()
    except TimeoutError:
        break
ok("Server b/off ('none.test') is UP/READY (resolves again)." in line, "a log target by its name hears of it", line)
t.stop()

# A dead DNS: each name takes libc a second here; one after the other they would take a minute and more.
rows = "".join(f"    server s{i} x{i}.dead{i}.test:80 init-addr libc,none\n" for i in range(DEAD))
for i in range(DEAD):
    dns.set(f"x{i}.dead{i}.test", how="drop")
(TMP / "dead.cfg").write_text(f"defaults\n{TIMES}\nlisten l\n    bind {HOST}:{PORT}\n{rows}")
begin = time.monotonic()
p = subprocess.run([TELAMON, "-c", "-f", TMP / "dead.cfg"], capture_output=True, text=True)
took = time.monotonic() - begin
ok(p.returncode == 0 and p.stderr.count("disabling server") == DEAD, "all of them are told", p.stderr)
ok(took < DEAD / 2, f"{DEAD} dead names are not waited for one by one", f"{took:.1f} s")
done()
