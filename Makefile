# Everything a developer or CI runs. The first two targets need nothing but python3.11, gcc and git.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Nothing here asks AWS for anything: no announcements of the SDK, no look for credentials.
export SAGEMAKER_SUPPRESS_V2_WARNING := 1
export AWS_EC2_METADATA_DISABLED := true
# SDK v3 excludes v2: it has an environment of its own. Not compiled: most of it is never imported.
V3 := .venv-v3
# The frameworks, at their newest and at the oldest that are supported.
INTEGRATIONS := .venv-integrations
FLOOR := .venv-integrations-floor
# What builds, uploads and audits, whose packages an SDK does not go together with.
RELEASE := .venv-release
# The generator of the site, which needs none of the others.
SITE := .venv-docs
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# An image to build the tests' training image on; none: one of our own, which needs no registry.
BASE :=

# Of `make fuzz`: seconds for all properties together; which of them (none: all), the seed.
SECONDS := 600
FUZZ :=
# Of `make test`: tests mostly wait for processes of their own. 0: one after the other.
WORKERS := 3
# Of `make release-check`: as --pythons 3.11 --extras client, or --large.
CHECK :=

.PHONY: audit bench bench-core bench-data bench-full demo docker-test fuzz notebooks release-check test test-ranks test-gpu test-v3 test-integrations test-integrations-floor check format lint types tests coverage docs site clean

demo: $(VENV)/demo.installed  ## set up and run the main job: twins on real data, one table
	$(BIN)/python demo/run_demo.py

test: $(VENV)/dev.installed  ## set up and run the whole test suite
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile $(PYTEST)

test-ranks: $(VENV)/dev.installed  ## of these only the tests of several processes
	$(BIN)/python -m pytest tests/ranks $(PYTEST)

test-v3: $(VENV)/dev.installed $(V3)/dev-v3.installed  ## the tests of SDK v3
	$(V3)/bin/python -m pytest tests/v3 $(PYTEST)

test-integrations: $(INTEGRATIONS)/dev-integrations.installed  ## transformers, Lightning, Accelerate
	$(INTEGRATIONS)/bin/python -m pytest tests/integrations $(PYTEST)

# transformers 4.46 reads its own checkpoints only if PyTorch 2.6 or newer is told to let it.
test-integrations-floor: $(FLOOR)/dev-integrations.installed  ## the same, with the oldest of each
	TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 $(FLOOR)/bin/python -m pytest tests/integrations $(PYTEST)

test-gpu: $(VENV)/dev.installed  ## the tests that need a CUDA device; without one each says so
	$(BIN)/python -m pytest -m gpu tests/gpu -rs $(PYTEST)

docker-test: $(VENV)/dev.installed $(V3)/dev-v3.installed  ## jobs in real containers; as root where no Docker runs
	$(BIN)/python docker/run_tests.py --base='$(BASE)' --v3=$(V3)/bin/python $(PYTEST)

# KEEP=--keep writes their pages to notebooks/rendered; NAMES="trial docker" runs those alone.
notebooks: $(VENV)/notebooks.installed  ## run the notebooks and make a page of each, in build/notebooks
	$(BIN)/python -m notebooks.runner $(KEEP) $(NAMES)

check: $(VENV)/dev.installed lint types test  ## what CI runs: format, lint, types, tests

format: $(VENV)/dev.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/dev.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.installed
	$(BIN)/mypy

coverage: $(VENV)/dev.installed  ## tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(PYTEST)

docs: $(VENV)/dev.installed  ## write the generated tables into README.md and docs/
	$(BIN)/python docs/generate.py

# The warning is about the generator's own future, not about these pages.
site: $(SITE)/docs.installed  ## build the documentation site into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

release-check: $(VENV)/dev.installed $(RELEASE)/release.installed  ## build, look into, install, lint and type what is to be released
	$(RELEASE)/bin/python .ci/release_check.py --typed-with $(BIN)/python $(CHECK)

