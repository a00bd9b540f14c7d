import numpy as np
import pytest

from indexer.images.clusters import distance_between, k_means, mean, spread_out, squares_between, weighted_k_means
from indexer.images.colour import Lab

WHITE, RED, NAVY = (100.0, 0.0, 0.0), (45.0, 65.0, 45.0), (15.0, 10.0, -30.0)


def crowd(*colours: tuple[float, float, float], size: int = 40, noise: float = 0.5) -> Lab:
    """So many points around each colour, one colour after the other."""
    centres = np.repeat(np.array(colours), size, axis=0)
    return np.asarray(centres + noise * np.random.default_rng(4).standard_normal(centres.shape), np.float32)


def test_distances_are_those_of_each_point_from_each_centre() -> None:
    points, centres = crowd(WHITE, RED, noise=9), crowd(NAVY, RED, size=2, noise=9)
    apart = points[None].astype(np.float64) - centres[:, None]
    np.testing.assert_allclose(squares_between(points, centres), (apart**2).sum(axis=-1), rtol=1e-4)
    pictures = points.reshape(8, 10, 3), points[::-1].reshape(8, 10, 3)
    np.testing.assert_allclose(
        distance_between(*pictures), np.linalg.norm(pictures[0] - pictures[1], axis=-1), rtol=1e-5
    )


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 63, 250, 4_096])
def test_the_mean_is_numpy_s_to_the_last_bit(count: int) -> None:
    points = crowd(WHITE, NAVY, size=count, noise=20)
    np.testing.assert_array_equal(mean(points), points.mean(axis=0))


def test_starts_are_far_from_each_other() -> None:
    points = crowd(WHITE, RED, NAVY)
    starts = spread_out(points, points[0], 3, 0.95)
    assert sorted(squares_between(np.array([WHITE, RED, NAVY], np.float32), starts).argmin(axis=0).tolist()) == [
        0,
        1,
        2,
    ]


def test_centres_move_to_the_middle_of_what_is_nearest() -> None:
    points = crowd(WHITE, RED)
    centres = k_means(points, points[[3, 50]], 5)
    np.testing.assert_allclose(centres, [points[:40].mean(axis=0), points[40:].mean(axis=0)], rtol=1e-5)


def test_a_centre_without_points_stays_and_of_equal_ones_the_first_has_them() -> None:
    points = crowd(WHITE)
    centres = k_means(points, np.array([WHITE, WHITE, NAVY], np.float32), 1)
    np.testing.assert_array_equal(centres, np.array([points.mean(axis=0), WHITE, NAVY], np.float32))


def test_mass_pulls_centres_and_those_without_any_are_gone() -> None:
    points = np.array([[0, 0, 0], [10, 0, 0], [90, 0, 0]], np.float32)
    starts = np.array([[0, 0, 0], [90, 0, 0], [90, 0, 0]], np.float32)
    centres, masses = weighted_k_means(points, np.array([3.0, 1.0, 2.0]), starts, 6)
    assert centres.tolist() == [[2.5, 0.0, 0.0], [90.0, 0.0, 0.0]]
    assert masses.tolist() == [4.0, 2.0]
