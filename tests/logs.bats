#!/usr/bin/env bats
# Log lines in files and on descriptors. A path in a `log` line is a log daemon's socket, never a file (manual 4.2, log): lines come into a
# file by redirection. Ports 25110-25119.

setup() {
        cd "$BATS_TEST_TMPDIR"
        T=${TELAMON:-$BATS_TEST_DIRNAME/../build/telamon}
        PID=
}

teardown() {
        [ -z "$PID" ] || { kill "$PID" && wait "$PID" || true; } 2> /dev/null
}

conf() { # LOG LINES...
        { printf 'global\n'; printf '    log %s\n' "$@"
          cat <<-EOF2
		defaults
		    mode http
		    log global
		    option httplog
		    timeout client 5s
		    timeout server 5s
		    timeout connect 5s
		frontend f
		    bind 127.0.0.1:25110
		    http-request return status 200 content-type text/plain string hello
		EOF2
        } > t.cfg
}

start() {
        "$T" -db -f t.cfg > out 2> err 3>&- &
        PID=$!
        for _ in $(seq 200); do curl -s -o /dev/null http://127.0.0.1:25110/up && return; sleep 0.05; done
        cat err
        return 1
}

stop() {
        kill "$PID"
        wait "$PID" || true
        PID=
}

@test "stdout into a file: every line is there after the stop, whole, in each format" {
        conf 'stdout format raw local0' 'fd@2 format short local0' 'stdout len 80 format rfc5424 local0'
        start
        for i in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:25110/n$i"; done
        stop
        for i in $(seq 50); do
                [ "$(grep -cE "^127\.0\.0\.1:[0-9]+ \[.*\] f f/<NOSRV> 0/-1/-1/-1/0 200 0 - - LR-- .* \"GET /n$i HTTP/1\.1\"$" out)" = 1 ]
                [ "$(grep -cE "^<6>127\.0\.0\.1:.* \"GET /n$i HTTP/1\.1\"$" err)" = 1 ]
        done
        [ "$(grep -c '^<134>1 2' out)" -ge 51 ]
        ! grep '^<134>1 2' out | grep -qE '^.{80}'
}

@test "a path that is no socket: said once, the service goes on, nothing is written there" {
        : > x.log
        conf "$PWD/x.log local0"
        start
        for _ in 1 2 3; do curl -s -o /dev/null http://127.0.0.1:25110/; done
        stop
        [ "$(grep -cF "[ALERT]    ($(sed -n 's/.*(\([0-9]*\)).*/\1/p' err | head -1)) : cannot send logs to '$PWD/x.log': Connection refused (errno=111). A path is the local socket of a log daemon, never a file." err)" = 1 ]
        [ ! -s x.log ]
}
