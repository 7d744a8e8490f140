# Everything from a bare machine with Python 3.11+ and make. `make help` lists the words.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# every step of every test is a process: none shall compile what another has compiled
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test lint test-more bench lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## the command at .venv/bin/chartlift

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("chartlift needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	touch $(READY)

demo: setup ## the whole journey against a private sandbox
	$(BIN)/chartlift demo

lint: setup ## style, types and the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/ty check src

test: setup lint ## every test but the ones that need a browser or other clients
	$(BIN)/pytest -n 2 --dist loadfile -m "not more"

test-more: setup ## installs a browser and other clients, and tests with them
	scripts/install-browser
	scripts/install-clients-node
	scripts/install-clients-python
	$(BIN)/pytest -n 2 --dist loadfile -m more

bench: setup ## ratios, measured in one run
	$(BIN)/python bench/run.py
	$(BIN)/python bench/org.py

lock: ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --no-annotate -o requirements.lock

clean: ## remove what setup made
	rm -rf $(VENV)
