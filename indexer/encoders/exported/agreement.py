"""Whether one encoder may stand in for another: near vectors, and the same things found with them."""

from collections.abc import Sequence

import numpy as np

from indexer.domain import Frozen, Matrix, Pixels
from indexer.encoders.seam import Encoder

LEAST_COSINE = 0.998
"""Between a vector and its stand-in, for ninety-nine of a hundred. CLIP's cosines between a text and the photos that
could answer it lie some hundredths apart."""
MOST_RECALL_LOST = 0.005
LEAST_PAIRS = 20
"""Texts with a photo, below which what is found says nothing."""
DEPTH = 10


class Agreement(Frozen):
    """Cosines are the first percentiles of those between the two encoders; None for a sample without such items.

    Recalls are those of known items: the parts of the texts whose own photo is among the ten nearest of the sample's,
    each encoder searching its own vectors. None with fewer than LEAST_PAIRS.
    """

    cosine_text: float | None
    cosine_image: float | None
    recall_reference: float | None
    recall_candidate: float | None

    @property
    def passes(self) -> bool:
        cosines = [cosine for cosine in (self.cosine_text, self.cosine_image) if cosine is not None]
        near = all(cosine >= LEAST_COSINE for cosine in cosines)
        if self.recall_reference is None or self.recall_candidate is None:
            return near
        return near and self.recall_candidate >= self.recall_reference - MOST_RECALL_LOST


def agree(reference: Encoder, candidate: Encoder, texts: Sequence[str], images: Sequence[Pixels]) -> Agreement:
    """Text number i describes image number i; there may be more texts than images. Raises what the encoders raise."""
    words, photos = reference.encode_texts(texts), reference.encode_images(images)
    other_words, other_photos = candidate.encode_texts(texts), candidate.encode_images(images)
    pairs = min(len(texts), len(images))
    enough = pairs >= LEAST_PAIRS
    return Agreement(
        cosine_text=_cosine(words, other_words),
        cosine_image=_cosine(photos, other_photos),
        recall_reference=_known_item_recall(words[:pairs], photos[:pairs]) if enough else None,
        recall_candidate=_known_item_recall(other_words[:pairs], other_photos[:pairs]) if enough else None,
    )


def _cosine(rows: Matrix, others: Matrix) -> float | None:
    """Rows that are not numbers agree with nothing."""
    if not len(rows):
        return None
    cosines = np.nan_to_num(np.einsum("ij,ij->i", rows, others), nan=-1.0)
    return float(np.percentile(cosines, 1))


def _known_item_recall(words: Matrix, photos: Matrix) -> float:
    scores = words @ photos.T
    better = (scores > np.diag(scores)[:, None]).sum(axis=1)
    return float((better < DEPTH).mean())
