"""Stage three: what must be known of the whole catalogue before its first point is written."""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.builds.embed import encode_missing
from indexer.builds.embeddings import Embeddings
from indexer.builds.spreads import POINTS, QUERIES, Sample, SampleQueries, measure_spreads
from indexer.builds.texts import LEADING_ATTRIBUTES, FieldCensus, describe, values_of, words
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import Channel, FieldType, Product, QueryKind, Spread, Vector
from indexer.encoders import Encoder
from indexer.stores.lexical import Lexicon

PAGE = 1_000
SEED = b"vitrine"

Page = list[tuple[Product, tuple[ImageRecord, ...]]]


@dataclass(frozen=True, eq=False)
class Survey:
    fields: dict[str, FieldType]
    vocabulary: dict[str, list[str]]
    lexicon: Lexicon
    fill: dict[Channel, Vector]
    spreads: dict[QueryKind, dict[Channel, Spread]]
    products: int
    points: int
    encoded_texts: int


def pages(database: Database, catalog: str) -> Iterator[Page]:
    """All products in the order of ids, each with its photos that can be searched, in their order."""
    after: str | None = None
    while True:
        with database.session() as session:
            products = ProductRepository(session).page(catalog, after, PAGE)
            images = ImageRepository(session).of_products(catalog, [product.id for product in products])
        if not products:
            return
        yield [(product, _ready(images[product.id])) for product in products]
        after = products[-1].id


def survey(database: Database, catalog: str, language: str, encoder: Encoder, embeddings: Embeddings) -> Survey:
    """Two passes over the catalogue and one small sample; memory does not grow with the catalogue."""
    lexicon = Lexicon.of((words(product) for page in pages(database, catalog) for product, _ in page), language)
    census = FieldCensus()
    means = _Means(encoder.spec.dim)
    chosen = _RandomProducts(POINTS)
    products = points = 0
    for page in pages(database, catalog):
        for product, images in page:
            census.add(product)
            chosen.offer(product, images)
            points += max(len(images), 1)
        products += len(page)
        means.add(page, embeddings)
    sample, queries, encoded = _sample(chosen.products(), encoder, embeddings)
    return Survey(
        fields=census.fields(),
        vocabulary=census.vocabulary(),
        lexicon=lexicon,
        fill=means.fill(),
        spreads=measure_spreads(sample, queries, lexicon),
        products=products,
        points=points,
        encoded_texts=encoded,
    )


class _Means:
    """Mean vector per channel over all points."""

    def __init__(self, dim: int) -> None:
        self._sums = {channel: np.zeros(dim) for channel in (Channel.IMAGE, Channel.TEXT)}
        self._counts = dict.fromkeys(self._sums, 0)

    def add(self, page: Page, embeddings: Embeddings) -> None:
        hashes = [image.content_hash for _, images in page for image in images if image.content_hash]
        self._add(Channel.IMAGE, embeddings.of_images(hashes))
        self._add(Channel.TEXT, embeddings.of_texts([describe(product) for product, _ in page]))

    def _add(self, channel: Channel, rows: np.ndarray) -> None:
        self._sums[channel] += rows.sum(axis=0, dtype=np.float64)
        self._counts[channel] += len(rows)

    def fill(self) -> dict[Channel, Vector]:
        return {
            channel: (total / max(self._counts[channel], 1)).astype(np.float32) for channel, total in self._sums.items()
        }


class _RandomProducts:
    """A random sample that is the same for the same catalogue: the products of smallest salted hash."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[int, str, Product, ImageRecord | None]] = []

    def offer(self, product: Product, images: Sequence[ImageRecord]) -> None:
        draw = -int.from_bytes(hashlib.blake2b(product.id.encode(), digest_size=8, key=SEED).digest())
        entry = (draw, product.id, product, images[0] if images else None)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def products(self) -> list[tuple[Product, ImageRecord | None]]:
        return [(product, image) for _, _, product, image in sorted(self._heap, reverse=True)]


def _sample(
    chosen: Sequence[tuple[Product, ImageRecord | None]], encoder: Encoder, embeddings: Embeddings
) -> tuple[Sample, SampleQueries, int]:
    images = np.zeros((len(chosen), encoder.spec.dim), np.float32)
    pictured = [(row, image.content_hash) for row, (_, image) in enumerate(chosen) if image and image.content_hash]
    if pictured:
        images[[row for row, _ in pictured]] = embeddings.of_images([content_hash for _, content_hash in pictured])
    texts = embeddings.of_texts([describe(product) for product, _ in chosen])
    typed = [_typed(product, row) for row, (product, _) in enumerate(chosen[:QUERIES])]
    encoded = encode_missing(typed, encoder, embeddings)
    queries = SampleQueries(embeddings.of_texts(typed), typed, np.arange(len(typed)))
    return Sample(images, texts, [words(product) for product, _ in chosen]), queries, encoded


def _typed(product: Product, row: int) -> str:
    """What a shopper might type for it: every other time the title, else its attributes and category."""
    attributes = [value for name in LEADING_ATTRIBUTES for value in values_of(product.attributes.get(name, ()))[:1]]
    if row % 2 == 0 or not attributes:
        return product.title
    return " ".join([*attributes, *product.category[-1:]]).casefold()


def _ready(images: Sequence[ImageRecord]) -> tuple[ImageRecord, ...]:
    return tuple(image for image in images if image.state is ImageState.READY)
