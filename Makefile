PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

SIZES ?= 10000,100000,1000000
GROWTH ?= 1000,10000,100000

.PHONY: setup demo serve test check run-tests test-long test-qdrant test-ray requirements requirements-torch-cpu \
	audit sbom env-example eval eval-relevance showroom-model showroom-figures bench-index bench-stores bench-search \
	bench-fusion bench-results bench bench-keep bench-peers bench-gpu words screenshots \
	load soak

setup: $(READY)

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vitrine needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/vitrine demo

serve: $(READY)
	$(BIN)/vitrine serve

# What is looked at and what is run go side by side: types take one core for minutes, and tests wait a third of the time.
test: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 check run-tests

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

run-tests: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test-long: $(READY)
	$(BIN)/pytest -m long --timeout 3600 --numprocesses auto --dist loadfile --no-loadscope-reorder -rA

test-ray: $(READY)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-ray
	$(BIN)/uv pip install --quiet --python .venv-ray/bin/python --requirement requirements.txt 'ray[data]>=2.60'
	$(BIN)/uv pip install --quiet --python .venv-ray/bin/python --no-deps --editable .
	.venv-ray/bin/python -m pytest tests/ray

test-qdrant: $(READY)
	@test -n "$$QDRANT_URL" || { echo 'QDRANT_URL names no Qdrant server: docker compose -f deploy/compose.yaml up --wait qdrant, then QDRANT_URL=http://localhost:6333 make test-qdrant' >&2; exit 1; }
	$(BIN)/pytest tests/qdrant_server tests/contracts/test_stores.py -k qdrant

eval: $(READY)
	$(BIN)/python -m eval.headline

eval-relevance: $(READY)
	$(BIN)/python -m eval.relevance $(if $(RELEVANCE_DATA),--data $(RELEVANCE_DATA))

showroom-model: $(READY)
	$(BIN)/python -m indexer.showroom.train
	$(BIN)/python -m eval.showroom

showroom-figures: $(READY)
	$(BIN)/python -m eval.showroom

bench-index: $(READY)
	$(BIN)/python -m eval.benchmarks indexing
	$(BIN)/python -m eval.benchmarks stores --sizes 10000,100000

bench-stores: $(READY)
	$(BIN)/python -m eval.benchmarks stores --sizes $(SIZES)

bench-search: $(READY)
	$(BIN)/python -m eval.benchmarks search

# Everything of docs/performance.md, in a quarter of an hour on two cores that do nothing else; ONLY names some of it.
BENCH = $(BIN)/python -m eval.benchmarks running --sizes $(GROWTH) $(if $(ONLY),--only $(ONLY))

bench: $(READY)
	$(BENCH)

bench-keep: $(READY)
	$(BENCH) --keep

# Others' programs want versions of their own; clip-retrieval's imports what setuptools had until 70. Compiled, since its
# processes each import some hundred thousand lines.
bench-peers: $(READY)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-peers
	$(BIN)/uv pip install --quiet --compile-bytecode --python .venv-peers/bin/python clip-retrieval==2.45.0 'setuptools<70'
	$(BENCH) --only peers

bench-gpu: $(READY)
	$(BIN)/python -m eval.benchmarks gpu

bench-fusion: $(READY)
	$(BIN)/python -m eval.benchmarks fusion

bench-results: $(READY)
	$(BIN)/python -m eval.benchmarks results

# Both ask a copy of the showroom of VITRINE_HOME, on a machine that does nothing else; the tables go to docs/load.md.
load: $(READY)
	$(BIN)/python -m tests.load load

soak: $(READY)
	$(BIN)/python -m tests.load soak --minutes $(or $(MINUTES),30)

words: $(READY)
	$(BIN)/python -m service.web.extracting

screenshots: $(READY)
	$(BIN)/python -m tests.pages.screenshots

# Every file names each package's version and the hashes of its files. What a container has is a part of what is tested:
# requirements.txt bounds the others. deploy/requirements/README.md says what is in which.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes
LOCKED := deploy/requirements
RUNNING := $(addprefix --extra ,faiss oidc redis remote replicate telemetry transformers)
NAMES := sed -nE 's/^([a-z0-9._-]+)==.*/--no-emit-package \1/p'

requirements: $(READY)
	$(LOCK) --extra dev pyproject.toml --output-file requirements.txt
	$(LOCK) --no-annotate $(LOCKED)/build.in --output-file $(LOCKED)/build.txt
	$(LOCK) --no-annotate --constraint requirements.txt $(RUNNING) pyproject.toml --output-file $(LOCKED)/cpu.txt \
		$$($(NAMES) requirements.txt | grep -E ' (torch|torchvision|triton|nvidia-.*|cuda-.*)$$')
	$(LOCK) --no-annotate --constraint requirements.txt --constraint $(LOCKED)/cpu.txt $(RUNNING) --extra generate \
		pyproject.toml --output-file $(LOCKED)/gpu.txt $$($(NAMES) $(LOCKED)/cpu.txt)
	$(LOCK) --no-annotate --constraint requirements.txt --constraint $(LOCKED)/cpu.txt --constraint $(LOCKED)/gpu.txt \
		$(RUNNING) --extra generate pyproject.toml $(LOCKED)/ray.in --output-file $(LOCKED)/ray.txt \
		$$($(NAMES) $(LOCKED)/cpu.txt) $$($(NAMES) $(LOCKED)/gpu.txt)

# Of PyTorch's own index, which PyPI does not mirror: to be run where it can be reached.
requirements-torch-cpu: $(READY)
	@test -n "$$TORCH_INDEX" || { echo "TORCH_INDEX names no index of PyTorch's wheels for CPUs: see docs/deploy.md" >&2; exit 1; }
	sed -nE 's/^(torch|torchvision)==([0-9.]+).*/\1==\2+cpu/p' requirements.txt \
		| $(LOCK) --no-annotate --no-deps --default-index "$$TORCH_INDEX" - \
		--output-file $(LOCKED)/torch-cpu.txt

# Known vulnerabilities of all that is locked, from the advisories that PyPI serves; a package that cannot be looked up
# fails it. Not a part of the tests: what is found depends on the day.
audit: $(READY)
	$(BIN)/uv tool run pip-audit@2.10.1 --strict --disable-pip --require-hashes \
		$(addprefix --requirement ,requirements.txt $(addprefix $(LOCKED)/,build.txt cpu.txt gpu.txt ray.txt))

# What a container is made of, as CycloneDX 1.6.
sbom: $(READY)
	mkdir -p build
	cat $(LOCKED)/cpu.txt $(LOCKED)/torch-cpu.txt | $(SBOM) --output-file build/vitrine-cpu.cdx.json -
	cat $(LOCKED)/cpu.txt $(LOCKED)/gpu.txt | $(SBOM) --output-file build/vitrine-gpu.cdx.json -

SBOM := $(BIN)/uv tool run --from cyclonedx-bom@7.5.0 cyclonedx-py requirements --pyproject pyproject.toml \
	--spec-version 1.6 --output-reproducible

env-example: $(READY)
	$(BIN)/python -m tests.deploy.env_example
