"""What a batch of products changes in the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from indexer.catalog.canonical import content_hash, product_columns
from indexer.domain import Product

Columns = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the catalogue knows of a product before the batch."""

    content_hash: str
    position: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to insert, to update, to move, and the ids of those that stay as they are.

    Updates name their row by `of_catalog` and `of_id`.
    """

    added: list[Columns] = field(default_factory=list)
    changed: list[Columns] = field(default_factory=list)
    moved: list[Columns] = field(default_factory=list)
    still: list[str] = field(default_factory=list)


def changes_of(
    catalog: str,
    products: Sequence[Product],
    stored: Mapping[str, Stored],
    *,
    seen_in: str,
    start: int,
    now: datetime,
) -> Changes:
    """`start` is the position of the first product."""
    changes = Changes()
    for position, product in enumerate(products, start):
        before = stored.get(product.id)
        hashed = content_hash(product)
        seen: Columns = {"seen_in": seen_in, "position": position}
        key: Columns = {"of_catalog": catalog, "of_id": product.id}
        written: Columns = {"content_hash": hashed, "updated_at": now}
        if before is None:
            changes.added.append({"catalog": catalog, **product_columns(product), **written, **seen})
        elif before.content_hash != hashed:
            changes.changed.append({**key, **product_columns(product), **written, **seen})
        elif before.position != position:
            changes.moved.append({**key, **seen})
        else:
            changes.still.append(product.id)
    return changes
