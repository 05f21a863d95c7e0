#!/usr/bin/env bats
# Processes, rights and signals: what scripts, units and containers count on (manual: management.txt 3, 4, 9.4).
# Needs root for the test of rights; ports 25100-25109.

setup() {
        cd "$BATS_TEST_TMPDIR"
        T=${TELAMON:-$BATS_TEST_DIRNAME/../build/telamon}
        cat > base.cfg <<-EOF
		defaults
		    mode tcp
		    timeout client 5s
		    timeout server 5s
		    timeout connect 5s
		frontend f
		    bind 127.0.0.1:25100
		    default_backend b
		backend b
		    server s1 127.0.0.1:25109
		EOF
        cp base.cfg t.cfg
        PIDS=
}

teardown() {
        for p in $PIDS; do kill "$p" 2> /dev/null || true; done
        for p in $PIDS; do
                for _ in $(seq 100); do kill -0 "$p" 2> /dev/null || break; sleep 0.05; done
                kill -9 "$p" 2> /dev/null || true
        done
}

# start ARGS...: in the background, with default signals; waits until the port answers.
start() {
        python3 -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGQUIT): signal.signal(s, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$T" "$@" > out 2>&1 3>&- &
        PID=$!
        PIDS="$PIDS $PID"
        wait_port 25100
}

wait_port() {
        for _ in $(seq 200); do
                if (: < /dev/tcp/127.0.0.1/"$1") 2> /dev/null; then return 0; fi
                sleep 0.02
        done
        cat out
        return 1
}

until_ok() { # CMD...: until it succeeds, 5 s
        for _ in $(seq 100); do
                if "$@"; then return 0; fi
                sleep 0.05
        done
        cat out
        return 1
}

ends_with() { # SIGNAL CODE
        kill -"$1" "$PID"
        code=0
        wait "$PID" || code=$?
        [ "$code" -eq "$2" ]
}

ask() { echo "$1" | socat -t5 - UNIX-CONNECT:m.sock; }
worker() { ask "show proc" | awk '/^# workers/ { w = 1; next } w && $2 == "worker" { print $1; exit }'; }
status_of() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status"; }
worker_is_new() { local now; now=$(worker); [ -n "$now" ] && [ "$now" != "$1" ]; }
worker_is_up() { ask "@1 show info" | grep -q "^Pid: $(worker)$"; }
logged() { grep -q -- "$1" out; }

@test "no argument and unknown options print the usage and end with 1" {
        for a in "" "-Zfoo" "-f" "-db"; do
                # shellcheck disable=SC2086
                run "$T" $a
                [ "$status" -eq 1 ]
                [[ "$output" == *"Usage : telamon"* ]]
        done
}

@test "-v and -vv print what scripts look for" {
        run "$T" -v
        [ "$status" -eq 0 ]
        [[ "${lines[0]}" == "Telamon version "*"HAProxy 3.4"* ]]
        run "$T" -vv
        [[ "$output" == *"Feature list : "*"+EPOLL"* ]]
        [[ "$output" == *"TARGET  = linux-glibc"* ]]
        [[ "$output" == *"Available services : "*"prometheus-exporter"* ]]
        run "$T" -vqb
        [ "$output" = 3.4 ]
}

@test "-c: 0, 1 and 2" {
        run "$T" -c -f t.cfg
        [ "$status" -eq 0 ] && [[ "$output" == *"Configuration file is valid"* ]]
        run "$T" -c -q -f t.cfg
        [ "$status" -eq 0 ] && [ -z "$output" ]
        sed -i 's/bind/bnd/' t.cfg
        run "$T" -c -f t.cfg
        [ "$status" -eq 1 ]
        [[ "$output" == *"parsing [t.cfg:7] : unknown keyword 'bnd'"* ]]
        run "$T" -c -f nofile
        [ "$status" -eq 1 ]
        run "$T" -c -f /dev/null
        [ "$status" -eq 2 ]
        printf 'frontend f\n    bind 127.0.0.1:25100\n' > t.cfg
        run "$T" -c -f t.cfg
        [ "$status" -eq 0 ] && [[ "$output" == *"Warnings were found."* ]]
        run "$T" -c -dW -f t.cfg
        [ "$status" -eq 1 ]
}

@test "-cc: 0, 1 and 2" {
        run "$T" -cc 'streq(a,a)'
        [ "$status" -eq 0 ]
        run "$T" -cc 'streq(a,b)'
        [ "$status" -eq 1 ]
        run "$T" -cc 'nonsense'
        [ "$status" -eq 2 ]
}

