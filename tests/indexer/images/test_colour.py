import numpy as np
import pytest

from indexer.images.colour import ciede2000, difference, lab_to_srgb, srgb_to_lab

SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
"""Sharma, Wu and Dalal 2005, table 1: two CIELAB colours and their difference."""
PAIRS = np.array([[float(field) for field in line.split()] for line in SHARMA.split("\n") if line])


def test_differences_are_the_published_ones_both_ways() -> None:
    assert len(PAIRS) == 34
    one, two, expected = PAIRS[:, :3], PAIRS[:, 3:6], PAIRS[:, 6]
    np.testing.assert_allclose(ciede2000(one, two), expected, atol=5e-5)
    np.testing.assert_allclose(ciede2000(two, one), expected, atol=5e-5)


def test_the_difference_of_two_colours_is_the_same_without_arrays() -> None:
    rng = np.random.default_rng(6)
    one, two = (rng.uniform((0, -110, -110), (100, 110, 110), (500, 3)) for _ in range(2))
    one[:40, 1:], two[20:60, 1:] = 0, 0
    colours = np.concatenate([one, PAIRS[:, :3]]), np.concatenate([two, PAIRS[:, 3:6]])
    pairs = zip(colours[0].tolist(), colours[1].tolist(), strict=True)
    np.testing.assert_allclose([difference(*pair) for pair in pairs], ciede2000(*colours), atol=1e-10)


def test_colours_far_apart_in_light_are_never_one_shade() -> None:
    """What `palette` leaves out when it looks for pairs to join."""
    light = np.arange(0, 100.5 - 17.5, 0.5)
    dark, bright = (
        np.stack([light, 0 * light, 0 * light], axis=1),
        np.stack([light + 17.5, 0 * light, 0 * light], axis=1),
    )
    assert ciede2000(dark, bright).min() > 10


def test_differences_broadcast() -> None:
    table = ciede2000(PAIRS[:5, None, :3], PAIRS[None, :7, 3:6])
    assert table.shape == (5, 7)
    assert table[2, 2] == pytest.approx(PAIRS[2, 6], abs=5e-5)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((128, 128, 128), (53.59, 0, 0)),
    ],
)
def test_lab_of_the_primaries(rgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(srgb_to_lab(np.array(rgb, np.uint8)), lab, atol=0.02)


def test_there_and_back() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (50, 40, 3), np.uint8)
    np.testing.assert_array_equal(lab_to_srgb(srgb_to_lab(colours)), colours)


def test_colours_outside_srgb_are_cut() -> None:
    assert lab_to_srgb((50.0, 127.0, -127.0)).tolist()[1] == 0
