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

# The locks hold what was published before this day; further flags, for example:
# make lock LOCK_FLAGS="--upgrade-package flask"
LOCK_DATE ?= 2026-11-20
LOCK_FLAGS ?=

# Percentage of small changes to rules that their tests must notice. It only rises: the rules of the
# second edition still lack cases at the edges of look-backs and for the statuses of new facts.
RULE_MUTANTS_NOTICED := 80

# Processes that the tests are dealt out to.
TEST_WORKERS ?= 2
PYTEST = $(BIN)/python -m pytest -q
TESTS = -n $(TEST_WORKERS) --dist worksteal \
	-m "not browser and not proxy and not bench and not installed and not spark"

.PHONY: help run test test-pythons coverage mutants-py check bench soak burden fuzz relations population-bench browser frontend frontend-check proxy spark docs dist installed deploy image release lock clean oracle
.NOTPARALLEL:

help:
	@echo "make run      start the service on 127.0.0.1 without authentication (CDS_PORT, default 5005)"
	@echo "make test     run the tests"
	@echo "make test-pythons  the tests on the other Pythons and with the lowest versions"
	@echo "make coverage the tests, and whether they reach as much of the core as before"
	@echo "make mutants-py  changes of the program that no test notices (MUTANTS=\"--sample 100 rules\")"
	@echo "make check    style, types, import directions, the clinical pack and its tests"
	@echo "make browser  the tests that need Chromium"
	@echo "make frontend build the workbench's script and style again (needs Node 20 and npm)"
	@echo "make frontend-check whether what is committed is what frontend/ gives"
	@echo "make proxy    the tests behind nginx with TLS"
	@echo "make spark    the population run on Spark (needs Java)"
	@echo "make oracle   a second engine judges the rules' tests and generated charts (needs Node 20)"
	@echo "make docs     build the documents as a site in build/site"
	@echo "make dist     build the source distribution and the wheel"
	@echo "make installed  tests of the wheel in a bare environment, and the drill of the operators' guide"
	@echo "make deploy   check deploy/ with helm, kubectl, promtool, systemd-analyze and Kubernetes' schemas"
	@echo "make image    build the container image without a daemon, run it, test it"
	@echo "make fuzz     the reader of calls against a plain one, 300,000 bodies"
	@echo "make relations  what changes nothing of a call changes none of its cards, 50,000 calls"
	@echo "make bench    measure speed and memory"
	@echo "make soak     mutated calls over HTTP: no 5xx, level memory (CALLS, default 20000; MINUTES)"
	@echo "make burden   cards per 100 encounters, by service and rule, over a folder of charts"
	@echo "make population-bench  measure the population run (POPULATION_CHARTS=2000)"
	@echo "make population-trial  its tests with 10,000 charts, and 200 encounters sent to the service"
	@echo "make release  build and check all that a release consists of"
	@echo "make lock     write the locks again"
	@echo "make clean    remove .venv and everything that was built"

run: $(RUNTIME)
	@echo "Starting on 127.0.0.1:$${CDS_PORT:-5005}, without authentication, for this machine only ..."
	@CDS_AUTH=off CDS_HOST=127.0.0.1 CDS_PORT=$${CDS_PORT:-5005} exec $(BIN)/cds serve --sample

test: $(DEV)
	$(PYTEST) $(TESTS)

test-pythons: $(DEV)
	TEST_WORKERS=$(TEST_WORKERS) .ci/test-pythons

