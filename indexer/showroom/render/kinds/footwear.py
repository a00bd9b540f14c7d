"""The parts that every shoe shares: outline, upper, sole, laces. The toe points to +x; lengths are in shoe lengths."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from indexer.showroom.render.arrays import Floats, Ints
from indexer.showroom.render.curves import spline
from indexer.showroom.render.mesh import Mesh, Part, patch, union
from indexer.showroom.render.primitives import loft, tube

COLUMNS = 56


TURN = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)


TOE = COLUMNS // 2


_ROWS = 15


_WIDTHS = {
    "round": [
        (0, 0),
        (0.03, 0.075),
        (0.12, 0.118),
        (0.3, 0.118),
        (0.48, 0.122),
        (0.7, 0.162),
        (0.85, 0.152),
        (0.95, 0.105),
        (1, 0),
    ],
    "pointed": [
        (0, 0),
        (0.03, 0.07),
        (0.12, 0.105),
        (0.3, 0.1),
        (0.48, 0.105),
        (0.68, 0.142),
        (0.85, 0.09),
        (0.95, 0.036),
        (1, 0),
    ],
    "square": [
        (0, 0),
        (0.03, 0.075),
        (0.12, 0.115),
        (0.3, 0.112),
        (0.48, 0.12),
        (0.7, 0.155),
        (0.88, 0.15),
        (0.965, 0.12),
        (1, 0),
    ],
}


def foot_outline(toe: str, grow: float = 0.0) -> Floats:
    """Foot outline (C, 2) of (x, z), from the heel by the far side to the toe and back; `grow` widens it all round."""
    x = (1 - np.cos(TURN)) / 2
    knots = np.array(_WIDTHS[toe])
    width = np.interp(x, *spline(knots, 200).T)
    width[[0, TOE]] = 0
    return np.stack([x + grow * (x - 0.5) * 2, np.sign(-np.sin(TURN)) * (width + grow * (width > 0))], axis=1)


@dataclass(frozen=True)
class Collar:
    """Opening of a shoe: centre and half axes in plan, heights above the sole at the front and at the back.

    `dip` lowers it at the ankle.
    """

    centre: float
    length: float
    width: float
    front: float
    back: float
    dip: float = 0.0


def draw_upper(
    toe: str,
    lift: Callable[[Floats], Floats],
    toe_height: float,
    collar: Collar,
    shaft: float = 0.0,
    flare: float = 1.0,
    instep: float = 0.0,
) -> Floats:
    """Grid of the upper (rows, columns, 3) from the sole up to the collar and `shaft` further up.

    Each column is a cubic Bezier curve from the foot's outline to the collar. `lift` is the sole's height at x;
    `instep` in [0, 1] hollows the line from toe to collar.
    """
    plan = foot_outline(toe)
    base = np.stack([plan[:, 0], lift(plan[:, 0]), plan[:, 1]], axis=1)
    c = np.cos(TURN)
    x = collar.centre - collar.length * c
    rise = collar.front + (collar.back - collar.front) * (0.5 + 0.5 * c) ** 1.5 - collar.dip * np.sin(TURN) ** 2
    top = np.stack([x, lift(x) + rise, -collar.width * np.sin(TURN)], axis=1)
    first = base + np.array([0.012, 0, 0]) * -c[:, None]
    first[:, 1] += toe_height * (1 + 0.5 * np.sin(TURN) ** 2)
    first[:, 2] *= 1.08
    hollow = instep * np.clip(-c, 0, 1) ** 1.5
    second = top + (base - top) * np.stack([0.5 - 0.28 * hollow, 0 * c, np.full_like(c, 0.72)], axis=1)
    second[:, 1] = np.maximum(
        top[:, 1] - (0.34 + 0.42 * hollow) * (top[:, 1] - base[:, 1]), lift(second[:, 0]) + 0.6 * toe_height
    )
    t = np.linspace(0, 1, _ROWS)[:, None, None]
    grid = (1 - t) ** 3 * base + 3 * t * (1 - t) ** 2 * first + 3 * t**2 * (1 - t) * second + t**3 * top
    if shaft > 0:
        k = np.linspace(0, 1, 10)[1:, None, None]
        middle = top.mean(axis=0)
        spread = 1 + (flare - 1) * k
        flat = middle[1] + (top[:, 1:2] - middle[1]) * (1 - k)
        tall = np.concatenate(
            [middle[0] + (top[:, :1] - middle[0]) * spread, flat + shaft * k, top[:, 2:] * spread], axis=2
        )
        grid = np.concatenate([grid, tall])
    return np.asarray(grid)


def lined(grid: Floats, parts: Ints, padding: float = 0.014) -> Mesh:
    """Upper with a padded edge and its inside."""
    rim = grid[-1]
    middle = rim.mean(axis=0)
    pull = (middle - rim) * np.array([1, 0, 1])
    pull /= np.maximum(np.linalg.norm(pull, axis=1, keepdims=True), 1e-9)
    over = rim + pull * padding + np.array([0, padding * 0.6, 0])
    inside = rim + pull * 2 * padding - np.array([0, 0.01, 0])
    deep = rim + pull * 3 * padding - np.array([0, 0.13, 0])
    floor = np.broadcast_to(deep.mean(axis=0) - np.array([0, 0.02, 0]), deep.shape)
    shell = patch(
        np.concatenate([grid, [over, inside]]),
        np.concatenate([parts, parts[-1:], parts[-1:]]),
        wrap=True,
    )
    lining = patch(np.stack([floor, deep, inside]), Part.LINING, wrap=True, facing=(0, 1, 0))
    return union(shell, lining)


def sole_slab(
    toe: str, lift: Callable[[Floats], Floats], thickness: Callable[[Floats], Floats], part: Part, grow: float = 0.015
) -> Mesh:
    """Slab under the upper whose top follows `lift`."""
    rings = []
    for share, extra in ((0.0, 0.6), (0.12, 1.0), (0.5, 0.8), (0.9, 1.0), (1.0, 0.5)):
        plan = foot_outline(toe, grow * extra)
        top = lift(plan[:, 0]) + 0.012
        bottom = top - thickness(plan[:, 0])
        rings.append(np.stack([plan[:, 0], bottom + share * (top - bottom), plan[:, 1]], axis=1))
    return loft(np.array(rings), part)


def crossed_laces(grid: Floats, rows: list[int], reach: int, part: Part) -> list[Mesh]:
    """Crossed laces over the instep, a bar at the foot of them."""
    lifted = grid + np.array([0.007, 0.011, 0])
    left, right = TOE - reach, TOE + reach
    pieces = [tube(spline(lifted[rows[0], left : right + 1], 9), 0.0105, part, sides=6)]
    for low, high in pairwise(rows):
        middle = lifted[(low + high) // 2, TOE] + np.array([0.002, 0.006, 0])
        for a, b in ((left, right), (right, left)):
            pieces.append(tube(spline([lifted[low, a], middle, lifted[high, b]], 9), 0.0105, part, sides=6))
    return pieces


def raised_tongue(grid: Floats, length: float) -> Mesh:
    """Tongue that rises out of the collar's front."""
    foot, edge = grid[-4, TOE], grid[-1, TOE]
    ahead = (edge - foot) / np.linalg.norm(edge - foot)
    return tube([foot, edge + 0.4 * length * ahead, edge + length * ahead], 0.016, Part.BODY, flat=3.6, sides=14)


def body_cells(grid: Floats) -> Ints:
    """Part of each cell of an upper, all body."""
    return np.full((len(grid) - 1, COLUMNS), int(Part.BODY))


def paint_sides(cells: Ints, rows: slice, columns: slice, part: Part) -> None:
    """Paint columns counted from the toe, on both sides of the shoe."""
    for column in range(*columns.indices(TOE + 1)):
        cells[rows, (TOE + column) % COLUMNS] = part
        cells[rows, (TOE - 1 - column) % COLUMNS] = part
