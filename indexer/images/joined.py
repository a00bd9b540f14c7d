"""Masks of pixels: what is joined to what, and what is but a speck or an edge."""

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
"""Shape (h, w)."""
_MAJORITY = 5
"""Of the nine pixels of a neighbourhood."""


def reachable(reached: Mask, passable: Mask) -> Mask:
    """Passable pixels joined to the reached ones, side by side, by passable ones.

    A mask is held as one long number with a bit for each pixel, so that a step from all of them at once is four
    shifts; a column of walls keeps the rows apart.
    """
    row = passable.shape[1] + 1
    free, before = _number(passable), 0
    now = _number(reached) & free
    while now != before:
        before = now
        now = (now | now << 1 | now >> 1 | now << row | now >> row) & free
    return _mask(now, passable.shape)


def reachable_from_border(passable: Mask) -> Mask:
    """Passable pixels joined to the border by passable ones, so that holes in the product stay product."""
    border = passable.copy()
    border[1:-1, 1:-1] = False
    return reachable(border, passable)


def without_specks(mask: Mask) -> Mask:
    """Without pixels that lack a majority of their 3 x 3 neighbourhood: dust, thin lines and JPEG noise."""
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    padded[1:-1, 1:-1] = mask
    across = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((across[:-2] + across[1:-1] + across[2:] >= _MAJORITY) & mask, np.bool_)


def core(mask: Mask) -> Mask:
    """Without the outermost pixels, which mix product and background."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner


def _number(mask: Mask) -> int:
    """Bit y * (w + 1) + x for the pixel at (y, x); those at x = w are 0."""
    walled = np.zeros((mask.shape[0], mask.shape[1] + 1), np.bool_)
    walled[:, :-1] = mask
    return int.from_bytes(np.packbits(walled, bitorder="little").tobytes(), "little")


def _mask(number: int, shape: tuple[int, ...]) -> Mask:
    height, row = shape[0], shape[1] + 1
    packed = np.frombuffer(number.to_bytes((height * row + 7) // 8, "little"), np.uint8)
    bits = np.unpackbits(packed, count=height * row, bitorder="little")
    return bits.view(np.bool_).reshape(height, row)[:, :-1]