@test "foreground: TERM 143, INT 130, USR1 0" {
        for form in -db -d; do
                start $form -f t.cfg
                ends_with TERM 143
                start $form -f t.cfg
                ends_with INT 130
                start $form -f t.cfg
                ends_with USR1 0
        done
}

# The listeners stay open until the grace is over, and TERM does not wait for it.
@test "grace: after USR1 new connections are still taken" {
        { echo global; echo "    grace 1h"; cat base.cfg; } > t.cfg
        start -db -f t.cfg
        kill -USR1 "$PID"
        for _ in 1 2 3 4 5; do wait_port 25100; sleep 0.05; done
        kill -0 "$PID"
        ends_with TERM 143
        sed -i 's/grace 1h/grace 1ms/' t.cfg
        start -db -f t.cfg
        ends_with USR1 0
}

@test "master form: TERM 0, INT 130, USR1 0, as HAProxy's master" {
        start -W -db -f t.cfg
        ends_with TERM 0
        logged "Exiting Master process..."
        start -W -db -f t.cfg
        ends_with INT 130
        start -W -db -f t.cfg
        ends_with USR1 0
}

@test "a bad file does not start" {
        echo 'nonsense here' >> t.cfg
        for form in "-db" "-W -db" "-D" "-W -D"; do
                # shellcheck disable=SC2086
                run "$T" $form -f t.cfg
                [ "$status" -eq 1 ]
        done
}

@test "an address in use is named, and ends with 1" {
        python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 25100)); s.listen(); time.sleep(60)' 3>&- &
        PIDS="$PIDS $!"
        wait_port 25100
        for form in "-db" "-W -db"; do
                # shellcheck disable=SC2086
                run "$T" $form -f t.cfg
                [ "$status" -eq 1 ]
                [[ "$output" == *"Binding [t.cfg:7] for frontend"*"cannot bind socket (Address already in use) for [127.0.0.1:25100]"* ]]
        done
}

@test "reload: same worker, difference told, new socket served, old one closed" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        w=$(worker)
        printf 'frontend g\n    bind 127.0.0.1:25101\n    default_backend b\n' >> t.cfg
        run ask reload
        [ "${lines[0]}" = Success=1 ]
        [ "${lines[1]}" = -- ]
        [[ "$output" == *"+ frontend g"* ]]
        [ "$(worker)" = "$w" ]
        wait_port 25101
        cp base.cfg t.cfg
        kill -USR2 "$PID"
        until_ok logged "- frontend g"
        until_ok sh -c '! ss -ltn | grep -q :25101'
        [ "$(worker)" = "$w" ]
}

@test "user, group and chroot change by a new worker" {
        [ "$(id -u)" -eq 0 ] || skip "needs root"
        mkdir empty
        chmod 755 . empty
        start -W -db -S "$PWD/m.sock" -f t.cfg
        w=$(worker)
        printf 'global\n    user nobody\n    group nogroup\n    chroot %s/empty\n' "$PWD" | cat - base.cfg > t.cfg
        run ask reload
        [ "${lines[0]}" = Success=1 ]
        until_ok worker_is_new "$w"
        [ "$(status_of "$(worker)" Uid)" = "$(id -u nobody)" ]
        [ "$(readlink "/proc/$(worker)/root")" = "$PWD/empty" ]
        wait_port 25100
        until_ok logged "Former worker ($w) exited with code 0 (Exit)"
}

@test "a failed reload changes nothing and says why" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        w=$(worker)
        echo 'nonsense here' >> t.cfg
        run ask reload
        [ "${lines[0]}" = Success=0 ]
        [[ "$output" == *"unknown keyword 'nonsense'"* ]]
        [ "$(worker)" = "$w" ]
        run ask "show proc"
        [[ "${lines[1]}" == *"[failed: 1]"* ]]
        run ask prompt
        [[ "$output" == *"master[ReloadFailed]> "* ]]
        wait_port 25100
}

@test "a killed worker is replaced from the last good configuration; nobody is refused" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        echo 'nonsense here' >> t.cfg
        python3 - 3>&- > refused <<-'EOF' &
		import socket, time
		end = time.monotonic() + 2; n = 0
		while time.monotonic() < end:
		    s = socket.socket()
		    try: s.connect(("127.0.0.1", 25100))
		    except OSError: n += 1
		    s.close(); time.sleep(.002)
		print(n)
		EOF
        clients=$!
        for _ in 1 2 3; do
                w=$(worker)
                kill -9 "$w"
                until_ok worker_is_new "$w"
        done
        wait "$clients"
        [ "$(cat refused)" = 0 ]
        logged "Current worker ($w) exited with code 137 (Killed)"
}

