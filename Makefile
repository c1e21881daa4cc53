# Everything a newcomer or a CI machine needs: Python 3.11+, make and a package registry.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What `make demo` and `make release` run, a part of the rest.
DEMO_READY := $(VENV)/.demo-ready
INSTALL := $(PYTHON) .ci/install.py
SOURCES := connector flows schemas warehouse sandbox tests .ci
# As many workers as there are cores. Which tests stay together: tests/conftest.py.
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 1
# Of the system: a browser (a font comes with it), a real pooler, and the source of a Turkish locale.
PACKAGES := chromium pgbouncer locales

# Tests start hundreds of processes: compiled once, not by each of them, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo test tests services screenshots worlds merges fleet postgres proof dbt bench histories pages kills injections peers record lint dictionary format release lock clean

help:                 ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

install: $(READY)     ## the environment in .venv, with all that tests need, from requirements.lock

$(READY): requirements.lock tests/flows/dedupe/data.lock .ci/uv.lock pyproject.toml
	$(INSTALL) $(VENV) requirements.lock tests/flows/dedupe/data.lock
	@touch $(DEMO_READY) $@

$(DEMO_READY): .ci/demo.lock .ci/uv.lock pyproject.toml
	$(INSTALL) $(VENV) .ci/demo.lock
	@touch $@

demo: $(DEMO_READY)   ## the main job once, against the sandbox, into demo/warehouse.duckdb
	$(BIN)/ninja-sync demo

test: $(READY) services   ## format, lint, types, import contracts; beside them tests, one of every kind: eight minutes on two cores
	$(MAKE) --no-print-directory -j 2 lint tests

tests: $(READY)
	$(PYTEST) -m "not proof" $(PYTEST_ARGS)

# Debian's, where we are root. Without a browser the tests of the desk fail; without the others a few tests are skipped, and say so.
services:
	@{ test -x /usr/sbin/pgbouncer || command -v pgbouncer; } >/dev/null && test -f /usr/share/i18n/locales/tr_TR && \
	$(BIN)/python -m tests.browser >/dev/null 2>&1 || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive && \
	  { apt-get install -qq -y --no-install-recommends $(PACKAGES) || { apt-get update -qq && \
	    apt-get install -qq -y --no-install-recommends $(PACKAGES); }; } >/dev/null 2>&1; } || \
	echo "Tests of the desk fail without a browser, and some others are skipped: they need $(PACKAGES) (as root: apt-get install $(PACKAGES))"

screenshots: $(READY) services  ## the pictures of docs/desk.md again: a walk through the desk in a real browser
	$(BIN)/python -m tests.flows.desk.screenshots

worlds: $(READY)       ## drawn clients and wishes, planned and applied on both engines, and killed at each request (WORLDS=300)
	NINJA_SYNC_WORLDS=$(or $(WORLDS),300) $(BIN)/python -m pytest -n $(WORKERS) tests/flows/push/test_push_worlds.py tests/flows/push/test_push_kills.py $(PYTEST_ARGS)

merges: $(READY)       ## drawn merges, and merges that die or are killed at each step (MERGES=1000: so many drawn)
	NINJA_SYNC_WORLDS=$(or $(MERGES),1000) $(BIN)/python -m pytest -n $(WORKERS) tests/flows/merge tests/connector/clients/test_merge.py $(PYTEST_ARGS)

fleet: $(READY)        ## 50 companies, two Prefect workers, one Postgres (FLEET=100: so many); ten minutes
	NINJA_SYNC_FLEET=$(or $(FLEET),50) $(BIN)/python -m pytest tests/flows/scheduled/test_fleet.py $(PYTEST_ARGS)

postgres: $(READY)    ## the tests of the warehouses on the oldest Postgres that the wheel ships
	NINJA_SYNC_TEST_POSTGRES=16 $(PYTEST) -k postgres $(PYTEST_ARGS) tests

proof: $(READY) services dbt   ## all tests that `make test` leaves out: the long, the drawn, the exhaustive ones; and dbt
	$(PYTEST) -m proof $(PYTEST_ARGS)

dbt: $(READY)         ## the project docs/dbt under a real dbt on both engines, in an environment of its own (a minute or two)
	$(INSTALL) .venv-dbt tests/dbt/requirements.lock --packages-only
	$(BIN)/python -m pytest tests/dbt/proof.py $(PYTEST_ARGS)

