"""Stage two: every photo and every text of the catalogue has a vector in the cache, or a reason why not."""

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

from indexer.builds.embedder import Embedder, Photo
from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.jobs import Job, hold
from indexer.builds.pages import Page, pages
from indexer.builds.progress import Progress, Watch
from indexer.builds.texts import describe
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageKey, ImageRepository
from indexer.catalog.outcomes import Outcome
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord, RejectedImage
from indexer.catalog.states import BuildState, ImageState
from indexer.places import Place

PAGE = 1_000
PASSING_REASONS = ("fetch_failed", "decode_timeout", "out_of_memory")
"""Rejections that another try may not repeat; every build tries those images again."""


class ImageStage:
    """The ledger says `ready` of photos whose vectors are in the cache."""

    def __init__(self, database: Database, job: Job, root: Place, embeddings: Embeddings) -> None:
        self._database = database
        self._job = job
        self._root = root
        self._cache = embeddings.images
        self.encoded = 0
        self.rejected = 0

    def run(self, embedder: Embedder, watch: Watch) -> None:
        """Raises what the embedder and the database raise; a bad image is an outcome, never an error."""
        with self._database.session() as session:
            counts = ImageRepository(session).counts(self._job.catalog, generation=self._job.generation)
        again = sum(1 for _ in self._failed_in_passing())
        self.rejected = counts.states[ImageState.REJECTED] - again
        total = counts.states[ImageState.PENDING] + again + sum(1 for _ in self._unembedded())
        done = 0

        def beat(count: int) -> None:
            nonlocal done
            done += count
            watch(Progress(BuildState.EMBEDDING, done, total, self.rejected, "images"))

        with closing(embedder.photos(self._photos(), self._root, beat)) as looked:
            for outcomes, encoded in looked:
                self._mark(outcomes)
                self.encoded += encoded
                beat(0)

    def _photos(self) -> Iterator[Photo]:
        pending = chain.from_iterable(self._pages(ImageState.PENDING))
        for image in chain(pending, self._failed_in_passing(), self._unembedded()):
            yield Photo(image.product_id, image.image_id, image.uri)

    def _unembedded(self) -> Iterator[ImageRecord]:
        """Photos the ledger knows and this encoder does not: after a change of encoder, all of them."""
        for page in self._pages(ImageState.READY):
            missing = set(self._cache.missing([_key(image) for image in page]))
            if missing:
                self._cache.refresh()
                missing = set(self._cache.missing(list(missing)))
            yield from (image for image in page if _key(image) in missing)

    def _failed_in_passing(self) -> Iterator[ImageRecord]:
        """Photos that were rejected before this build for a reason that another try may not repeat."""
        catalog, generation, begun = self._job.catalog, self._job.generation, self._job.record.created_at
        after: ImageKey | None = None
        while True:
            with self._database.session() as session:
                repository = ImageRepository(session)
                page = repository.retryable(catalog, PASSING_REASONS, begun, after, PAGE, generation=generation)
            if not page:
                return
            yield from page
            after = page[-1].product_id, page[-1].image_id

    def _pages(self, state: ImageState) -> Iterator[tuple[ImageRecord, ...]]:
        after: ImageKey | None = None
        while True:
            with self._database.session() as session:
                repository = ImageRepository(session)
                page = repository.page(self._job.catalog, state, after, PAGE, generation=self._job.generation)
            if not page:
                return
            yield page
            after = page[-1].product_id, page[-1].image_id

    def _mark(self, outcomes: tuple[Outcome, ...]) -> None:
        with self._database.begin() as session:
            ImageRepository(session).mark(self._job.catalog, outcomes, generation=self._job.generation)
            hold(BuildRepository(session), self._job)
        self.rejected += sum(isinstance(outcome, RejectedImage) for outcome in outcomes)


def _key(image: ImageRecord) -> bytes:
    return bytes.fromhex(image.content_hash or "")


def embed_texts(database: Database, job: Job, embedder: Embedder, embeddings: Embeddings, watch: Watch) -> int:
    """Encode the descriptions that are not cached yet; returns how many those were."""
    with database.session() as session:
        total = ProductRepository(session).count(job.catalog, generation=job.generation)
    unread = _UnreadTexts(database, job, embeddings, total, watch)
    with closing(embedder.texts(unread.texts(), unread.beat)) as encoded:
        return sum(encoded)


class _UnreadTexts:
    """Descriptions without a vector. Products are done when the texts of their page are."""

    def __init__(self, database: Database, job: Job, embeddings: Embeddings, total: int, watch: Watch) -> None:
        self._database = database
        self._job = job
        self._pages = pages(database, job.catalog, job.generation)
        self._cache = embeddings.texts
        self._total = total
        self._watch = watch
        self._ends: deque[tuple[int, int]] = deque()
        self._read = self._done = 0

    def texts(self) -> Iterator[str]:
        products = texts = 0
        for page in self._pages:
            unknown = set(self._cache.missing([entry.text for entry in page]))
            self._renew([entry for entry in page if entry.text in unknown])
            unread = [describe(entry.product) for entry in page if entry.text in unknown]
            products, texts = products + len(page), texts + len(unread)
            self._ends.append((texts, products))
            self.beat(0)
            yield from unread

    def _renew(self, unread: Page) -> None:
        """A live change kept the vector of a text that this encoder never read: the present text's takes its place."""
        kept = [entry.product.id for entry in unread if entry.text != text_key(describe(entry.product))]
        if kept:
            with self._database.begin() as session:
                ProductRepository(session).drop_text_keys(self._job.catalog, kept, generation=self._job.generation)
                hold(BuildRepository(session), self._job)

    def beat(self, count: int) -> None:
        self._read += count
        while self._ends and self._ends[0][0] <= self._read:
            self._done = self._ends.popleft()[1]
        self._watch(Progress(BuildState.EMBEDDING, self._done, self._total, 0, "texts"))
