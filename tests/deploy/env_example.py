"""Writes deploy/env.example: every setting with its meaning and default, `python -m tests.deploy.env_example`."""

import ast
import importlib
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, SecretStr

from indexer.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "env.example"
HEAD = """\
# Every setting of Vitrine, with its default. deploy/compose.yaml reads a copy of this file as deploy/.env; `vitrine`
# reads one as .env in the folder where it is started. What stands in the environment comes first, vitrine.toml last.
# Uncomment what is to be otherwise. Lists and tables are JSON in single quotes. Filled in, the file holds secrets:
# chmod 600. Written by `make env-example`. What compose.yaml sets itself (store, database, where it listens) stays.

# ---- of deploy/compose.yaml, not of Vitrine ----
# Part of an address, so without @ : / ? #
# POSTGRES_PASSWORD=vitrine
# The same as VITRINE_STORE__QDRANT__API_KEY; Prometheus needs it in a file, as observe/prometheus/prometheus.yaml says.
# QDRANT__SERVICE__API_KEY=
# GRAFANA_PASSWORD=vitrine
# VLM_MODEL=Qwen/Qwen2.5-VL-7B-Instruct
# PyTorch's wheels for CPUs, which the image is built with (docs/deploy.md):
# TORCH_INDEX=
# A folder of this machine that is seen as /catalogues:
# CATALOGUES=/srv/catalogues

# ---- standard variables of what Vitrine uses ----
# AWS_ACCESS_KEY_ID=
# AWS_SECRET_ACCESS_KEY=
# AWS_ENDPOINT_URL=
# HF_TOKEN=
# OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
"""


def example() -> str:
    return HEAD + "".join(_section(Settings, Settings.model_construct(), ()))


def names(model: type[BaseModel] = Settings, path: Sequence[str] = ()) -> Iterator[str]:
    """The variable of each setting."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from names(inner, (*path, name))
        else:
            yield _variable((*path, name))


def _section(model: type[BaseModel], defaults: BaseModel, path: Sequence[str]) -> Iterator[str]:
    inner = []
    yield f"\n# ---- {'.'.join(path) or 'of everything'} ----\n"
    if path and model.__doc__:
        yield _comment(model.__doc__)
    meanings = _meanings(model)
    for name in model.model_fields:
        value = getattr(defaults, name)
        if isinstance(value, BaseModel):
            inner.append((type(value), value, (*path, name)))
            continue
        yield _comment(meanings.get(name) or _documented(".".join((*path, name))))
        yield f"# {_variable((*path, name))}={_written(value)}\n"
    for part in inner:
        yield from _section(*part)


def _variable(path: Sequence[str]) -> str:
    return "VITRINE_" + "__".join(path).upper()


def _written(value: object) -> str:
    """As it stands behind the `=`; nothing for what has no default."""
    if value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | tuple):
        plain = json.dumps(value, default=str, ensure_ascii=False)
        return f"'{plain}'"
    return str(value)


def _comment(text: str) -> str:
    line = " ".join(text.split())
    return "".join(f"# {part}\n" for part in textwrap.wrap(line, 116, break_on_hyphens=False))


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The string behind each field of the class."""
    tree = ast.parse(inspect.getsource(importlib.import_module(model.__module__)))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.__name__)
    return {
        field.target.id: text.value.value
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def _documented(setting: str) -> str:
    """What docs/reference.md says of a setting whose field says nothing."""
    reference = (ROOT / "docs" / "reference.md").read_text("utf-8")
    row = re.search(rf"^\| `{re.escape(setting)}` \| .*? \| ?(.*?) ?\|$", reference, re.MULTILINE)
    return row.group(1).replace("`", "") if row else ""


if __name__ == "__main__":
    FILE.write_text(example(), "utf-8")