audit: $(VENV)/dev.installed $(V3)/dev-v3.installed $(RELEASE)/release.installed  ## known vulnerabilities of what is installed
	$(RELEASE)/bin/python .ci/audit.py $(VENV) $(V3) $(RELEASE)

fuzz: $(VENV)/fuzz.installed  ## fuzz the parsers: make fuzz SECONDS=3600
	$(BIN)/python -m tests.fuzz.campaign --seconds $(SECONDS) $(FUZZ)

clean:
	rm -rf $(VENV) $(V3) $(INTEGRATIONS) $(FLOOR) $(RELEASE) $(SITE) site build dist *.egg-info bench-output demo-output .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: pyproject.toml setup.py constraints.txt | $(BIN)/python
	$(PIP) --editable '.[$*]'
	touch $@

$(V3)/bin/python:
	$(PYTHON) -m venv $(V3)

$(V3)/dev-v3.installed: pyproject.toml setup.py constraints-v3.txt | $(V3)/bin/python
	$(V3)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile \
		--constraint constraints-v3.txt --editable '.[dev-v3]'
	touch $@

$(INTEGRATIONS)/bin/python:
	$(PYTHON) -m venv $(INTEGRATIONS)

$(INTEGRATIONS)/dev-integrations.installed: pyproject.toml setup.py constraints.txt | $(INTEGRATIONS)/bin/python
	$(INTEGRATIONS)/bin/python -m pip --disable-pip-version-check install --quiet \
		--constraint constraints.txt --editable '.[dev-integrations]'
	touch $@

$(FLOOR)/bin/python:
	$(PYTHON) -m venv $(FLOOR)

$(FLOOR)/dev-integrations.installed: pyproject.toml setup.py constraints.txt | $(FLOOR)/bin/python
	grep -vE '^(accelerate|lightning|transformers)==' constraints.txt > $(FLOOR)/constraints.txt
	$(FLOOR)/bin/python -m pip --disable-pip-version-check install --quiet \
		--constraint $(FLOOR)/constraints.txt --editable '.[dev-integrations]' \
		'accelerate==1.1.*' 'lightning==2.4.*' 'transformers==4.46.*'
	touch $@

$(RELEASE)/bin/python:
	$(PYTHON) -m venv $(RELEASE)

$(RELEASE)/release.installed: pyproject.toml setup.py constraints.txt | $(RELEASE)/bin/python
	$(RELEASE)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile \
		--constraint constraints.txt --editable '.[release]'
	touch $@

$(SITE)/bin/python:
	$(PYTHON) -m venv $(SITE)

$(SITE)/docs.installed: pyproject.toml setup.py constraints.txt | $(SITE)/bin/python
	$(SITE)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile \
		--constraint constraints.txt --editable '.[docs]'
	touch $@

bench-core: $(VENV)/demo.installed  ## time the core (about half an hour), write benchmarks/results
	$(BIN)/python benchmarks/saving.py
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/memory_scale.py
	$(BIN)/python benchmarks/tables.py

bench: bench-data  ## what sifting is worth, in short: accuracy at the same compute, into bench-output
	$(BIN)/python benchmarks/learning/run.py short --results bench-output
	$(BIN)/python benchmarks/learning/page.py short --results bench-output

# Both halves at once, one a core; stopped at any time it goes on where it was. The folder
# benchmarks/results/ has the runs of all of it: move them away to make them anew.
bench-full: bench-data  ## the whole of it: rates are tuned, then all arms on all tasks (hours)
	for plan in tune full; do \
		$(BIN)/python benchmarks/learning/run.py $$plan --shard 1/2 & other=$$!; \
		$(BIN)/python benchmarks/learning/run.py $$plan --shard 2/2 && wait $$other || exit 1; \
		[ $$plan = full ] || $(BIN)/python benchmarks/learning/run.py choose || exit 1; \
	done
	$(BIN)/python benchmarks/learning/page.py full

bench-data: $(VENV)/bench.installed  ## fetch the learning benchmark's data; needs apt-get, dpkg-deb, npm
	$(BIN)/python benchmarks/learning/fetch.py
