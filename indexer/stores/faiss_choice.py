"""Which FAISS index a build gets, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from indexer.store_settings import FaissSettings


class Kind(StrEnum):
    FLAT = "flat"
    HNSW = "hnsw"
    IVF_SQ8 = "ivf-sq8"
    IVF_PQ = "ivf-pq"


LEARNABLE: Final = 9_984
"""Points from which an inverted file or a product quantiser can be learnt: 39 for each of 256 code words."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Up to how much each kind of index is chosen."""

    flat: int = 20_000
    """Points; one core scans as many vectors of 1,024 floats in about 5 ms."""
    hnsw: int = 2_000_000
    """Points; of 1,024 numbers they take 2.5 GB of memory as bytes with a graph, and minutes to link."""
    sq8: int = 10_000_000
    """Points; of 1,024 numbers they take 10 GB of memory, a byte for each."""
    gpu_flat: int = 16 * 2**30
    """Bytes of fp16 vectors; a GPU scans them faster than any index is walked."""


@dataclass(frozen=True, slots=True)
class Choice:
    kind: Kind
    reason: str
    """A sentence for people."""


def choose(points: int, width: int, settings: FaissSettings, gpu: bool, sizes: Sizes) -> Choice:
    """`width` is how many numbers a point's vector has; `gpu` whether one will be used."""
    kind, why = _wanted(points, width, settings, gpu, sizes)
    if kind in (Kind.IVF_SQ8, Kind.IVF_PQ) and points < LEARNABLE:
        return Choice(Kind.FLAT, f"FAISS flat: {kind} cannot be learnt from fewer than {LEARNABLE:,} points.")
    return Choice(kind, f"FAISS {kind}: {why}.")


def _wanted(points: int, width: int, settings: FaissSettings, gpu: bool, sizes: Sizes) -> tuple[Kind, str]:
    if settings.index != "auto":
        return Kind(settings.index), "as the settings say"
    if gpu and points * width * 2 <= sizes.gpu_flat:
        return Kind.FLAT, f"the GPU scans {points:,} points exactly"
    if points <= sizes.flat:
        return Kind.FLAT, f"{points:,} points are few enough to scan exactly (up to {sizes.flat:,})"
    if not gpu and points <= sizes.hnsw:
        return Kind.HNSW, f"{points:,} points are too many to scan and few enough for a graph (up to {sizes.hnsw:,})"
    if points <= sizes.sq8:
        return Kind.IVF_SQ8, f"{points:,} points are too many for a graph, and fit as bytes (up to {sizes.sq8:,})"
    return Kind.IVF_PQ, f"{points:,} points fit in memory as short codes only (from {sizes.sq8:,})"
