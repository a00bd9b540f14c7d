"""How widely cosines spread per kind of query and channel, so that a weight of 0.6 means 0.6 whatever the encoder.

Deviation = standard deviation of the cosines between up to QUERIES sample queries of the kind and up to POINTS random
products, the query's own product left out. Text→image cosines of CLIP lie close together, text→text ones far apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel, Matrix, QueryKind, Spread
from indexer.stores.lexical import Lexicon, Sparse

if TYPE_CHECKING:
    from scipy.sparse import csr_array

QUERIES = 500
POINTS = 5_000
FLOOR = 1e-3
"""No channel is trusted more than this spread allows, however alike its vectors are."""

Cosines = npt.NDArray[np.float32]
Owners = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Random products: a photo vector and a text vector each (n, dim), and their words; row i is product i.

    A row of `images` is zero where the product has no photo.
    """

    images: Matrix
    texts: Matrix
    words: Sequence[str]


@dataclass(frozen=True, eq=False)
class SampleQueries:
    """Text queries as shoppers type them: vectors (m, dim), the words, and the sample row each was made from."""

    vectors: Matrix
    words: Sequence[str]
    owners: Owners


def measure_spreads(sample: Sample, queries: SampleQueries, lexicon: Lexicon) -> dict[QueryKind, dict[Channel, Spread]]:
    """Mean and deviation for every kind; an edit of a product is calibrated as `similar`, one of a photo as `photo`.

    So are several photos.
    """
    pictured = np.flatnonzero(np.any(sample.images != 0, axis=1))
    photos, photo_owners = sample.images[pictured], pictured
    rows = np.arange(len(sample.texts))
    by_photo = photos[:QUERIES], photo_owners[:QUERIES]
    by_text = sample.texts[:QUERIES], rows[:QUERIES]
    typed = queries.vectors, queries.owners
    image_to_image = _spread(*by_photo, photos, photo_owners)
    alike = {Channel.IMAGE: image_to_image, Channel.TEXT: _spread(*by_text, sample.texts, rows)}
    by_photos = {Channel.IMAGE: image_to_image, Channel.TEXT: _spread(*by_photo, sample.texts, rows)}
    return {
        QueryKind.TEXT: {
            Channel.IMAGE: _spread(*typed, photos, photo_owners),
            Channel.TEXT: _spread(*typed, sample.texts, rows),
            Channel.LEXICAL: _lexical_spread(queries, sample.words, lexicon),
        },
        QueryKind.PHOTO: by_photos,
        QueryKind.PHOTOS: by_photos,
        QueryKind.SIMILAR: alike,
        QueryKind.EDIT: alike,
    }


def _spread(queries: Matrix, query_owners: Owners, points: Matrix, point_owners: Owners) -> Spread:
    cosines = queries @ points.T
    return _of(cosines[query_owners[:, None] != point_owners[None, :]])


def _lexical_spread(queries: SampleQueries, words: Sequence[str], lexicon: Lexicon) -> Spread:
    """Of BM25 relative to the query's own best product, as fusion uses it."""
    asked = [lexicon.query(text) for text in queries.words]
    written = [lexicon.document(text) for text in words]
    columns = np.unique(np.concatenate([one.indices for one in (*asked, *written)] or [np.empty(0, np.uint32)]))
    scores = (_matrix(asked, columns) @ _matrix(written, columns).T).toarray()
    best = scores.max(axis=1, initial=0.0, keepdims=True)
    relative = np.divide(scores, best, out=np.zeros_like(scores), where=best > 0)
    return _of(relative[queries.owners[:, None] != np.arange(len(words))[None, :]])


def _matrix(rows: Sequence[Sparse], columns: npt.NDArray[np.uint32]) -> "csr_array":
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(row.indices) for row in rows])]).astype(np.int64)
    places = np.concatenate([np.searchsorted(columns, row.indices) for row in rows] or [np.empty(0, np.int64)])
    values = np.concatenate([row.values for row in rows] or [np.empty(0, np.float32)])
    return csr_array((values, places, starts), shape=(len(rows), len(columns)))


def _of(values: npt.NDArray[np.floating]) -> Spread:
    if values.size == 0:
        return Spread(mean=0.0, deviation=1.0)
    return Spread(mean=float(values.mean()), deviation=max(float(values.std()), FLOOR))
