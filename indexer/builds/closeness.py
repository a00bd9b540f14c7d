"""From which cosine on a best answer is close at all: the catalogue answers questions it can and cannot answer.

Words: of the queries that shoppers might type for sampled products, a twentieth finds its best text below `least`, and
a twentieth its best photo. That alone decides nothing, for words that the catalogue knows are not flagged
(service.search.emptiness); it tells the synonym that nobody wrote from the thing that nobody sells, which texts do
where the encoder does not know the thing and photos where it does. Titles that do not say what the photos show, as
those of a folder of pictures, give no measure.

Photos: for each sampled photo its nearest one of another category is what the catalogue would answer did it not have
the category, and nearly all of those lie below `least`. A product's second photo, left out, is a new photo of
something the catalogue has, and few of those may; where few products have one, it is a photo's nearest of another
product instead, which is a stricter stand-in.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.builds.spreads import QUERIES, Sample, SampleQueries
from indexer.domain import Channel, Closeness, Matrix, QueryKind, Spread

TYPED: Final = 0.05
"""Share of the typed queries below the threshold of each channel."""
TELLING: Final = 1.0
"""Titles and photos agree when typed queries score their own photo so many deviations above the mean."""
ABSENT: Final = 0.95
"""Share of absent things that lie below the threshold of photos, unless that took in too many present ones."""
LEFT_OUT: Final = 0.05
"""Share of left-out photos that may lie below it, and, where there are too few,"""
OTHERS: Final = 0.10
"""share of photos whose nearest one of another product may."""
FEWEST: Final = 20
"""Measured from fewer queries a quantile says nothing."""

Cosines = npt.NDArray[np.float32]
"""Shape (queries, photos)."""


def measure_closeness(
    sample: Sample, seconds: Matrix, queries: SampleQueries, categories: Sequence[Sequence[str]], typed: Spread
) -> dict[QueryKind, Closeness]:
    """`seconds` (m, dim) are second photos of some of the sample's products, `categories` those of all of them,
    `typed` the spread of text queries among photos.

    A kind is absent where the catalogue gives no measure.
    """
    pictured = np.flatnonzero(np.any(sample.images != 0, axis=1))
    photos = sample.images[pictured]
    groups = ["/".join(categories[row]).casefold() for row in pictured.tolist()]
    found = {
        QueryKind.TEXT: _of_words(queries, sample.texts, photos) if _telling(sample, queries, typed) else None,
        QueryKind.PHOTO: _of_photos(photos, seconds, groups),
    }
    return {kind: closeness for kind, closeness in found.items() if closeness is not None}


def _telling(sample: Sample, queries: SampleQueries, typed: Spread) -> bool:
    """Whether the words say what the photos show, as far as there are photos."""
    own = sample.images[queries.owners]
    pictured = np.any(own != 0, axis=1)
    agreement = np.einsum("ij,ij->i", queries.vectors, own)[pictured]
    return not len(agreement) or float(agreement.mean()) >= typed.mean + TELLING * typed.deviation


def _of_words(queries: SampleQueries, texts: Matrix, photos: Matrix) -> Closeness | None:
    if len(queries.words) < FEWEST:
        return None
    least = {Channel.TEXT: _low(queries.vectors @ texts.T)}
    if len(photos):
        least[Channel.IMAGE] = _low(queries.vectors @ photos.T)
    return Closeness(least=least)


def _low(cosines: Cosines) -> float:
    return float(np.quantile(cosines.max(axis=1), TYPED))


def _of_photos(photos: Matrix, seconds: Matrix, groups: Sequence[str]) -> Closeness | None:
    if len(photos) < FEWEST:
        return None
    cosines = _without_self(photos[:QUERIES] @ photos.T, 0)
    present = float(np.quantile(cosines.max(axis=1), OTHERS))
    if len(seconds) >= FEWEST:
        left_out = _without_self(seconds[:QUERIES] @ np.concatenate([photos, seconds]).T, len(photos))
        present = float(np.quantile(left_out.max(axis=1), LEFT_OUT))
    _, group = np.unique(groups, return_inverse=True)
    cosines[group[:QUERIES, None] == group[None, :]] = -1.0
    nearest = cosines.max(axis=1)
    elsewhere = nearest[nearest > -1.0]
    least = present if len(elsewhere) < FEWEST else min(present, float(np.quantile(elsewhere, ABSENT)))
    return Closeness(least={Channel.IMAGE: least})


def _without_self(cosines: Cosines, start: int) -> Cosines:
    """Query i is photo `start + i`."""
    rows = np.arange(len(cosines))
    cosines[rows, start + rows] = -1.0
    return cosines
