"""Deterministic randomness: the same arguments give the same draws on every machine."""

import hashlib
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def stable_int(*key: str | int) -> int:
    """64-bit integer that depends on the key alone (BLAKE2b, not Python's salted `hash`)."""
    text = "\x1f".join(f"{type(item).__name__}:{item}" for item in key)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def generator(*key: str | int) -> np.random.Generator:
    """Generator seeded from the key."""
    return np.random.Generator(np.random.PCG64(stable_int(*key)))


class Traits:
    """The draws that make one family of a kind: discrete options first, measures second.

    Options are digits of a mixed-radix number that steps by a prime per shape, so that neighbouring
    shapes differ in their options until the combinations are used up.
    """

    _STEP = 15_485_863

    def __init__(self, kind: str, shape: int) -> None:
        self._code = stable_int("options", kind) // 2**20 + shape * self._STEP
        self.rng = generator("measures", kind, shape)

    def pick(self, *options: T) -> T:
        """The next option."""
        self._code, digit = divmod(self._code, len(options))
        return options[digit]

    def uniform(self, low: float, high: float) -> float:
        """The next measure."""
        return float(self.rng.uniform(low, high))