@test "a crash loop ends with a reload of a mended file" {
        [ "$(id -u)" -eq 0 ] || skip "needs root"
        mkdir empty
        chmod 755 . empty
        { printf 'global\n    chroot %s/empty\n' "$PWD"; cat base.cfg; } > t.cfg
        start -W -db -S "$PWD/m.sock" -f t.cfg
        until_ok logged "Loading success"
        rmdir empty
        kill -9 "$(worker)"
        until_ok logged "The worker dies too often"
        run ask reload # nothing is mended yet
        [ "${lines[0]}" = Success=0 ]
        [[ "$output" == *"no worker comes up with the new configuration"* ]]
        cp base.cfg t.cfg
        run ask reload
        [ "${lines[0]}" = Success=1 ]
        [ "$(readlink "/proc/$(worker)/root")" = / ]
        ask "@1 show info" | grep -q '^Stopping: 0'
        run ask reload
        [ "${lines[0]}" = Success=1 ]
}

@test "a stopped worker is replaced, and serves nobody meanwhile but refuses nobody" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        until_ok logged "Loading success"
        w=$(worker)
        kill -STOP "$w"
        (: < /dev/tcp/127.0.0.1/25100)
        said="Current worker ($w) hangs since .* it is replaced"
        until_ok logged "$said" || until_ok logged "$said" || until_ok logged "$said"
        until_ok worker_is_new "$w"
        until_ok logged "Current worker ($w) exited with code 137 (Killed)"
        until_ok worker_is_up
}

@test "a crash is recorded in the log: signal, place, last good state" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        until_ok logged "Loading success"
        w=$(worker)
        kill -SEGV "$w"
        until_ok logged "Worker ($w): crash in thread telamon: signal 11 (Segmentation fault) sent by process [0-9]* (all was well"
        until_ok logged "    #.* telamon+0x"
        until_ok logged "Current worker ($w) exited with code 139 (Segmentation fault)"
        until_ok worker_is_new "$w"
        until_ok worker_is_up
        kill -ABRT "$(worker)"
        until_ok logged "crash in thread telamon: signal 6 (Aborted)"
}

@test "the worker has no rights" {
        [ "$(id -u)" -eq 0 ] || skip "needs root"
        mkdir empty
        chmod 755 . empty
        printf 'global\n    user nobody\n    group nogroup\n    chroot %s/empty\n' "$PWD" | cat - base.cfg > t.cfg
        start -W -db -S "$PWD/m.sock" -f t.cfg
        w=$(worker)
        for set in CapInh CapPrm CapEff CapBnd CapAmb; do
                [ "$(status_of "$w" $set)" = 0000000000000000 ]
        done
        [ "$(status_of "$w" NoNewPrivs)" = 1 ]
        [ "$(status_of "$w" Uid)" = "$(id -u nobody)" ]
        [ "$(status_of "$w" Gid)" = "$(getent group nogroup | cut -d: -f3)" ]
        [ "$(readlink "/proc/$w/root")" = "$PWD/empty" ]
        run ask reload # and a reload works in the empty root
        [ "${lines[0]}" = Success=1 ]
        kill -9 "$w" # and a respawn
        until_ok worker_is_new "$w"
        wait_port 25100
}

@test "-D: the starter waits for success; the pid file holds the final pid; -sf takes over" {
        for form in "" "-W"; do
                # shellcheck disable=SC2086
                run "$T" $form -D -p "$PWD/pid" -f t.cfg 3>&-
                [ "$status" -eq 0 ]
                first=$(cat pid)
                PIDS="$PIDS $first"
                kill -0 "$first"
                wait_port 25100
                # shellcheck disable=SC2086
                run "$T" $form -D -p "$PWD/pid" -f t.cfg -sf "$first" 3>&-
                [ "$status" -eq 0 ]
                second=$(cat pid)
                PIDS="$PIDS $second"
                [ "$first" != "$second" ]
                until_ok sh -c "! kill -0 $first 2> /dev/null"
                wait_port 25100
                kill "$second"
                until_ok sh -c "! kill -0 $second 2> /dev/null"
        done
}

