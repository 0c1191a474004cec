# The only door: every task of the project starts here. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
RECIPE ?= asli
VERSION ?= dev
OUT ?= build/report.json
STAGE ?= dev
EMAIL ?=
RUN ?= build/runs/$(RECIPE)
CHECKPOINT ?= $(RUN)/best.pt

VENV := .venv
BIN := $(VENV)/bin
NODE := node_modules/.installed
LIGHTHOUSE := node_modules/.installed-lighthouse
MINISTACK := build/ministack/installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Docker's attestations make images that Lambda refuses.
CDK := PATH="$(CURDIR)/$(BIN):$$PATH" BUILDX_NO_DEFAULT_ATTESTATIONS=1 CDK_DISABLE_CLI_TELEMETRY=true \
  npx cdk --context stage=$(STAGE) $(EMAIL:%=--context operator_email=%)
CODE := asli_cli asli_client benchmarks detector infra lambda_api training static_site tests

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help serve site detect check test test-deployed browser openapi format train release evaluate checks bench screenshots lighthouse synth deploy smoke destroy clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/api site ## start site and API on http://127.0.0.1:8000 (PORT= changes it)
	@$(BIN)/python -m lambda_api.entrypoints.local --host 127.0.0.1 --port $(PORT) --site build/site

site: $(VENV)/api ## render the pages into build/site
	@$(BIN)/python -m static_site.render --out build/site

detect: $(VENV)/api ## analyse images: make detect FILES="a.jpg b.png folder/"
	@test -n "$(FILES)" || { echo 'Say which files: make detect FILES="a.jpg folder/"'; exit 2; }
	@$(BIN)/asli detect $(FILES)

check: $(VENV)/dev ## format, lint, types, import contracts, unit tests: no torch, no browser
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n auto -m "not browser and not torch and not slow"

test: check $(VENV)/training browser $(NODE) ## install what the tests need and run all that can run here: check, then the others
	$(BIN)/python -m pytest -n auto -m "(browser or torch) and not slow"
	$(BIN)/python -m pytest -m slow

test-deployed: $(VENV)/dev browser $(NODE) $(MINISTACK) ## deploy a stage to an emulated AWS, use it, destroy it: needs root and Docker
	ASLI_DEPLOYED_TESTS=1 $(BIN)/python -m pytest tests/deployed

$(MINISTACK):
	@echo "Installing MiniStack into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check ministack==1.5.33
	@touch $@

browser:
	@command -v chromium >/dev/null || { \
	  echo "Installing Chromium for the browser tests"; \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq chromium >/dev/null; }

openapi: $(VENV)/dev ## write the API's contract into openapi.json
	$(BIN)/python -m lambda_api.entrypoints.contract --out openapi.json

format: $(VENV)/dev ## rewrite the code in the project's format
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

# glibc would give the memory of each large tensor back, and ask for it again page by page: a third of the time of a step.
# Beyond two gigabytes it may: a long run ended for want of memory without that bound.
train: export MALLOC_ARENA_MAX = 1
train: export MALLOC_MMAP_MAX_ = 0
train: export MALLOC_TRIM_THRESHOLD_ = 2000000000
train: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1
train: $(VENV)/training ## train a model: make train RECIPE=asli DATA="folder …" (goes on where it stopped)
	@test -n "$(DATA)" || { echo 'Say where the images are: make train DATA="folder …"'; exit 2; }
	$(BIN)/python -m training.train --recipe $(RECIPE) $(DATA:%=--data %) --out $(RUN) $(TRAIN_FLAGS)

release: $(VENV)/training browser ## export, quantise, calibrate and measure the CHECKPOINT into detector/models
	@test -n "$(DATA)" || { echo 'Say where the images are: make release DATA="folder …"'; exit 2; }
	$(BIN)/python -m training.release --checkpoint $(CHECKPOINT) --version $(VERSION) \
	  $(DATA:%=--data %) --out detector/models

evaluate: $(VENV)/evaluation ## measure the shipped model: make evaluate DATA=folder OUT=report.json
	@test -n "$(DATA)" || { echo 'Say where the images are: make evaluate DATA=folder OUT=report.json'; exit 2; }
	$(BIN)/python -m training.evaluate $(DATA:%=--data %) --out $(OUT)

bench: $(VENV)/dev $(VENV)/training ## measure speed and memory into build/bench.json (BENCH_FLAGS="--soak 600")
	$(BIN)/python -m benchmarks --out build/bench.json $(BENCH_FLAGS)

checks: $(VENV)/evaluation browser ## measure re-saves, gate and heatmap of the shipped model into its report: DATA=folder
	@test -n "$(DATA)" || { echo 'Say where the images are: make checks DATA="folder …"'; exit 2; }
	$(BIN)/python -m training.checks $(DATA:%=--data %)

screenshots: $(VENV)/dev browser ## pictures of every page into build/screenshots
	$(BIN)/python -m tests.site.screenshots --out build/screenshots

lighthouse: $(VENV)/dev browser $(LIGHTHOUSE) ## Lighthouse's marks for Home on a phone, bytes and layout shift
	@$(BIN)/python -m tests.site.lighthouse --out build/lighthouse.json

synth: $(VENV)/cloud $(NODE) ## the CloudFormation template of STAGE=dev or prod, without an account
	@$(CDK) synth --quiet

deploy: $(VENV)/cloud $(NODE) ## everything into your AWS account: make deploy STAGE=dev EMAIL=you@example.org
	@docker info >/dev/null 2>&1 || { echo "Docker does not answer: start it, since the functions are an image."; exit 1; }
	@$(BIN)/python -m infra.account
	@test "$$(npx cdk --version | cut -d ' ' -f 1)" = "$$(node -p "require('./package.json').devDependencies['aws-cdk']")" \
	  || { echo "The CDK's command line is not the one in package.json: run make clean and try again."; exit 1; }
	$(CDK) bootstrap
	$(CDK) deploy --require-approval never --outputs-file build/outputs.json
	@$(BIN)/python -m json.tool build/outputs.json

destroy: $(VENV)/cloud $(NODE) ## delete the stage's stack, and outside production all of its data
	$(CDK) destroy --force

smoke: $(VENV)/cloud ## check a deployed stage: make smoke URL=https://…
	@test -n "$(URL)" || { echo 'Say where the site is: make smoke URL=https://…'; exit 2; }
	@$(BIN)/python -m infra.smoke $(URL)

clean: ## remove everything that make built
	rm -rf $(VENV) build *.egg-info cdk.out node_modules

$(NODE): package.json
	@command -v npm >/dev/null || { \
	  echo "Installing Node for the CDK's command line"; \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq npm >/dev/null; }
	@npm install --silent --no-package-lock --no-audit --no-fund --omit=optional
	@touch $@

$(LIGHTHOUSE): package.json $(NODE)
	@npm install --silent --no-package-lock --no-audit --no-fund
	@touch $@

$(VENV)/python: ## not a task of its own
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/%: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing what '$*' needs into $(VENV)"
	@$(PIP) --editable '.[$*]'
	@touch $@
