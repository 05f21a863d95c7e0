#!/usr/bin/env bats
# The gates and the runner of the tests can fail: each is shown a planted violation, and the same tree without it.

setup() {
        root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
        t=$BATS_TEST_TMPDIR
        mkdir -p "$t/src/base" "$t/src/feat/a" "$t/src/feat/b" "$t/src/core" "$t/src/main" "$t/tools"
        echo 'int a(void);' >"$t/src/base/a.h"
        echo 'int b(void);' >"$t/src/feat/b/b.h"
        printf '#include "base/a.h"\n#include <string.h>\n' >"$t/src/feat/a/a.c"
}

# function_of LINES [LINE INSIDE]: a C function of exactly that many lines
function_of() {
        printf 'int f(int x)\n{\n'
        for ((i = 0; i < $1 - 5; i++)); do echo '        x++;'; done
        printf '%s\n        return x;\n}\n' "${2:-        x--;}"
}

@test "rooms: the clean tree passes" {
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 0 ]
}

@test "rooms: an include without its room fails" {
        echo '#include "a.h"' >"$t/src/base/a.c"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"src/base/a.c:1:"*"spell the room"* ]]
}

@test "rooms: an include against the table fails" {
        echo 'int c(void);' >"$t/src/core/c.h"
        printf '\n#include "core/c.h"\n' >"$t/src/base/a.c"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"src/base/a.c:2:"*"base may include: libc only"* ]]
}

@test "rooms: a feature that includes another fails" {
        echo '#include "feat/b/b.h"' >"$t/src/feat/a/a.c"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"a feature never includes another"* ]]
}

@test "rooms: main that includes a feature fails" {
        echo '#include "feat/b/b.h"' >"$t/src/main/m.c"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
}

@test "rooms: an outside library in the wrong place fails" {
        echo '#include <openssl/ssl.h>' >"$t/src/core/c.c"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"TLS stays behind src/tls"* ]]
}

@test "rooms: a low header of core that includes a high one fails" {
        echo 'int s(void);' >"$t/src/core/cli.h"
        echo '#include "core/cli.h"' >"$t/src/core/cell.h"
        run "$root/tools/rooms" --root "$t"
        [ "$status" -eq 1 ]
}

@test "size: a function of 80 lines passes, of 81 fails" {
        function_of 80 >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 0 ]
        function_of 81 >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"src/base/f.c:1: f() has 81 lines"* ]]
}

@test "size: LONG needs a reason; the hot list has its own limit" {
        (echo '/* LONG: a flat switch */' && function_of 300) >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 0 ]
        (echo '/* LONG: */' && function_of 100) >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
        echo base/f.c >"$t/tools/hot.list"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 0 ]
        function_of 251 >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
}

@test "size: a file of 901 lines and a header of 251 fail" {
        yes 'int x;' | head -n 901 >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"src/base/f.c: 901 lines"* ]]
        rm "$t/src/base/f.c"
        yes 'extern int x;' | head -n 251 >"$t/src/base/a.h"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
}

@test "size: #if inside a function fails, around one passes" {
        (echo '#if 1' && function_of 9 && echo '#endif') >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 0 ]
        function_of 9 $'#ifdef X\n#endif' >"$t/src/base/f.c"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 1 ]
        [[ $output == *"#if inside f()"* ]]
}

@test "size: a struct of 26 fields is warned of" {
        (echo 'struct wide {' && for ((i = 0; i < 26; i++)); do echo "int f$i;"; done && echo '};') >"$t/src/base/a.h"
        run "$root/tools/size" --root "$t"
        [ "$status" -eq 0 ]
        [[ $output == *"struct wide has 26 fields"* ]]
}

@test "fmt: a line that clang-format would change fails" {
        cp "$root/.clang-format" "$t/"
        cp "$root/tools/fmt" "$t/tools/"
        git -C "$t" init -q && git -C "$t" add -A
        run "$t/tools/fmt"
        [ "$status" -eq 0 ]
        echo 'int   a( void );' >"$t/src/base/a.h"
        run "$t/tools/fmt"
        [ "$status" -ne 0 ]
        "$t/tools/fmt" --fix
        run "$t/tools/fmt"
        [ "$status" -eq 0 ]
}