@test "-Ws tells systemd when it is ready, reloads and stops" {
        socat -u UNIX-RECV:notify.sock,mode=666 OPEN:notified,creat 3>&- &
        PIDS="$PIDS $!"
        until_ok test -S notify.sock
        NOTIFY_SOCKET=$PWD/notify.sock start -Ws -f t.cfg
        until_ok grep -q READY=1 notified
        kill -USR2 "$PID"
        until_ok grep -q MONOTONIC_USEC= notified
        until_ok sh -c 'grep -c READY=1 notified | grep -q 2'
        kill -TERM "$PID"
        until_ok grep -q STOPPING=1 notified
}

@test "plan prints what a reload would change, and changes nothing" {
        start -W -db -S "$PWD/m.sock" -f t.cfg
        sed 's/25109/25108/' base.cfg > new.cfg
        run "$T" plan -f new.cfg -S "$PWD/m.sock"
        [ "$status" -eq 0 ]
        [[ "$output" == *"~ server b/s1"* ]]
        run "$T" plan -f new.cfg --against base.cfg
        [[ "$output" == *"~ server b/s1"* ]]
        run "$T" plan -f t.cfg -S "$PWD/m.sock"
        [ "$status" -eq 0 ] && [ "$output" = "Nothing would change." ]
}

@test "plan: exit codes 0 taken, 1 errors, 2 no listener, 3 refused" {
        printf 'global\n    nbthread 1\n' | cat - base.cfg > old.cfg
        plan() { run "$T" plan -f new.cfg --against old.cfg; }
        printf 'global\n    nbthread 2\n' | cat - base.cfg > new.cfg
        plan
        [ "$status" -eq 0 ] && [[ "$output" == *"nbthread 1 -> 2 (worker swap)"*"would start a new worker"* ]]
        cp base.cfg new.cfg # the whole section goes
        plan
        [ "$status" -eq 0 ] && [[ "$output" == *"would start a new worker"* ]]
        printf 'global\n    nbthread 1\n    pidfile /x\n' | cat - base.cfg > new.cfg
        plan
        [ "$status" -eq 3 ] && [[ "$output" == *"(refused)"*"would be refused"* ]]
        echo nonsense >> new.cfg
        plan
        [ "$status" -eq 1 ]
        printf 'backend b\n    server s1 127.0.0.1:25109\n' > new.cfg
        plan
        [ "$status" -eq 2 ]
        run "$T" plan -f t.cfg -S "$PWD/nobody.sock"
        [ "$status" -eq 1 ]
}

@test "master socket: level, unknown commands, targets" {
        start -W -db -S "$PWD/m.sock,level,user" -f t.cfg
        run ask reload
        [[ "$output" == "Permission denied"* ]]
        run ask "@2 show info"
        [[ "$output" == "Can't find the target PID matching the prefix '@2'"* ]]
        run ask nonsense
        [[ "$output" == "Unknown command: 'nonsense'"* ]]
        run ask "show version"
        [ "${lines[0]}" = 3.4.0 ]
        run ask "@0 show version"
        [ "${lines[0]}" = 3.4.0 ]
        run ask "show env HOME" # operators only
        [[ "$output" == "Permission denied"* ]]
}

@test "master socket: commands, prompts and targets answer as HAProxy's" {
        start -W -db -S "$PWD/m.sock,mode,600,level,admin" -f t.cfg
        [ "$(stat -c %a m.sock)" = 600 ]
        w=$(worker)
        is() { # LINES ANSWER, both with \n
                got=$(printf "$1" | socat -t5 - UNIX-CONNECT:m.sock; echo .)
                want=$(printf "$2"; echo .)
                [ "$got" = "$want" ] || { echo "$1: $got"; false; }
        }
        is 'show version;show cli level\n' '3.4.0\n\nadmin\n\n'
        is 'user;reload\n' 'Permission denied\n\n'
        is 'prompt\nshow version\n' 'master> 3.4.0\n\nmaster> '
        is 'prompt i\nshow version\nquit\n' '3.4.0\n\n'
        is 'prompt\n@1\n@\nquit\n' "master> $w> master> "
        is '@1\nshow cli level\n' 'admin\n\n'
        is '@1;show cli level\n' 'admin\n\n'
        is "@!$w show cli level\n" 'admin\n\n'
        is '@!99999 show info\n' "Can't find the target PID matching the prefix '@!99999'\n"
        is '@@5 show info\n' "Can't find the target PID matching the prefix '@@5'\n"
        is '@@1 operator; show cli level\n' '\noperator\n\n' # one session for the whole line
        is '@1 operator; show cli level\n' '\nadmin\n\n'    # each command its own
        is '@@1\noperator\nshow cli level\nquit\n' '\noperator\n\n'
        is 'show env NOSUCH\n' 'Variable not found\n\n'
        is 'show env HAPROXY_MWORKER\n' 'HAPROXY_MWORKER=1\n\n'
        is 'show cli sockets\n' "# socket lvl processes\n$PWD/m.sock admin master\n\n"
        is 'show proc foo\n' "'show proc' only supports 'debug' as argument\n\n"
        is '\n' '\n'
        run ask "show proc debug"
        [[ "${lines[0]}" =~ ^"#<PID>          <type>          <reloads>       <uptime>        <version>" ]]
        [[ "${lines[1]}" =~ ^$PID\ +master\ +0\ \[failed:\ 0\]\ +0d00h00m..s\ +3.4.0 ]]
        [ "${lines[2]}" = "# workers" ]
        [[ "${lines[3]}" =~ ^$w\ +worker\ +0\ +0d00h00m..s\ +3.4.0 ]]
        run ask help
        for c in reload hard-reload "show proc" "show env" "show cli sockets" "@@<[!]pid>" "show startup-logs"; do
                [[ "$output" == *"  $c"* ]]
        done
}

