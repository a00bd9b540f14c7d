"""What a build would change, and what two builds differ in."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
from pydantic import Field

from indexer.builds.progress import Progress, Watch
from indexer.builds.read import BATCH, batches, stamp
from indexer.catalog.builds import BuildRepository
from indexer.catalog.canonical import content_hash
from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository, Kind
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ACTIVE_STATES, PUBLISHABLE_STATES
from indexer.domain import Frozen, Pixels, Product
from indexer.errors import ConflictError, ImageRejected
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import Settings
from indexer.sources import BrokenRow, Source

NAMED: Final = 20
"""Products of each kind that are named."""
TOLD: Final = 120
"""Characters of a changed field."""
KINDS: Final[tuple[Kind, ...]] = ("added", "changed", "removed")
LOOKED_AT: Final = Fit((160, 160), "longest", "bilinear", (255, 255, 255))
Sight = Callable[[str, Pixels], None]
"""Told the id of a product that is named, and its first new photo (height, width, 3), at most 160 pixels a side."""


class BuildDifference(Frozen):
    """What `build` has against `against`: numbers of products, and the first of each kind in the order of ids."""

    catalog: str
    build: str
    against: str
    added: int
    changed: int
    removed: int
    unchanged: int
    named: dict[str, list[str]]


class FieldChange(Frozen):
    """What a field said and says, as people write it; '' where there is nothing."""

    field: str
    """An attribute by its own name."""
    old: str
    new: str


class DryRun(Frozen):
    """What building the source now would do to what is published; nothing was written."""

    catalog: str
    against: str | None
    """The published build; None: every product would be new."""
    added: int
    changed: int
    removed: int
    unchanged: int
    rejected_rows: int
    rejected_photos: dict[str, int]
    """Reason → count."""
    named: dict[str, list[str]]
    """The first products of each kind; `rejected` as `line: reason` and `product photo: reason`."""
    titles: dict[str, str] = Field(default_factory=dict)
    """Of the products that are named, by id."""
    changes: dict[str, tuple[FieldChange, ...]] = Field(default_factory=dict)
    """Of the changed ones that are named, by id; without any the file of a photo is another one."""


def difference(database: Database, build: str, against: str | None) -> BuildDifference:
    """Against another build, by default the published one of the catalog.

    Raises UnknownBuild, NothingPublished, ConflictError for builds of two catalogs and for one that failed or was
    cancelled, whose rows went over to its successor.
    """
    with database.session() as session:
        builds, generations = BuildRepository(session), GenerationRepository(session)
        new = builds.get(build)
        old = builds.get(against or PublishedRepository(session).get(new.catalog).build)
        if new.catalog != old.catalog:
            raise ConflictError(f"Build {build} is of catalog {new.catalog!r}, {old.id} of {old.catalog!r}.")
        for one in (new, old):
            if one.state not in (*ACTIVE_STATES, *PUBLISHABLE_STATES):
                raise ConflictError(f"Build {one.id} is {one.state}: what it had read went over to the next build.")
        catalog, a, b = new.catalog, old.generation, new.generation
        counted = generations.difference(catalog, a, b)
        named: dict[str, list[str]] = {
            kind: list(generations.changed_ids(catalog, a, b, kind, limit=NAMED)) for kind in KINDS
        }
    return BuildDifference(
        catalog=catalog,
        build=build,
        against=old.id,
        added=counted.added,
        changed=counted.changed,
        removed=counted.removed,
        unchanged=counted.unchanged,
        named=named,
    )


def _unseen(product_id: str, photo: Pixels) -> None:
    """For who shows no pictures."""


def dry_run(
    database: Database, settings: Settings, source: Source, catalog: str, watch: Watch, see: Sight = _unseen
) -> DryRun:
    """Read the source and check its new and changed photos. Raises SourceError."""
    with database.session() as session:
        published = PublishedRepository(session).find(catalog)
        build = None if published is None else published.build
        generation = None if build is None else BuildRepository(session).get(build).generation
    comparing = _Comparing(database, catalog, generation, source)
    with DecoderPool.of(settings.images) as decoders:
        for rows in batches(source.rows(), BATCH):
            tasks = comparing.take(rows)
            for task, outcome in decoders.map(iter(tasks)):
                shown = comparing.shown.pop(str(task.key), None)
                if isinstance(outcome, ImageRejected):
                    comparing.reject_photo(str(task.key), outcome.reason)
                elif shown is not None:
                    see(shown, outcome.pixels)
                watch(Progress("comparing", comparing.read, None, comparing.rejected, "rows"))
            watch(Progress("comparing", comparing.read, None, comparing.rejected, "rows"))
    removed = list(comparing.removed())
    return DryRun(
        catalog=catalog,
        against=build,
        added=comparing.counts["added"],
        changed=comparing.counts["changed"],
        removed=len(removed),
        unchanged=comparing.counts["unchanged"],
        rejected_rows=comparing.broken,
        rejected_photos=dict(sorted(comparing.reasons.items())),
        named={**comparing.named, "removed": removed[:NAMED]},
        titles={**comparing.titles, **comparing.titles_of(removed[:NAMED])},
        changes=comparing.changes,
    )


@dataclass
class _Comparing:
    database: Database
    catalog: str
    generation: int | None
    source: Source
    read: int = 0
    broken: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "changed": [], "rejected": []})
    seen: "array[int]" = field(default_factory=lambda: array("Q"))
    titles: dict[str, str] = field(default_factory=dict)
    changes: dict[str, tuple[FieldChange, ...]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    """Key of a photo that is looked at for the product it shows → that product's id."""

    @property
    def rejected(self) -> int:
        return self.broken + sum(self.reasons.values())

    def take(self, rows: Sequence[Product | BrokenRow]) -> list[DecodeTask]:
        """Count the rows; the photos that a build would look at."""
        self.read += len(rows)
        products = [row for row in rows if isinstance(row, Product)]
        for row in rows:
            if isinstance(row, BrokenRow):
                self.broken += 1
                self._name("rejected", f"row {row.line}: {row.reason}")
        self.seen.extend(_short_hash(product.id) for product in products)
        before, photos = self._before([product.id for product in products])
        return [task for product in products for task in self._compare(product, before, photos.get(product.id, ()))]

    def removed(self) -> Iterator[str]:
        """The published products that the source no longer has."""
        if self.generation is None:
            return
        seen = np.unique(np.frombuffer(self.seen, np.uint64)) if self.seen else np.empty(0, np.uint64)
        with self.database.session() as session:
            for page in ProductRepository(session).stream(self.catalog, generation=self.generation):
                hashes = np.array([_short_hash(product.id) for product in page], np.uint64)
                gone = ~np.isin(hashes, seen)
                yield from (product.id for product, one in zip(page, gone.tolist(), strict=True) if one)

    def titles_of(self, ids: list[str]) -> dict[str, str]:
        """As they are published."""
        return {product_id: product.title for product_id, product in self._before(ids)[0].items()}

    def reject_photo(self, name: str, reason: str) -> None:
        self.reasons[reason] += 1
        self._name("rejected", f"{name}: {reason}")

    def _compare(
        self, product: Product, before: dict[str, Product], photos: Sequence[ImageRecord]
    ) -> Iterator[DecodeTask]:
        known = {image.image_id: image for image in photos}
        fresh = []
        for image in product.images:
            record = known.get(image.image_id)
            if record is None or stamp(self.source.root, image) not in (None, record.source_stamp):
                fresh.append(image)
            elif record.reason is not None:
                self.reject_photo(f"{product.id} {image.uri}", record.reason)
        old = before.get(product.id)
        same = old is not None and not fresh and content_hash(old) == content_hash(product)
        kind = "added" if old is None else "unchanged" if same else "changed"
        self.counts[kind] += 1
        if kind != "unchanged" and self._name(kind, product.id):
            self.titles[product.id] = product.title
            if old is not None:
                self.changes[product.id] = _changes(old, product)
            self.shown.update({f"{product.id} {image.uri}": product.id for image in fresh[:1]})
        for image in fresh:
            yield DecodeTask(image, LOOKED_AT, self.source.root, key=f"{product.id} {image.uri}")

    def _before(self, ids: list[str]) -> tuple[dict[str, Product], dict[str, tuple[ImageRecord, ...]]]:
        if self.generation is None:
            return {}, {}
        with self.database.session() as session:
            products = ProductRepository(session).get_many(self.catalog, ids, generation=self.generation)
            images = ImageRepository(session).of_products(self.catalog, ids, generation=self.generation)
        return products, images

    def _name(self, kind: str, what: str) -> bool:
        """Whether there was room."""
        room = len(self.named[kind]) < NAMED
        if room:
            self.named[kind].append(what)
        return room


def _changes(old: Product, new: Product) -> tuple[FieldChange, ...]:
    before, after = _fields(old), _fields(new)
    names = dict.fromkeys([*after, *before])
    told = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(FieldChange(field=name, old=was[:TOLD], new=now[:TOLD]) for name, was, now in told if was != now)


def _fields(product: Product) -> dict[str, str]:
    price = "" if product.price is None else f"{product.price:f} {product.currency or ''}".strip()
    return {
        "title": product.title,
        "price": price,
        "availability": product.availability.value,
        "category": " > ".join(product.category),
        "brand": product.brand or "",
        "parent": product.parent or "",
        "url": product.url or "",
        "images": ", ".join(image.uri for image in product.images),
        "description": product.description,
        **{name: value if isinstance(value, str) else ", ".join(value) for name, value in product.attributes.items()},
    }


def _short_hash(product_id: str) -> int:
    """64 bits: of 10 million ids two are alike with a probability of 3 in a million."""
    return int.from_bytes(blake2b(product_id.encode(), digest_size=8).digest())
