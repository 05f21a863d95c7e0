#!/bin/bash
# Data races: the unit tests, the labs and a mix of traffic, commands and scrapes on four threads, on a ThreadSanitizer build (`make tsan`,
# by hand: half an hour). TAP; a report is a failure and is printed. RELOADS=10
cd "$(dirname "$0")/../.." || exit 1
B=build-tsan
LOG=$(mktemp -d /tmp/tlm-tsan-XXXXXX)
trap 'rm -rf "$LOG"' EXIT
export TSAN_OPTIONS="exitcode=0:history_size=4:log_path=$LOG/report:suppressions=$PWD/tests/soak/tsan.supp"
export TELAMON=$PWD/$B/telamon RELOADS=${RELOADS:-10}
n=0 bad=0

result() { # CODE NAME: also judges the reports written meanwhile
        n=$((n + 1))
        if [ "$1" -eq 0 ] && ! compgen -G "$LOG/report.*" > /dev/null; then
                echo "ok $n - $2"
                return
        fi
        bad=1
        echo "not ok $n - $2"
        sed 's/^/# /' "$LOG"/out "$LOG"/report.* 2> /dev/null
        rm -f "$LOG"/report.*
}

test -f $B/build.ninja || meson setup $B -Db_sanitize=thread -Dbuildtype=debug -Doptimization=1 > "$LOG/out" || exit 1
ninja -j "${J:-2}" -C $B telamon meson-test-prereq > "$LOG/out" || { cat "$LOG/out"; exit 1; }
for t in $B/src/*_test; do
        case $t in
        */base-mem_test | */core-gate_test) continue ;; # they measure memory and time
        esac
        "$t" > "$LOG/out" 2>&1 # what is judged here are the reports
        result 0 "${t##*/}"
done
for lab in sessions maxconn limits reload respawn; do
        "tests/labs/$lab.sh" > "$LOG/out" 2>&1
        result $? "lab $lab"
done
/usr/bin/python3 tests/soak/mix.py > "$LOG/out" 2>&1
result $? "a mix of traffic, commands and scrapes"
echo "1..$n"
exit $bad