@test "sockets that were opened by somebody else: binds and master sockets as fd@N, kept over reload and respawn" {
        cat > give.py <<-'EOF'
		import os, socket, sys
		a = socket.create_server(("127.0.0.1", 25100))
		b = socket.socket(socket.AF_UNIX); b.bind("m.sock"); b.listen()
		os.dup2(a.fileno(), 20); os.dup2(b.fileno(), 21)
		os.execv(sys.argv[1], sys.argv[1:])
		EOF
        sed 's/bind 127.0.0.1:25100/bind fd@20/' base.cfg > t.cfg
        for form in -W "-W -D" ""; do
                rm -f m.sock pid
                { [ "$form" != "" ] || echo; cat t.cfg; } > u.cfg
                # shellcheck disable=SC2086
                python3 give.py "$T" $form -p "$PWD/pid" ${form:+-S fd@21} -f u.cfg > out 2>&1 3>&- &
                PIDS="$PIDS $!"
                wait_port 25100
                until_ok test -s pid
                if [ -n "$form" ]; then
                        until_ok worker_is_new 0
                        w=$(worker)
                        sed -i 's/client 5s/client 6s/' u.cfg
                        run ask reload
                        [ "${lines[0]}" = Success=1 ]
                        kill -9 "$w"
                        until_ok worker_is_new "$w"
                        wait_port 25100
                fi
                kill "$(cat pid)"
                until_ok sh -c "! ss -ltn | grep -q :25100"
        done
}

@test "-sf and -st take over from HAProxy" {
        for sig in -sf -st; do
                haproxy -db -f base.cfg > hap 2>&1 3>&- &
                hap=$!
                PIDS="$PIDS $hap"
                wait_port 25100
                start -db -f t.cfg $sig $hap
                until_ok sh -c "! kill -0 $hap 2> /dev/null"
                code=0
                wait $hap || code=$?
                [ $code -eq $([ $sig = -sf ] && echo 0 || echo 143) ]
                wait_port 25100
                ends_with INT 130
        done
}

@test "-h and --help: the usage, without a complaint; what is not supported says what to use instead" {
        for a in -h '-?' --help; do
                run "$T" "$a"
                [ "$status" -eq 1 ]
                [[ "$output" == *"Usage : telamon"* && "$output" != *ALERT* ]]
        done
        refused() { # OPTION TEXT
                run "$T" -c "$1" -f t.cfg
                [ "$status" -eq 1 ] && [[ "$output" == *"[ALERT]"*"'$2"*"$3"* && "$output" != *Usage* ]]
        }
        refused -dKall "-dK' is not supported" "telamon explain"
        refused -dC "-dC' is not supported" "telamon dump"
        refused -dCkey "-dC' is not supported" "telamon dump"
        refused -dA/x "-dA' is not supported" "-dL"
        refused -dt "-dt' is not supported" "no traces"
        refused -dr "-dr' is not supported" "init-addr none"
        refused -dMno-merge "-dMno-merge'" "only a byte"
        refused -dM0x41,integrity "-dM0x41,integrity'" "only a byte"
        for a in -dM -dM0x41 -dM0x41,poison -dMno-poison; do
                run "$T" -c "$a" -f t.cfg
                [ "$status" -eq 0 ] && [[ "$output" != *NOTICE* ]]
        done
        for a in -dI -dV -dT -dG -dR -dS -dZ -dF -dc -de -dp -dk -dv -4; do
                # shellcheck disable=SC2086
                run "$T" -c $a -f t.cfg
                [ "$status" -eq 0 ] && [[ "$output" == *"[NOTICE]"*"option '${a%% *}' has no effect: "* ]]
        done
        run "$T" -c -n 0 -m 0 -f t.cfg
        [ "$status" -eq 0 ]
}

