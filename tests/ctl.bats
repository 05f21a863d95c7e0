#!/usr/bin/env bats
# `telamon ctl`: words in, answer and exit code out; against our socket and Debian's haproxy's.

setup() {
        cd "$BATS_TEST_TMPDIR"
        T=${TELAMON:-$BATS_TEST_DIRNAME/../build/telamon}
        cat > t.cfg <<-EOF
		global
		    stats socket $BATS_TEST_TMPDIR/sock level admin
		    stats socket $BATS_TEST_TMPDIR/user level user
		defaults
		    mode http
		    timeout client 5s
		    timeout server 5s
		    timeout connect 5s
		frontend f
		    bind unix@$BATS_TEST_TMPDIR/web
		    default_backend b
		backend b
		    server s1 127.0.0.1:1 weight 7
		EOF
}

teardown() {
        [ -z "${PID:-}" ] || { kill "$PID"; wait "$PID" || true; }
}

serve() {
        "$1" -db -f t.cfg > out 2>&1 3>&- &
        PID=$!
        for _ in $(seq 200); do
                ! "$T" ctl -s user show info > /dev/null 2>&1 || return 0
                sleep 0.05
        done
        cat out
        return 1
}

both() { # what our socket and HAProxy's answer alike
        run "$T" ctl -s sock get weight b/s1
        [ "$status" -eq 0 ]
        [ "$output" = "7 (initial 7)" ]
        run "$T" ctl -s sock set weight b/s1 3
        [ "$status" -eq 0 ]
        [ "$output" = "" ]
        run "$T" ctl -s sock get weight b/none
        [ "$status" -eq 1 ]
        [ "$output" = "No such server." ]
        run "$T" ctl -s user set weight b/s1 3
        [ "$status" -eq 1 ]
        [ "$output" = "Permission denied" ]
        run "$T" ctl -s sock nonsense
        [ "$status" -eq 1 ]
        [[ "${lines[0]}" == "Unknown command"* ]]
        run "$T" ctl -s sock "get weight b/s1; get weight b/s1"
        [ "$status" -eq 0 ]
        [ "$output" = $'3 (initial 7)\n\n3 (initial 7)' ]
        run "$T" ctl -s sock --json get weight b/s1
        [ "$status" -eq 0 ]
        [ "$output" = '{"ok":true,"severity":null,"answer":"3 (initial 7)"}' ]
        run "$T" ctl -s sock --json get weight b/none
        [ "$status" -eq 1 ]
        [ "$output" = '{"ok":false,"severity":3,"answer":"No such server."}' ]
        "$T" ctl -s sock --json show info | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["ok"] and d["answer"][0]["field"]["name"] == "Name"'
        "$T" ctl -s sock show stat > all
        [ "$(tail -c 1 all | wc -l)" -eq 1 ]
        [ -n "$(tail -n 1 all)" ]
        grep -q '^b,s1,' all
}

@test "our socket" {
        serve "$T"
        both
        run "$T" ctl -s sock echo "a;b" 'c  d' 'e\'
        [ "$output" = 'a;b c  d e\' ]
        TELAMON_SOCKET=$PWD/sock run "$T" ctl show cli level
        [ "$output" = admin ]
        run "$T" ctl -s sock echo x "<<" <<< "one"
        [ "$status" -eq 0 ]
        [ "$output" = x ]
        run "$T" ctl -s sock echo x "<<" <<< $'one\n\ntwo'
        [ "$output" = x ]
}

@test "haproxy's socket" {
        serve /usr/sbin/haproxy
        both
}

@test "a master's socket" {
        "$T" -W -S "$PWD/master" -f t.cfg > out 2>&1 3>&- &
        PID=$!
        for _ in $(seq 200); do
                ! "$T" ctl -s user show info > /dev/null 2>&1 || break
                sleep 0.05
        done
        run "$T" ctl -m -s master show proc
        [ "$status" -eq 0 ]
        [[ "${lines[0]}" == "#<PID>"* ]]
        run "$T" ctl -m -s master @1 get weight b/s1
        [ "$output" = "7 (initial 7)" ]
        run "$T" ctl -m -s master nonsense
        [ "$status" -eq 1 ]
        run "$T" ctl -m -s master -t 60000 reload
        [ "$status" -eq 0 ]
        [ "${lines[0]}" = "Success=1" ]
        echo "    nonsense" >> t.cfg
        run "$T" ctl -m -s master -t 60000 reload
        [ "$status" -eq 1 ]
        [[ "$output" == *"unknown keyword 'nonsense'"* ]]
}

@test "usage, and who does not answer" {
        run "$T" ctl
        [ "$status" -eq 2 ]
        run "$T" ctl --nonsense show info
        [ "$status" -eq 2 ]
        run "$T" ctl -s sock $'show info\nquit'
        [ "$status" -eq 2 ]
        run "$T" ctl -s sock show info
        [ "$status" -eq 3 ]
        [[ "$output" == "telamon ctl: sock: No such file or directory" ]]
        socat UNIX-LISTEN:mute EXEC:"sleep 20" 3>&- & # takes the line and says nothing
        PID=$!
        for _ in $(seq 200); do [ -S mute ] && break; sleep 0.05; done
        run "$T" ctl -s mute -t 100 show info
        [ "$status" -eq 3 ]
        [[ "$output" == *"timed out" ]]
}

@test "one who is no runtime socket" {
        socat UNIX-LISTEN:web SYSTEM:"read -r line; echo HTTP/1.0 400 no" 3>&- &
        PID=$!
        for _ in $(seq 200); do [ -S web ] && break; sleep 0.05; done
        run "$T" ctl -s web show info
        [ "$status" -eq 3 ]
        [[ "$output" == *"this is no runtime socket" ]]
        PID=
}