# The gate is on what decides about cards; branches count. Processes that tests start do not.
CORE = cds_service/facts/*,cds_service/rules/*,cds_service/gather/*,cds_service/cards/*,cds_service/callers/*,cds_service/units/*
CORE_COVERED = 96

coverage: $(DEV)
	$(PYTEST) $(TESTS) --cov --cov-report=
	$(BIN)/coverage report --include="$(CORE)" --fail-under=$(CORE_COVERED)

mutants-py: $(DEV)
	$(BIN)/python -m tests.mutants.run $(MUTANTS)

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
	run cds rules test --mutate --least $(RULE_MUTANTS_NOTICED); \
	if [ -n "$$failed" ]; then printf 'check: these failed:%b\n' "$$failed" >&2; exit 1; fi; \
	echo "check: all passed"

# CALLS=1000000 for a long run.
soak: $(DEV)
	$(BIN)/python -m tests.performance.soak $${CALLS:-20000} --minutes $${MINUTES:-1440}

bench: $(DEV)
	$(BIN)/python -m tests.performance.bench

# Over the charts of CDS_INDEPENDENT_DATA where they are named, else over the project's own.
burden: $(RUNTIME)
	$(BIN)/cds rules stats --orders $(if $(CDS_INDEPENDENT_DATA),$(CDS_INDEPENDENT_DATA)/patients,hooks/patients)

population-bench: $(DEV)
	$(BIN)/python -m tests.performance.population

# What a build tries with few: many charts with all that goes wrong, on both engines (after `make
# spark`), and encounters sent to a running service.
population-trial: $(DEV)
	CDS_POPULATION_CHARTS=$${POPULATION_CHARTS:-10000} \
	CDS_POPULATION_SAMPLE=$${POPULATION_SAMPLE:-200} $(PYTEST) -p no:xdist \
		tests/population/test_population_large.py tests/population/test_population_service.py

# The one reader against a plain one, 300,000 bodies: 40 minutes of one core. CDS_FUZZ_SEED chooses
# others; CDS_FUZZ_FIRST begins at a later one, so that a run may be split or taken up again.
fuzz: $(DEV)
	CDS_FUZZ_BODIES=$${CDS_FUZZ_BODIES:-300000} $(BIN)/python -m pytest -q -s -p no:xdist \
		tests/property/test_one_reader.py

# Metamorphic relations over charts at random, 50,000 calls: ten minutes of one core. _SEED and _FIRST
# as for the fuzz.
relations: $(DEV)
	CDS_RELATIONS_CALLS=$${CDS_RELATIONS_CALLS:-50000} $(BIN)/python -m pytest -q -s -p no:xdist \
		tests/property/test_same_cards_of_any_chart.py

browser: $(DEV)
	.ci/install-node
	cd frontend && npm ci --silent --no-audit --no-fund # axe
	.ci/install-chromium
	$(PYTEST) -m browser

proxy: $(DEV)
	.ci/install-nginx
	$(PYTEST) -m proxy tests/proxy

# The wheel is built from the source distribution, so that both are whole. The second wheel holds the
# value sets and the drug dictionary alone (docs/decisions/0015-terminology-wheel.md).
dist: $(DEV)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist . >build.log 2>&1 || { cat build.log; exit 1; }
	rm -rf build/terminology
	$(BIN)/cds terminology package build/terminology
	$(BIN)/python -m build --no-isolation --wheel --outdir dist build/terminology >build.log 2>&1 \
		|| { cat build.log; exit 1; }
	@rm build.log; ls dist

# PySpark is installed beside the rest: it holds all of the development lock, and Java is needed.
spark: $(DEV)
	.ci/install-java
	$(PIP_INSTALL) --no-deps --require-hashes -r requirements-spark.lock
	$(PYTEST) -m spark tests/population

# ORACLE=--short for what .ci/run asks.
oracle: $(DEV)
	.ci/install-node
	cd tests/oracle && npm ci --silent --no-audit --no-fund
	$(BIN)/python -m tests.oracle $(ORACLE)

installed: dist
	.ci/install-nginx # the drill of the operators' guide puts it before the service
	CDS_INSTALLED="$$(PYTHON=$(PYTHON) .ci/install-wheel)" $(PYTEST) -m installed tests/installed

deploy: $(DEV)
	.ci/deploy-tools >/dev/null || echo "Not all programs could be had: their tests are skipped by name." >&2
	$(PYTEST) tests/deploy

# BASE_IMAGE names the base image; without it one is made of Debian's packages. Ten minutes.
image: $(DEV)
	.ci/install-podman
	IMAGE_STORE="$$(.ci/build-image)" $(PYTEST) -m installed tests/installed/test_image.py

docs:
	"$$(PYTHON=$(PYTHON) .ci/release-tools)/mkdocs" build --strict --quiet

release: $(DEV)
	PYTHON=$(PYTHON) .ci/release

# The built files are committed: only whoever changes frontend/ needs this.
frontend:
	cd frontend && npm ci --no-audit --no-fund && npm run build

frontend-check:
	.ci/install-node
	.ci/check-frontend

lock:
	PYTHON=$(PYTHON) .ci/lock $(LOCK_DATE) $(LOCK_FLAGS)

clean:
	rm -rf $(VENV) .venv-lock build dist *.egg-info .coverage .coverage.* htmlcov \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed, and $(PYTHON) is not one: install it, or name another with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments: install Debian's package python3-venv (apt-get install python3-venv)." >&2; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): $(CREATED) requirements.lock pyproject.toml setup.py
	@echo "Installing what requirements.lock names into $(VENV): about a minute the first time ..."
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements.lock
	@$(PIP_PROJECT)
	@touch $@

# The development lock holds all of the runtime lock, hence both stamps.
$(DEV): $(CREATED) requirements.lock requirements-dev.lock pyproject.toml setup.py
	@echo "Installing what requirements-dev.lock names into $(VENV): a few minutes the first time ..."
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements-dev.lock
	@$(PIP_PROJECT)
	@touch $(RUNTIME) $@
