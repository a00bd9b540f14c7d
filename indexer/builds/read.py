"""Stage one: the source's rows into the catalogue database, its broken rows into the build's list of rejects."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from indexer.builds.jobs import Job, hold
from indexer.builds.progress import Progress, Watch
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Reject, SyncCounts, UpsertCounts
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import BuildState
from indexer.domain import ImageRef, Product
from indexer.errors import BuildFailed, ImageRejected
from indexer.images.locate import source_stamp
from indexer.places import Place
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


def read_source(database: Database, job: Job, source: Source, watch: Watch) -> ReadCounts:
    """Products that the source no longer has are removed once all of it was read.

    What was changed live since the build began is newer than the source and stays as it is.
    Raises BuildFailed when the source has no usable row; then all products stay.
    """
    counts = ReadCounts()
    reading = f"{job.build}:{secrets.token_hex(3)}"  # what an earlier try saw may be gone from the source
    with database.begin() as session:
        hold(BuildRepository(session), job)
        RejectRepository(session).clear(job.build)
    read = 0
    for rows in batches(source.rows(), BATCH):
        counts = _read_batch(database, job, source, rows, reading, read, counts)
        read += len(rows)
        watch(Progress(BuildState.READING, read, None, counts.broken, "rows"))
    if not counts.usable:
        raise BuildFailed(f"{source.path} has no usable row; see why with: vitrine builds errors {job.build}.")
    with database.begin() as session:
        lock_catalog(session, job.catalog)
        hold(BuildRepository(session), job)
        removed = ProductRepository(session).remove_unseen(
            job.catalog, generation=job.generation, seen_in=reading, base=job.record.base
        )
    return ReadCounts(counts.products, counts.images, counts.broken, removed)


def _read_batch(
    database: Database, job: Job, source: Source, rows: list[SourceRow], reading: str, start: int, before: ReadCounts
) -> ReadCounts:
    products = [row for row in rows if isinstance(row, Product)]
    broken = [
        Reject(reason="broken_row", detail=row.reason, line=row.line) for row in rows if isinstance(row, BrokenRow)
    ]
    with database.begin() as session:
        lock_catalog(session, job.catalog)
        hold(BuildRepository(session), job)
        changes = ChangeRepository(session)
        newer = changes.touched(job.catalog, [product.id for product in products], after=job.record.base)
        older = [product for product in products if product.id not in newer]
        upserted = ProductRepository(session).upsert_many(
            job.catalog, older, generation=job.generation, seen_in=reading, start=start
        )
        synced = ImageRepository(session).sync(
            job.catalog, older, partial(stamp, source.root), generation=job.generation
        )
        RejectRepository(session).add(job.build, broken)
    counted = before.products + upserted + UpsertCounts(unchanged=len(newer))
    return ReadCounts(counted, before.images + synced, before.broken + len(broken))


def stamp(root: Place, image: ImageRef) -> str | None:
    """A photo that is missing has its reason as the stamp, so that it is looked at again when it is there."""
    try:
        return source_stamp(image, root) or None
    except ImageRejected as error:
        return error.reason


def batches(rows: Iterable[SourceRow], size: int) -> Iterator[list[SourceRow]]:
    """Rows in lists of `size`, the last one shorter."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
