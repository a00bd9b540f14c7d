"""Outlines are those that a person would draw along."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Pixels
from service.generate.diffusion.outlines import outlines


def square(side: int, inside: int, outside: int) -> Pixels:
    """Its middle half is `inside`."""
    pixels = np.full((side, side, 3), outside, np.uint8)
    pixels[side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = inside
    return pixels


def test_a_thing_is_drawn_along_its_edge_and_nowhere_else() -> None:
    found = outlines(square(64, inside=40, outside=255))

    rows, columns = np.nonzero(found[..., 0])
    away = np.minimum.reduce([abs(rows - 15.5), abs(rows - 47.5), abs(columns - 15.5), abs(columns - 47.5)])
    assert away.max() <= 2
    assert len(rows) >= 4 * 28, "on all four sides"


def test_a_seam_of_a_dark_thing_is_an_outline_too() -> None:
    assert outlines(square(64, inside=20, outside=45)).any()


def test_shading_is_none() -> None:
    shaded = np.repeat(np.linspace(120, 200, 64).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)

    assert not outlines(shaded).any()


@given(level=st.integers(0, 255), height=st.integers(8, 40), width=st.integers(8, 40))
@settings(max_examples=25, deadline=None)
def test_a_plain_picture_has_none_not_even_at_its_rim(level: int, height: int, width: int) -> None:
    found = outlines(np.full((height, width, 3), level, np.uint8))

    assert found.shape == (height, width, 3)
    assert found.dtype == np.uint8
    assert not found.any()
