"""Each service's check passes with the service and fails with another's port, as in Debian's HAProxy; a reload changes a script."""
import glob, os, pathlib, shutil, subprocess, tempfile, threading, time
from kit import HOST, TMP, Telamon, child, cli, done, listening, note, ok, port_of, serve, stat, wait_for

BASE = 24700
MYSQL, PGSQL, REDIS, LDAP, SMTP, TLS, WEB, FRONT, OTHER_FRONT = range(BASE, BASE + 9)
PG = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
# These servers refuse to be root, or would change to a user of their own: nobody has a folder here.
root = os.getuid() == 0
HOME = pathlib.Path(tempfile.mkdtemp(prefix="tlm-srv-", dir="/tmp"))
prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if root else []
if root:
    os.chown(HOME, 65534, 65534)
log = open(TMP / "services.log", "ab")


def service(*args):
    return child([*prefix, *args], cwd=HOME, stdout=log, stderr=log, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(HOME), "LC_ALL": "C"})


def run(*args):
    p = service(*args)
    return p.wait(60) == 0 or note(f"failed: {args}")


def mysql():
    run("mariadb-install-db", "--no-defaults", f"--datadir={HOME}/my", "--auth-root-authentication-method=normal", "--skip-test-db")
    sql = HOME / "users.sql"
    sql.write_text("CREATE USER haproxy@'%';\nCREATE USER secret@'%' IDENTIFIED BY 'x';\n")
    service("mariadbd", "--no-defaults", f"--datadir={HOME}/my", f"--socket={HOME}/my.sock", f"--port={MYSQL}", f"--bind-address={HOST}",
            f"--pid-file={HOME}/my.pid", f"--init-file={sql}", "--skip-name-resolve")


def pgsql():
    run(f"{PG}/initdb", "-D", HOME / "pg", "-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions")
    service(f"{PG}/postgres", "-D", HOME / "pg", "-p", PGSQL, "-h", HOST, "-k", HOME, "-F")


def others():
    service("redis-server", "--port", REDIS, "--bind", HOST, "--save", "", "--dir", HOME)
    (HOME / "slapd.conf").write_text(f"include /etc/ldap/schema/core.schema\npidfile {HOME}/slapd.pid\n")
    service("slapd", "-f", HOME / "slapd.conf", "-h", f"ldap://{HOST}:{LDAP}", "-d", "0")
    service("aiosmtpd", "-n", "-l", f"{HOST}:{SMTP}")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-keyout", HOME / "key.pem", "-out", HOME / "crt.pem")
    service("openssl", "s_server", "-accept", f"{HOST}:{TLS}", "-cert", HOME / "crt.pem", "-key", HOME / "key.pem", "-quiet")
    service("/usr/bin/python3", "-m", "http.server", "--bind", HOST, WEB)


# name, option, its port, what its result begins with; another's port, and what that begins with
CHECKS = [
    ("mysql", "mysql-check", MYSQL, "UP L7OK 0", REDIS, "DOWN L7TOUT"),
    ("mysql-user", "mysql-check user haproxy", MYSQL, "UP L7OK 0", SMTP, "DOWN L7RSP"),
    ("mysql-old", "mysql-check user haproxy pre-41", MYSQL, "UP L7OK 0", WEB, "DOWN L7TOUT"),
    ("pgsql", "pgsql-check user postgres", PGSQL, "UP L7OK 0 PostgreSQL server is ok", MYSQL, "DOWN L7STS 0 PostgreSQL unknown error"),
    ("redis", "redis-check", REDIS, "UP L7OK 0 Redis server is ok", SMTP, "DOWN L7STS 0 220 "),
    ("smtp", "smtpchk EHLO lab.example.org", SMTP, "UP L7OK 221 Bye", MYSQL, "DOWN L7RSP"),
    ("ldap", "ldap-check", LDAP, "UP L7OK 0", SMTP, "DOWN L7RSP  Not LDAPv3 protocol"),
    ("tls", "ssl-hello-chk", TLS, "UP L6OK", SMTP, "DOWN L6RSP"),
    ("http", "httpchk GET /", WEB, "UP L7OK 200", SMTP, "DOWN L7RSP"),
]
# Where HAProxy's result is another one (tests/differences.tsv): it waits for more.
OTHERWISE = {"mysql-user-not": "L7TOUT", "redis-not": "L7TOUT"}


def backends():
    for name, option, port, _, other, _ in CHECKS:
        for n, p in ((name, port), (name + "-not", other)):
            yield f"backend {n}\n option {option}\n server s {HOST}:{p}\n"
    yield f"backend mysql-denied\n option mysql-check user secret\n server s {HOST}:{MYSQL}\n"


