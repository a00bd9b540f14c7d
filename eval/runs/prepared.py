"""A suite whose vectors ship with it, searched without a build: no photo, no encoder and no GPU is needed.

Points, filters and calibration are made as a build makes them, with two differences. The sample queries that the
calibration is measured with are the suite's own, whose vectors are there, where a build makes some up and encodes them.
And the lexical channel reads no descriptions: the text vectors that ship are of titles, so both hear much the same,
and a large suite is opened several times faster.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np

from eval.errors import RunError, SuiteError
from eval.runs.runner import Bench
from eval.suites.files import read_suite
from eval.suites.loaders.catalogue import CATALOGUE, CatalogueProducts
from eval.suites.loaders.vectors import VECTORS, VectorFile, query_key
from eval.suites.suite import Suite
from indexer.builds.embeddings import text_key
from indexer.builds.live import LiveIndex, layout_of
from indexer.builds.manifest import LIBRARIES
from indexer.builds.spreads import POINTS, QUERIES, Sample, SampleQueries, measure_spreads
from indexer.builds.survey import Survey
from indexer.builds.texts import FieldCensus, payload, words
from indexer.domain import BuildManifest, Channel, FieldType, Matrix, Pixels, Point, Product, point_id
from indexer.encoders import EncoderSpec
from indexer.images.decoders import DecoderPool
from indexer.images.fit import Fit
from indexer.settings import Settings
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore

PREFIX = "vectors-"
"""What the name of such a build begins with; the rest is a hash of the vectors and the catalogue."""
PAGE = 1_000
"""Products in one upsert."""

Page = tuple[list[Product], Matrix, Matrix]
"""Products with a row each of photo vectors and of text vectors (n, dim); zeros where a product lacks it."""


def is_prepared(suite: Suite, catalog: str | None, build: str | None) -> bool:
    """Whether the suite's own vectors are meant: they ship with it, and no catalog or build proper is named."""
    return suite.card.vectors is not None and (build.startswith(PREFIX) if build else catalog is None)


@contextmanager
def prepared_bench(suite: Suite, settings: Settings, build: str | None = None) -> Iterator[Bench]:
    """The memory store filled with the suite's vectors: 4 bytes × 2 × dim per product, and as much again for a moment.

    Raises SuiteError when vectors and catalogue do not belong together, RunError when they are not those of `build`.
    """
    shelf = _Shelf(suite)
    name = PREFIX + shelf.digest[:12]
    if build is not None and build != name:
        raise RunError(f"{build} was made of other vectors than {suite.directory} holds now ({name}); run it again.")
    encoder = ShippedEncoder(shelf.vectors, suite.card.name)
    survey, pictured = _Surveyor(shelf).survey(suite.directory)
    manifest = _manifest(name, suite.card.catalog, encoder.spec, survey, pictured)
    store = MemoryStore(layout_of(manifest, survey.lexicon))
    for page in shelf.pages():
        store.upsert(list(_points(manifest.catalog, page, manifest.fields)))
    with DecoderPool.of(settings.images) as decoders:
        yield Bench(LiveIndex(manifest, store), "memory", encoder, shelf.products, decoders, verbatim=True)


def _manifest(name: str, catalog: str, encoder: EncoderSpec, survey: Survey, pictured: int) -> BuildManifest:
    """As a build would write it, of no generation: the ledger does not know these products."""
    return BuildManifest(
        build=name,
        catalog=catalog,
        generation=0,
        created=datetime.now(UTC),
        encoder=encoder.identity,
        precision=encoder.precision,
        language="en",
        products=survey.products,
        images=pictured,
        rejected=0,
        points=survey.points,
        fields=survey.fields,
        vocabulary=survey.vocabulary,
        spreads=survey.spreads,
        fill={channel: vector.tolist() for channel, vector in survey.fill.items()},
        libraries={one: version(one) for one in LIBRARIES},
    )


class ShippedEncoder:
    """An Encoder that looks up what the data set's authors encoded; anything else is a SuiteError naming it."""

    def __init__(self, vectors: VectorFile, suite: str) -> None:
        self._suite, self._words = suite, vectors.words
        self._rows = {key: row for row, key in enumerate(vectors.queries)}
        self.spec = EncoderSpec(
            name=vectors.encoder,
            fingerprint=vectors.fingerprint(),
            dim=vectors.dim,
            context_length=77,
            fit=Fit((224, 224)),
            precision="fp16",
        )

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        unknown = next((text for text in texts if query_key(text) not in self._rows), None)
        if unknown is not None:
            raise SuiteError(
                f"Suite {self._suite} ships no vector for the words {unknown!r}: only its own queries can be asked. "
                "For others build its catalogue with an encoder and name it with --catalog."
            )
        found: Matrix = self._words[[self._rows[query_key(text)] for text in texts]]
        return found

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        if images:
            raise SuiteError(f"Suite {self._suite} ships no encoder, so no photo can be asked with.")
        return np.empty((0, self.spec.dim), np.float32)