# The pulls come last: they end with an error if a target is missed.
bench: $(READY)       ## time and memory of pulls of 100,000 and 1,000,000 clients, into docs/benchmarks.md (half an hour)
	$(BIN)/python -m tests.bench.sandbox_pages
	$(BIN)/python -m tests.bench.dedupe_quality --write docs/duplicates-measured.md
	$(BIN)/python -m tests.bench.dedupe_certain
	$(BIN)/python -m tests.bench.dedupe_learn
	$(BIN)/python -m tests.bench.dedupe_scale
	$(BIN)/python -m tests.bench $(or $(BENCH_ARGS),--write docs/benchmarks.md)

histories: $(READY)   ## 10,000 histories of a server that changes while it is pulled; an hour (HISTORIES=300: so many)
	$(BIN)/python -m tests.histories.run $(or $(HISTORIES),10000) $(HISTORIES_ARGS)

pages: $(READY)        ## 100,000 drawn pages, typed column by column and record by record, compared (PAGES=1000000: so many)
	$(BIN)/python -m tests.schemas.pages $(or $(PAGES),100000) $(PAGES_ARGS)

kills: $(READY)       ## kill -9 at 300 random moments of pulls (KILLS=1000: so many); ten minutes on one core
	NINJA_SYNC_KILLS=$(or $(KILLS),300) $(BIN)/python -m pytest -rP tests/crashes/test_kills.py $(PYTEST_ARGS)

injections: $(READY)  ## kill or fail each call of a pull on its files; an hour (needs strace and root; EVERY=10: a tenth)
	$(BIN)/python -m tests.crashes.injections --every $(or $(EVERY),1)

peers: $(READY)       ## the same faults for dlt, airbyte-cdk and Ninja Sync, in an environment of their own (five minutes)
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r tests/peers/requirements.txt
	$(BIN)/python -m tests.peers.head_to_head

record: $(READY)      ## cassettes anew from the server of NINJA_SYNC_URL and NINJA_SYNC_TOKEN, into build/recorded
	$(BIN)/python -m tests.recorded $(or $(INTO),build/recorded) $(RECORD_ARGS)

lint: $(READY)        ## format, lint, types, import contracts
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

dictionary: $(READY)  ## docs/data-dictionary.md and docs/dbt/models/sources.yml anew
	$(BIN)/python -m warehouse.opened.dictionary > docs/data-dictionary.md
	$(BIN)/python -m warehouse.opened.dictionary dbt > docs/dbt/models/sources.yml

format: $(READY)      ## put the code into shape
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

release: $(DEMO_READY) ## sdist and wheel into dist/; the wheel is installed into a fresh environment and run
	rm -rf dist build/sdist build/fresh
	mkdir -p build/sdist
	$(BIN)/hatchling build -t sdist
	tar -xzf dist/*.tar.gz -C build/sdist --strip-components 1
	cd build/sdist && "$(CURDIR)/$(BIN)/hatchling" build -t wheel -d "$(CURDIR)/dist"
	$(INSTALL) build/fresh .ci/demo.lock --packages-only
	build/fresh/bin/python -m pip install --quiet --disable-pip-version-check --no-index "$$(echo dist/*.whl)[sandbox]"
	cd build/fresh && bin/ninja-sync --version && bin/ninja-sync --help >/dev/null && bin/ninja-sync demo
	@ls -l dist

# `make lock` moves every package to its newest release that fits; `make lock UPGRADE=` keeps what is locked.
UPGRADE ?= --upgrade
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock: $(READY)        ## resolve the locks again: for tests, its part for the demo, uv's and dbt's
	$(COMPILE) $(UPGRADE) --group build --extra test pyproject.toml -o requirements.lock
	$(COMPILE) $(UPGRADE) --group build --extra sandbox -c requirements.lock pyproject.toml -o .ci/demo.lock
	echo 'uv>=0.13,<0.14' | $(COMPILE) $(UPGRADE) - -o .ci/uv.lock
	$(COMPILE) $(UPGRADE) tests/dbt/requirements.in -o tests/dbt/requirements.lock

clean:                ## remove what was made here
	rm -rf $(VENV) .venv-peers .venv-dbt demo build dist .mypy_cache .ruff_cache .import_linter_cache