# archives BODY: a build folder whose core archive has one function with that body
archives() {
        mkdir -p "$t/b/src"
        echo 'int own(void) { return 1; }' >"$t/b/own.c"
        printf '#include <time.h>\n#include <string.h>\n#include <stdio.h>\nint own(void);\nint f(const char *s) { %s }\n' "$1" >"$t/b/f.c"
        gcc -c -o "$t/b/own.o" "$t/b/own.c"
        gcc -c -o "$t/b/core_f.c.o" "$t/b/f.c"
        for room in base proto conf; do rm -f "$t/b/src/lib$room.a" && ar rc "$t/b/src/lib$room.a" "$t/b/own.o"; done
        rm -f "$t/b/src/libcore.a" && ar rc "$t/b/src/libcore.a" "$t/b/core_f.c.o"
}

@test "pure: calculation passes, a clock fails, printing fails" {
        archives 'return own() + (int)strlen(s);'
        run "$root/tools/pure" "$t/b"
        [ "$status" -eq 0 ]
        archives 'return own() + (int)time(0) + (s != 0);'
        run "$root/tools/pure" "$t/b"
        [ "$status" -eq 1 ]
        [[ $output == *"core/f.c: calls time()"* ]]
        archives 'return printf("%s %d\\n", s, own());'
        run "$root/tools/pure" "$t/b"
        [ "$status" -eq 1 ]
}

@test "tidy: a finding fails, and a change of a header wakes the file that includes it" {
        cp "$root/.clang-tidy" "$t/"
        cp "$root/tools/tidy" "$t/tools/"
        rm -r "$t/src/feat"
        mkdir "$t/build"
        printf '#include "base/a.h"\nint a(void)\n{\n        return ONE;\n}\n' >"$t/src/base/a.c"
        printf 'int a(void);\n#define ONE 1\n' >"$t/src/base/a.h"
        printf '[{"directory": "%s/build", "command": "cc -I../src -c ../src/base/a.c", "file": "%s/src/base/a.c"}]\n' "$t" "$t" \
                >"$t/build/compile_commands.json"
        run "$t/tools/tidy"
        [ "$status" -eq 0 ]
        printf 'int a(void);\n#define ONE (1 / (int)(sizeof(char) - 1))\n' >"$t/src/base/a.h"
        run "$t/tools/tidy"
        [ "$status" -eq 1 ]
        [[ $output == *"Division by zero"* || $output == *"division by zero"* ]]
}

@test "check: passing tests of every kind count one by one and end with 0" {
        mkdir -p "$t/tests/py" "$t/tests/labs"
        printf '@test "one" { true; }\n@test "two" { true; }\n' >"$t/tests/x.bats"
        printf 'import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n' >"$t/tests/py/test_x.py"
        printf '#!/bin/sh\necho "ok 1 - a"; echo "ok 2 - b"; echo 1..2\n' >"$t/tests/labs/x.sh"
        chmod +x "$t/tests/labs/x.sh"
        mkdir -p "$t/tests/vtc"
        printf 'varnishtest "x"\nserver s1 { rxreq\n txresp } -start\nclient c1 -connect ${s1_sock} { txreq\n rxresp\n expect resp.status == 200 } -run\n' \
                >"$t/tests/vtc/x.vtc"
        run "$root/tools/check" --tests "$t/tests" --logs "$t/logs" --kind bats --kind py --kind lab --kind vtc
        [ "$status" -eq 0 ]
        [ "${lines[-1]}" = "7 passed, 0 failed" ]
}

@test "check: one failing test of each kind is counted, shown and ends with 1" {
        mkdir -p "$t/tests/py" "$t/tests/labs" "$t/tests/vtc"
        printf '@test "one" { true; }\n@test "two" { false; }\n' >"$t/tests/x.bats"
        printf 'import unittest\nclass A(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 2)\n    @unittest.skip("no")\n    def test_s(self): pass\n' \
                >"$t/tests/py/test_x.py"
        printf '#!/bin/sh\necho the-last-words; exit 3\n' >"$t/tests/labs/x.sh"
        printf '#!/bin/sh\necho "ok 1 - a"; echo 1..2\n' >"$t/tests/labs/short.sh"
        chmod +x "$t/tests/labs/"*.sh
        printf 'varnishtest "planted"\nshell "false"\n' >"$t/tests/vtc/x.vtc"
        run "$root/tools/check" --tests "$t/tests" --logs "$t/logs" --kind bats --kind py --kind lab --kind vtc
        [ "$status" -eq 1 ]
        [ "${lines[-1]}" = "2 passed, 7 failed" ]
        [[ $output == *"== FAILED lab/x"*the-last-words* ]]
        [[ $output == *"FAIL bats/x/two"* && $output == *"FAIL vtc/asan/x"* ]]
}

