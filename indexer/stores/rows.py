"""Points as columns: the shape in which stores write them and in which they travel to a building child."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from indexer.domain import VECTOR_CHANNELS, Channel, FieldType, Matrix, PayloadValue, Point, Vector, VectorQuery
from indexer.errors import StoreMismatch
from indexer.stores.filters import fits
from indexer.stores.seam import Layout


@dataclass(frozen=True, slots=True)
class Rows:
    """n points, their ids distinct. `dense` (n, 2·dim) is [image ; text] with missing halves filled.

    Bit c of `lacks` (n,) is set where the product lacks VECTOR_CHANNELS[c].
    `payload` holds the layout's fields only: keywords as lists that are not empty, numbers as floats.
    """

    ids: list[UUID]
    names: list[tuple[str, str]]
    """(product_id, image_id)"""
    dense: Matrix
    lacks: npt.NDArray[np.uint8]
    words: list[str]
    payload: list[dict[str, PayloadValue]]

    @classmethod
    def of(cls, points: Sequence[Point], layout: Layout) -> "Rows":
        """Raises StoreMismatch, naming the product, for a vector or a payload value the layout has no room for."""
        kept = list({point.id: point for point in points}.values())
        dense = np.empty((len(kept), len(VECTOR_CHANNELS) * layout.dim), dtype=np.float32)
        lacks = np.zeros(len(kept), dtype=np.uint8)
        for place, channel in enumerate(VECTOR_CHANNELS):
            half = dense[:, place * layout.dim : (place + 1) * layout.dim]
            for row, point in enumerate(kept):
                vector = point.vectors.get(channel)
                if vector is None:
                    vector = layout.fill[channel]
                    lacks[row] |= 1 << place
                elif vector.shape != (layout.dim,):
                    raise StoreMismatch(f"Product {point.product_id!r}: {channel} vector of shape {vector.shape}.")
                half[row] = vector
        finite = np.isfinite(dense).all(axis=1)
        if not finite.all():
            raise StoreMismatch(f"Product {kept[int(finite.argmin())].product_id!r}: a vector that is not finite.")
        return cls(
            ids=[point.id for point in kept],
            names=[(point.product_id, point.image_id) for point in kept],
            dense=dense,
            lacks=lacks,
            words=[point.words for point in kept],
            payload=[_fields(point, layout.fields) for point in kept],
        )


def query_row(query: VectorQuery, dim: int) -> Vector:
    """The query halves concatenated, (2·dim,); an absent channel is zeros and so adds nothing to a score."""
    row = np.zeros(len(VECTOR_CHANNELS) * dim, dtype=np.float32)
    for channel, vector in query.vectors.items():
        if channel not in VECTOR_CHANNELS or vector.shape != (dim,):
            raise StoreMismatch(f"The store has no {channel} vectors of shape {vector.shape}; its dimension is {dim}.")
        place = VECTOR_CHANNELS.index(channel)
        row[place * dim : (place + 1) * dim] = vector
    return row


def halves(row: Vector, lacks: int) -> dict[Channel, Vector]:
    """The inverse of a point's row: its unit vectors (dim,) without those that were filled in."""
    parts = np.split(row, len(VECTOR_CHANNELS))
    return {channel: parts[place] for place, channel in enumerate(VECTOR_CHANNELS) if not lacks >> place & 1}


def _fields(point: Point, fields: Mapping[str, FieldType]) -> dict[str, PayloadValue]:
    values = {name: _value(point, name, fields[name]) for name in point.payload if name in fields}
    return {name: value for name, value in values.items() if value != []}


def _value(point: Point, name: str, kind: FieldType) -> PayloadValue:
    value = point.payload[name]
    if kind is FieldType.KEYWORD and isinstance(value, str):
        return [value]
    elements = value if kind is FieldType.KEYWORD and isinstance(value, list) else [value]
    if not all(fits(element, kind) for element in elements):
        raise StoreMismatch(f"Product {point.product_id!r}: {name} = {value!r} is not a {kind}.")
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