class _Shelf:
    """The suite's products side by side with their vectors."""

    def __init__(self, suite: Suite) -> None:
        catalogue = suite.directory / (suite.card.catalogue or CATALOGUE)
        self._path = suite.directory / (suite.card.vectors or VECTORS)
        self.vectors = VectorFile(self._path)
        self.products = CatalogueProducts(catalogue)
        self.digest = hashlib.sha256((self.vectors.fingerprint() + _digest(catalogue)).encode()).hexdigest()

    def pages(self) -> Iterator[Page]:
        """Raises SuiteError when the rows of the two files are not the same products."""
        products, start = iter(self.products), 0
        while page := list(islice(products, PAGE)):
            end = start + len(page)
            keys = [row.tobytes() for row in self.vectors.keys[start:end]]
            keys += [b""] * (len(page) - len(keys))
            foreign = next((one.id for one, key in zip(page, keys, strict=True) if text_key(one.id) != key), None)
            if foreign is not None:
                raise SuiteError(f"{self._path} has no row for product {foreign}; import the data set again.")
            yield page, self.vectors.rows("image", start, end), self.vectors.rows("text", start, end)
            start = end
        if start != len(self.vectors.keys):
            raise SuiteError(f"{self._path} has {len(self.vectors.keys):,} rows for {start:,} products; import again.")


class _Surveyor:
    """What must be known of all products before the first point; all but a sample is seen once and dropped."""

    def __init__(self, shelf: _Shelf) -> None:
        self._shelf = shelf
        self._census = FieldCensus()
        dim, keys = shelf.vectors.dim, shelf.vectors.keys
        self._sums = {Channel.IMAGE: np.zeros(dim), Channel.TEXT: np.zeros(dim)}
        self._counts = dict.fromkeys(self._sums, 0)
        drawn = np.ascontiguousarray(keys[:, :8]).view(">u8")[:, 0]
        self._chosen = np.sort(np.argsort(drawn, kind="stable")[:POINTS])
        """Rows of the sample: the products of smallest hash, the same for the same catalogue."""
        self._images, self._texts, self._words = list[Matrix](), list[Matrix](), list[str]()

    def survey(self, directory: Path) -> tuple[Survey, int]:
        """And how many products have a photo's vector."""
        lexicon = Lexicon.of(self._documents())
        products = len(self._shelf.vectors.keys)
        sample = Sample(np.concatenate(self._images), np.concatenate(self._texts), self._words)
        means = {channel: total / max(self._counts[channel], 1) for channel, total in self._sums.items()}
        survey = Survey(
            fields=self._census.fields(),
            vocabulary=self._census.vocabulary(),
            lexicon=lexicon,
            fill={channel: mean.astype(np.float32) for channel, mean in means.items()},
            spreads=measure_spreads(sample, self._queries(directory), lexicon),
            closeness={},
            products=products,
            points=products,
            encoded_texts=0,
        )
        return survey, self._counts[Channel.IMAGE]

    def _documents(self) -> Iterator[str]:
        """The words of every product for the lexicon; whatever else is wanted of a product is taken in passing."""
        start = 0
        for page, images, texts in self._shelf.pages():
            here = self._chosen[(self._chosen >= start) & (self._chosen < start + len(page))] - start
            self._images.append(images[here])
            self._texts.append(texts[here])
            self._words += [_words(page[row]) for row in here]
            for channel, rows in ((Channel.IMAGE, images), (Channel.TEXT, texts)):
                self._sums[channel] += rows.sum(axis=0, dtype=np.float64)
                self._counts[channel] += int(np.count_nonzero(rows.any(axis=1)))
            for product in page:
                self._census.add(product)
                yield _words(product)
            start += len(page)

    def _queries(self, directory: Path) -> SampleQueries:
        """Of all the suite's queries, whichever half is asked later; none was made from a product of the sample."""
        rows = {key: row for row, key in enumerate(self._shelf.vectors.queries)}
        asked = {query_key(query.text): query.text for query in read_suite(directory).queries if query.text}
        chosen = sorted(rows.keys() & asked.keys())[:QUERIES]
        vectors = self._shelf.vectors.words[[rows[key] for key in chosen]]
        return SampleQueries(vectors, [asked[key] for key in chosen], np.full(len(chosen), -1))


def _points(catalog: str, page: Page, fields: dict[str, FieldType]) -> Iterator[Point]:
    for product, image, text in zip(*page, strict=True):
        halves = {Channel.IMAGE: image, Channel.TEXT: text}
        vectors = {channel: vector for channel, vector in halves.items() if vector.any()}
        image_id = product.images[0].image_id if product.images and Channel.IMAGE in vectors else ""
        point = point_id(catalog, product.id, image_id)
        yield Point(
            point, product.id, image_id, vectors, _words(product), payload(product, fields, pictured=bool(image.any()))
        )


def _words(product: Product) -> str:
    return words(replace(product, description=""))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SuiteError(f"{path}: {error.strerror or error}; import the data set again.") from error
