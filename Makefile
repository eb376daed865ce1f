# From a fresh clone: `make up` runs it, `make demo` shows it, `make test` tests it. Each sets up what it needs.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first of these that is Python 3.11 or newer; `make PYTHON=…` chooses another.
PYTHON ?= $(firstword $(foreach each,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(each))))
CONSTRAINTS := $(wildcard constraints.txt)

.PHONY: setup up demo test board-test board-install-test board-soak bench docs clean test-tools
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

test: setup test-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

# A card flashed, booted in an emulated Raspberry Pi 3B and used. Needs root, to unpack the packages of its base image.
board-test: setup test-tools
	$(BIN)/python -m pytest -m board tests/board --ignore tests/board/installing --ignore tests/board/soak $(PYTEST_FLAGS)

# The other ways onto a board, each on an emulated one of its own: over SSH, an older image's `firstrun.sh`, a first
# boot that is cut.
board-install-test: setup test-tools
	$(BIN)/python -m pytest -m board tests/board/installing $(PYTEST_FLAGS)

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
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis *.egg-info bench.json site
