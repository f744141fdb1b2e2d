# Hearth. `make` alone lists what there is.

PREFIX  ?= /usr/local
DESTDIR ?=
SWIFT   ?= swift

# Debug and release are linked differently: each has its own directory, else every change of flavour rebuilds all.
DEBUG_DIR   := .build
RELEASE_DIR := .build-release
RELEASE     := $(RELEASE_DIR)/release
# The command line starts twice as fast without a dynamic linker; the daemon looks up users, which needs one.
STATIC_DIR  := .build-static
DEB_DIR     := .build-deb
SOURCES     := $(wildcard Sources Tests Benchmarks)

# The Varlink client of somebody else, for the tests that speak to hearthd with it.
PYTHON_PKG := varlink==31.0.0 gunicorn==27.0.1 uvicorn==0.54.0
PYTHON_ENV := $(CURDIR)/$(DEBUG_DIR)/python

# Further arguments of `swift test` and of Benchmarks/run, such as TEST_FLAGS='--filter KeeperTests'.
TEST_FLAGS  ?=
BENCH_FLAGS ?=

bin     := $(DESTDIR)$(PREFIX)/bin
libexec := $(DESTDIR)$(PREFIX)/lib/hearth
share   := $(DESTDIR)$(PREFIX)/share

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.SILENT:
.PHONY: help build release test lint check-release fmt bench deb install uninstall clean demo need-swift setup-demo setup-test setup-bench setup-release setup-deb setup-boot

help: ## this list
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: need-swift ## everything, debug
	$(SWIFT) build

release: need-swift ## the four programs, optimised, with Swift's libraries linked in
	for program in hearthd hearth-keeper hearth-companion hearth-serve; do \
	    $(SWIFT) build -c release --static-swift-stdlib --scratch-path $(RELEASE_DIR) --product $$program || exit 1; \
	done
	$(SWIFT) build -c release --static-swift-stdlib -Xswiftc -static-executable --scratch-path $(STATIC_DIR) --product hearth
	install -m 755 $(STATIC_DIR)/release/hearth $(RELEASE)/hearth

test: need-swift setup-test ## build and run all tests
	$(SWIFT) build
	PATH="$(PYTHON_ENV)/bin:$$PATH" $(SWIFT) test $(TEST_FLAGS)

lint: need-swift ## formatting, and the rules that a formatter does not know
	$(SWIFT) format lint -s -r Package.swift $(SOURCES)
	.ci/check source

check-release: setup-release ## what a release build needs of the system it runs on
	.ci/check release $(RELEASE)

fmt: need-swift ## format all sources
	$(SWIFT) format -i -r Package.swift $(SOURCES)

bench: setup-bench release ## measure; see Benchmarks/
	HEARTH_BIN=$(CURDIR)/$(RELEASE) Benchmarks/run $(BENCH_FLAGS)

demo: setup-demo release ## three apps outlive their manager
	HEARTH_BIN=$(CURDIR)/$(RELEASE) examples/demo.sh

# Under sudo there is often no swift in PATH: then what was built before is installed.
install: setup-release ## into PREFIX (/usr/local), below DESTDIR
	if command -v $(SWIFT) >/dev/null; then $(MAKE) release; \
	elif [ ! -x $(RELEASE)/hearth ]; then echo "nothing is built and there is no swift in PATH: run 'make release' first" >&2; exit 1; fi
	install -d $(bin) $(libexec) $(share)/man/man1 $(share)/bash-completion/completions \
	    $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	install -s -m 755 $(RELEASE)/hearth $(bin)/hearth
	install -s -m 755 $(RELEASE)/hearthd $(RELEASE)/hearth-keeper $(RELEASE)/hearth-companion $(RELEASE)/hearth-serve $(libexec)
	$(RELEASE)/hearthd --drain-preload >$(libexec)/drain.cjs
	$(RELEASE)/hearth generate-manual >$(share)/man/man1/hearth.1
	$(RELEASE)/hearth --generate-completion-script bash >$(share)/bash-completion/completions/hearth
	$(RELEASE)/hearth --generate-completion-script zsh >$(share)/zsh/site-functions/_hearth
	$(RELEASE)/hearth --generate-completion-script fish >$(share)/fish/vendor_completions.d/hearth.fish
	echo "installed $(bin)/hearth and $(libexec); a daemon that runs goes on as the old one until 'hearth upgrade'"

deb: setup-release setup-deb ## the Debian package, in .build-deb
	rm -rf $(DEB_DIR)/root
	$(MAKE) install PREFIX=/usr DESTDIR=$(CURDIR)/$(DEB_DIR)/root
	packaging/deb/build $(CURDIR)/$(DEB_DIR)/root $${DEB_VERSION:-$$($(RELEASE)/hearth --version)} $(CURDIR)/$(DEB_DIR)
	rm -rf $(DEB_DIR)/root

uninstall: ## remove what install put there
	rm -f $(bin)/hearth $(share)/man/man1/hearth.1 $(share)/bash-completion/completions/hearth \
	    $(share)/zsh/site-functions/_hearth $(share)/fish/vendor_completions.d/hearth.fish
	rm -rf $(libexec)

clean: ## remove everything that was built
	rm -rf $(DEBUG_DIR) $(RELEASE_DIR) $(STATIC_DIR) $(DEB_DIR)

# What each verb needs beside the toolchain. Only what is missing is installed.

need-swift:
	command -v $(SWIFT) >/dev/null || { echo "there is no swift in PATH: install a Swift 6.2 toolchain or newer (https://swift.org/install)" >&2; exit 1; }
	.ci/need git:git

setup-demo:
	.ci/need node:nodejs php:php-cli python3:python3 curl:curl

setup-bench:
	.ci/need python3:python3

setup-release:
	.ci/need objdump:binutils strip:binutils

setup-deb:
	.ci/need dpkg-deb:dpkg gzip:gzip

setup-test: setup-demo setup-release
	python3 -c 'import ensurepip' 2>/dev/null || .ci/need python3-venv:python3-venv
	test -x $(PYTHON_ENV)/bin/python3 || python3 -m venv $(PYTHON_ENV)
	$(PYTHON_ENV)/bin/python3 -c 'import gunicorn, uvicorn, varlink' 2>/dev/null \
	    || $(PYTHON_ENV)/bin/python3 -m pip install --quiet --disable-pip-version-check $(PYTHON_PKG) \
	    || { echo "the Python packages '$(PYTHON_PKG)' could not be installed; tests need them: is PyPI reachable?" >&2; exit 1; }
	.ci/need npm:npm
