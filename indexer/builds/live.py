"""Builds opened for searching, each with every live change of its catalog."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from indexer.builds.embeddings import Embeddings
from indexer.builds.following import Following
from indexer.builds.words import Words
from indexer.catalog.builds import BuildRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.published import PublishedRepository
from indexer.domain import BuildManifest, FieldType
from indexer.errors import NothingPublished, StoreMismatch, UnknownCatalog, VectorsMissing
from indexer.settings import Settings
from indexer.stores.keeping import OpenStore, Stores
from indexer.stores.lexical import Lexicon
from indexer.stores.opening import open_stores
from indexer.stores.seam import Layout


def _nothing_to_follow() -> int:
    return 0


@dataclass(frozen=True, eq=False)
class LiveIndex:
    """Resolved once per request, so that no answer mixes two builds."""

    manifest: BuildManifest
    store: OpenStore
    catch_up: Callable[[], int] = _nothing_to_follow
    """Apply the live changes there were since; the number of products changed. Thread-safe."""
    words: Words = field(default_factory=Words)
    """Of the catalogue when the build was made; empty for builds of before words were kept."""
    lexicon: Lexicon | None = None

    def close(self) -> None:
        """Give an embedded store up, so that another process may own it."""
        self.store.close()


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


def open_live(database: Database, settings: Settings, build: str, stores: Stores | None = None) -> LiveIndex:
    """The build with every live change so far, from `stores`, by default those that the settings name.

    Raises StoreMismatch when they lack the build, StoreOwned when another process has it open.
    """
    stores = stores or open_stores(settings)
    manifest, layout = read_layout(database, build)
    if not stores.holds(build):
        raise StoreMismatch(
            f"Build {build} of catalog {manifest.catalog} is not in the {stores.kind} store. Copy it there, without "
            f"encoding anything: vitrine builds copy {build} --to {stores.kind}"
        )
    words = read_words(database, build)
    embeddings = Embeddings(settings.home, manifest.encoder, settings.embeddings.url)
    store = stores.open(build, layout)
    try:
        applied = _prepared(database, stores, store, manifest, embeddings)
        following = Following(database, stores, store, manifest, embeddings, applied)
        following.catch_up()
    except BaseException:
        store.close()
        raise
    return LiveIndex(manifest, store, following.catch_up, words, layout.lexicon)


def read_layout(database: Database, build: str) -> tuple[BuildManifest, Layout]:
    """Raises UnknownBuild, StoreMismatch for a build that has not come so far."""
    with database.session() as session:
        manifest = BuildRepository(session).manifest(build)
        lexicon = BuildRepository(session).lexicon(build)
    if manifest is None or lexicon is None:
        raise StoreMismatch(f"Build {build} was never finished; build the catalogue again.")
    return manifest, layout_of(manifest, Lexicon.from_bytes(lexicon))


def read_words(database: Database, build: str) -> Words:
    """Raises UnknownBuild, StoreMismatch when they are damaged."""
    with database.session() as session:
        packed = BuildRepository(session).words(build)
    return Words() if packed is None else Words.from_bytes(packed)


def layout_of(manifest: BuildManifest, lexicon: Lexicon) -> Layout:
    """To a store, dates are numbers."""
    fill = {channel: np.asarray(vector, np.float32) for channel, vector in manifest.fill.items()}
    stored = {FieldType.DATE: FieldType.NUMBER}
    fields = {name: stored.get(kind, kind) for name, kind in manifest.fields.items()}
    return Layout(manifest.encoder.dim, fill, fields, lexicon)


def _prepared(
    database: Database, stores: Stores, store: OpenStore, manifest: BuildManifest, embeddings: Embeddings
) -> int:
    """The live change up to which the store is. One that is kept nowhere is filled from the ledger and the cache."""
    with database.session() as session:
        newest = ChangeRepository(session).last(manifest.catalog)
        applied = PlacementRepository(session).applied(manifest.build, stores.kind)
    if stores.keeps:
        return applied
    from indexer.builds.write import write_points  # stores that keep what was written do without it

    try:
        for _ in write_points(database, manifest, embeddings, store.upsert):
            pass
    except KeyError as error:
        raise VectorsMissing(
            f"The embeddings of build {manifest.build} of catalog {manifest.catalog} are gone; "
            "build the catalogue again."
        ) from error
    return newest
