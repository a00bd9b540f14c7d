"""Colours gathered around a few of them: distances in CIELAB, and a k-means that always gives the same."""

import numpy as np
import numpy.typing as npt

from indexer.images.colour import Lab

Squares = npt.NDArray[np.float32]
"""Shape (k, n): squared distances of n points from k centres."""
Mass = npt.NDArray[np.float64]


def squares_between(points: Lab, centres: Lab) -> Squares:
    """Squared Lab distances (k, n) of points (n, 3) from centres (k, 3)."""
    return _squares(points, _lengths(points), centres)


def distance_between(lab: Lab, other: Lab) -> npt.NDArray[np.float32]:
    """Lab distance of each colour from its counterpart; shape of `lab` less its last axis."""
    apart = lab - other
    apart *= apart
    return np.asarray(np.sqrt(apart[..., 0] + apart[..., 1] + apart[..., 2]), np.float32)


def spread_out(points: Lab, first: Lab, count: int, share: float) -> Lab:
    """Starting centres (count, 3): `first`, then each time what is farther away than that share of the points."""
    lengths, rank = _lengths(points), int(share * (len(points) - 1))
    centres = [first]
    squares = _squares(points, lengths, first[None])[0]
    for _ in range(count - 1):
        centres.append(points[np.argsort(squares, kind="stable")[rank]])
        squares = np.minimum(squares, _squares(points, lengths, centres[-1][None])[0])
    return np.stack(centres)


def k_means(points: Lab, centres: Lab, rounds: int) -> Lab:
    """Centres (k, 3) after at most so many rounds; one that no point is nearest to stays where it is."""
    lengths = _lengths(points)
    for _ in range(rounds):
        own = [points.take(np.flatnonzero(near), axis=0) for near in _nearest(_squares(points, lengths, centres))]
        moved = np.stack([mean(part) if len(part) else centre for part, centre in zip(own, centres, strict=True)])
        if (moved == centres).all():
            break
        centres = moved
    return centres


def weighted_k_means(points: Lab, mass: Mass, centres: Lab, rounds: int) -> tuple[Lab, Mass]:
    """The same of points with a mass (n,), and the mass (k,) of what was nearest to each centre in the last round."""
    lengths = _lengths(points)
    weighted = np.concatenate([points * mass[:, None], mass[:, None]], axis=1)
    sums = np.zeros((len(centres), 4))
    for _ in range(rounds):
        sums = _nearest(_squares(points, lengths, centres)) @ weighted
        means = sums[:, :3] / np.maximum(sums[:, 3:], 1e-9)
        moved = np.where(sums[:, 3:] > 0, means, centres).astype(np.float32)
        if (moved == centres).all():
            break
        centres = moved
    held = sums[:, 3] > 0
    return centres[held], sums[held, 3]


def mean(points: Lab) -> Lab:
    """Of points (n, 3); what `points.mean(axis=0)` gives, several times as fast."""
    return np.asarray(np.einsum("ij->j", points) / np.float32(len(points)), np.float32)


def _lengths(points: Lab) -> npt.NDArray[np.float32]:
    return np.asarray(np.einsum("ij,ij->i", points, points), np.float32)


def _squares(points: Lab, lengths: npt.NDArray[np.float32], centres: Lab) -> Squares:
    squares = centres @ points.T
    squares *= -2
    squares += lengths + _lengths(centres)[:, None]
    return np.asarray(np.maximum(squares, 0, out=squares), np.float32)


def _nearest(squares: Squares) -> npt.NDArray[np.bool_]:
    """Which points (k, n) each centre is the nearest to; the first of several that are as near."""
    nearest: npt.NDArray[np.bool_] = squares == squares.min(axis=0)
    free = np.ones(squares.shape[1], np.bool_)
    for k in range(len(nearest)):
        nearest[k] &= free
        free ^= nearest[k]
    return nearest
