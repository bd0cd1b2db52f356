# Everything here makes and uses .venv; PYTHON= chooses the interpreter it is made with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Hashes are checked for every package; the registry is whichever pip is set up for.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench lock browser clean

help: ## Show what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/installed ## Make a demo region with videos, and serve it (ARGS=--once tries it and stops)
	$(BIN)/reelm demo $(ARGS)

serve: $(VENV)/installed ## Serve a region: make serve ARGS="--region PATH"
	$(BIN)/reelm serve $(ARGS)

# Tests make many threads, and glibc keeps freed memory for each: with two arenas a third less.
# They start the command some two hundred times: without compiled files each reads 600 sources anew.
test: $(VENV)/installed-dev browser ## Run all tests (ARGS="-k name" chooses)
	PYTHONDONTWRITEBYTECODE= MALLOC_ARENA_MAX=2 $(BIN)/python -m pytest -n auto --dist=worksteal $(ARGS)

check: $(VENV)/installed-dev ## Lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev ## Run the benchmarks; each prints one JSON line last
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock: $(VENV)/installed-dev ## Renew the hash-pinned requirement files
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -q --extra install pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -q --extra install --extra dev pyproject.toml -o requirements-dev.txt

browser: ## Install Chromium by the system's package manager where none is found
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || sh .ci/install-chromium

clean: ## Remove what make has made
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed
