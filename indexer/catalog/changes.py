"""What a batch of products changes in the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from indexer.catalog.canonical import content_hash, product_columns
from indexer.catalog.states import FOREVER
from indexer.domain import Product

Columns = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the catalogue knows of a product before the batch."""

    content_hash: str
    position: int
    since: int
    patched: bool
    """A live patch changed its text; reading it from the source again gives it the vector of its own text."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to insert, to update, to move, and the ids of those that stay as they are.

    `split` are the ids of changed rows that older generations read too. Updates name their row by `of_catalog`,
    `of_id` and `of_since`; those of `changed` mean the row after the split.
    """

    added: list[Columns] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    changed: list[Columns] = field(default_factory=list)
    moved: list[Columns] = field(default_factory=list)
    still: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Which build reads the products, and when."""

    catalog: str
    generation: int
    seen_in: str
    now: datetime


def changes_of(reading: Reading, products: Sequence[Product], stored: Mapping[str, Stored], start: int) -> Changes:
    """`start` is the position of the first product."""
    changes = Changes()
    for position, product in enumerate(products, start):
        before = stored.get(product.id)
        hashed = content_hash(product)
        seen: Columns = {"seen_in": reading.seen_in, "position": position}
        if before is None:
            changes.added.append({**new_row(reading, product), **seen})
        elif before.content_hash != hashed or before.patched:
            if before.since < reading.generation:
                changes.split.append(product.id)
            key = _key(reading.catalog, product.id, reading.generation)
            changes.changed.append({**key, **_content(reading, product), **seen})
        elif before.position != position:
            changes.moved.append({**_key(reading.catalog, product.id, before.since), **seen})
        else:
            changes.still.append(product.id)
    return changes


def new_row(reading: Reading, product: Product) -> Columns:
    """All columns of a row that begins with the generation and has no end, but for its position."""
    lasting: Columns = {"catalog": reading.catalog, "since": reading.generation, "until": FOREVER}
    return {**lasting, **_content(reading, product), "seen_in": reading.seen_in}


def _content(reading: Reading, product: Product) -> Columns:
    columns = product_columns(product)
    return {**columns, "content_hash": content_hash(product), "text_key": None, "updated_at": reading.now}


def _key(catalog: str, product_id: str, since: int) -> Columns:
    return {"of_catalog": catalog, "of_id": product_id, "of_since": since}
