"""Bad clients of the runtime socket: none of them costs more than a little memory, keeps others from being served, or ends the process."""
import socket
from kit import TMP, Telamon, cli, done, note, ok, rss_kib, wait_for

SERVERS, IDLE, LIMIT = 3000, 1000, 1003
SOCK, WEB = f"{TMP}/cli.sock", f"{TMP}/web.sock"

t = Telamon(f"""
global
    stats socket {SOCK} level admin
    stats maxconn {LIMIT}
    stats timeout 60s
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind unix@{WEB}
    http-request return status 200 content-type text/plain string served
backend many
""" + "".join(f"    server s{i} 127.0.0.1:1\n" for i in range(SERVERS)))


def connect(path=SOCK, seconds=10):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(seconds)
    s.connect(path)
    return s


def ask(command):
    try:
        return cli(SOCK, command, 10)
    except OSError as e:
        return str(e)


def served():
    with connect(WEB) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while piece := s.recv(4096):
            data += piece
    return data.endswith(b"served")


def all_of(s):
    data = b""
    try:
        while piece := s.recv(1 << 16):
            data += piece
    except OSError as e:
        return data + str(e).encode()
    return data


wait_for(lambda: t.p.poll() is not None or "3.4" in ask("show version"), 20)
rss = rss_kib(t.worker())

# ---- a line without an end ----
with connect() as s:
    sent = 0
    try:
        while sent < 10 << 20:
            sent += s.send(b"x" * 65536)
    except OSError:
        pass  # it was told to go away
    answer = all_of(s)
note(f"{sent} bytes of a line were taken")
ok(sent < 10 << 20 and (b"too long" in answer or b"reset" in answer or b"Broken" in answer), "10 MB line: refused", repr(answer[:200]))
ok(served() and "3.4" in ask("show version"), "10 MB line: others are served")

# ---- a line of many words, a payload without an end ----
ok("Too many words" in ask("echo " + "a " * 500), "500 words: refused")
with connect() as s:
    try:
        s.sendall(b"echo <<\n")
        for _ in range(160):
            s.sendall(b"y" * 65535 + b"\n")
    except OSError:
        pass
    answer = all_of(s)
ok(b"too large" in answer or b"reset" in answer or b"Broken" in answer, "10 MB payload: refused", repr(answer[:200]))

# ---- a thousand that say nothing ----
idle = [connect() for _ in range(IDLE)]
ok(wait_for(lambda: ask("show sess all").count("srv=<CLI>") == IDLE + 1, 20), f"{IDLE} idle connections are open",
   ask("show sess")[-300:])
ok(served() and "3.4" in ask("show version"), "others are served meanwhile")
grown = (rss_kib(t.worker()) - rss) / IDLE
note(f"{grown:.1f} KiB for each of them")
ok(grown < 24, "each costs less than 24 KiB")

# ---- over `stats maxconn`: who is too many waits ----
more = [connect() for _ in range(LIMIT - IDLE)]
late = connect()
late.sendall(b"show version\n")
late.settimeout(0.3)
try:
    early = late.recv(100)
except TimeoutError:
    early = b""
ok(early == b"", "one above stats maxconn waits", repr(early))
more.pop().close()
late.settimeout(10)
ok(b"3.4" in all_of(late), "it is served when another one left")
for s in [*idle, *more, late]:
    s.close()
ok(wait_for(lambda: ask("show sess").count("srv=<CLI>") == 1, 20), "they are gone")

# ---- one that does not read ----
rss = rss_kib(t.worker())
mute = [connect(seconds=30) for _ in range(20)]
for s in mute:
    s.sendall(b"show stat;" * 20 + b"echo that was all\n")
ok(wait_for(lambda: ask("show sess").count("srv=<CLI>") == 21, 20), "20 clients that do not read")
ok(served() and "3.4" in ask("show version"), "others are served meanwhile")
grown = rss_kib(t.worker()) - rss
note(f"{grown} KiB for all of them, {SERVERS * 20 * 20 * 200 >> 10} KiB are still to be said")
ok(grown < 16 << 10, "their answers are not made ahead")
answer = all_of(mute[0])
ok(answer.count(b"\nmany,BACKEND,") == 20 and answer.endswith(b"that was all\n\n"), "when one reads, it gets everything", repr(answer[-300:]))
for s in mute:
    s.close()
ok(wait_for(lambda: ask("show sess").count("srv=<CLI>") == 1, 20), "they are gone")
ok(t.stop() == -2, "it ends as it should", t.output()[-800:])
done()
