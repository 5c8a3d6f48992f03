# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help run test setup setup-dev lint format bench conformance hostile docs clean distclean

# The first Python that is new enough; name another one with `make setup PYTHON=/path/to/python3`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
PY := .venv/bin/python
JOBS ?= logical

run: setup ## start the dashboard and the demo run; ARGS="--port 8001" is passed on
	@exec $(PY) manage.py up $(ARGS)

test: setup-dev ## run all tests; ARGS="-k grading" is passed on to pytest
	@$(PY) -m pytest -n $(JOBS) --maxprocesses 4 --dist loadscope $(ARGS)

setup: .python ## install the pinned packages into .venv
	@$(PYTHON) requirements/install.py base train

setup-dev: .python ## the same with what tests and checks need, and a browser
	@$(PYTHON) requirements/install.py base train dev
	@$(PY) -m tests.chromium

lint: setup-dev ## check style, formatting and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: setup-dev ## put the code into its standard form
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: setup ## measure speed; prints one JSON object per line
	@$(PY) -m tests.benchmarks $(ARGS)

conformance: setup-dev ## run the console transcripts that say what q must print; ARGS="--failures" is passed on
	@$(PY) -m pytest tests/q_runtime/test_conformance.py -q -n $(JOBS) --maxprocesses 2
	@$(PY) -m tests.q_runtime.kx_sample $(ARGS)

hostile: setup-dev ## try hostile q and Python against the sandbox and the grader; ARGS="python daemon" chooses
	@$(PY) -m tests.q_runtime.hostile $(ARGS)

docs: setup ## write the pages that are generated from the code
	@$(PY) docs/settings_page.py
	@$(PY) docs/q_coverage.py

clean: ## remove caches; runs and the database stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path "./.venv/*" -prune -exec rm -rf {} +

distclean: clean ## remove .venv and .venv-clients as well
	@rm -rf .venv .venv-clients

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: .python
.python:
	@if [ -z "$(PYTHON)" ]; then \
	echo "QStudio needs Python 3.11 or newer and finds none on the PATH. Install it (on Debian: apt install" \
	"python3 python3-venv python3-pip) or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
