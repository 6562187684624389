# make demo    make the environment and run the main job (about five minutes)
# make test    the same environment, and the fast tests
# make check   format, lint, types, documents
# make mutants break every loss in five small ways; name what no test noticed (about an hour)
# The CPU build of torch: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c constraints.txt
ACUTANCE_DATA ?= ../shared/data
export ACUTANCE_DATA

.PHONY: demo test test-all check fix bench atlas docs clean

demo: $(VENV)/.ready
	$(BIN)/acutance quickstart

# Two workers on two cores: with more threads than one each they wait for each other.
test: $(VENV)/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 --dist loadgroup

test-all: $(VENV)/.ready-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python docs/generate.py --check

fix: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py

mutants: $(VENV)/.ready-dev
	$(BIN)/python tests/losses/mutate.py

bench: $(VENV)/.ready-peers
	$(VENV)-peers/bin/python benchmarks/run.py

# What each loss sees and where it leads: docs/losses, in about half an hour.
atlas: $(VENV)/.ready-dev
	$(BIN)/python docs/atlas.py

docs: $(VENV)/.ready-dev
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) $(VENV)-peers build dist .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "acutance needs Python 3.11 or newer: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) -e '.[train,samples]'
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(PIP) -e '.[train,samples,openvino,video,study,tune,postgresql,tensorboard,balance,dev]'
	@touch $@

# The peers that benchmarks compare with live in an environment of their own.
$(VENV)/.ready-peers: $(VENV)/.ready benchmarks/peers.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c constraints.txt \
		-e '.[train,samples]' -r benchmarks/peers.txt
	@touch $@
