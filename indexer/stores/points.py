"""How a point lies in Qdrant's engine, embedded or a server: alike, so that a server's snapshot is an Edge store."""

from collections.abc import Mapping
from typing import Any, Final

from indexer.domain import FieldType, PayloadValue
from indexer.stores.rows import Rows
from indexer.stores.seam import Layout

DENSE: Final = "dense"
"""The vector [image ; text]."""
LEXICAL: Final = "lexical"
"""The sparse vector of BM25 document weights."""
PRODUCT: Final = "product"
IMAGE: Final = "image"
LACKS: Final = "lacks"
TRUE: Final = "true"

EXACT_BELOW: Final = 10_000
"""Points; a full scan of as many vectors of 512 floats takes about 1 ms."""
TIES_AT_MOST: Final = 2_000
"""Equal scores across the cut are followed this deep to order them by id; of wider ties the engine chooses."""


def keys_of(layout: Layout) -> dict[str, str]:
    """Payload key of each field: field names may hold dots and quotes, which the engine reads as paths."""
    return {name: f"f{place}" for place, name in enumerate(sorted(layout.fields))}


def fields_of(layout: Layout) -> dict[str, tuple[str, FieldType]]:
    """Name and type of the field under each payload key."""
    return {key: (name, layout.fields[name]) for name, key in keys_of(layout).items()}


def payload_of(rows: Rows, row: int, keys: Mapping[str, str]) -> dict[str, object]:
    """The names, what is lacking if anything is, and the fields under their keys."""
    product, image = rows.names[row]
    payload: dict[str, object] = {PRODUCT: product, IMAGE: image}
    if rows.lacks[row]:
        payload[LACKS] = int(rows.lacks[row])
    for name, value in rows.payload[row].items():
        payload[keys[name]] = flag(value) if isinstance(value, bool) else value
    return payload


def read_of(payload: Mapping[str, Any], fields: Mapping[str, tuple[str, FieldType]]) -> dict[str, PayloadValue]:
    """The inverse of `payload_of`, without the names."""
    found: dict[str, PayloadValue] = {}
    for key, value in payload.items():
        if key in fields:
            name, kind = fields[key]
            found[name] = (
                value if kind is FieldType.KEYWORD else value == TRUE if kind is FieldType.FLAG else float(value)
            )
    return found


def flag(value: bool) -> str:
    """Flags are stored as words: qdrant-edge-py 0.9.0 hands MatchValue(True) to the engine as the integer 1."""
    return TRUE if value else "false"
