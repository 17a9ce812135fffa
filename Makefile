# Each target builds what it needs in .venv; the next time, it is there already.
#
#   make embed       HEAR's validator on the networks, then embeddings of a few real clips in a table
#   make test        linter, formatter, spelling, type checker, tests and doctests; stops at the first that fails
#   make test-all    the same with the slow tests
#   make hear        HEAR's tools (heareval, hear-validator) in .venv, to be used by hand
#   make hear-smoke  HEAR's own commands from audio to scores on two small tasks
#   make table       the cross-domain table of six small tasks made of Debian's and PyPI's packages, 133 MB; ten minutes
#   make pretrain    three small networks from nothing: fetch, match, train, export, embed; a few minutes
#   make docs        the documentation in build/docs, its examples executed; warnings are errors, no network is needed
#   make docs-links  the documentation's links to other sites
#   make prove       kills, full disks, changing files, large collections and fuzzing; one to two hours
#   make readme      README's tables, from the networks' cards and benchmark/results
#   make clean       remove .venv and everything that was built
#
# PYTHON=python3.12 chooses the Python that .venv is made with, MODEL=FILE the checkpoint for hear-smoke.
# TABLE=FOLDER and ROWS=MODELS say where `make table` writes, and of what;
# PRETRAIN=FOLDER, HOURS and STEPS say where `make pretrain` works, on how much audio and for how long.

PYTHON ?= python3
VENV ?= .venv
MODEL ?=
SMOKE ?= build/hear-smoke
TABLE ?= build/table
ROWS ?= both,speech,nonspeech,untrained,logmel
PRETRAIN ?= build/pretrain
HOURS ?= 0.1
STEPS ?= 20

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install -c constraints.txt

.PHONY: help embed test test-all hear hear-smoke table pretrain prove readme docs docs-links clean
.DELETE_ON_ERROR:
# Installing twice at the same time breaks an environment, so `make -j` does one thing after the other, too.
.NOTPARALLEL:

help:
	@sed -n 's/^#   //p' Makefile

# --- the environment, in three layers; a layer is built again when what it was built from changes -----------------

$(VENV)/.package: setup.cfg pyproject.toml constraints.txt byola_hear/__init__.py
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit("expected Python 3.10 or later, got " + v if sys.version_info < (3, 10) else 0)'
	@echo "Installing the package into $(VENV)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	touch $@

$(VENV)/.test: $(VENV)/.package
	@echo "Installing what the tests need into $(VENV)"
	$(INSTALL) -e '.[test]'
	touch $@

$(VENV)/.browser: $(VENV)/.test
	@echo "Installing what drives browsers into $(VENV)"
	$(INSTALL) -e '.[browser]'
	touch $@

# The versions that heareval and hearvalidator require no longer exist, so they are installed without their requirements;
# benchmark/requirements-hear.txt replaces them.
$(VENV)/.hear: $(VENV)/.package benchmark/requirements-hear.txt benchmark/hear_tools/hook.py benchmark/hear_tools/__main__.py
	@echo "Installing HEAR's tools into $(VENV)"
	$(INSTALL) -r benchmark/requirements-hear.txt
	$(PIP) install --no-deps --ignore-requires-python heareval==2021.1.3 hearvalidator==2021.0.6
	$(BIN)/python -m benchmark.hear_tools install
	touch $@

$(VENV)/.pretraining: $(VENV)/.package
	@echo "Installing what pre-training needs into $(VENV)"
	$(INSTALL) -e '.[pretraining]'
	touch $@

$(VENV)/.docs: $(VENV)/.package
	@echo "Installing what the documentation needs into $(VENV)"
	$(INSTALL) -e '.[docs]'
	touch $@

# --- what to do there ---------------------------------------------------------------------------------------------

embed: $(VENV)/.hear
	$(BIN)/hear-validator byola_hear
	$(BIN)/hear-validator byola_hear --model speech
	$(BIN)/hear-validator byola_hear --model nonspeech
	$(BIN)/hear-validator byola_hear --model distilled
	$(BIN)/hear-validator byola_hear --model distilled-small
	$(BIN)/hear-validator byola_hear --model transformer-both
	$(BIN)/byola-hear embed tests/data

