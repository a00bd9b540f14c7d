"""Builds and what they left out, as rows for people and programs."""

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageKey, ImageRepository
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ImageState

Row = dict[str, str | int | None]
PAGE = 1_000


def list_builds(database: Database, catalog: str | None) -> list[Row]:
    """Newest first, of one catalog or of all. Raises UnknownCatalog."""
    with database.session() as session:
        if catalog is not None:
            CatalogRepository(session).get(catalog)
        builds = BuildRepository(session).recent(catalog)
    return [
        {
            "build": one.id,
            "catalog": one.catalog,
            "state": one.state.value,
            "store": one.store,
            "created": one.created_at.isoformat(timespec="seconds"),
            "error": one.error,
        }
        for one in builds
    ]


def list_rejects(database: Database, build: str) -> list[Row]:
    """The broken rows of a build, then the photos of its catalogue that the gate rejects.

    `build` is a build's id, or a catalog's name for its newest build. Raises UnknownBuild.
    """
    with database.session() as session:
        builds = BuildRepository(session)
        newest = builds.recent(build, limit=1)
        found = newest[0] if newest else builds.get(build)
    return [*_broken_rows(database, found.id), *_rejected_photos(database, found.catalog)]


def _broken_rows(database: Database, build: str) -> list[Row]:
    rows: list[Row] = []
    after = 0
    while True:
        with database.session() as session:
            page = RejectRepository(session).page(build, after, PAGE)
        if not page:
            return rows
        rows += [
            {
                "line": one.reject.line,
                "product": None,
                "photo": None,
                "reason": one.reject.reason,
                "detail": one.reject.detail,
            }
            for one in page
        ]
        after = page[-1].number


def _rejected_photos(database: Database, catalog: str) -> list[Row]:
    rows: list[Row] = []
    after: ImageKey | None = None
    while True:
        with database.session() as session:
            page = ImageRepository(session).page(catalog, ImageState.REJECTED, after, PAGE)
        if not page:
            return rows
        rows += [
            {"line": None, "product": one.product_id, "photo": one.uri, "reason": one.reason, "detail": one.detail}
            for one in page
        ]
        after = page[-1].product_id, page[-1].image_id
