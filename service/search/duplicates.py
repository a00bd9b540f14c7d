"""The same thing listed twice, under other ids and parents, as one result."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel, Vector
from indexer.stores.seam import VectorStore
from service.search.grouping import Group, parent_of

WINDOW = 60
"""Groups that are compared; those behind are left as they are."""
SAME_PHOTO = 0.999
"""Cosine of two photos from which they are one picture. Measured with three encoders: the showroom's 2.7 million pairs
of photos of different parents reach .995, Magento's .970 (fashion-mini-a) and .998 (-c), pictures that are used twice
have 1.000, and copies at half the size, or saved again as JPEG of quality 90, nearly always .9995 or more."""
SAME_TEXT = 0.9
"""Cosine of two products' texts from which one picture of them means one thing. One photo may show a top and the bag
that goes with it: their texts have .05 and .32 (fashion-mini-a, -c); a yoga strap in three lengths has .97 and .99."""


def collapse(groups: Sequence[Group], store: VectorStore, threshold: float = SAME_PHOTO) -> list[Group]:
    """Near-duplicates of an earlier group leave the list, and their products' ids go into its `duplicates`.

    Compared are the shown products of the first WINDOW groups: the photos they were found by, by `threshold`, their
    texts, and their prices: a ball in three sizes shares photo and text. Variants of one parent are none, whatever they
    look like, nor are products without a photo.
    """
    window = groups[:WINDOW]
    if len(window) < 2:
        return list(groups)
    points = [group.shown.hit.point_id for group in window]
    stored = store.fetch(points)
    same = _same([stored.get(point, {}) for point in points], threshold)
    pairs = np.argwhere(np.triu(same, 1)).tolist()
    if not pairs:
        return list(groups)
    kept: dict[int, list[str]] = {}
    for at, group in enumerate(window):
        earlier = (early for early, late in pairs if late == at and early in kept)
        first = next((early for early in earlier if _relisted(window[early], group)), None)
        if first is None:
            kept[at] = []
        else:
            kept[first].extend(group.ids)
    first_ones = [replace(window[at], duplicates=tuple(ids)) if ids else window[at] for at, ids in kept.items()]
    return [*first_ones, *groups[WINDOW:]]


def _relisted(one: Group, other: Group) -> bool:
    parent = parent_of(one.shown)
    priced_alike = one.shown.payload.get("price") == other.shown.payload.get("price")
    return priced_alike and (parent is None or parent != parent_of(other.shown))


def _same(stored: Sequence[Mapping[Channel, Vector]], threshold: float) -> npt.NDArray[np.bool_]:
    """Which are one picture with one text (n, n); what lacks either is like nothing."""
    return _alike(stored, Channel.IMAGE, threshold) & _alike(stored, Channel.TEXT, SAME_TEXT)


def _alike(stored: Sequence[Mapping[Channel, Vector]], channel: Channel, threshold: float) -> npt.NDArray[np.bool_]:
    alike = np.zeros((len(stored), len(stored)), np.bool_)
    having = [at for at, vectors in enumerate(stored) if channel in vectors]
    if having:
        rows = np.stack([stored[at][channel] for at in having]).astype(np.float64)
        alike[np.ix_(having, having)] = (rows @ rows.T).round(6) >= threshold
    return alike
