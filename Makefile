# The two commands that matter: `make run` and `make test`. Both install what they need first.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help run test soak check deps build bench-datapoints bench-archives bench-sessions

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

deps: ## install what a fresh Debian machine lacks (as root or with sudo)
	@scripts/deps.sh

build: deps ## the release binary, target/release/holotype
	cargo build --release --locked -p holotype

run: build ## build, make a demonstration lab, serve it with its page
	target/release/holotype demo

test: deps ## every test, with the services and clients they need
	cargo fmt --all -- --check
	scripts/with-services.sh scripts/test.sh

soak: build ## the long rounds: kills, races, fuzzing
	HOLOTYPE_SOAK=1 scripts/with-services.sh scripts/soak.sh

check: ## lints, licences, documentation links
	cargo fmt --all -- --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "check: cargo-deny is not installed (cargo install --locked cargo-deny): licences and advisories were not checked"; exit 1; fi

bench-datapoints: build ## ours beside madsci.data_manager, in one run, as ratios
	scripts/with-services.sh benchmarks/datapoints/run.sh

bench-archives: build ## fetching a night beside curl, funpack and aria2, in one run, as ratios
	benchmarks/archives/run.sh

bench-sessions: ## stacking, pictures and photometry beside numpy, ccdproc, Siril and photutils, as ratios
	benchmarks/sessions/run.sh
