"""Collections of a Qdrant server in backups, for those who would rather not wait until builds are written anew."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from indexer.builds.live import read_layout
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.published import PublishedRepository
from indexer.errors import SettingsError
from indexer.settings import Settings

KIND = "qdrant"


def save_collections(database: Database, settings: Settings, staging: Path) -> Iterator[tuple[str, int, Path]]:
    """Of each published build its name, the live changes that are in it at least, and its snapshot, which goes with
    the next step. Raises SettingsError for other stores, StoreMismatch, StoreUnavailable."""
    if settings.store.kind != KIND:
        raise SettingsError(f"--with-stores is for a Qdrant server; {settings.store.kind} stores are written anew.")
    from indexer.stores.qdrant_keeping import QdrantStores

    with database.session() as session:
        published = PublishedRepository(session)
        builds = [published.get(name).build for name in published.names()]
        applied = {one: PlacementRepository(session).applied(one, KIND) for one in builds}
    with closing(QdrantStores(settings.store.qdrant)) as stores:
        for build in builds:
            path = staging / f"{build}.snapshot"
            stores.snapshot(build, path)
            yield build, applied[build], path
            path.unlink()


def restore_collection(database: Database, settings: Settings, build: str, applied: int, path: Path) -> None:
    """From a snapshot whose SHA-256 names it. Changes behind `applied` are made when the build is opened.

    Raises StoreMismatch, StoreUnavailable.
    """
    from indexer.stores.qdrant_keeping import QdrantStores
    from indexer.stores.qdrant_snapshots import checksum_of

    checksum_of(path).write_text(f"{path.name}  {path.name}\n", "ascii")
    with closing(QdrantStores(settings.store.qdrant)) as stores:
        stores.restore(build, path, read_layout(database, build)[1])
    with database.begin() as session:
        PlacementRepository(session).put(build, KIND, applied)
