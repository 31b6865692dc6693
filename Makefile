# Two commands are enough: `make run` and `make test`. Both first set up what they need, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
comma  := ,
export PIP_DISABLE_PIP_VERSION_CHECK := 1

CPP := $(shell find codegen tests -name '*.[ch]pp')

.PHONY: run test lint format golden clean

run: $(VENV)/.run ## the main job, on the images that travel with the package
	@tools/install-debian-packages.sh host
	$(BIN)/python run.py

test: lint ## linters, types, layers, then the tests
	@tools/install-debian-packages.sh boards
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP)

golden: $(VENV)/.dev ## rewrite tests/golden after a change that is meant; look at the diff
	$(BIN)/python -m pytest tests --update-golden -m golden

clean: ## all that was generated here, results included
	rm -rf $(VENV) outputs build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A stamp is touched when all went well, so that an interrupted set-up starts again.
$(VENV)/.run $(VENV)/.dev: pyproject.toml setup.py requirements.lock | $(VENV)/.made
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.$(if $(filter %.dev,$@),[dev$(comma)pretraining$(comma)joblib$(comma)submitit$(comma)tensorboard])'
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo 'error: Python 3.11 is needed, because the CPU build of torch 2.13.0 exists for it only;' >&2; \
	  echo '       found: $(or $(PYTHON),no python3 at all). Name one: make PYTHON=/path/to/python3.11' >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo 'error: no virtual environment could be made; on Debian: apt-get install python3.11-venv' >&2; \
	  exit 1; }
	@touch $@
