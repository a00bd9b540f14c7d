"""What an edit's routes have found tells which of them to trust, and where to look: by evidence that nobody's words can
talk round, as one product's verdict moves others here.

Both are off by default: on nine suites neither gains (DECISIONS.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel, Hit, Matrix, PayloadValue, Vector
from indexer.images.names import COLOUR_NAMES, colours_named_in
from service.changes import COLOUR, Change
from service.search.questions import Edit

LOOKED_AT: Final = 10
"""First products of a route that say how far it is to be trusted."""
PALETTE: Final = "palette"

Marks = npt.NDArray[np.int8]
"""(n,) of candidates: 1 what has all the changes, −1 what has not, 0 what cannot be told."""


def marked(payloads: Sequence[Mapping[str, PayloadValue]], changes: Sequence[Change]) -> Marks:
    """By the field that the shop gives or that was guessed for the build, a colour else by the palette."""
    told = [[_holds(change, payload) for change in changes] for payload in payloads]
    return np.array([-1 if False in one else 0 if None in one or not one else 1 for one in told], np.int8)


def followed(edit: Edit, found: Mapping[str, Sequence[Hit]], places: Mapping[UUID, int], marks: Marks) -> Edit:
    """The edit with each route's weight times the share of its first products that have the change, one that has it and
    one that has not counted beside them (Laplace's rule of succession). `places` are those of points in `marks`."""
    routes = []
    for route in edit.routes:
        first: dict[str, UUID] = {}
        for hit in found[route.name]:
            first.setdefault(hit.product_id, hit.point_id)
        judged = marks[[places[point] for point in first.values() if point in places][:LOOKED_AT]]
        share = (int((judged > 0).sum()) + 1) / (int((judged != 0).sum()) + 2)
        routes.append(replace(route, weight=route.weight * share))
    return replace(edit, routes=tuple(routes))


def fed_back(edit: Edit, vectors: Mapping[Channel, Matrix], marks: Marks, amount: float) -> Edit:
    """The edit with its arithmetic moved by `amount` towards the mean of the candidates (n, dim) that have the change,
    and as far away from that of those that have not (Rocchio 1971)."""
    return replace(
        edit,
        routes=tuple(
            route
            if route.name != "arithmetic"
            else replace(
                route,
                vectors={
                    channel: _moved(vector, vectors[channel], marks, amount)
                    for channel, vector in route.vectors.items()
                },
            )
            for route in edit.routes
        ),
    )


def _moved(vector: Vector, candidates: Matrix, marks: Marks, amount: float) -> Vector:
    """Of unit length (dim,)."""
    at = vector
    for sign in (1, -1):
        if (marks == sign).any():
            at = at + np.float32(sign * amount) * candidates[marks == sign].mean(axis=0)
    return np.asarray(at / np.float32(max(float(np.linalg.norm(at)), 1e-12)), np.float32)


def _holds(change: Change, payload: Mapping[str, PayloadValue]) -> bool | None:
    values = _words(payload.get(change.field))
    if change.field == COLOUR and change.target in COLOUR_NAMES:
        named = {name for value in values for name in colours_named_in(value)} or {*_words(payload.get(PALETTE))}
        return change.target in named if named else None
    return change.target in values if values else None


def _words(value: PayloadValue | None) -> list[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [str(value)]
