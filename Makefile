# The two commands for newcomers are `make demo` and `make test`; both set up what they need.
# Nothing but Python 3.11+, make and a package index is taken for granted.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help pages demo test check fix lint types imports bench bench-quick cov clean lock prove mutants kills

help:            ## show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 13

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "batchgen needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)   ## run the example manifest against the simulator, to a page of pictures
	$(BIN)/batchgen run jobs.example.yaml --simulate

test: $(READY)   ## run the whole suite
	$(BIN)/python -m pytest -n 6 --dist worksteal  # more than cores: half of the suite waits for simulated services

check: lint types imports bench-quick test   ## everything that must hold before a commit

lint: $(READY)   ## formatting and ruff
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

imports: $(READY) ## the floors of the house
	$(BIN)/lint-imports

fix: $(READY)    ## format, and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.ready-for-bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

pages: $(READY)  ## write the pages of the commands in docs/commands from their help
	$(BIN)/python -m scripts.command_pages

bench: $(VENV)/.ready-for-bench  ## measure everything beside the official SDK, in some ten minutes (ARGS=--write)
	$(BIN)/python -m bench --json bench/figures.json --plots bench/plots $(ARGS)

bench-quick: $(READY)  ## tiny numbers: does the harness of the figures still work?
	$(BIN)/python -m bench --quick

SEEDS ?= 0-9999
prove: $(READY)  ## play thousands of seeded accidents in virtual time (SEEDS=first-last)
	$(BIN)/python -m tests.proof $(SEEDS)

mutants: $(READY) ## plant faults in a copy of the package, and see the tests fail
	$(BIN)/python -m tests.proof.mutants

KILLS ?= 600
kills: $(READY)  ## kill -9 the installed command six hundred times, and count what was charged (KILLS=n)
	$(BIN)/python -m tests.proof.kills --kills $(KILLS)

cov: $(READY)    ## branch coverage
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered --show-missing

lock: $(READY)   ## write down the versions that are installed
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:           ## remove what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