@test "-L, -n, -N and -m reach the process" {
        cat >> t.cfg <<-'EOF'
		.if !streq("$HAPROXY_LOCALPEER",me)
		.alert "not me"
		.endif
		EOF
        run "$T" -c -L me -f t.cfg
        [ "$status" -eq 0 ]
        run "$T" -c -f t.cfg
        [ "$status" -eq 1 ]
        printf 'frontend own\n    bind 127.0.0.1:25101\n    maxconn 7\n' >> t.cfg
        sed -i "1i global\n    stats socket $PWD/s.sock" t.cfg
        for form in "" -W; do
                # shellcheck disable=SC2086
                start $form -db -L me -n 321 -N 45 -m 300 -S "$PWD/m.sock" -f t.cfg
                p=$PID
                [ -z "$form" ] || p=$(worker)
                grep -q '^Max data size  *314572800 ' "/proc/$p/limits"
                [ "$(echo show stat | socat - UNIX-CONNECT:s.sock | cut -d, -f1,2,7 | grep END, | xargs)" = "f,FRONTEND,45 b,BACKEND,5 own,FRONTEND,7" ]
                if [ -n "$form" ]; then ask "@1 show info" | grep -q '^Maxconn: 321'; fi
                kill "$PID"
                wait "$PID" || true
        done
}

# form WORD OPTIONS: how a file with these words runs. Sets MODE: single or master, and GROUND: front or back; LINES: what was printed.
form() {
        { echo global; printf '    %s\n' $1; cat base.cfg; } > t.cfg
        rm -f pid out
        # shellcheck disable=SC2086
        "$T" $2 -p "$PWD/pid" -f t.cfg > out 2>&1 3>&- &
        job=$!
        wait_port 25100
        until_ok test -s pid
        pid=$(cat pid)
        PIDS="$PIDS $pid"
        GROUND=back
        [ "$pid" != "$job" ] || GROUND=front
        MODE=single
        if grep -q role "/proc/$pid/task/$pid/children" || pgrep -P "$pid" > /dev/null; then MODE=master; fi
        LINES=$(wc -l < out)
        kill "$pid"
        until_ok sh -c "! ss -ltn | grep -q :25100"
        wait "$job" || true
}

@test "daemon, master-worker and quiet in the file act as HAProxy's do, in every form" {
        while read -r word options ground mode; do
                form "$(echo "$word" | tr , ' ')" "$(echo "$options" | tr , ' ' | tr -d .)"
                [ "$GROUND $MODE" = "$ground $mode" ] || { echo "$word $options: $GROUND $MODE"; false; }
        done <<-EOF
		daemon . back single
		daemon -W back master
		daemon -Ws front master
		daemon -db front single
		daemon -W,-db front master
		daemon -d front single
		master-worker . front master
		master-worker -db front master
		master-worker -d front master
		master-worker -D back master
		daemon,master-worker . back master
		daemon,master-worker -db front master
		EOF
        for o in "" -W; do
                form quiet "$o"
                [ "$LINES" -eq 0 ]
        done
        for o in -Ws "-W -db" "-W -V"; do
                form quiet "$o"
                [ "$LINES" -gt 0 ]
        done
        mkdir sub # the second start sees the same directory, and the same inherited sockets
        cp base.cfg sub/t.cfg
        sed -i '1i global\n    daemon\n    master-worker' sub/t.cfg
        run "$T" -C sub -p "$PWD/pid" -f t.cfg 3>&-
        [ "$status" -eq 0 ]
        PIDS="$PIDS $(cat pid)"
        wait_port 25100
}

@test "-W on a terminal frames what is wrong, and keeps classic lines" {
        echo 'nonsense here' >> t.cfg
        run script -qec "$T -W -db -f t.cfg" /dev/null
        [ "$status" -eq 1 ]
        [[ "$output" == *"^^^^^^^^"* && "$output" != *"parsing [t.cfg:11]"* ]]
        run "$T" -W -db -f t.cfg
        [[ "$output" == *"[ALERT]"*"parsing [t.cfg:11] : unknown keyword 'nonsense'"* && "$output" != *"^^^"* ]]
}
