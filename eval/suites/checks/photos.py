"""Photos that are the same, or nearly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from eval.suites.suite import Suite
from indexer.domain import Pixels
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit

NEAR = 4
"""Bits of 64 in which difference hashes of nearly equal photos differ at most."""
FIT = Fit((8, 9), "squash")
_GREY = np.array([0.299, 0.587, 0.114])
"""Rec. 601 luma."""
_BLOCK = 2_000
"""Photos compared with all others at once."""

Bits = NDArray[np.uint64]


@dataclass(frozen=True)
class Print:
    """A photo's fingerprints: SHA-256 of its file, and its difference hash."""

    content: str
    bits: int


def difference_hash(pixels: Pixels) -> int:
    """64 bits of a picture of 8 × 9 pixels: whether each is darker than its right neighbour.

    dHash, N. Krawetz 2013, "Kind of Like That" (hackerfactor.com).
    """
    grey = pixels @ _GREY
    return int.from_bytes(np.packbits(grey[:, :-1] < grey[:, 1:]).tobytes(), "big")


def query_prints(suite: Suite, decoders: DecoderPool) -> tuple[dict[str, Print], list[str]]:
    """Photo → its prints; and the photos that cannot be read, with the reason."""
    prints, unreadable = dict[str, Print](), list[str]()
    contents = dict[str, bytes]()
    for name in dict.fromkeys(query.photo for query in suite.queries if query.photo is not None):
        try:
            contents[name] = (suite.directory / name).read_bytes()
        except OSError as error:
            unreadable.append(f"{name}: {error.strerror or error}")
    tasks = (DecodeTask(content, FIT, key=name) for name, content in contents.items())
    for task, decoded in decoders.map(tasks):
        name = str(task.key)
        if isinstance(decoded, Decoded):
            prints[name] = Print(sha256(contents[name]).hexdigest(), difference_hash(decoded.pixels))
        else:
            unreadable.append(f"{name}: {decoded.detail}")
    return prints, unreadable


def near_pairs(first: Mapping[str, Print], second: Mapping[str, Print]) -> Iterator[tuple[str, str]]:
    """Pairs of names, one of each, whose photos are equal or nearly so."""
    names, others = list(first), list(second)
    bits = _bits([second[name] for name in others])
    for start in range(0, len(names), _BLOCK):
        block = names[start : start + _BLOCK]
        apart = np.bitwise_count(_bits([first[name] for name in block])[:, None] ^ bits[None, :])
        for row, column in np.argwhere(apart <= NEAR):
            yield block[int(row)], others[int(column)]


def _bits(prints: Sequence[Print]) -> Bits:
    return np.array([one.bits for one in prints], np.uint64)
