# Daily commands. `make` lists them; each calls the script that continuous integration calls.
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

run:  ## Set the machine up and start the web server
	./run.sh

fast:  ## Unit, web and house tests, without package checks; under a minute
	./test.sh fast

test:  ## Everything that a change must pass
	./test.sh

coverage: $(VENV)  ## Fast tests and tests/processes; coverage must not fall below the floor in pyproject.toml
	$(PY) -m pytest -q -n 2 tests/house tests/unit tests/web tests/processes --cov --cov-report=term

campaign:  ## The long tests: soaks, crowds, kill rounds
	./test.sh campaign

lint: $(VENV)  ## Format check, ruff, mypy, import rules, spelling, shell
	scripts/lint.sh

fix: $(VENV)  ## Format and repair what can be repaired automatically
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	git ls-files '*.sh' mcr .ci/run | xargs $(VENV)/bin/shfmt --write
	PATH="$$PWD/$(VENV)/bin:$$PATH" node_modules/.bin/biome format --write

bench:  ## List the benchmarks; each is a module of its own
	@for file in benchmarks/*.py; do module=$${file%.py}; case $$module in */__init__) ;; *) \
	  printf '  %s -m %s\n' "$(PY)" "$$(echo $$module | tr / .)";; esac; done

docs:  ## Write the generated tables, then check that the documentation agrees with the code
	$(PY) scripts/generate_docs.py
	$(PY) -m pytest -q tests/house

assets:  ## Fetch the vendored browser assets again and check their digests
	$(PY) scripts/vendor_assets.py

lock:  ## Resolve pyproject.toml into the requirements files, with hashes
	scripts/lock.sh

$(VENV):
	bash -c '. scripts/setup.sh; set_up test'

.PHONY: help run fast test coverage campaign lint fix bench docs assets lock
