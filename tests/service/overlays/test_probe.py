"""A probe finds the direction in which two clouds of vectors differ."""

import numpy as np
import pytest

from indexer.domain import Matrix
from service.overlays.probe import Probe

DIM = 64


def cloud(count: int, seed: int, shift: float) -> Matrix:
    """Loud in the first directions, as photos are by what they show; the last one is what tells."""
    rows = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows[:, :8] *= 10
    rows[:, -1] += shift
    return rows


@pytest.mark.parametrize("count", [30, 500], ids=["fewer photos than directions", "many photos"])
def test_what_was_written_on_scores_higher_on_photos_it_never_saw(count: int) -> None:
    probe = Probe.learnt(cloud(count, 1, 0.0), cloud(count, 2, 4.0))

    plain, written = probe.scores(cloud(400, 3, 0.0)), probe.scores(cloud(400, 4, 4.0))

    assert (written > np.quantile(plain, 0.95)).mean() > (0.6 if count == 30 else 0.95)
