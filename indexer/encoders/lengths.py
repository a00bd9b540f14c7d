"""Texts of alike length together, so that a batch is not padded to its longest."""

from collections.abc import Iterator, Sequence
from itertools import groupby


def alike(lengths: Sequence[int], batch: int, longest: int, step: int = 8) -> Iterator[tuple[list[int], int]]:
    """Every place of `lengths` once, in batches; with each batch, how many tokens its texts are padded to.

    That is a multiple of `step`, or `longest`, which no length exceeds.
    """
    padded = [min(-(-length // step) * step, longest) for length in lengths]
    for length, places in groupby(sorted(range(len(lengths)), key=padded.__getitem__), key=padded.__getitem__):
        same = list(places)
        for start in range(0, len(same), batch):
            yield same[start : start + batch], length
