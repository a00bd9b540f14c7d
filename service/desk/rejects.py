"""What a build left out, page by page and as a file for a spreadsheet."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageKey, ImageRepository
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ImageState
from service.spreadsheets import Cell, plain

PAGE: Final = 50
_CHUNK: Final = 1_000
_HEADER: Final = ("line", "product", "photo", "reason", "detail")


@dataclass(frozen=True)
class LeftOut:
    """A broken row of the source, or a photo that is not shown."""

    reason: str
    detail: str
    line: int | None = None
    product: str | None = None
    photo: str | None = None


def left_out(database: Database, build: str, reason: str | None = None) -> Iterator[LeftOut]:
    """The broken rows, then the photos, read as they are asked for. Raises UnknownBuild."""
    with database.session() as session:
        found = BuildRepository(session).get(build)
    number = 0
    while True:
        with database.session() as session:
            page = RejectRepository(session).page(build, number, _CHUNK)
        for one in page:
            if reason in (None, one.reject.reason):
                yield LeftOut(one.reject.reason, one.reject.detail, one.reject.line, one.reject.product_id)
        if not page:
            break
        number = page[-1].number
    after: ImageKey | None = None
    while True:
        with database.session() as session:
            images = ImageRepository(session).page(
                found.catalog, ImageState.REJECTED, after, _CHUNK, generation=found.generation
            )
        for image in images:
            if reason in (None, image.reason):
                yield LeftOut(image.reason or "", image.detail or "", None, image.product_id, image.uri)
        if not images:
            return
        after = images[-1].product_id, images[-1].image_id


def as_csv(rows: Iterator[LeftOut]) -> Iterator[str]:
    """Lines in UTF-8 with a header; cells that a spreadsheet would run are made text."""
    yield _line(_HEADER)
    for one in rows:
        yield _line([plain(cell) for cell in (one.line, one.product, one.photo, one.reason, one.detail)])


def _line(cells: Sequence[Cell]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
