PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

SIZES ?= 10000,100000,1000000

.PHONY: setup demo serve test test-long test-qdrant test-ray requirements eval eval-relevance showroom-model showroom-figures \
	bench-index bench-stores bench-search bench-fusion bench-results

setup: $(READY)

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vitrine needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

demo: $(READY)
	$(BIN)/vitrine demo

serve: $(READY)
	$(BIN)/vitrine serve

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --dist loadfile

test-long: $(READY)
	$(BIN)/pytest -m long --timeout 3600 --numprocesses auto --dist loadfile -rA

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

bench-fusion: $(READY)
	$(BIN)/python -m eval.benchmarks fusion

bench-results: $(READY)
	$(BIN)/python -m eval.benchmarks results

requirements: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --extra dev pyproject.toml --output-file requirements.txt