# Several files of tests at a time, one thread each: half the time on two cores. Each process would rewrite the assertions of
# all tests anew where the environment forbids to keep compiled files.
test: SELECTED = -m "not slow"
# The share of lines that the tests run, without child processes; below the floor the run fails. It costs two fifths more.
test-all: COVERAGE = --cov=byola_hear --cov=benchmark --cov-report= --cov-fail-under=90
test-all: $(VENV)/.browser
test test-all: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/mypy
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(SELECTED) $(COVERAGE)

hear: $(VENV)/.hear

# One thread: the probes are small, and with several threads they are ten times slower.
hear-smoke: $(VENV)/.hear
	rm -rf $(SMOKE)
	mkdir -p $(SMOKE)
	$(BIN)/python -m benchmark.hear_tools.example_tasks $(SMOKE)/tasks
	$(BIN)/python -m heareval.embeddings.runner byola_hear $(if $(MODEL),--model $(MODEL)) \
		--tasks-dir $(SMOKE)/tasks --embeddings-dir $(SMOKE)/embeddings
	cd $(SMOKE) && OMP_NUM_THREADS=1 "$(abspath $(BIN))/python" -m heareval.predictions.runner \
		embeddings/byola_hear/* --grid faster
	@for scores in $(SMOKE)/embeddings/byola_hear/*/test.predicted-scores.json; do \
		echo "$$scores"; sed -n '/"test": {/,/}/p' "$$scores"; done

table: $(VENV)/.hear
	$(INSTALL) -e '.[benchmark]'
	$(BIN)/python -m benchmark run --suite mini --models $(ROWS) --grid fast --grid-points 2 -o $(TABLE)
	@cat $(TABLE)/table.md; echo "As a page, with sounds: $(TABLE)/page.html"

# A few small packages of each set; `corpora build` without names takes all. Finished parts are kept: sets for each
# value of HOURS, and runs for each value of STEPS.
pretrain: SETS = $(PRETRAIN)/sets-$(HOURS)
pretrain: $(VENV)/.pretraining
	$(BIN)/python -m byola_hear.pretraining corpora build --set speech -o $(PRETRAIN)/speech klettres-data
	$(BIN)/python -m byola_hear.pretraining corpora build --set nonspeech -o $(PRETRAIN)/nonspeech sonic-pi-samples minetest-data
	$(BIN)/python -m byola_hear.pretraining match $(PRETRAIN)/speech/manifest.csv $(PRETRAIN)/nonspeech/manifest.csv \
		-o $(SETS) --hours $(HOURS)
	for name in speech nonspeech both; do \
		$(BIN)/python -m byola_hear.pretraining train $(SETS)/$$name.csv -o $(SETS)/$(STEPS)/$$name \
			--steps $(STEPS) --batch-size 32 --warm-up-steps 5 && \
		$(BIN)/python -m byola_hear.pretraining export $(SETS)/$(STEPS)/$$name -o $(PRETRAIN) && \
		$(BIN)/byola-hear embed tests/data --model $(PRETRAIN)/byola-$$name.safetensors || exit 1; done

# NAMES chooses proofs, PROVE gives further options: make prove NAMES="kill-embed disk-full" PROVE="--seed 1".
prove: $(VENV)/.test $(VENV)/.pretraining $(VENV)/.hear
	$(INSTALL) -e '.[ray]' || echo "Ray can't be installed here; the proof of a cluster is left out"
	$(PIP) install atheris || echo "atheris can't be installed here; fuzzing is left out"
	$(BIN)/python -m benchmark prove $(NAMES) $(PROVE)

readme: $(VENV)/.test
	$(BIN)/python -m benchmark.reporting.readme

# With HEAR's tools, so that their example is executed, too.
docs: $(VENV)/.docs $(VENV)/.hear
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs
	@echo "Open build/docs/index.html"

docs-links: $(VENV)/.docs
	$(BIN)/python -m sphinx -b linkcheck -W --keep-going -q docs build/docs-links

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	rm -rf docs/examples docs/sg_execution_times.rst
