#!/usr/bin/env bats
# `telamon status`: our page and Debian's haproxy's, read the same way. Ports 24490-24499.

setup() {
        cd "$BATS_TEST_TMPDIR"
        T=${TELAMON:-$BATS_TEST_DIRNAME/../build/telamon}
        cat > t.cfg <<-EOF
		global
		    stats socket $BATS_TEST_TMPDIR/sock level admin
		defaults
		    mode http
		    timeout client 5s
		    timeout server 5s
		    timeout connect 5s
		frontend open
		    bind 127.0.0.1:24490
		    stats enable
		    stats uri /st
		frontend closed
		    bind 127.0.0.1:24491
		    stats enable
		    stats uri /st
		    stats auth me:secret
		backend b
		    balance roundrobin
		    server s1 127.0.0.1:24498
		    server s2 127.0.0.1:24499 disabled
		EOF
}

teardown() {
        [ -z "${PID:-}" ] || { kill "$PID"; wait "$PID" || true; }
}

serve() {
        "$1" -db -f t.cfg > out 2>&1 3>&- &
        PID=$!
        for _ in $(seq 200); do
                ! socat -u OPEN:/dev/null TCP:127.0.0.1:24491 2> /dev/null || return 0
                sleep 0.05
        done
        return 1
}

check_page() {
        serve "$1"
        run "$T" status http://127.0.0.1:24490/st
        [ "$status" = 1 ]
        [ "$output" = "$(printf 'b/s1 no check 0\nb/s2 MAINT 0')" ]
        run "$T" status http://127.0.0.1:24491/st
        [ "$status" = 2 ]
        [[ "$output" == *"the page was refused (status 401)"* ]]
        run "$T" status -t 4000 http://me:secret@127.0.0.1:24491/st
        [ "$status" = 1 ]
        echo "enable server b/s2" | socat - UNIX-CONNECT:sock
        run "$T" status http://127.0.0.1:24490/st
        [ "$status" = 0 ]
        run "$T" status "http://127.0.0.1:24490/st;csv"   # a page that is no JSON list
        [ "$status" = 2 ]
}

@test "status: the page of telamon" {
        check_page "$T"
}

@test "status: the page of haproxy" {
        check_page haproxy
}

@test "status: what cannot be asked" {
        run "$T" status http://127.0.0.1:24497/st
        [ "$status" = 2 ]
        [[ "$output" == *"connect"* ]]
        run "$T" status http://localhost:24490/st
        [ "$status" = 2 ]
        [[ "$output" == *"expects http:// and an address"* ]]
        run "$T" status
        [ "$status" = 2 ]
        [[ "$output" == "Usage : telamon status"* ]]
        run "$T" status -t x http://127.0.0.1:24490/
        [ "$status" = 2 ]
}