def config(sock, port):
    return f"""global
 stats socket {sock}
defaults
 timeout connect 5s
 timeout client 5s
 timeout server 5s
 timeout check 3s
 default-server check inter 3s fastinter 500ms downinter 60s rise 1 fall 1
frontend f
 bind {HOST}:{port}
""" + "".join(backends())


def results(sock):
    rows = {p: r for (p, n), r in stat(sock).items() if n == "s"}
    if len(rows) < 2 * len(CHECKS) + 1 or any(r["check_status"].lstrip("* ") == "INI" for r in rows.values()):
        return None
    return {p: " ".join([r["status"], r["check_status"].lstrip("* "), r["check_code"], r["last_chk"]]) for p, r in rows.items()}


threads = [threading.Thread(target=f) for f in (mysql, pgsql, others)]
for th in threads:
    th.start()
for th in threads:
    th.join()
ports = range(BASE, WEB + 1)
if not ok(wait_for(lambda: all(listening(p) for p in ports), 30), "the services listen",
          [p for p in ports if not listening(p)] + (TMP / "services.log").read_text(errors="replace").splitlines()[-30:]):
    done()
Telamon(config(TMP / "cli.sock", FRONT), port=FRONT)
(TMP / "hap.cfg").write_text(config(TMP / "hap.sock", OTHER_FRONT))
child(["haproxy", "-db", "-f", TMP / "hap.cfg"], stdout=log, stderr=log)
wait_for(lambda: os.path.exists(TMP / "hap.sock"))
got = wait_for(lambda: results(TMP / "cli.sock"), 15, 0.1) or {}
hap = wait_for(lambda: results(TMP / "hap.sock"), 15, 0.1) or {}
for name, _, _, up, _, down in CHECKS:
    ok(got.get(name, "").startswith(up), f"{name}: {up}", got.get(name))
    ok(got.get(name + "-not", "").startswith(down), f"{name} at another's port: {down}", got.get(name + "-not"))
ok(got.get("mysql-denied", "").startswith("DOWN L7STS 1045 "), "a user that needs a password is told", got.get("mysql-denied"))
differ = [f"{n}: {got[n]} / {hap.get(n)}" for n in got
          if got[n].split()[:2] != hap.get(n, "").split()[:2] and OTHERWISE.get(n) != hap.get(n, " ").split()[1]]
ok(got and not differ, "HAProxy says the same", differ)

# ---- a reload: another script is asked at once, the state stays ----

asked = []


def web(c):
    line = c.makefile("rb").readline().decode()
    asked.append(line.split()[1])
    c.sendall(b"HTTP/1.0 %d x\r\n\r\n" % (500 if asked[-1] == "/bad" else 200))


back = port_of(serve(web))


def scripted(path):
    return f"""global
 stats socket {TMP}/r.sock
defaults
 timeout connect 5s
 timeout client 5s
 timeout server 5s
 timeout check 5s
frontend g
 bind {HOST}:{FRONT + 2}
backend b
 balance roundrobin
 option httpchk GET {path}
 server s {HOST}:{back} check inter 100s fastinter 100s rise 1 fall 2
 server t {HOST}:{back} check inter 100s fastinter 100s rise 1 fall 2
"""


r = Telamon(scripted("/one"), "-W", "-S", f"{TMP}/master.sock", port=FRONT + 2, name="r.cfg")
wait_for(lambda: os.path.exists(TMP / "r.sock"))


def state():
    return {n: x["status"] for (p, n), x in stat(TMP / "r.sock").items() if p == "b" and n in "st"}


ok(wait_for(lambda: asked == ["/one"], 10), "the first check asks /one", asked)  # the second one's turn is 50 s later
for path, want in (("/bad", "UP 1/2"), ("/two", "UP")):
    r.cfg.write_text(scripted(path))
    n = len(asked)
    cli(TMP / "master.sock", "reload", 30)
    ok(wait_for(lambda: asked[n:].count(path) == 2, 10), f"a reload with {path}: both are asked at once", asked)
    ok(wait_for(lambda: set(state().values()) <= {want, "DOWN"} and state().get("s") == want, 10), f"and s is {want}", state())
n = len(asked)
cli(TMP / "master.sock", "reload", 30)
time.sleep(0.5)
ok(asked[n:] == [], "a reload of the same script asks nothing", asked)
r.stop()
shutil.rmtree(HOME, ignore_errors=True)
done()
