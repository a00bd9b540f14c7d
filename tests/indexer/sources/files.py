"""Catalogue files to test with, and what comes of reading them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from indexer.domain import Product
from indexer.sources import BrokenRow, SourceRow, open_source


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def jsonl(folder: Path, *rows: Mapping[str, object]) -> Path:
    return write(folder, "products.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def read(path: Path, mapping: Mapping[str, str] | None = None) -> list[SourceRow]:
    return list(open_source(path, mapping).rows())


def products(rows: Iterable[SourceRow]) -> list[Product]:
    """Fails on a broken row."""
    found = []
    for row in rows:
        assert isinstance(row, Product), row
        found.append(row)
    return found


def only(rows: Iterable[SourceRow]) -> Product:
    (product,) = products(rows)
    return product


def broken(rows: Iterable[SourceRow]) -> dict[int, str]:
    """Reasons by line."""
    return {row.line: row.reason for row in rows if isinstance(row, BrokenRow)}


def ids(rows: Iterable[SourceRow]) -> list[str]:
    return [row.id for row in rows if isinstance(row, Product)]
