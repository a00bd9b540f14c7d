"""Arithmetic on the unit vectors of encoders."""

import numpy as np

from indexer.domain import Matrix


def without(vectors: Matrix, directions: Matrix) -> Matrix:
    """Unit rows (n, dim) with the orthonormal directions (k, dim) taken out; what lies wholly in them becomes 0."""
    rest = vectors - (vectors @ directions.T) @ directions
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    return np.asarray(rest / np.where(lengths > 1e-6, lengths, np.inf), np.float32)
