# The two commands for newcomers are `make demo` and `make test`; both set up what they need.
# Nothing but Python 3.11+, make and a package index is taken for granted.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
COMPILED := $(VENV)/.compiled
SUITE  := not browser and not checker and not image and not postgres

.DEFAULT_GOAL := help
.PHONY: help pages page-types demo test test-browser test-image test-postgres image test-lowest check fix lint types imports docs bench bench-quick cov dist clean lock prove mutants nights kills zombies hosts workers

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

$(COMPILED): | $(READY)
	@$(BIN)/python -m pytest --collect-only -q > /dev/null || true  # once: else each process of a first run compiles all of it
	@touch $@

# bytecode is kept, whatever the environment says: each process of the suite would compile all of it again
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY) $(COMPILED)  ## run the suite (what needs a browser is in test-browser, a database in test-postgres, a type checker in types)
	$(BIN)/python -m pytest -n 6 --dist worksteal -m "$(SUITE)"  # half of it waits for simulated services

test-browser: $(READY)  ## look at the report in a real chromium
	$(BIN)/python -m pytest -m browser

test-image: $(READY)  ## do the steps of the Dockerfile, and run what they make as another user
	$(BIN)/python -m pytest -m image

test-postgres: $(READY)  ## hold the journal in a real PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist worksteal -m postgres

image:           ## build the image, run it read-only, and stop it (needs docker)
	scripts/try_image.sh

check: lint types imports docs bench-quick test-browser test-image test-postgres test   ## everything that must hold before a commit

lint: $(READY)   ## formatting, ruff and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell

docs: $(READY)   ## build the pages as a site, in docs/_build; a warning is an error
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs docs/_build

types: $(READY)  ## mypy, strict; and pyright, strict, on the examples of docs/python.md
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m checker tests/api

page-types:      ## check the types of the page's script with TypeScript, strictly (needs npm)
	npx --yes -p typescript@5.9 tsc -p batchgen/output/page/jsconfig.json

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

NIGHTS ?= 0-19
nights: $(READY) ## play sixty nights of a batch that repeats, twenty times over (NIGHTS=first-last)
	$(BIN)/python -m tests.proof.nights $(NIGHTS)

ZOMBIES ?= 0-999
zombies: $(READY) ## let runs wake and go on after another one took over, in a thousand seeds (ZOMBIES=first-last)
	$(BIN)/python -m tests.proof.zombies $(ZOMBIES)

KILLS ?= 600
kills: $(READY)  ## kill -9 the installed command six hundred times, and count what was charged (KILLS=n)
	$(BIN)/python -m tests.proof.kills --kills $(KILLS)

HOSTS_KILLS ?= 100
HOSTS_STOPS ?= 50
HOSTS_SEED  ?= 0
hosts: $(READY)  ## kill and stop the leaders of two hosts on one PostgreSQL, and count what was charged (HOSTS_KILLS=n HOSTS_STOPS=n HOSTS_SEED=n)
	$(BIN)/python -m tests.proof.hosts --kills $(HOSTS_KILLS) --stops $(HOSTS_STOPS) --seed $(HOSTS_SEED)

ROUNDS ?= 6
workers: $(READY)  ## kill, stop and cut off workers of a pool, six times over, and count what was charged (ROUNDS=n)
	$(BIN)/python -m tests.proof.workers --rounds $(ROUNDS)

cov: $(READY)    ## branch coverage, in process; fails below the floor in pyproject.toml
	$(BIN)/python -m pytest -n 4 --dist worksteal -m "$(SUITE)" -q --cov --cov-report=term:skip-covered

test-lowest:     ## run the suite with the oldest libraries that pyproject.toml allows
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct -e '.[test]'
	.venv-lowest/bin/python -m pytest -n 6 --dist worksteal -m "$(SUITE)"

dist: $(READY)   ## build wheel and sdist, try the wheel, and run the suite from the unpacked sdist
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	mkdir dist/try && tar -xzf dist/*.tar.gz -C dist/try --strip-components=1
	$(PYTHON) -m venv dist/try/.venv
	dist/try/.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$$(echo dist/*.whl)[test]"
	cd dist && try/.venv/bin/batchgen run ../jobs.example.yaml --simulate --quiet -o try/output
	cd dist/try && .venv/bin/python -m pytest -n 6 --dist worksteal -m "$(SUITE)"
	rm -rf dist/try

lock: $(READY)   ## write down the versions that are installed
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:           ## remove what was set up
	rm -rf $(VENV) .venv-lowest docs/_build .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
