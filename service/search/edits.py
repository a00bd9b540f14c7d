"""Where the changes of an edit move a product's vectors, and which directions they may change."""

from collections.abc import Mapping, Sequence

import numpy as np

from indexer.domain import Matrix, Product, Vector
from indexer.encoders import Encoder
from indexer.images.names import COLOUR_NAMES, SYNONYMS
from service.changes import COLOUR, UNTELLING, Change

WORDS_OF_A_FIELD = 40
"""Values of a field, most frequent first, whose differences are what a change of it may change; each is encoded."""


def source_of_product(field: str, product: Product) -> str | None:
    value = product.attributes.get(field)
    if not value:
        return None
    first = (value if isinstance(value, str) else value[0]).casefold()
    return SYNONYMS.get(first, first) if field == COLOUR else first


def nearest_value(photo: Vector, values: Sequence[str], encoder: Encoder) -> str:
    """Zero-shot classification: the value whose words are nearest to the photo (Radford et al. 2021, §3.1)."""
    return values[int(np.argmax(encoder.encode_texts(values) @ photo))]


def direction(changes: Sequence[Change], encoder: Encoder) -> Vector:
    """Sum over the changes of text(target) − text(source), shape (dim,); an unknown source leaves text(target)."""
    pairs = [(change.target, 1.0) for change in changes]
    pairs += [(change.source, -1.0) for change in changes if change.source is not None]
    vectors = encoder.encode_texts([words for words, _ in pairs])
    summed: Vector = np.asarray([sign for _, sign in pairs], np.float32) @ vectors
    return summed


def changed_directions(
    changes: Sequence[Change], vocabulary: Mapping[str, Sequence[str]], encoder: Encoder, dim: int
) -> Matrix:
    """Orthonormal rows (k, dim), k ≥ 0, of what changing those fields may change of a vector.

    They span the differences between the vectors of a field's values, as concept erasure has it for a probe's
    directions (Ravfogel et al. 2020, "Null It Out"): with them taken out, a blue shirt and a red one are one shirt.
    """
    parts = []
    for change in changes:
        words = _values_of_field(change, vocabulary)
        vectors = encoder.encode_texts(words)
        parts.append(vectors - vectors.mean(axis=0))
    if not parts:
        return np.empty((0, dim), np.float32)
    _, lengths, rows = np.linalg.svd(np.concatenate(parts), full_matrices=False)
    kept = rows[lengths > 1e-3 * max(float(lengths[0]), 1e-12)][: dim // 2]
    return np.asarray(kept, np.float32)


def _values_of_field(change: Change, vocabulary: Mapping[str, Sequence[str]]) -> list[str]:
    named = COLOUR_NAMES if change.field == COLOUR else ()
    own = [value for value in vocabulary.get(change.field, ()) if value not in UNTELLING]
    source = () if change.source is None else (change.source,)
    return list(dict.fromkeys([change.target, *source, *named, *own]))[:WORDS_OF_A_FIELD]
