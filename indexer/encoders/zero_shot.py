"""Zero-shot classification: photos against words of the same space (Radford et al. 2021, CLIP, section 3.1)."""

from collections.abc import Callable, Sequence

import numpy as np

from indexer.domain import Matrix

EncodeTexts = Callable[[Sequence[str]], Matrix]
"""Texts to unit rows (n, dim): an encoder's `encode_texts`, or a cache of what it encoded."""


def class_vectors(encode: EncodeTexts, prompts: Sequence[Sequence[str]]) -> Matrix:
    """Unit rows (classes, dim), each the mean of its prompts' unit vectors (prompt ensembling, section 3.1.4).

    Every class has one prompt at least. Raises what `encode` raises.
    """
    rows = encode([prompt for said in prompts for prompt in said])
    starts = np.cumsum([0, *(len(said) for said in prompts[:-1])])
    means = np.add.reduceat(rows, starts, axis=0)
    return unit(means)


def classify(photos: Matrix, classes: Matrix, scale: float) -> Matrix:
    """Probabilities (n, classes): the softmax of `scale` times the cosines; `scale` is the encoder's own."""
    logits = scale * (photos @ classes.T)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def unit(rows: Matrix) -> Matrix:
    """The rows at length 1; a row of zeros stays."""
    lengths: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return rows / lengths
