# One way in. `make help` lists the words; each is a few lines here, the work is done in tools/.
.DEFAULT_GOAL := help
.PHONY: help setup demo check test test-all bench docs requirements wheels lock clean

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 setup` takes another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
DEV := .venv/bin
PYTEST_ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

setup: ## .venv with the locked tools and both distributions, editable
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer is needed and was not found on PATH" >&2; exit 2; }
	@$(PYTHON) tools/environment.py development

demo: setup ## a real app, taken to production on this machine
	@$(DEV)/python tools/demo.py

check: setup ## format, lint, types, layers, docs fresh, versions
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/python tools/gendocs.py --check
	$(DEV)/python -m pytest -q tests/architecture

test: setup ## the built wheels under test, the quick parts first, the real things last
	@$(DEV)/python tools/environment.py testing
	@$(DEV)/python tools/testbed.py --install
	.venv-test/bin/python -m pytest $(PYTEST_ARGS)

test-all: setup ## the long forms too, in random order; SHARD=2/8 runs the second eighth
	@$(DEV)/python tools/environment.py testing
	@$(DEV)/python tools/testbed.py --install
	.venv-test/bin/python -m pytest -p randomly --also long $(if $(SHARD),--shard $(SHARD)) $(PYTEST_ARGS)

bench: setup ## the speed we promise, as ratios; writes benchmarks/RESULTS.md
	@$(DEV)/python benchmarks/run.py

docs: setup ## the generated pages of docs/reference
	$(DEV)/python tools/gendocs.py

requirements: setup ## which promise is held by which test, and which is not yet
	@$(DEV)/python tools/requirements.py

wheels: setup ## both wheels, in build/wheels
	@$(DEV)/python tools/environment.py wheels && ls build/wheels

lock: setup ## lock requirements/*.in anew, cooled for a week
	$(DEV)/python tools/lock.py

clean: ## what the words above have made
	rm -rf .venv .venv-test build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
