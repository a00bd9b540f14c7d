"""Not ten times the same: maximal marginal relevance (Carbonell and Goldstein 1998) over the first products."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Channel, Vector
from indexer.stores.seam import VectorStore
from service.search.fusion import Fused, Scores

WINDOW = 50
"""Products that change places; those behind keep theirs."""

Similarities = npt.NDArray[np.float64]
"""Shape (n, n)."""


def diversify(fused: Sequence[Fused], diversity: float, store: VectorStore) -> list[Fused]:
    """`diversity` in [0, 1]: 0 leaves the order as it is and fetches nothing, 1 asks for unlikeness alone.

    Products are alike as the photos are that they were found by, or as their texts are where one lacks a photo.
    """
    if diversity == 0 or len(fused) < 2:
        return list(fused)
    window = fused[:WINDOW]
    stored = store.fetch([one.hit.point_id for one in window])
    alike = likeness([stored.get(one.hit.point_id, {}) for one in window])
    order = marginal_order(np.array([one.score for one in window]), alike, diversity)
    return [*(window[at] for at in order), *fused[WINDOW:]]


def marginal_order(scores: Scores, alike: Similarities, diversity: float) -> list[int]:
    """Places in the order they are taken: each next one has the most of
    (1 − diversity) · relevance − diversity · (its greatest likeness to one already taken).

    Relevance is the score from its smallest to its largest as 0 … 1. Of equals the one that stood first is taken.
    """
    reach = np.ptp(scores)
    relevance = (scores - scores.min()) / reach if reach > 0 else np.zeros(len(scores))
    nearest = np.zeros(len(scores))
    left = np.ones(len(scores), np.bool_)
    taken: list[int] = []
    for number in range(len(scores)):
        gain = (1 - diversity) * relevance - diversity * nearest
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        left[best] = False
        taken.append(best)
        nearest = alike[best] if number == 0 else np.maximum(nearest, alike[best])
    return taken


def likeness(stored: Sequence[Mapping[Channel, Vector]]) -> Similarities:
    """Cosines (n, n) in the first channel that both products have, images before texts; 0 where they share none.

    Rounded to 6 decimals, as scores are, so that the noise of float32 sums decides no tie.
    """
    alike = np.zeros((len(stored), len(stored)))
    for channel in reversed(VECTOR_CHANNELS):
        having = [at for at, vectors in enumerate(stored) if channel in vectors]
        if having:
            matrix = np.stack([stored[at][channel] for at in having]).astype(np.float64)
            alike[np.ix_(having, having)] = matrix @ matrix.T
    return alike.round(6)
