"""Builds and what they left out, as rows for people and programs."""

from datetime import UTC, datetime

from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageKey, ImageRepository
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.publications import PublicationRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord
from indexer.catalog.rejects import RejectRepository
from indexer.catalog.states import ACTIVE_STATES, ImageState
from indexer.domain import BuildManifest

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
            "progress": _progress(one),
            "error": one.error,
        }
        for one in builds
    ]


def list_publications(database: Database, catalog: str | None) -> list[Row]:
    """What was published, newest first, of one catalog or of all. Raises UnknownCatalog."""
    with database.session() as session:
        if catalog is not None:
            CatalogRepository(session).get(catalog)
        done = PublicationRepository(session).of(catalog)
    return [
        {
            "at": one.at.isoformat(timespec="seconds"),
            "catalog": one.catalog,
            "build": one.build,
            "replaced": one.replaced,
            "by": one.by or None,
        }
        for one in done
    ]


def show_build(database: Database, build: str) -> dict[str, object]:
    """Everything about one build. `build` is a build's id, or a catalog's name for its newest. Raises UnknownBuild."""
    found = _find(database, build)
    with database.session() as session:
        manifest = BuildRepository(session).manifest(found.id)
        published = PublishedRepository(session).find(found.catalog)
        kept = PlacementRepository(session).of(found.id)
        changes = ChangeRepository(session).last(found.catalog)
        photos = ImageRepository(session).counts(found.catalog, generation=found.generation)
        rows = RejectRepository(session).counts(found.id)
    return {
        "build": found.id,
        "catalog": found.catalog,
        "state": found.state.value,
        "published": published is not None and published.build == found.id,
        "source": found.source,
        "request": dict(found.settings),
        "owner": found.owner,
        **{name: None if at is None else at.isoformat(timespec="seconds") for name, at in _moments(found).items()},
        "progress": counts_of(found, datetime.now(UTC)),
        "stores": {kind: {"live_changes_behind": changes - applied} for kind, applied in kept.items()},
        "photos": {state.value: count for state, count in photos.states.items()},
        "rejected": {**rows, **photos.reasons},
        "made_of": None if manifest is None else _made_of(manifest),
        "error": found.error,
    }


def list_rejects(database: Database, build: str) -> list[Row]:
    """The broken rows of a build, then the photos of its catalogue that the gate rejects.

    `build` is a build's id, or a catalog's name for its newest build. Raises UnknownBuild.
    """
    found = _find(database, build)
    return [*_broken_rows(database, found.id), *_rejected_photos(database, found)]


def _find(database: Database, build: str) -> BuildRecord:
    with database.session() as session:
        builds = BuildRepository(session)
        newest = builds.recent(build, limit=1)
        return newest[0] if newest else builds.get(build)


def _progress(build: BuildRecord) -> str | None:
    """In words, of a build that is running."""
    if build.state not in ACTIVE_STATES or not build.counts:
        return None
    counts = counts_of(build, datetime.now(UTC))
    total, left = counts.get("total"), counts.get("seconds_left")
    done = f"{counts['done']:,}" + (f" of {total:,}" if total is not None else "")
    return done if left is None else f"{done}, {left:,.0f} s left"


def counts_of(build: BuildRecord, now: datetime) -> dict[str, float]:
    """Of the stage that runs, or ran last: `done`, `total`, `rejected`, `per_second`, `seconds_left`."""
    counts: dict[str, float] = {name: count for name, count in build.counts.items() if name != "began"}
    began, done, total = build.counts.get("began"), build.counts.get("done", 0), build.counts.get("total")
    spent = now.timestamp() - began if began is not None and build.state in ACTIVE_STATES else 0
    if spent > 0 and done:
        counts["per_second"] = round(done / spent, 1)
        if total is not None:
            counts["seconds_left"] = round((total - done) * spent / done)
    return counts


def _moments(build: BuildRecord) -> dict[str, datetime | None]:
    return {
        "created": build.created_at,
        "updated": build.updated_at,
        "finished": build.finished_at,
        "heartbeat": build.heartbeat_at,
    }


def _made_of(manifest: BuildManifest) -> dict[str, object]:
    return {
        "products": manifest.products,
        "images": manifest.images,
        "points": manifest.points,
        "encoder": manifest.encoder.name,
        "fingerprint": manifest.encoder.fingerprint,
        "precision": manifest.precision,
        "language": manifest.language,
        "libraries": dict(manifest.libraries),
    }


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


def _rejected_photos(database: Database, build: BuildRecord) -> list[Row]:
    rows: list[Row] = []
    after: ImageKey | None = None
    while True:
        with database.session() as session:
            page = ImageRepository(session).page(
                build.catalog, ImageState.REJECTED, after, PAGE, generation=build.generation
            )
        if not page:
            return rows
        rows += [
            {"line": None, "product": one.product_id, "photo": one.uri, "reason": one.reason, "detail": one.detail}
            for one in page
        ]
        after = page[-1].product_id, page[-1].image_id
