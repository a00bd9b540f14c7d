"""A published catalogue grown to as many products as one likes, as a build: rows in the ledger, points in a store.

Whole families are copied. A copy has its model's variants, photos and attributes, a price and a stock of its own, and
some sentences of other products' descriptions, so that equal words do not make equal texts. Its vectors lie near the
model's, those of one family nearest to each other, as in `grown.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from itertools import count, islice
from typing import Final

import numpy as np
import numpy.typing as npt

from eval.benchmarks.grown import CATALOG, OF_FAMILY, OF_PRODUCT, OF_VIEW, differences, units
from eval.benchmarks.trial import TOGETHER
from indexer.builds.embeddings import Embeddings
from indexer.builds.live import layout_of, published_build, read_layout
from indexer.builds.pages import pages
from indexer.builds.texts import payload, words
from indexer.builds.words import WordsCensus
from indexer.builds.write import write_points
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.states import BuildState
from indexer.domain import Availability, BuildManifest, Channel, Matrix, Point, Product, Vector, point_id
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.lexical import Lexicon

PRICES: Final = 0.6, 1.6
"""What a copy costs at least and at most, of its model's price."""
SOLD_OUT: Final = 0.2
"""Share of the copies that are not in stock."""
SENTENCES: Final = 3
"""Of other descriptions that a copy has at most."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Models:
    """What is grown from: a build's products by family, with the points of each, every point with both vectors."""

    manifest: BuildManifest
    products: Sequence[Product]
    points: Sequence[Sequence[Point]]

    @classmethod
    def of(cls, database: Database, settings: Settings, catalog: str) -> "Models":
        """The products of the published build that have photos. Raises UnknownCatalog, NothingPublished."""
        manifest, _ = read_layout(database, published_build(database, catalog)[1])
        found: dict[str, list[Point]] = {}

        def keep(points: Sequence[Point]) -> None:
            for point in points:
                if point.image_id:
                    found.setdefault(point.product_id, []).append(point)

        for _ in write_points(database, manifest, Embeddings(settings.home, manifest.encoder), keep):
            pass
        entries = (entry for page in pages(database, manifest.catalog, manifest.generation) for entry in page)
        products = sorted(
            (entry.product for entry in entries if entry.product.id in found), key=lambda one: (_family(one), one.id)
        )
        return cls(manifest, products, [found[product.id] for product in products])

    def grown(self, size: int) -> Iterator[Product]:
        """So many products, always the same."""
        return islice((product for number in count() for product in self._copies(number)), size)

    def grown_points(self, size: int) -> Iterator[list[Point]]:
        """The points of each of them."""
        return islice((points for number in count() for points in self._points(number)), size)

    def count_points(self, size: int) -> int:
        copies, rest = divmod(size, len(self.points))
        return copies * sum(map(len, self.points)) + sum(map(len, self.points[:rest]))

    def _copies(self, number: int) -> Iterator[Product]:
        """One of every model."""
        rng = np.random.default_rng([1, number])
        for model in self.products:
            factor, sold_out = rng.uniform(*PRICES), rng.random() < SOLD_OUT
            others = rng.integers(len(self._sentences), size=rng.integers(1, SENTENCES + 1)).tolist()
            yield replace(
                model,
                id=f"{model.id}-{number}",
                parent=f"{_family(model)}-{number}",
                description=" ".join([model.description, *(self._sentences[other] for other in others)]),
                price=None if model.price is None else Decimal(f"{float(model.price) * factor:.1f}"),
                availability=Availability.OUT_OF_STOCK if sold_out else Availability.IN_STOCK,
            )

    def _points(self, number: int) -> Iterator[list[Point]]:
        images, texts = self._vectors(number)
        photo = iter(images)
        for product, models, text in zip(self._copies(number), self.points, texts, strict=True):
            yield [self._point(product, model, {Channel.IMAGE: next(photo), Channel.TEXT: text}) for model in models]

    def _point(self, product: Product, model: Point, vectors: Mapping[Channel, Vector]) -> Point:
        filterable = {**model.payload, **payload(product, self.manifest.fields, pictured=True)}
        id = point_id(CATALOG, product.id, model.image_id)
        return Point(id, product.id, model.image_id, vectors, words(product), filterable)

    def _vectors(self, number: int) -> tuple[Matrix, Matrix]:
        """A row for each photo, and one for each product's text."""
        rng = np.random.default_rng([2, number])
        images, texts = self._real
        of_product = np.repeat(np.arange(len(self.points)), [len(points) for points in self.points])
        photos = images + self._apart(rng, images)[of_product] + differences(rng, len(images), images, OF_VIEW)
        return units(photos), units(texts + self._apart(rng, texts))

    def _apart(self, rng: np.random.Generator, real: Matrix) -> Matrix:
        """What each product differs by from its model (products, dim)."""
        families = differences(rng, int(self._families[-1]) + 1, real, OF_FAMILY)
        apart: Matrix = families[self._families] + differences(rng, len(self._families), real, OF_PRODUCT)
        return apart

    @cached_property
    def _real(self) -> tuple[Matrix, Matrix]:
        """The models' photos and texts."""
        images = [point.vectors[Channel.IMAGE] for points in self.points for point in points]
        return np.array(images, np.float32), np.array([own[0].vectors[Channel.TEXT] for own in self.points], np.float32)

    @cached_property
    def _families(self) -> Numbers:
        """(products,) the number of the family of each."""
        return np.unique([_family(one) for one in self.products], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _sentences(self) -> Sequence[str]:
        return [sentence for product in self.products for sentence in product.description.split(". ")]


def grow(models: Models, database: Database, stores: Stores, size: int) -> str:
    """The build of `size` products, published in a ledger that has none of the catalog.

    What was measured of the models, how scores spread and which fields there are, is taken for true of it.
    """
    lexicon = Lexicon.of(map(words, models.grown(size)))
    about = {"build": f"{CATALOG}-{size}", "catalog": CATALOG, "generation": 1, "products": size}
    points = models.count_points(size)
    manifest = models.manifest.model_copy(update={**about, "points": points, "images": points})
    with stores.write(manifest.build, layout_of(manifest, lexicon), points) as writer:
        every = (point for own in models.grown_points(size) for point in own)
        while page := list(islice(every, TOGETHER)):
            writer.upsert(page)
        writer.finish()
    _publish(database, manifest, lexicon, models.grown(size), stores.kind)
    return manifest.build


def _publish(
    database: Database, manifest: BuildManifest, lexicon: Lexicon, products: Iterator[Product], store: str
) -> None:
    build, catalog, now = manifest.build, manifest.catalog, datetime.now(UTC)
    spelt, start = WordsCensus(), 0
    with database.begin() as session:
        CatalogRepository(session).ensure(catalog, root="", source="")
        builds = BuildRepository(session)
        builds.create(build, catalog, owner=None, store=store, source="", settings={}, now=now)
        while page := list(islice(products, TOGETHER)):
            for product in page:
                spelt.add(product)
            ledger = ProductRepository(session)
            ledger.upsert_many(catalog, page, generation=manifest.generation, seen_in=build, start=start)
            start += len(page)
        builds.save_manifest(build, manifest, lexicon.to_bytes(), now, words=spelt.words().to_bytes())
        builds.set_state(build, BuildState.READY, now)
        PlacementRepository(session).put(build, store, 0)
        PublishedRepository(session).set(catalog, build, now)


def _family(product: Product) -> str:
    return product.parent or product.id
