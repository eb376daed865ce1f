# From a fresh clone: `make up` runs it, `make demo` shows it, `make test` tests it. Each sets up what it needs.
# `make check` is for before each commit: the linters, and the tests that take seconds; with PART, those of one folder.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first of these that is Python 3.11 or newer; `make PYTHON=…` chooses another.
PYTHON ?= $(firstword $(foreach each,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(each))))
# Each file's tests run on one process, the longest file first.
# One process more than cores: tests wait for half of their time, for brokers, browsers and boards of their own.
PROCESSES := $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))
PYTEST := -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder
# All tests but those of the slow files (tests/slow.toml), and those.
QUICK := -m 'not board and not slow'
SLOW := -m 'not board and slow'
CONSTRAINTS := $(wildcard constraints.txt)

.PHONY: setup up demo check lint types quick test tests coverage slow board-test board-soak bench docs clean test-tools
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found. try: install it, or make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "error: no virtual environment. try: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check $(addprefix -c ,$(CONSTRAINTS)) -e '.[dev]'
	@touch $@

up: setup
	$(BIN)/lamplight up

demo: setup
	$(BIN)/lamplight demo

# What a contributor runs before each commit: `make check`, or `make check PART=device/update` for the tests of a folder.
check: lint
	@$(MAKE) --no-print-directory -j 2 types quick

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright --pythonpath $(BIN)/python $(wildcard $(PART))

# All tests but those of the slow files; or all of one folder, named as what it tests.
quick: setup test-tools
	$(BIN)/python $(PYTEST) $(if $(PART),tests/$(PART),$(QUICK)) $(PYTEST_FLAGS)

# Everything but the virtual boards.
test: lint types tests

tests: setup test-tools
	$(BIN)/python $(PYTEST) $(PYTEST_FLAGS)

# CI runs the same in two parts: the quick tests with a look at which branches of `device/` and `cloud_shim/` they
# reach, subprocesses included, and the rest.
coverage: setup test-tools
	rm -rf .coverage
	mkdir .coverage
	$(BIN)/python -m coverage run $(PYTEST) $(QUICK) $(PYTEST_FLAGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

slow: setup test-tools
	$(BIN)/python $(PYTEST) $(SLOW) $(PYTEST_FLAGS)

# Cards flashed, booted in an emulated Raspberry Pi 3B and used; one board at a time, for each takes both cores. Needs
# root, to unpack the packages of the base image.
board-test: setup test-tools
	$(BIN)/python -m pytest -m board tests/board --ignore tests/board/soak --durations 12 $(PYTEST_FLAGS)

# The power cut at CUTS random moments of deployments and boots: an hour for 30, so that CI does not run it.
board-soak: setup test-tools
	$(BIN)/python -m pytest -s -m board tests/board/soak $(PYTEST_FLAGS)

# A broker, a browser, an emulator; the tests use the real ones.
test-tools:
	@sh tests/install-tools.sh

# The pages as a site, in site/; a link that leads nowhere is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: setup
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .coverage .pytest_cache .ruff_cache .hypothesis *.egg-info bench.json site
