"""What the references of a batch of products change in the ledger of images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.catalog.outcomes import UNCHECKED, Columns
from indexer.catalog.records import SyncCounts
from indexer.catalog.states import FOREVER, ImageState
from indexer.domain import ImageRef, Product

Stamp = Callable[[ImageRef], str | None]
"""What tells whether a source changed without reading it: a file's mtime_ns:size; None when that is not known."""

ImageKey = tuple[str, str]
"""(product id, image id)."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What the ledger knows of an image before the batch."""

    position: int
    source_stamp: str | None
    since: int


@dataclass(slots=True)
class ImageChanges:
    """Rows to insert, columns to update after the split, and keys of rows that leave the generation.

    `split` are the keys of updated rows that older generations read too.
    """

    added: list[Columns] = field(default_factory=list)
    split: list[ImageKey] = field(default_factory=list)
    changed: dict[ImageKey, Columns] = field(default_factory=dict)
    removed: list[ImageKey] = field(default_factory=list)
    stale: int = 0
    unchanged: int = 0

    @property
    def counts(self) -> SyncCounts:
        return SyncCounts(len(self.added), self.stale, len(self.removed), self.unchanged)


def image_changes_of(
    catalog: str,
    products: Sequence[Product],
    stored: Mapping[ImageKey, StoredImage],
    stamp: Stamp,
    generation: int,
) -> ImageChanges:
    changes = ImageChanges()
    left = dict(stored)
    for product in products:
        for position, image in enumerate(product.images):
            key = product.id, image.image_id
            before = left.pop(key, None)
            stamped = stamp(image)
            if before is None:
                changes.added.append(_new(catalog, product.id, image, position, stamped, generation))
                continue
            renewed = stamped is not None and stamped != before.source_stamp
            changes.stale += renewed
            changes.unchanged += not renewed
            if renewed or before.position != position:
                fresh: Columns = {**UNCHECKED, "source_stamp": stamped} if renewed else {}
                changes.changed[key] = {**fresh, "position": position}
                if before.since < generation:
                    changes.split.append(key)
    changes.removed.extend(left)
    return changes


def _new(catalog: str, product_id: str, image: ImageRef, position: int, stamp: str | None, generation: int) -> Columns:
    return {
        "catalog": catalog,
        "product_id": product_id,
        "image_id": image.image_id,
        "since": generation,
        "until": FOREVER,
        "position": position,
        "uri": image.uri,
        "source_stamp": stamp,
        "state": ImageState.PENDING,
    }
