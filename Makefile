# `make demo` and `make test` are all that is needed on a fresh machine with
# Python >= 3.11, pip and make. Everything is installed into .venv; with another
# interpreter, `make test PYTHON=python3.13`, into .venv-3.13.

ifdef PYTHON
VENV   := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2] + sys.abiflags)')
else
PYTHON := python3
VENV   := .venv
endif
BIN    := $(VENV)/bin
DEMO   := demo-output
JOBS   ?= auto

.PHONY: demo test lint typecheck unit slow bench clean

demo: $(VENV)/runtime.stamp
	mkdir -p $(DEMO)
	ENVMGR_HOME=$(CURDIR)/$(DEMO)/home $(BIN)/envmgr create -f recipes/environments/quickstart.yaml
	ENVMGR_HOME=$(CURDIR)/$(DEMO)/home $(BIN)/envmgr run -n quickstart python docs/quickstart.py $(DEMO)/lorenz.png

test: lint typecheck unit

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(VENV)/dev.stamp
	$(BIN)/mypy

unit: $(VENV)/dev.stamp
	$(BIN)/pytest -n $(JOBS) -m "not slow"

slow: $(VENV)/dev.stamp
	$(BIN)/pytest -m slow

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "envmgr needs Python 3.11 or newer: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/runtime.stamp: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

clean:
	-chmod -R u+w $(DEMO) 2>/dev/null
	rm -rf $(VENV) .venv .venv-* $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
