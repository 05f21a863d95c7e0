# A thin front of meson and ninja: what a person types. `make help` lists it. Everything real is in meson.build and tools/.
PREFIX ?= /usr/local
J ?= 2
SHELL = /bin/bash
.SHELLFLAGS = -o pipefail -c
SAN = -Db_sanitize=address,undefined -Doptimization=1
configured = command -v meson > /dev/null || { echo "no meson here: run tools/deps build"; exit 1; }; test -f $(1)/build.ninja || $(3) meson setup $(1) $(2)

build/telamon: FORCE ## build the shipped program (LTO): build/telamon
	@$(call configured,build,-Db_lto=true --prefix=$(PREFIX))
	@ninja -j$(J) -C build product

help: ## this list
	@awk -F ':.*## ' '/^[a-z\/-]+:.*## / { sub("build/telamon", "all", $$1); printf "make %-10s %s\n", $$1, $$2 }' Makefile

all: build/telamon

demo: ## install what is missing, build, run Telamon before three web servers on loopback until Ctrl-C
	@tools/deps build demo
	@$(MAKE) --no-print-directory all
	@tools/demo

check: ## install what is missing, build, run every test, end with "N passed, N failed" (ARGS="--only vtc")
	@tools/deps build check
	@tools/check -j$(J) $(ARGS)

unit: ## the unit tests on the clang build
	@tools/check -j$(J) --kind build --kind unit --only 'clang' $(ARGS)

asan: ## the ASan + UBSan build and the unit tests on it
	@tools/check -j$(J) --kind build --kind unit --only 'asan' $(ARGS)

clang: ## build with clang: build-clang/telamon
	@$(call configured,build-clang,,CC=clang)
	@ninja -j$(J) -C build-clang

gates: rooms size fmt pure ## the quick gates: rooms, size, fmt, pure

rooms: ## the include table
	@tools/rooms

size: ## lengths of functions, files, headers, structs (tools/size -v lists the longest)
	@tools/size

fmt: ## fails where clang-format would change a line
	@tools/fmt

fmt-fix: ## lets clang-format change it
	@tools/fmt --fix

pure: build-asan/build.ninja ## no clock, socket, random or file in base, proto, conf and core
	@ninja -j$(J) -C build-asan
	@tools/pure build-asan

tidy: ## clang-tidy over src/ (a file that passed is not read again)
	@$(call configured,build,-Db_lto=true --prefix=$(PREFIX))
	@ninja -C build build.ninja > /dev/null # follows added and removed files
	@tools/tidy -j $(J)

fuzz: ## fuzz every target, or T=room-name, S=seconds each (60)
	@tools/fuzz "$(T)" "$(or $(S),60)"

deb: ## the Debian package of the committed tree, read by lintian: build/deb/ (ARCH=arm64: crossed, build/deb-arm64/)
	@tools/deps build deb $(if $(ARCH),deb-$(ARCH))
	@tools/deb $(ARCH)

bench: build/telamon ## side by side with HAProxy (HAPROXY=path) and nginx on loopback
	@tools/deps bench
	@bench/run $(ARGS)

tsan: ## data races: unit tests, labs and a mix of everything on a ThreadSanitizer build (half an hour, by hand)
	@tests/soak/tsan.sh

soak: build/telamon ## long runs: tests/soak/*.sh
	@tools/check --kind soak $(ARGS)

interop: build/telamon ## real peers: tests/interop/*.sh
	@tools/deps interop
	@tools/check --kind interop $(ARGS)

cov: ## line coverage of the unit tests: build-cov/coverage.txt
	@tools/deps cov
	@$(call configured,build-cov,-Db_coverage=true -Doptimization=0)
	@ninja -j$(J) -C build-cov meson-test-prereq && meson test -C build-cov --num-processes $(J) --quiet
	@gcovr -r . --object-directory build-cov -e '.*_test\.c' -e fuzz/ -o build-cov/coverage.txt && tail -3 build-cov/coverage.txt

docs: build/telamon ## the manual pages as text: build/docs/
	@mkdir -p build/docs
	@shopt -s nullglob; for m in doc/*.[1-8]; do MANWIDTH=100 man --warnings -l "$$m" | col -bx > "build/docs/$${m##*/}.txt" || exit 1; echo "build/docs/$${m##*/}.txt"; done

install: build/telamon ## binary, unit file, manual pages (PREFIX=/usr/local, DESTDIR=)
	@meson configure build --prefix=$(PREFIX) > /dev/null
	@meson install -C build --quiet --no-rebuild

clean: ## remove every build folder
	rm -rf build build-asan build-clang build-fuzz build-cov

build-asan/build.ninja:
	@$(call configured,build-asan,$(SAN))

FORCE:
.PHONY: FORCE all help deb demo check unit asan clang gates rooms size fmt fmt-fix pure tidy fuzz bench tsan soak interop cov docs install clean
