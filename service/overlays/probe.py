"""What an encoder's vectors show of words on a photo, learnt from photos with and without drawn ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.domain import Matrix

RIDGE = 0.01
"""What is added to the spread in every direction, in shares of the mean one: there may be fewer photos than directions
(chosen among .001, .01, .1 and 1 on the showroom and on photos that two small encoders were trained on)."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear discriminant: `direction` (dim,) is where photos go when words are drawn on them."""

    direction: Scores

    @classmethod
    def learnt(cls, plain: Matrix, written: Matrix) -> "Probe":
        """Fisher's (1936) of rows (n, dim) and (m, dim), regularised as Friedman (1989) has it; n and m ≥ 2."""
        within = (np.cov(plain.T) + np.cov(written.T)) / 2
        within += RIDGE * np.trace(within) / len(within) * np.eye(len(within))
        apart = written.mean(axis=0, dtype=np.float64) - plain.mean(axis=0, dtype=np.float64)
        return cls(np.linalg.solve(within, apart))

    def scores(self, photos: Matrix) -> Scores:
        """(n,), higher the more a photo (n, dim) looks written on."""
        scores: Scores = photos @ self.direction
        return scores
