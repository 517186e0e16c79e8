# Needs Python >= 3.11, make and the package registries; all else is installed from here.
# Nothing is written outside this folder, but for Debian packages when root.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# The venv's own Node.js, whatever else the machine has, so that every build is the same; it trusts
# the certificates that the system trusts.
NPM_HERE := NODE_USE_SYSTEM_CA=1 PATH="$(CURDIR)/$(BIN):$$PATH" npm --loglevel=error
NPM := cd player && $(NPM_HERE)
INTEROP := tests/origin/auth/interop
LIBRARY := build/sample-library
PAGE := origin/control/page/index.html

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/demo $(PAGE) | $(LIBRARY)  ## Make a sample library and serve it with accounts, on databases it starts itself
	@$(BIN)/vod-origin demo $(LIBRARY) --data build/demo

.PHONY: test
test: install check  ## Install what is needed, then run every check and every test
	$(BIN)/pytest --numprocesses 2 --dist loadfile --ignore tests/e2e
	$(BIN)/pytest tests/e2e

.PHONY: check
check: .venv/test $(PAGE)  ## Lint, format, types and layers, without the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run check

.PHONY: install
install: .venv/test .venv/debian .venv/interop $(PAGE)  ## Install everything that demo, test and bench need

.PHONY: coverage
coverage: .venv/test  ## Show which lines and branches of the packager no test reaches (slow)
	$(BIN)/pytest --numprocesses 2 --dist loadfile --cov packager tests/packager tests/contracts

.PHONY: bench
bench: install  ## Measure this machine's throughput and latency, with nginx as the yardstick
	@scripts/debian-packages.sh nginx-light wrk openssl
	$(BIN)/python -m benchmarks

.PHONY: lock
lock: .venv/test  ## Refresh the locked requirements
	scripts/lock.sh

.PHONY: clean
clean:  ## Remove everything these targets made
	rm -rf .venv build dist player/node_modules $(INTEROP)/node_modules $(dir $(PAGE))
	rm -f origin/_native.abi3.so
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what one step installed, newer than what it was installed from.

.venv/bin/python:
	@scripts/make-venv.sh .venv

.venv/demo: requirements/demo.txt pyproject.toml hatch_build.py origin/_native.c | .venv/bin/python
	@echo "Installing into .venv: the server, the sample library's encoder, databases, Node.js (about 170 MB)" >&2
	@$(PIP) install -q --require-hashes -r requirements/demo.txt
	@$(PIP) install -q --no-deps --no-build-isolation --no-index -e .
	@$(BIN)/vod-origin --version >&2
	@touch $@

.venv/test: requirements/test.txt .venv/demo
	@echo "Installing into .venv: linters, pytest, Playwright, Shaka Packager (about 180 MB)" >&2
	@$(PIP) install -q --require-hashes -r requirements/test.txt
	@touch $@

.venv/debian: scripts/debian-packages.sh Makefile | .venv/bin/python
	@scripts/debian-packages.sh chromium ffmpeg varnish
	@touch $@

.venv/interop: $(INTEROP)/package.json $(INTEROP)/package-lock.json | .venv/demo
	@echo "Installing into $(INTEROP): a library of Common Access Tokens (8 MB)" >&2
	@cd $(INTEROP) && $(NPM_HERE) ci --no-audit --no-fund >&2
	@touch $@

$(PAGE): $(shell find player -type f -not -path '*/node_modules/*' 2>/dev/null) | .venv/demo
	@echo "Building the page: npm packages into player/node_modules" >&2
	@$(NPM) ci --no-audit --no-fund >&2
	@$(NPM) run build >&2
	@touch $@

$(LIBRARY): | .venv/demo
	@echo "Making the sample library in $@" >&2
	@$(BIN)/python -m ingest.sample $@
