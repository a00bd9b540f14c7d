"""Published builds, opened for searching."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.write import write_points
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest
from indexer.errors import NothingPublished, StoreMismatch, UnknownCatalog
from indexer.settings import Settings
from indexer.stores.edge import EdgeStore
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout, VectorStore


@dataclass(frozen=True, eq=False)
class LiveIndex:
    """Resolved once per request, so that no answer mixes two builds."""

    manifest: BuildManifest
    store: VectorStore

    def close(self) -> None:
        """Give the embedded store up, so that another process may own it."""
        if isinstance(self.store, EdgeStore):
            self.store.close()


def store_path(home: Path, build: str) -> Path:
    """Where the embedded store keeps a build; never renamed."""
    return home / "stores" / "edge" / build


def published_build(database: Database, catalog: str | None) -> tuple[str, str]:
    """(catalog, build) to search: the named catalog, else the only one that is published.

    Raises UnknownCatalog or NothingPublished, listing the names there are.
    """
    with database.session() as session:
        published = PublishedRepository(session)
        names = published.names()
        if catalog is None and len(names) > 1:
            raise UnknownCatalog(f"Several catalogs are published; name one: {', '.join(names)}.")
        if catalog is None and not names:
            raise NothingPublished("Nothing is published yet; build a catalogue first: vitrine build CATALOGUE.")
        found = published.get(catalog or names[0])
    return found.catalog, found.build


def open_live(database: Database, settings: Settings, build: str) -> LiveIndex:
    """Raises StoreMismatch when the configured store lacks the build, StoreOwned when another process has it open."""
    manifest, layout = read_layout(database, build)
    if settings.store.kind == "memory":
        return LiveIndex(manifest, _replayed(database, settings.home, manifest, layout))
    path = store_path(settings.home, build)
    if not path.is_dir():
        raise StoreMismatch(
            f"Build {build} of catalog {manifest.catalog} is not in the edge store under {settings.home}; "
            "build the catalogue again (nothing is encoded twice)."
        )
    return LiveIndex(manifest, EdgeStore.open(path, layout))


def read_layout(database: Database, build: str) -> tuple[BuildManifest, Layout]:
    with database.session() as session:
        manifest = BuildRepository(session).manifest(build)
        lexicon = BuildRepository(session).lexicon(build)
    if manifest is None or lexicon is None:
        raise StoreMismatch(f"Build {build} was never finished; build the catalogue again.")
    return manifest, layout_of(manifest, Lexicon.from_bytes(lexicon))


def layout_of(manifest: BuildManifest, lexicon: Lexicon) -> Layout:
    fill = {channel: np.asarray(vector, np.float32) for channel, vector in manifest.fill.items()}
    return Layout(manifest.encoder.dim, fill, manifest.fields, lexicon)


def _replayed(database: Database, home: Path, manifest: BuildManifest, layout: Layout) -> MemoryStore:
    """A store can always be rebuilt from the ledger and the embedding cache, without the encoder."""
    store = MemoryStore(layout)
    embeddings = Embeddings(home, manifest.encoder)
    try:
        for _ in write_points(database, manifest.catalog, manifest.fields, embeddings, store.upsert):
            pass
    except KeyError as error:
        raise StoreMismatch(
            f"Catalog {manifest.catalog} changed since build {manifest.build}, or its embeddings under {home} are "
            "gone; build the catalogue again."
        ) from error
    return store