@test "check: a test that hangs is ended with what it started, one that leaves a daemon does not hold the run" {
        mkdir -p "$t/tests/labs"
        printf '#!/bin/sh\nsleep 60 & echo $! >%s/pid; wait\n' "$t" >"$t/tests/labs/hangs.sh"
        printf '#!/bin/sh\nsetsid sleep 20 &\nexit 0\n' >"$t/tests/labs/leaves.sh"
        chmod +x "$t/tests/labs/"*.sh
        run "$root/tools/check" --tests "$t/tests" --logs "$t/logs" --kind lab --timeout 2
        [ "$status" -eq 1 ]
        [ "${lines[-1]}" = "1 passed, 1 failed" ]
        [[ $output == *"timed out after 2 s"* ]]
        [ ! -e "/proc/$(cat "$t/pid")" ] || grep -q '^State:.Z' "/proc/$(cat "$t/pid")/status"
}

@test "check: a run without any test fails" {
        mkdir -p "$t/tests"
        run "$root/tools/check" --tests "$t/tests" --logs "$t/logs" --kind bats
        [ "$status" -eq 1 ]
        [ "${lines[-1]}" = "0 passed, 0 failed" ]
}

@test "check: a missing tool is a failure, not a skip" {
        mkdir -p "$t/tests" "$t/bin"
        printf '@test "one" { true; }\n' >"$t/tests/x.bats"
        PATH="$t/bin" run "$root/tools/check" --tests "$t/tests" --logs "$t/logs" --kind bats
        [ "$status" -eq 1 ]
        [[ $output == *"missing tool: bats"* ]]
}

@test "make help: every target has its line" {
        targets=$(sed -n 's/^\.PHONY: FORCE //p' "$root/Makefile" | tr ' ' '\n' | sort)
        helped=$(make -s -C "$root" help | awk '{ print $2 }' | sort)
        [ "$targets" = "$helped" ]
}

@test "deps: an unknown purpose is refused" {
        run "$root/tools/deps" build nonsense
        [ "$status" -eq 2 ]
}

@test "deps: what is missing is said as a command to an ordinary user, and nothing is installed" {
        mkdir "$t/bin"
        printf '#!/bin/sh\necho 1000\n' >"$t/bin/id"
        printf '#!/bin/sh\nexit 1\n' >"$t/bin/dpkg-query"
        printf '#!/bin/sh\ntouch %s/installed\n' "$t" >"$t/bin/apt-get"
        chmod +x "$t/bin/"*
        PATH="$t/bin:$PATH" run "$root/tools/deps" demo
        [ "$status" -eq 1 ]
        [[ $output == *"sudo apt-get update && sudo apt-get install -y --no-install-recommends curl"* ]]
        [ ! -e "$t/installed" ]
}

@test "deps: nothing missing asks nobody" {
        mkdir "$t/bin"
        printf '#!/bin/sh\necho installed curl\n' >"$t/bin/dpkg-query"
        printf '#!/bin/sh\nexit 9\n' >"$t/bin/apt-get"
        chmod +x "$t/bin/"*
        PATH="$t/bin:$PATH" run "$root/tools/deps" demo
        [ "$status" -eq 0 ]
}

@test "unit file: exposure at most 2.5" {
        # 2.5 is what a supervisor needs that starts as root, binds low ports, owns sockets, signals and becomes its
        # workers' user, and chroots; each open item is named in the file.
        run systemd-analyze security --offline=yes --threshold=25 --no-pager "$root/deploy/telamon.service"
        [ "$status" -eq 0 ]
        sed 's/^ProtectSystem=strict//; s/^NoNewPrivileges=yes//' "$root/deploy/telamon.service" >"$t/open.service"
        run systemd-analyze security --offline=yes --threshold=25 --no-pager "$t/open.service"
        [ "$status" -ne 0 ]
}

@test "install: binary, unit with the real path" {
        DESTDIR="$t/d" run meson install -C "$root/build" --no-rebuild --quiet
        [ "$status" -eq 0 ]
        unit=$(find "$t/d" -name telamon.service)
        bin=$(find "$t/d" -type f -path '*/sbin/telamon')
        grep -q "^ExecStart=${bin#"$t/d"} -Ws" "$unit"
}
