"""What a command or the service loads before it answers: nothing heavy that this answer does not need."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from indexer.settings import Settings

ROOT = Path(__file__).parents[2]
MODELS = ("torch", "open_clip", "timm", "torchvision", "transformers", "diffusers", "onnx", "onnxscript")
ELSEWHERE = ("alembic", "openai", "pyarrow", "scipy", "pandas", "matplotlib")
"""For new schemas, endpoints, files of catalogues, and figures."""
PAGES = ("fastapi", "starlette", "jinja2", "babel", "ir_measures")
CLIENTS = ("httpx2", "httpcore2", "opentelemetry", "structlog")
UNASKED = (
    *("pebble", "multiprocessing.connection", "prometheus_client", "ftfy", "sqlalchemy.dialects.postgresql"),
    *("indexer.sources", "indexer.builds.jobs", "indexer.builds.changing", "indexer.builds.embedder"),
    *("service.ask.asking", "service.draw.atelier", "service.generate.jobs", "service.endpoint"),
)
"""For photos, scraping, texts that are broken, and what a shop does beside searching."""

COMMAND = """
import sys
from indexer.cli import main
sys.argv = ["vitrine", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
WITHOUT_TORCH = """
import indexer.bootstrap
from tests.fakes import FakeEncoder
indexer.bootstrap.encoder_of = lambda manifest, settings: FakeEncoder()
"""
"""Stands for an encoder that a build exported."""
SERVICE = """
import service.serve
from indexer.operating_settings import TelemetrySettings
from service.web.site import installed_pages
service.serve.install_logs(TelemetrySettings(format="json"))
assert len(installed_pages()) == 3
"""
LOADED = """
import json
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[str, set[str]]:
    """What the script printed, and the modules that were imported by its end."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}\n{LOADED}", *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    printed, _, modules = ran.stdout.rstrip("\n").rpartition("\n")
    return printed, set(json.loads(modules))


def test_a_search_loads_what_it_needs(memory: Settings) -> None:
    environment = {"VITRINE_HOME": str(memory.home), "VITRINE_STORE__KIND": "memory"}

    printed, loaded = loaded_by(
        WITHOUT_TORCH + COMMAND, "search", "red mug", "--json", "--top-k", "1", environment=environment
    )

    assert [one["id"] for one in json.loads(printed)["results"]] == ["mug-red"]
    assert loaded & {*MODELS, *ELSEWHERE, *PAGES, *CLIENTS, *UNASKED, "rich", "rapidfuzz"} == set()


def test_help_comes_without_the_parts_it_speaks_of() -> None:
    printed, loaded = loaded_by(COMMAND, "--help")

    assert "Usage" in printed
    assert loaded & {*MODELS, *ELSEWHERE, *PAGES, *CLIENTS, "sqlalchemy", "qdrant_edge", "PIL"} == set()


def test_the_service_and_its_pages_wait_for_nothing_that_only_one_of_them_needs() -> None:
    _, loaded = loaded_by(SERVICE)

    assert loaded & {*MODELS, *ELSEWHERE, "httpx2", "pebble", "sqlalchemy.dialects.postgresql"} == set()
    assert loaded & {"structlog", "rich"} == set(), "a log for machines needs neither"


def test_a_word_that_is_no_command_is_told_those_that_there_are() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", COMMAND.replace("not end.code", "end.code"), "serach"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "search" in ran.stderr
