"""Stage one: the source's rows into the catalogue database, its broken rows into the build's list of rejects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from indexer.builds.progress import Progress, Watch
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Reject, SyncCounts, UpsertCounts
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import BuildState
from indexer.domain import ImageRef, Product
from indexer.errors import BuildFailed, ImageRejected
from indexer.images.locate import source_stamp
from indexer.sources import BrokenRow, Source, SourceRow

BATCH = 500
"""Rows in one transaction."""


@dataclass(frozen=True)
class ReadCounts:
    products: UpsertCounts = field(default_factory=UpsertCounts)
    images: SyncCounts = field(default_factory=SyncCounts)
    broken: int = 0
    removed: int = 0

    @property
    def usable(self) -> int:
        return self.products.added + self.products.changed + self.products.unchanged

    @property
    def changed_anything(self) -> bool:
        touched = self.products.added + self.products.changed + self.removed
        return touched + self.images.added + self.images.stale + self.images.removed > 0


def read_source(database: Database, build: str, catalog: str, source: Source, watch: Watch) -> ReadCounts:
    """Products that the source no longer has are removed once all of it was read.

    Raises BuildFailed when it has no usable row; then all products stay.
    """
    counts = ReadCounts()
    with database.begin() as session:
        RejectRepository(session).clear(build)
    read = 0
    for rows in _batches(source.rows(), BATCH):
        counts = _read_batch(database, build, catalog, source, rows, read, counts)
        read += len(rows)
        watch(Progress(BuildState.READING, read, None, counts.broken, "rows"))
    if not counts.usable:
        raise BuildFailed(f"{source.path} has no usable row; see why with: vitrine builds errors {build}.")
    with database.begin() as session:
        removed = ProductRepository(session).remove_unseen(catalog, build)
    return ReadCounts(counts.products, counts.images, counts.broken, removed)


def _read_batch(
    database: Database, build: str, catalog: str, source: Source, rows: list[SourceRow], start: int, before: ReadCounts
) -> ReadCounts:
    products = [row for row in rows if isinstance(row, Product)]
    broken = [
        Reject(reason="broken_row", detail=row.reason, line=row.line) for row in rows if isinstance(row, BrokenRow)
    ]

    def stamp(image: ImageRef) -> str | None:
        """A photo that is missing has its reason as the stamp, so that it is looked at again when it is there."""
        try:
            return source_stamp(image, source.root) or None
        except ImageRejected as error:
            return error.reason

    with database.begin() as session:
        upserted = ProductRepository(session).upsert_many(catalog, products, seen_in=build, start=start)
        synced = ImageRepository(session).sync(catalog, products, stamp)
        RejectRepository(session).add(build, broken)
    return ReadCounts(before.products + upserted, before.images + synced, before.broken + len(broken))


def _batches(rows: Iterable[SourceRow], size: int) -> Iterator[list[SourceRow]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
