"""The rules of the house that no other tool checks."""

import ast
import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOREYS = ("indexer", "service", "eval", "migrations")

VENDORS = {
    "torch": (
        *("indexer/encoders/openclip.py", "indexer/encoders/cuda.py", "indexer/encoders/cutting.py"),
        *("indexer/showroom/train*.py", "indexer/showroom/objective.py"),
        *("indexer/encoders/exported/exporting.py", "indexer/encoders/exported/lean.py"),
        *("service/generate/diffusion/*.py", "eval/*"),
    ),
    "onnx": ("indexer/encoders/exported/quantising.py",),
    "onnxruntime": ("indexer/encoders/exported/runtime.py", "indexer/encoders/exported/quantising.py"),
    "tokenizers": ("indexer/encoders/exported/*tokenizing.py",),
    "ftfy": ("indexer/encoders/exported/tokenizing.py",),
    "diffusers": ("service/generate/diffusion/*.py",),
    "transformers": ("service/generate/diffusion/*.py",),
    "skimage": ("service/generate/diffusion/outlines.py",),
    "replicate": ("service/endpoint/predictions.py",),
    "httpx": ("service/endpoint/predictions.py",),
    "open_clip": (
        *("indexer/encoders/openclip*.py", "indexer/encoders/cutting.py", "indexer/encoders/exported/retokenizing.py"),
        "indexer/encoders/exported/lean.py",
        *("indexer/showroom/train*.py", "eval/*"),
    ),
    "huggingface_hub": ("indexer/encoders/openclip_files.py", "service/generate/diffusion/*.py"),
    "qdrant_edge": ("indexer/stores/edge*.py", "indexer/stores/lexical.py", "eval/benchmarks/*"),
    "pebble": ("indexer/images/decoders.py",),
    "httpx2": (
        *("service/endpoint/*.py", "indexer/images/fetch.py", "indexer/images/network.py"),
        *("service/address.py", "service/client.py", "service/oidc.py"),
    ),
    "qdrant_client": ("indexer/stores/qdrant*.py", "eval/benchmarks/*"),
    "grpc": ("indexer/stores/qdrant_calls.py",),
    "ray": ("indexer/scale.py",),
    "fsspec": ("indexer/places.py", "indexer/builds/remote_shelf.py"),
    "faiss": ("indexer/stores/faiss_index.py", "eval/benchmarks/*"),
    "pyarrow": ("indexer/sources/parquet.py", "indexer/stores/faiss_sidecar.py"),
    "sqlalchemy": ("indexer/catalog/*", "migrations/*"),
    "psycopg": ("indexer/catalog/postgres.py",),
    "alembic": ("indexer/catalog/upgrade.py", "migrations/*"),
    "fastapi": ("service/api/*", "service/serve.py", "service/web/*", "eval/web/*"),
    "starlette": ("service/api/*", "service/web/*", "eval/web/*"),
    "uvicorn": ("service/serve.py", "service/connections.py"),
    "babel": ("service/web/words.py", "service/web/extracting.py"),
    "jinja2": ("service/web/*", "eval/*"),
    "ir_measures": ("eval/*",),
    "jwt": ("service/oidc.py",),
    "limits": ("service/api/counting_together.py",),
    "openai": ("service/endpoint/*",),
    "prometheus_client": ("service/metrics.py",),
    "structlog": ("indexer/logs.py",),
    "opentelemetry": ("service/tracing.py", "service/exporting.py"),
    "rapidfuzz": ("service/search/understanding/spelling.py",),
    "typer": ("service/*cli.py", "indexer/cli/*", "eval/cli/*"),
    "rich": ("*/printing.py", "service/demo.py", "eval/*"),
    "pydantic_settings": ("indexer/settings.py", "indexer/bootstrap.py"),
}
"""Which files may import a vendor's package, also inside functions."""


def sources() -> list[Path]:
    return sorted(path for storey in STOREYS for path in (ROOT / storey).rglob("*.py"))


@cache
def imported(path: Path) -> frozenset[str]:
    """Top-level packages that the file imports anywhere."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    modules = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(module.partition(".")[0] for module in modules)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_package_is_imported_by_its_adapters_only(vendor: str) -> None:
    importers = {path.relative_to(ROOT).as_posix() for path in sources() if vendor in imported(path)}

    assert importers, "nobody needs it: drop the dependency and this line"
    assert {name for name in importers if not any(fnmatch(name, allowed) for allowed in VENDORS[vendor])} == set()


WATCHED_IMPORT = """
import importlib, json, os, sys

read, opened, connected = [], [], []
environment = type(os.environ)
original = environment.__getitem__

def remembered(self, name):
    if str(name).startswith("VITRINE_"):
        read.append(name)
    return original(self, name)

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        opened.append(arguments[0])
    if event == "socket.connect":
        connected.append(str(arguments[1]))

environment.__getitem__ = remembered
sys.addaudithook(watch)
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
heavy = sorted({"torch", "open_clip", "timm", "torchvision", "diffusers", "transformers", "skimage"} & set(sys.modules))
print(json.dumps({"read": read, "opened": opened, "connected": connected, "heavy": heavy}))
"""


def test_importing_any_module_opens_nothing_reads_no_setting_and_loads_no_model(tmp_path: Path) -> None:
    """All but the files that are there for torch, which must be the only way to it."""
    torch = VENDORS["torch"][:-2]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources()
        if not any(fnmatch(path.relative_to(ROOT).as_posix(), allowed) for allowed in torch)
        and path.relative_to(ROOT).parts[0] != "migrations"
        and path.name != "__main__.py"
        and "torch" not in imported(path)
    ]
    environment = {**os.environ, "VITRINE_STORE__KIND": "nonsense", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED_IMPORT, json.dumps(names)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"read": [], "opened": [], "connected": [], "heavy": []}
    assert ran.stderr == ""
    assert list(tmp_path.iterdir()) == []
