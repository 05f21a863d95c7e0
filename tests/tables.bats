#!/usr/bin/env bats
# Stick tables over a reload: a line that stays keeps its entries, a line that changes begins anew.

setup() {
        cd "$BATS_TEST_TMPDIR"
        T=${TELAMON:-$BATS_TEST_DIRNAME/../build/telamon}
        conf 100
}

teardown() {
        [ -z "${PID:-}" ] || { kill "$PID"; wait "$PID" || true; }
}

conf() { # size of the second table
        cat > t.cfg <<-EOF
		global
		    stats socket $BATS_TEST_TMPDIR/sock level admin
		defaults
		    mode http
		    timeout client 5s
		    timeout server 5s
		    timeout connect 5s
		backend kept
		    stick-table type ip size 100 store gpc0
		backend changed
		    stick-table type ip size $1 store gpc0
		frontend f
		    bind unix@$BATS_TEST_TMPDIR/web
		    http-request deny if { src,in_table(changed) }
	EOF
}

ask() {
        "$T" ctl -s sock "$@"
}

reloaded() { # the second table has this size
        for _ in $(seq 200); do
                [[ $(ask show table) != *"changed, type: ip, size:$1,"* ]] || return 0
                sleep 0.05
        done
        return 1
}

@test "entries survive a reload that leaves their line alone" {
        "$T" -W -db -f t.cfg > out 2>&1 3>&- &
        PID=$!
        reloaded 100
        ask set table kept key 10.0.0.1 data.gpc0 7
        ask set table changed key 10.0.0.1 data.gpc0 8
        conf 200
        kill -USR2 "$PID"
        reloaded 200
        [[ $(ask show table kept) == *"key=10.0.0.1 use=0 exp=0 shard=0 gpc0=7"* ]]
        [[ $(ask show table changed) == *"used:0"* ]]
}
