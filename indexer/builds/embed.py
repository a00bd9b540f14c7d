"""Stage two: every photo and every text of the catalogue has a vector in the cache, or a reason why not."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.progress import Progress, Watch
from indexer.builds.texts import describe
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageKey, ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord, ReadyImage, RejectedImage
from indexer.catalog.states import BuildState, ImageState
from indexer.domain import ImageRef, Pixels, Vector
from indexer.encoders import Encoder
from indexer.errors import ImageRejected
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask

COMMIT_BATCHES = 4
"""Encoder batches between two commits: what a killed build may have to encode again."""
PAGE = 1_000


class ImageStage:
    """Decoding children run ahead while the encoder works; vectors reach the cache before the ledger says `ready`."""

    def __init__(
        self, database: Database, catalog: str, root: Path, encoder: Encoder, embeddings: Embeddings, batch_size: int
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._root = root
        self._encoder = encoder
        self._cache = embeddings.images
        self._batch_size = batch_size
        self._batch: dict[bytes, Pixels] = {}
        self._vectors: dict[bytes, Vector] = {}
        self._outcomes: list[ReadyImage | RejectedImage] = []
        self.encoded = 0
        self.rejected = 0

    def run(self, decoders: DecoderPool, watch: Watch) -> None:
        """Raises what the encoder and the database raise; a bad image is an outcome, never an error."""
        with self._database.session() as session:
            counts = ImageRepository(session).counts(self._catalog)
        self.rejected = counts.states[ImageState.REJECTED]
        total = counts.states[ImageState.PENDING] + sum(1 for _ in self._unembedded())
        for done, (task, outcome) in enumerate(decoders.map(self._tasks(), ahead=self._batch_size), start=1):
            if not isinstance(task.key, ImageRecord):
                raise TypeError("the decoder pool returned a task that is not this stage's")
            self._take(task.key, outcome)
            watch(Progress(BuildState.EMBEDDING, done, total, self.rejected, "images"))
        self._encode()
        self._commit()

    def _tasks(self) -> Iterator[DecodeTask]:
        for image in chain(chain.from_iterable(self._pages(ImageState.PENDING)), self._unembedded()):
            yield DecodeTask(ImageRef(image.uri), self._encoder.spec.fit, self._root, key=image)

    def _unembedded(self) -> Iterator[ImageRecord]:
        """Photos the ledger knows and this encoder does not: after a change of encoder, all of them."""
        for page in self._pages(ImageState.READY):
            missing = set(self._cache.missing([_key(image) for image in page]))
            yield from (image for image in page if _key(image) in missing)

    def _pages(self, state: ImageState) -> Iterator[tuple[ImageRecord, ...]]:
        after: ImageKey | None = None
        while True:
            with self._database.session() as session:
                page = ImageRepository(session).page(self._catalog, state, after, PAGE)
            if not page:
                return
            yield page
            after = page[-1].product_id, page[-1].image_id

    def _take(self, image: ImageRecord, outcome: Decoded | ImageRejected) -> None:
        if isinstance(outcome, ImageRejected):
            self.rejected += 1
            self._outcomes.append(RejectedImage(image.product_id, image.image_id, outcome.reason, outcome.detail))
        else:
            self._outcomes.append(_ready(image, outcome))
            key = bytes.fromhex(outcome.content_hash)
            if key not in self._vectors and self._cache.missing([key]):
                self._batch[key] = outcome.pixels
        if len(self._batch) >= self._batch_size:
            self._encode()
        if len(self._vectors) >= self._batch_size * COMMIT_BATCHES or len(self._outcomes) >= PAGE:
            self._encode()
            self._commit()

    def _encode(self) -> None:
        vectors = self._encoder.encode_images(list(self._batch.values()))
        self._vectors.update(zip(self._batch, vectors, strict=True))
        self.encoded += len(self._batch)
        self._batch.clear()

    def _commit(self) -> None:
        if self._vectors:
            self._cache.put(list(self._vectors), np.stack(list(self._vectors.values())))
        with self._database.begin() as session:
            ImageRepository(session).mark(self._catalog, self._outcomes)
        self._vectors.clear()
        self._outcomes.clear()


def _key(image: ImageRecord) -> bytes:
    return bytes.fromhex(image.content_hash or "")


def _ready(image: ImageRecord, decoded: Decoded) -> ReadyImage:
    return ReadyImage(
        product_id=image.product_id,
        image_id=image.image_id,
        content_hash=decoded.content_hash,
        width=decoded.width,
        height=decoded.height,
        palette=tuple((*colour.lab, colour.share) for colour in decoded.palette.colours),
    )


def embed_texts(database: Database, catalog: str, encoder: Encoder, embeddings: Embeddings, watch: Watch) -> int:
    """Encode the descriptions that are not cached yet; returns how many those were."""
    with database.session() as session:
        total = ProductRepository(session).count(catalog)
    encoded = done = 0
    after: str | None = None
    while True:
        with database.session() as session:
            products = ProductRepository(session).page(catalog, after, PAGE)
        if not products:
            return encoded
        encoded += encode_missing([describe(product) for product in products], encoder, embeddings)
        done += len(products)
        after = products[-1].id
        watch(Progress(BuildState.EMBEDDING, done, total, 0, "texts"))


def encode_missing(texts: list[str], encoder: Encoder, embeddings: Embeddings) -> int:
    by_key = {text_key(text): text for text in texts}
    missing = embeddings.texts.missing(list(by_key))
    embeddings.texts.put(missing, encoder.encode_texts([by_key[key] for key in missing]))
    return len(missing)
