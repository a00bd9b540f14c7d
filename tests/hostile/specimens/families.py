"""Families of odd, broken and malicious files, and what the service must make of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from indexer.images.reasons import Reason

Files = Iterator[tuple[str, bytes]]
"""Names within the family, and contents."""
ACCEPTED: frozenset[Reason] = frozenset()
DAMAGED = frozenset({Reason.TRUNCATED, Reason.DECODE_FAILED})
"""What a broken file is called may depend on where its decoder notices first."""


@dataclass(frozen=True, slots=True)
class Specimen:
    family: str
    name: str
    content: bytes
    reasons: frozenset[Reason]
    """One of them must be named; none: the picture must be accepted."""

    def __str__(self) -> str:
        return f"{self.family}/{self.name}"


class Families:
    """Made by decorated generators of files, one for each family."""

    def __init__(self) -> None:
        self._makers: dict[str, tuple[Callable[[], Files], frozenset[Reason]]] = {}

    def __call__(self, reasons: frozenset[Reason] | Reason) -> Callable[[Callable[[], Files]], Callable[[], Files]]:
        """The expectation of all files of the family that the decorated function makes."""

        def register(maker: Callable[[], Files]) -> Callable[[], Files]:
            name = f"{maker.__module__.rpartition('.')[2]}: {maker.__name__.replace('_', ' ')}"
            self._makers[name] = maker, reasons if isinstance(reasons, frozenset) else frozenset({reasons})
            return maker

        return register

    def names(self) -> list[str]:
        return list(self._makers)

    def specimens(self, family: str) -> Iterator[Specimen]:
        """Made one after the other: some are large."""
        maker, reasons = self._makers[family]
        for name, content in maker():
            yield Specimen(family, name, content, reasons)


def cuts(content: bytes, shares: tuple[float, ...] = (0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97)) -> Files:
    """The beginning of a file, of several lengths."""
    for share in shares:
        yield f"{share:.0%}", content[: int(len(content) * share)]


def noise(width: int = 96, height: int = 64, channels: int = 3) -> Pixels:
    """What does not compress, so that a file cut off lacks pixels."""
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), np.uint8)


def noisy() -> Image.Image:
    return Image.fromarray(noise())
