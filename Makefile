# Every target sets up what it needs. Paths are relative, so that a folder with a space in its
# name works; recipes are plain POSIX sh.

PYTHON ?= python3
# One benchmark by its name; empty runs all of them.
BENCH ?=
# One fault by its name; empty runs all of them.
FAULT ?=
# Arguments for libFuzzer, for example: make fuzz FUZZ="-runs=100000"
FUZZ ?=
# More flags for domgrpc serve; the last of a kind counts.
SERVE ?=
# How many steps make simulate makes, all processes together.
STEPS ?= 10000000
# More arguments for pytest, for example: make test PYTEST="-k hold -x"
PYTEST ?=

bin := .venv/bin
installed := .venv/installed
generated := src/domgrpc/v1/.generated
fuzzing := .venv/fuzz/installed
# The folders are named too, so that a removed proto counts as a change.
protos := $(shell find protos/domgrpc -name '*.proto' -o -type d 2>/dev/null)
# What buf needs of google/rpc and does not carry: see buf.yaml.
imported := .venv/protos/google/rpc/status.proto
checked := hatch_build.py src tests $(wildcard benchmarks)

.DELETE_ON_ERROR:
.PHONY: mutants help venv protos demo serve test coverage check check-format check-lint check-types \
	check-protos check-tidy format bench faults simulate fuzz constraints clean

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

venv: $(installed) $(generated)  ## Make .venv with the package and its tools in it.

protos: $(generated)  ## Generate the protobuf code into src/domgrpc/v1.

# pip hands PIP_CONSTRAINT down to the builds that it runs in isolation; newer pips read
# PIP_BUILD_CONSTRAINT for that. Both are split at spaces, hence the relative path.
$(installed): pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "domgrpc needs Python 3.11 or newer; name one: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make a virtual environment: apt-get install python3-venv" >&2; exit 1; }
	@$(bin)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
		PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(bin)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(generated): $(installed) hatch_build.py $(protos)
	$(bin)/python hatch_build.py
	@touch $@

$(imported): $(installed)
	@mkdir -p $(@D)
	@cp .venv/lib/python3*/site-packages/google/rpc/status.proto $@

demo: venv  ## Show what the service does, on a temporary folder, in under a minute.
	$(bin)/domgrpc demo

serve: venv  ## Serve var/data, or otherwise: make serve SERVE="--port 6000 --data-dir folder".
	$(bin)/domgrpc serve --data-dir var/data $(SERVE)

test: venv  ## Run every test.
	$(bin)/python -m pytest $(PYTEST)

coverage: venv  ## Run every test; core and storage must be covered to the last branch.
	$(bin)/python -m pytest --cov --cov-report= $(PYTEST)
	$(bin)/python -m coverage report
	$(bin)/python -m coverage report --fail-under=100 \
		--include='src/domgrpc/core/*,src/domgrpc/storage/*'

check: check-format check-lint check-types check-protos check-tidy  ## Format, lint, types, protos, tidy, docs.

check-format: venv
	$(bin)/ruff format --check $(checked)

check-lint: venv
	$(bin)/ruff check $(checked)

check-types: venv
	$(bin)/mypy $(checked)

# Against the newest release that is tagged; before the first one there is nothing to break.
check-protos: venv $(imported)
	$(bin)/buf lint
	@tag=$$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || \
		{ echo "no release is tagged yet: nothing for buf breaking to compare with"; exit 0; }; \
	released=$$(mktemp -d) && trap 'rm -rf "$$released"' EXIT && \
	git archive "$$tag" buf.yaml protos | tar -x -C "$$released" && \
	mkdir -p "$$released/.venv" && cp -R .venv/protos "$$released/.venv/protos" && \
	echo "buf breaking protos --against $$tag" && \
	$(bin)/buf breaking protos --against "$$released/protos"

check-tidy: venv
	$(bin)/python -m pytest tests/test_tidy.py tests/test_docs.py tests/tidy

format: venv  ## Bring the code into its format and mend what can be mended.
	$(bin)/ruff format $(checked)
	$(bin)/ruff check --fix $(checked)

simulate: venv  ## Simulate lives of a server under faults, on all cores: make simulate STEPS=n.
	$(bin)/python -m tests.simulation --steps $(STEPS)

faults: venv  ## Run the real faults (as root all of them), or one: make faults FAULT=name.
	$(bin)/python -m tests.faults.run $(FAULT)

# Atheris has an environment of its own, which sees the packages of the project's.
$(fuzzing): $(installed)
	$(bin)/python -m venv --clear .venv/fuzz
	PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/fuzz/bin/python -m pip install --quiet 'atheris==3.0.0'
	$(bin)/python -c 'import site; print(site.getsitepackages()[0])' \
		> "$$(.venv/fuzz/bin/python -c 'import site; print(site.getsitepackages()[0])')/project.pth"
	@touch $@

fuzz: $(fuzzing) $(generated)  ## Fuzz the handlers, led by coverage, until something is found.
	PYTHONPATH=src:. .venv/fuzz/bin/python -m tests.hostile.guided -max_len=65536 $(FUZZ)

bench: venv  ## Run the benchmarks, or one of them: make bench BENCH=name.
	$(bin)/python -m benchmarks.run $(BENCH)

mutants: venv  ## Plant twelve faults, one after the other, and show that the tests find each.
	$(bin)/python -m tests.mutants

constraints: $(installed)  ## Choose the newest versions that pyproject.toml allows.
	$(PYTHON) -m venv --clear .venv-fresh
	.venv-fresh/bin/python -m pip install --quiet --editable '.[dev]'
	sed -n '/^#/p' constraints.txt > .venv-fresh/constraints
	.venv-fresh/bin/python -m pip freeze --all --exclude-editable | grep -v '^pip==' \
		| LC_ALL=C sort -f >> .venv-fresh/constraints
	cp .venv-fresh/constraints constraints.txt
	rm -rf .venv-fresh

# Leaves var/ alone: it may be somebody's data.
clean:  ## Remove what make and the tools made; data in var/ stays.
	rm -rf .venv .venv-fresh src/domgrpc/v1 src/.generated-* dist benchmarks/results.json
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
