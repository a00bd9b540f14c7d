"""Vectors to put into an embedding cache, each made of a name; light to import, for children that are killed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from indexer.builds.cache import EmbeddingCache
from indexer.domain import Matrix, Vector

DIM = 8
HALF = 1e-3
"""Vectors are kept as fp16."""


def key(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()


def keys(names: Iterable[object]) -> list[bytes]:
    return [key(name) for name in names]


def vector(name: object) -> Vector:
    drawn = np.random.default_rng(list(key(name))).standard_normal(DIM).astype(np.float32)
    unit: Vector = drawn / np.linalg.norm(drawn)
    return unit


def vectors(names: Iterable[object]) -> Matrix:
    return np.stack([vector(name) for name in names])


def put(cache: EmbeddingCache, *names: object) -> None:
    cache.put(keys(names), vectors(names))


def holds(cache: EmbeddingCache, names: Iterable[object]) -> bool:
    """Whether each name's vector is the one that belongs to it."""
    wanted = list(names)
    return bool(np.allclose(cache.get(keys(wanted)), vectors(wanted), atol=HALF))


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.safetensors"))
