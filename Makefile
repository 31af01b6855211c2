# `make run` starts the service, `make test` runs the tests; both install into .venv what the
# locks name. Needs Python 3.11 or later with venv, make and git. Another Python:
# `make clean`, then `make PYTHON=python3.13 test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The stamps say what .venv holds; a changed lock or project file makes them stale.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

PIP_INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet
PIP_PROJECT = $(PIP_INSTALL) --no-deps --no-build-isolation --editable .

# Flags for `make lock`, for example: make lock LOCK_FLAGS=--upgrade
LOCK_FLAGS ?=
PIP_TOOLS := pip-tools==7.6.2
LOCK_ENV := .venv-lock
PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(LOCK_ENV)/bin/pip-compile --quiet \
	--generate-hashes --strip-extras --allow-unsafe --build-deps-for=editable \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(LOCK_FLAGS)

.PHONY: help run test check bench browser frontend proxy lock clean
.NOTPARALLEL:

help:
	@echo "make run      start the service on 127.0.0.1 without authentication (CDS_PORT, default 5005)"
	@echo "make test     run the tests"
	@echo "make check    style, types, import directions, the clinical pack and its tests"
	@echo "make browser  the tests that need Chromium"
	@echo "make frontend build the workbench's script and style again (needs Node 20 and npm)"
	@echo "make proxy    the tests behind nginx with TLS"
	@echo "make bench    measure speed and memory"
	@echo "make lock     write requirements.lock and requirements-dev.lock again"
	@echo "make clean    remove .venv and everything that was built"

run: $(RUNTIME)
	@CDS_AUTH=off CDS_HOST=127.0.0.1 CDS_PORT=$${CDS_PORT:-5005} exec $(BIN)/cds serve --sample

test: $(DEV)
	$(BIN)/python -m pytest -q -m "not browser and not proxy and not bench"

# Runs everything, then names what failed.
check: $(DEV)
	@failed=; \
	run() { \
		echo "== $$*"; \
		"$(BIN)/$$@" || failed="$$failed\n  $$* (exit $$?)"; \
	}; \
	run ruff check .; \
	run ruff format --check .; \
	run mypy; \
	run lint-imports --no-logo; \
	run cds rules check; \
	run cds rules test --mutate; \
	if [ -n "$$failed" ]; then printf 'check: these failed:%b\n' "$$failed" >&2; exit 1; fi; \
	echo "check: all passed"

bench: $(DEV)
	$(BIN)/python -m tests.performance.bench

browser: $(DEV)
	.ci/install-chromium
	$(BIN)/python -m pytest -q -m browser

proxy: $(DEV)
	.ci/install-nginx
	$(BIN)/python -m pytest -q -m proxy tests/proxy

# The built files are committed: only whoever changes frontend/ needs this.
frontend:
	cd frontend && npm ci --no-audit --no-fund && npm run build

# Made with Python 3.11, the oldest supported: what it needs and later versions don't is harmless.
lock:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "make lock needs Python 3.11: make PYTHON=python3.11 lock" >&2; exit 1; }
	rm -rf $(LOCK_ENV)
	$(PYTHON) -m venv $(LOCK_ENV)
	$(LOCK_ENV)/bin/python -m pip --disable-pip-version-check install --quiet $(PIP_TOOLS)
	$(PIP_COMPILE) --output-file=requirements.lock pyproject.toml
	$(PIP_COMPILE) --extra=dev --constraint=requirements.lock \
		--output-file=requirements-dev.lock pyproject.toml
	rm -rf $(LOCK_ENV)

clean:
	rm -rf $(VENV) $(LOCK_ENV) build dist *.egg-info .coverage htmlcov \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed, and $(PYTHON) is not one: install it, or name another with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments: install Debian's package python3-venv (apt-get install python3-venv)." >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): $(CREATED) requirements.lock pyproject.toml setup.py
	$(PIP_INSTALL) --require-hashes -r requirements.lock
	$(PIP_PROJECT)
	@touch $@

# The development lock holds all of the runtime lock, hence both stamps.
$(DEV): $(CREATED) requirements.lock requirements-dev.lock pyproject.toml setup.py
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	$(PIP_PROJECT)
	@touch $(RUNTIME) $@
