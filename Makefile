# Two commands on a fresh machine: `make demo` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN_STAMP := $(VENV)/.installed-to-run
EXTRAS_STAMP := $(VENV)/.installed-extras

.DEFAULT_GOAL := help
.PHONY: help setup extras demo test test-slow test-again hostile audit lint format types types-js layering bench ui page-sdk clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

define make_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
@echo "setting up $(VENV) (one or two minutes the first time; later runs skip this)"
@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
endef

setup: $(STAMP)  ## create .venv and install from the pins

$(STAMP): pyproject.toml constraints.txt
	$(make_venv)
	@$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	@touch $(RUN_STAMP) $(STAMP)

# What the demo needs, without the tools of the tests: half of the time.
$(RUN_STAMP): pyproject.toml constraints.txt
	$(make_venv)
	@$(BIN)/python -m pip install --constraint constraints.txt --editable .
	@touch $(RUN_STAMP)

extras: $(EXTRAS_STAMP)  ## install the optional parts too (text recognition, names, scale-out, torch)

$(EXTRAS_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,ocr,scale,privacy,torch,voice]'
	@touch $(EXTRAS_STAMP)

demo: $(RUN_STAMP)  ## documents -> conversation -> evaluations -> report, no key needed
	@$(BIN)/vivavoce demo

test: $(STAMP)  ## the default tests: nothing but Python is needed
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(if $(PROFILE),--hypothesis-profile $(PROFILE))

test-slow: $(STAMP)  ## real processes, weights and shared data sets
	@$(BIN)/python -m pytest -m slow --numprocesses 2 --dist loadfile --timeout 1800 --durations 25

test-again: $(STAMP)  ## only what failed the last time, one after another
	@$(BIN)/python -m pytest -m 'slow or not slow' --last-failed --last-failed-no-failures none --timeout 1800

hostile: $(STAMP)  ## input made to break in or to exhaust; a release must pass it
	@$(BIN)/python -m pytest -m hostile

lint: $(STAMP)  ## style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMP)  ## apply formatting and safe fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The scale-out modules import packages of an extra, so types want that extra too.
types: $(EXTRAS_STAMP) types-js  ## static types; installs the optional parts first
	@$(BIN)/pyright

TYPESCRIPT := typescript@7.0.2
CLIENT := conversation/server/pages/client
types-js:  ## static types of the scripts of the pages (needs npm)
	@if command -v npm >/dev/null; then \
		npm exec --yes --silent --package=$(TYPESCRIPT) -- tsc -p $(CLIENT) && echo "types of $(CLIENT) are right"; \
	else echo "types of $(CLIENT) are not checked: npm is not installed"; \
		test -z "$$TESTS_MUST_NOT_SKIP"; fi

layering: $(STAMP)  ## who may import whom
	@$(BIN)/lint-imports

# A database that answers for no package is an error, not a clean bill.
audit: $(STAMP)  ## known holes in the pinned packages, asked of a public database: needs the network
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet 'pip-audit>=2.10'
	@$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

# The baseline of `ingest` runs on torch, which is an extra.
bench: $(EXTRAS_STAMP)  ## figures of the design, side by side with baselines; QUICK=1 takes minutes
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

ui: $(RUN_STAMP)  ## the Dagster UI on the demo's instance
	@$(BIN)/vivavoce ui

SDK := @elevenlabs/client@1.25.0
page-sdk:  ## put the published JavaScript SDK under the talk page, in place of its own client (needs npm)
	@folder=$${VIVAVOCE_STORE_DIR:-$${VIVAVOCE_DATA_DIR:-data}/store}/page; mkdir -p "$$folder" && cd "$$folder" && \
		tar -xzOf "$$(npm pack --silent $(SDK))" package/dist/lib.iife.js > sdk.js.new && \
		rm -f ./*.tgz && mv sdk.js.new sdk.js && echo "the talk page uses $(SDK)"

clean:  ## remove run-time state, keep .venv
	rm -rf data/store
