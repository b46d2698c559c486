# Almanac on a bare Debian 12 machine: `make run`, `make test`, `make build`. As root, or with sudo.
# What is missing is installed, what is there is left alone. One cargo profile: everything is built with --release.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(HOME)/.cache/almanac
TOOLS := $(CACHE)/tools
export CARGO_TARGET_DIR ?= $(CACHE)/target
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

# The one address that is asked besides the package managers', and only where there is no Rust.
RUSTUP_URL ?= https://static.rust-lang.org/rustup/rustup-init.sh
RUST_AT_LEAST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
CMAKE_AT_LEAST := 3.28
# Whether version $(1) is $(2) or newer: prints "yes" or nothing.
newer = $(shell printf '%s\n%s\n' '$(2)' '$(1)' | sort -V -C && echo yes)
SYSTEM_CMAKE := $(shell cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')
# LightGBM needs a newer cmake than Debian 12 has; cargo's build scripts find it through CMAKE.
ifeq ($(origin CMAKE), undefined)
export CMAKE := $(if $(and $(SYSTEM_CMAKE),$(call newer,$(SYSTEM_CMAKE),$(CMAKE_AT_LEAST))),cmake,$(TOOLS)/bin/cmake)
endif

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
BUILD_PACKAGES := build-essential pkg-config libssl-dev python3 python3-venv libclang-dev clang curl ca-certificates git
LISTEN ?= 127.0.0.1:8080

.PHONY: help run build test bench bench-accuracy bench-speed deps deps-system deps-rust deps-cmake deps-test

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

run: build ## Build, make and forecast the demo project in ./demo, serve it
	bin/almanac demo demo
	bin/almanac -C demo serve --listen $(LISTEN)

build: deps ## Build bin/almanac
	cargo build --release --locked -p almanac
	@mkdir -p bin
	@cp "$(CARGO_TARGET_DIR)/release/almanac" bin/.almanac.new && mv bin/.almanac.new bin/almanac
	@echo "built bin/almanac"

# The real clients of MLflow 3 and 2, and of Feast, that the server is tested with.
CLIENTS := crates/almanac-server/tests/clients
test: export ALMANAC_TEST_PYTHON_3X ?= $(CACHE)/clients-3x/bin/python
test: export ALMANAC_TEST_PYTHON_2X ?= $(CACHE)/clients-2x/bin/python
# The real DVC, and a server that speaks S3, that versions of data are tested with.
DVC_CLIENTS := crates/almanac-versions/tests/clients
test: export ALMANAC_TEST_DVC ?= $(CACHE)/clients-dvc/bin/dvc
test: export ALMANAC_TEST_PYTHON_FEAST ?= $(CACHE)/clients-feast/bin/python
# With Kafka, so that topics are compared with the other sources too.
test: deps deps-test ## Format, lints, house rules, every test
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --features almanac/kafka --all-targets -- -D warnings
	cargo run --release --locked -p xtask -- tidy
	.ci/with-services cargo nextest run --release --locked --workspace --features almanac/kafka
	cargo test --release --locked --doc -p almanac-series

bench: ## Say how to measure speed, memory and accuracy
	@echo "Benchmarks run the program as a user would: they need its release build (make build), Python, and the data they name."
	@echo "The first lines of each script say what it measures and how. Results and method: BENCHMARKS.md"
	@echo "  make bench-accuracy"
	@echo "  make bench-speed"
	@find crates/almanac-bench/speed -name '*.py' | sort | sed 's/.*/  python3 & --help/'

# All sets, written to BENCHMARKS.md; or, say, `make bench-accuracy ARGS="--quick --only m3"`.
bench-accuracy: build ## Score the forecasts on real data and fill the table of BENCHMARKS.md
	python3 crates/almanac-bench/accuracy --almanac bin/almanac $(or $(ARGS),--write BENCHMARKS.md)

# Both jobs, written to BENCHMARKS.md; or, say, `make bench-speed ARGS="--only models --models auto_ets --n 20"`.
bench-speed: deps ## Time the models beside their Python peers and fill the tables of BENCHMARKS.md
	python3 crates/almanac-bench/speed $(or $(ARGS),--write BENCHMARKS.md)

deps: deps-system deps-rust deps-cmake ## Install what is missing for building

deps-system:
	@missing=""; \
	for package in $(BUILD_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  command -v apt-get >/dev/null || { echo "install the equivalents of:$$missing"; exit 1; }; \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

deps-rust: deps-system
	@is_new_enough() { printf '%s\n' '$(RUST_AT_LEAST)' "$$(cargo --version 2>/dev/null | cut -d' ' -f2)" | sort -V -C; }; \
	is_new_enough && exit 0; \
	if command -v rustup >/dev/null; then \
	  echo "updating Rust"; \
	  rustup update stable; \
	else \
	  echo "installing Rust"; \
	  curl --proto '=https' --tlsv1.2 -sSf --retry 3 $(RUSTUP_URL) | RUSTUP_INIT_SKIP_PATH_CHECK=yes \
	    sh -s -- -y --profile minimal --component clippy --component rustfmt --no-modify-path; \
	fi; \
	is_new_enough || { echo "cargo is older than $(RUST_AT_LEAST): try \`rustup default stable\`" >&2; exit 1; }

deps-cmake: deps-system
	@if ! "$(CMAKE)" --version >/dev/null 2>&1; then \
	  echo "installing a newer cmake into $(TOOLS)"; \
	  python3 -m venv "$(TOOLS)"; \
	  "$(TOOLS)/bin/pip" install -q 'cmake>=$(CMAKE_AT_LEAST),<5'; \
	fi

deps-test: deps-rust
	@for component in rustfmt clippy; do \
	  cargo $${component/rustfmt/fmt} --version >/dev/null 2>&1 || rustup component add $$component; \
	done
	@cargo nextest --version >/dev/null 2>&1 || env -u CARGO_TARGET_DIR cargo install cargo-nextest --locked
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then \
	  echo "installing Chromium for the browser test"; \
	  $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium chromium-driver; \
	fi
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then \
	  echo "installing PostgreSQL for the tests of the tracking store"; \
	  $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql; \
	fi
	@if ! command -v mariadbd >/dev/null && ! command -v mysqld >/dev/null && ! [ -x /usr/sbin/mariadbd ]; then \
	  echo "installing MariaDB for the tests of sources"; \
	  $(SUDO) apt-get update -q; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends mariadb-server; \
	fi
	@for version in 3x 2x dvc feast; do \
	  wanted="$(CLIENTS)/requirements-$$version.txt"; venv="$(CACHE)/clients-$$version"; \
	  if [ "$$version" = dvc ]; then wanted="$(DVC_CLIENTS)/requirements.txt"; fi; \
	  if cmp -s "$$wanted" "$$venv/requirements.txt" && "$$venv/bin/python" -c ''; then continue; fi; \
	  echo "installing the clients that $$wanted names into $$venv"; \
	  rm -rf "$$venv.new"; \
	  python3 -m venv "$$venv.new"; \
	  "$$venv.new/bin/pip" install -q --disable-pip-version-check -r "$$wanted"; \
	  cp "$$wanted" "$$venv.new/requirements.txt"; \
	  rm -rf "$$venv"; \
	  mv "$$venv.new" "$$venv"; \
	  grep -lIs -d skip "^#!$$venv.new/" "$$venv"/bin/* | xargs -r sed -i "1s|$$venv.new/|$$venv/|"; \
	done
