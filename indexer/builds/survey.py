"""Stage three: what must be known of the whole catalogue before its first point is written."""

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from indexer.builds.closeness import measure_closeness
from indexer.builds.embedder import encode_missing
from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Entry, Page, pages, text_vectors
from indexer.builds.spreads import POINTS, QUERIES, Sample, SampleQueries, measure_spreads
from indexer.builds.tagging import measure_tagging, with_guesses
from indexer.builds.texts import LEADING_ATTRIBUTES, FieldCensus, values_of, words
from indexer.builds.words import Words, WordsCensus
from indexer.catalog.engine import Database
from indexer.domain import Channel, Closeness, FieldType, Matrix, Product, QueryKind, Spread, Tagging, Vector
from indexer.encoders import Encoder
from indexer.encoders.attributes import Attribute, digest
from indexer.stores.lexical import Lexicon

SEED = b"vitrine"


@dataclass(frozen=True, eq=False)
class Survey:
    fields: dict[str, FieldType]
    vocabulary: dict[str, list[str]]
    lexicon: Lexicon
    fill: dict[Channel, Vector]
    spreads: dict[QueryKind, dict[Channel, Spread]]
    closeness: dict[QueryKind, Closeness]
    products: int
    points: int
    encoded_texts: int
    words: Words = field(default_factory=Words)
    tagging: dict[str, Tagging] = field(default_factory=dict)
    attributes: str = ""
    """Hash of the definitions that `tagging` was measured with."""


def survey(
    database: Database,
    catalog: str,
    generation: int,
    language: str,
    encoder: Encoder,
    embeddings: Embeddings,
    attributes: Mapping[str, Attribute],
) -> Survey:
    """Two passes over the catalogue and one small sample; memory does not grow with the catalogue.

    `attributes` are what may be guessed of products.
    """
    lexicon = Lexicon.of(_documents(database, catalog, generation), language)
    census = FieldCensus()
    spelt = WordsCensus()
    means = _Means(encoder.spec.dim)
    chosen = _RandomProducts(POINTS)
    products = points = 0
    for page in pages(database, catalog, generation):
        for entry in page:
            census.add(entry.product)
            spelt.add(entry.product)
            chosen.offer(entry)
            points += max(len(entry.images), 1)
        products += len(page)
        means.add(page, embeddings)
    entries = chosen.entries()
    sample, queries, encoded = _sample(entries, encoder, embeddings)
    given, values = census.fields(), census.vocabulary()
    tagging, prompts = measure_tagging(attributes, given, values, entries, encoder, embeddings)
    fields, vocabulary = with_guesses(given, values, tagging)
    spreads = measure_spreads(sample, queries, lexicon)
    categories = [entry.product.category for entry in entries]
    return Survey(
        fields=fields,
        vocabulary=vocabulary,
        lexicon=lexicon,
        fill=means.fill(),
        spreads=spreads,
        closeness=measure_closeness(
            sample, _second_photos(entries, embeddings), queries, categories, spreads[QueryKind.TEXT][Channel.IMAGE]
        ),
        products=products,
        points=points,
        encoded_texts=encoded + prompts,
        tagging=tagging,
        attributes=digest(attributes),
        words=spelt.words(),
    )


def _documents(database: Database, catalog: str, generation: int) -> Iterator[str]:
    return (words(entry.product) for page in pages(database, catalog, generation) for entry in page)


class _Means:
    """Mean vector per channel over all points."""

    def __init__(self, dim: int) -> None:
        self._sums = {channel: np.zeros(dim) for channel in (Channel.IMAGE, Channel.TEXT)}
        self._counts = dict.fromkeys(self._sums, 0)

    def add(self, page: Page, embeddings: Embeddings) -> None:
        self._add(Channel.IMAGE, embeddings.of_images([one for entry in page for one in entry.hashes]))
        self._add(Channel.TEXT, text_vectors(page, embeddings))

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
        self._heap: list[tuple[int, str, Entry]] = []

    def offer(self, entry: Entry) -> None:
        name = entry.product.id
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (-_draw(name), name, entry))
        else:
            heapq.heappushpop(self._heap, (-_draw(name), name, entry))

    def entries(self) -> Page:
        return [entry for _, _, entry in sorted(self._heap, key=lambda drawn: drawn[:2], reverse=True)]


def _draw(product_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(product_id.encode(), digest_size=8, key=SEED).digest())


def _sample(chosen: Page, encoder: Encoder, embeddings: Embeddings) -> tuple[Sample, SampleQueries, int]:
    images = np.zeros((len(chosen), encoder.spec.dim), np.float32)
    pictured = [(row, entry.hashes[0]) for row, entry in enumerate(chosen) if entry.images]
    if pictured:
        images[[row for row, _ in pictured]] = embeddings.of_images([content_hash for _, content_hash in pictured])
    texts = text_vectors(chosen, embeddings)
    typed = [_typed(entry.product) for entry in chosen[:QUERIES]]
    encoded = encode_missing(typed, encoder, embeddings)
    queries = SampleQueries(embeddings.of_texts(typed), typed, np.arange(len(typed)))
    return Sample(images, texts, [words(entry.product) for entry in chosen]), queries, encoded


def _second_photos(chosen: Page, embeddings: Embeddings) -> Matrix:
    """Of those that have one (n, dim)."""
    return embeddings.of_images([entry.hashes[1] for entry in chosen if len(entry.images) > 1][:QUERIES])


def _typed(product: Product) -> str:
    """What a shopper might type for it: of about half the products the title, else attributes and category.

    Which half depends on the id alone, so that a product more or less costs no other one another text.
    """
    attributes = [value for name in LEADING_ATTRIBUTES for value in values_of(product.attributes.get(name, ()))[:1]]
    if _draw(product.id) % 2 == 0 or not attributes:
        return product.title
    return " ".join([*attributes, *product.category[-1:]]).casefold()
