#!/usr/bin/env bats
# make demo, as a new user would run it: it serves, says how to play with it, and leaves nothing behind.

setup() {
        root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
        # below the range that the kernel takes for outgoing connections
        export TMPDIR=$BATS_TEST_TMPDIR PORT=$((20000 + RANDOM % 1000 * 10)) TELAMON=${TELAMON:-$root/build/telamon}
        export STATS=$((PORT + 9))
}

@test "demo: three servers take turns, the statistics know them, all processes end" {
        DEMO_ONCE=1 run "$root/tools/demo"
        [ "$status" -eq 0 ]
        for i in 1 2 3; do [[ $output == *"Hello, this is web$i."* ]]; done
        [[ $output == *"servers,web2,UP"* ]]
        [ -z "$(ls -A "$TMPDIR" | grep -v '^bats')" ]
        run pgrep -f "role demo web[123] 127.0.0.1:$((PORT + 1))"
        [ "$status" -eq 1 ]
}

@test "demo: what it says to try works, and SIGTERM ends it" {
        "$root/tools/demo" > "$BATS_TEST_TMPDIR/out" 3>&- &
        demo=$!
        for _ in $(seq 100); do grep -q 'Ctrl-C ends' "$BATS_TEST_TMPDIR/out" && break; sleep 0.1; done
        web2=$(sed -n 's/^ *kill \([0-9]*\)$/\1/p' "$BATS_TEST_TMPDIR/out")
        reload=$(sed -n 's/^ *sed -i/sed -i/p' "$BATS_TEST_TMPDIR/out")
        lb=${reload##* }
        kill "$web2"
        for i in 1 2 3 4 5 6; do curl -fsS "http://127.0.0.1:$PORT/"; done
        eval "$reload"
        for _ in $(seq 100); do grep -q 'server servers/web3: weight default -> 3 (live)' "$BATS_TEST_TMPDIR/out" && break; sleep 0.1; done
        grep -q 'server servers/web3: weight default -> 3 (live)' "$BATS_TEST_TMPDIR/out"
        kill -0 "$lb"
        kill "$demo"
        wait "$demo"
        run kill -0 "$lb"
        [ "$status" -ne 0 ]
}

@test "demo: a taken port is said" {
        python3 -c "import socket,sys,time; s=socket.socket(); s.bind(('127.0.0.1', $PORT)); s.listen(); print('up', flush=True); time.sleep(60)" \
                > "$BATS_TEST_TMPDIR/up" 3>&- &
        holder=$!
        for _ in $(seq 100); do grep -q up "$BATS_TEST_TMPDIR/up" && break; sleep 0.1; done
        DEMO_ONCE=1 run "$root/tools/demo"
        kill "$holder"
        [ "$status" -eq 1 ]
        [[ $output == *"another program on one of the ports $PORT"* ]]
}
