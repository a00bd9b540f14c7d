"""Random histories of builds and live changes: every generation that is kept reads as a plain dict says it should."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from random import Random

import pytest

from indexer.catalog.canonical import content_hash
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Difference, ImageRecord, ReadyImage, RejectedImage
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef, Product
from tests.faults.extents import extents
from tests.indexer.catalog.samples import NOON

IDS = [f"p{number}" for number in range(9)]
URIS = ["a.jpg", "b.jpg", "c.jpg"]

Photo = tuple[str, ImageState, str | None]
"""(image id, state, content hash or reason)."""
Entry = tuple[Product, tuple[Photo, ...]]
Snapshot = dict[str, Entry]


@dataclass
class History:
    """A catalog and what each of its generations must read as. `working` is the generation that a build left open."""

    database: Database
    catalog: str
    random: Random
    snapshots: dict[int, Snapshot] = field(default_factory=lambda: {0: {}})
    newest: int = 0
    working: Snapshot | None = None
    marks: dict[str, int] = field(default_factory=dict)
    """Of each file that was written again: half of the times with other content."""

    def step(self) -> None:
        steps: list[Callable[[], None]] = [
            partial(self.build, succeeds=True),
            partial(self.build, succeeds=False),
            self.abandon,
            self.forget,
            self.live,
        ]
        self.random.choices(steps, weights=[4, 4, 3, 2, 5])[0]()

    def any_product(self, product_id: str) -> Product:
        images = self.random.sample(URIS, self.random.randrange(len(URIS) + 1))
        return Product(
            id=product_id,
            title=self.random.choice(["Cap", "Hat"]),
            price=self.random.choice([None, Decimal("9.90")]),
            images=tuple(ImageRef(f"{product_id}/{uri}") for uri in images),
        )

    def outcome(self, product_id: str, image: ImageRef) -> ReadyImage | RejectedImage:
        mark = self.marks.get(image.uri, 0) // 2
        if mark % 3 == 2:
            return RejectedImage(product_id, image.image_id, "truncated", f"attempt {self.random.random()}")
        return ReadyImage(product_id, image.image_id, f"{mark:064}", 8, 8, ((50.0, 1.5, -2.0, 1.0),))

    def photo(self, product_id: str, image: ImageRef) -> Photo:
        outcome = self.outcome(product_id, image)
        if isinstance(outcome, RejectedImage):
            return image.image_id, ImageState.REJECTED, outcome.reason
        return image.image_id, ImageState.READY, outcome.content_hash

    def stamp(self, image: ImageRef) -> str | None:
        return None if image.uri.endswith("c.jpg") else str(self.marks.get(image.uri, 0))

    def build(self, succeeds: bool) -> None:
        """Read a source that differs a little from the newest generation; live changes come in between."""
        generation, seen_in = self.newest + 1, f"build-{self.newest + 1}"
        with self.database.begin() as session:
            base = ChangeRepository(session).last(self.catalog)
            if self.working is not None:
                GenerationRepository(session).inherit(self.catalog, self.newest, generation)
        if self.working is not None:
            self.snapshots.pop(self.newest, None)
        self.newest = generation
        self.working = self.working if self.working is not None else dict(self.snapshots[max(self.snapshots)])
        source = {name: self.working[name][0] for name in IDS if name in self.working and self.random.random() < 0.8}
        source |= {name: self.any_product(name) for name in IDS if self.random.random() < 0.3}
        for name in self.random.sample(IDS, 3):
            written = f"{name}/{self.random.choice(URIS)}"
            self.marks[written] = self.marks.get(written, 0) + 1
        order = self.random.sample(list(source), len(source))
        halves = (order[: len(order) // 2], order[len(order) // 2 :])
        for half in halves if succeeds else halves[:1]:
            self.read([source[name] for name in half], generation, seen_in, base)
            if self.random.random() < 0.5:
                self.live()
        if succeeds:
            self.finish(generation, seen_in, base, set(source))

    def read(self, products: Sequence[Product], generation: int, seen_in: str, base: int) -> None:
        assert self.working is not None
        with self.database.begin() as session:
            touched = ChangeRepository(session).touched(self.catalog, [one.id for one in products], after=base)
            fresh = [one for one in products if one.id not in touched]
            ProductRepository(session).upsert_many(self.catalog, fresh, generation=generation, seen_in=seen_in)
            ImageRepository(session).sync(self.catalog, fresh, self.stamp, generation=generation)
            outcomes = [self.outcome(one.id, image) for one in fresh for image in one.images]
            ImageRepository(session).mark(self.catalog, outcomes, generation=generation)
        for one in fresh:
            self.working[one.id] = one, tuple(self.photo(one.id, image) for image in one.images)

    def finish(self, generation: int, seen_in: str, base: int, seen: set[str]) -> None:
        assert self.working is not None
        with self.database.begin() as session:
            touched = ChangeRepository(session).touched(self.catalog, IDS, after=base)
            removed = ProductRepository(session).remove_unseen(
                self.catalog, generation=generation, seen_in=seen_in, base=base
            )
        unseen = set(self.working) - seen - touched
        assert removed == len(unseen)
        self.snapshots[generation] = {name: kept for name, kept in self.working.items() if name not in unseen}
        self.working = None

    def abandon(self) -> None:
        if self.working is None:
            return
        with self.database.begin() as session:
            GenerationRepository(session).abandon(self.catalog, self.newest)
        self.working = None

    def forget(self) -> None:
        if self.working is not None or len(self.snapshots) < 2:
            return
        oldest = self.random.choice(sorted(self.snapshots)[1:])
        with self.database.begin() as session:
            GenerationRepository(session).forget(self.catalog, oldest)
        self.snapshots = {number: kept for number, kept in self.snapshots.items() if number >= oldest}

    def live(self) -> None:
        """One live change, of a product that exists in some generation or is new."""
        name = self.random.choice(IDS)
        every = [*self.snapshots.values(), *([] if self.working is None else [self.working])]
        known = any(name in snapshot for snapshot in every)
        kind = self.random.choice(["replace", "patch", "delete"] if known else ["replace"])
        with self.database.begin() as session:
            products, images = ProductRepository(session), ImageRepository(session)
            had = images.ids_of(self.catalog, [name])
            if kind == "delete":
                products.delete(self.catalog, [name])
                for snapshot in every:
                    snapshot.pop(name, None)
            elif kind == "patch":
                price = Decimal(self.random.randrange(1, 100))
                products.patch(self.catalog, name, partial(replace, price=price), text_key=lambda one: one.title)
                for snapshot in every:
                    if name in snapshot:
                        product, photos = snapshot[name]
                        snapshot[name] = replace(product, price=price), photos
            else:
                product = self.any_product(name)
                products.replace(self.catalog, product, seen_in="live")
                images.replace(self.catalog, name, [self.record(name, *each) for each in enumerate(product.images)])
                for snapshot in every:
                    snapshot[name] = product, tuple(self.photo(name, image) for image in product.images)
            ChangeRepository(session).record(self.catalog, had, NOON)

    def record(self, name: str, position: int, image: ImageRef) -> ImageRecord:
        _, state, told = self.photo(name, image)
        ready = state is ImageState.READY
        return ImageRecord(
            product_id=name,
            image_id=image.image_id,
            position=position,
            uri=image.uri,
            source_stamp=self.stamp(image),
            state=state,
            content_hash=told if ready else None,
            reason=None if ready else told,
            width=8 if ready else None,
            height=8 if ready else None,
            palette=((50.0, 1.5, -2.0, 1.0),) if ready else None,
        )

    def check(self) -> None:
        kept = dict(self.snapshots)
        if self.working is not None:
            kept[self.newest] = self.working
        with self.database.session() as session:
            for generation, snapshot in kept.items():
                products = ProductRepository(session)
                assert products.count(self.catalog, generation=generation) == len(snapshot)
                read = {one.id: one for one in products.page(self.catalog, generation=generation)}
                assert read == {name: product for name, (product, _) in snapshot.items()}, generation
                found = ImageRepository(session).of_products(self.catalog, IDS, generation=generation)
                shown = {name: tuple(photo_of(record) for record in records) for name, records in found.items()}
                assert shown == {name: snapshot[name][1] if name in snapshot else () for name in IDS}, generation
            self.compare(GenerationRepository(session), kept)

    def compare(self, generations: GenerationRepository, kept: dict[int, Snapshot]) -> None:
        a, b = self.random.choice(list(kept)), self.random.choice(list(kept))
        before, after = kept[a], kept[b]
        both = before.keys() & after.keys()
        changed = {name for name in both if content(before[name]) != content(after[name])}
        expected = {"added": after.keys() - before.keys(), "changed": changed, "removed": before.keys() - after.keys()}
        counts = {kind: len(names) for kind, names in expected.items()}
        assert generations.difference(self.catalog, a, b) == Difference(**counts, unchanged=len(both - changed))
        for kind in ("added", "changed", "removed"):
            first = generations.changed_ids(self.catalog, a, b, kind, limit=1)
            rest = generations.changed_ids(self.catalog, a, b, kind, after=first[0]) if first else ()
            assert list(first + rest) == sorted(expected[kind])
        assert generations.differ(self.catalog, a, b) or before == after


def photo_of(record: ImageRecord) -> Photo:
    return record.image_id, record.state, record.content_hash or record.reason


def content(entry: Entry) -> tuple[str, frozenset[Photo]]:
    """Refused photos are alike whatever the reason."""
    product, photos = entry
    alike = {(image, state, told if state is ImageState.READY else None) for image, state, told in photos}
    return content_hash(product), frozenset(alike)


@pytest.mark.parametrize(("seeds", "steps"), extents((1, 25), (20, 50)))
def test_every_generation_reads_as_its_snapshot(database: Database, seeds: int, steps: int) -> None:
    with database.begin() as session:
        for number in range(seeds):
            for name in ("shop", "other"):
                CatalogRepository(session).ensure(f"{name}-{number}", root="/", source="/")
    for number in range(seeds):
        random = Random(number)
        shop, other = (History(database, f"{name}-{number}", random) for name in ("shop", "other"))
        for _ in range(steps):
            random.choices([shop, other], weights=[4, 1])[0].step()
            shop.check()
            other.check()
