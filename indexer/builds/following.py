"""Live changes, from the ledger into an open store. What reads changed products is imported with the first of them."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from indexer.builds.embeddings import Embeddings
from indexer.catalog.builds import BuildRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.placements import PlacementRepository
from indexer.catalog.records import Change
from indexer.domain import BuildManifest, Point, point_id
from indexer.errors import StoreMismatch, VectorsMissing
from indexer.stores.keeping import Stores
from indexer.stores.seam import VectorStore

if TYPE_CHECKING:
    from indexer.builds.pages import Page

TOGETHER = 500
"""Changes applied in one step."""
NAMED = 5
"""Products that an error names."""
PATIENCE: Final = 20
"""Times that a stage is begun again because products were put that its encoder had not read."""
T = TypeVar("T")


class Following:
    """Keeps one open store up with its catalog. Thread-safe.

    A change is applied by reading the product as the ledger has it now, so that applying it twice is harmless.
    Where the store is durable the position is in the ledger, and its row is locked while changes are applied:
    of several processes that follow the same store, each change is applied by one.
    """

    def __init__(
        self,
        database: Database,
        stores: Stores,
        store: VectorStore,
        manifest: BuildManifest,
        embeddings: Embeddings,
        applied: int,
    ) -> None:
        """`applied`: the newest change that is in the store."""
        self._database = database
        self._stores = stores
        self._store = store
        self._manifest = manifest
        self._embeddings = embeddings
        self._applied = applied
        self._applying = threading.Lock()

    def catch_up(self) -> int:
        """Apply what there is to apply; how many products changed.

        Raises UnavailableError, VectorsMissing while a product's vectors are not in the cache, StoreMismatch when the
        log no longer has what the store lacks; then the store stays as it was and the next call tries again.
        """
        changed = 0
        with self._applying:
            while self._newest() > self._applied:
                changed += self._step_together() if self._stores.durable else self._step()
        return changed

    def _newest(self) -> int:
        with self._database.session() as session:
            return ChangeRepository(session).last(self._manifest.catalog)

    def _step(self) -> int:
        with self._database.session() as session:
            changes = self._behind(ChangeRepository(session), self._applied)
        changed = self._apply(changes)
        self._applied = changes[-1].sequence
        return changed

    def _step_together(self) -> int:
        build, kind = self._manifest.build, self._stores.kind
        with self._database.begin() as session:
            BuildRepository(session).lock(build)
            placements = PlacementRepository(session)
            applied = placements.applied(build, kind)
            changes = self._behind(ChangeRepository(session), applied)
            changed = self._apply(changes) if changes else 0
            self._applied = changes[-1].sequence if changes else applied
            placements.put(build, kind, self._applied)
        return changed

    def _behind(self, log: ChangeRepository, applied: int) -> Sequence[Change]:
        """The next changes. The log has every sequence number but for the oldest, which may be forgotten."""
        catalog, build = self._manifest.catalog, self._manifest.build
        newest = log.last(catalog)  # before the changes, as each question sees what was committed until it is asked
        changes = log.since(catalog, applied, TOGETHER)
        complete = changes[0].sequence == applied + 1 if changes else newest <= applied
        if not complete:
            raise StoreMismatch(
                f"The {self._stores.kind} store of build {build} has the live changes of catalog {catalog} up to "
                f"{applied}, and the log of them begins later. Build the catalogue again."
            )
        return changes

    def _apply(self, changes: Sequence[Change]) -> int:
        from indexer.builds.pages import entries_of

        catalog = self._manifest.catalog
        ids = list(dict.fromkeys(change.product_id for change in changes))
        had = {
            point_id(catalog, change.product_id, image_id) for change in changes for image_id in ("", *change.image_ids)
        }
        page = entries_of(self._database, catalog, self._manifest.generation, ids)
        points = readable_points(page, self._manifest, self._embeddings)
        self._store.delete(sorted(had - {point.id for point in points}))
        self._store.upsert(points)
        return len(ids)


def with_vectors(stage: Callable[[], T], embed: Callable[[], None]) -> T:
    """A stage of a build while products are put live: where the build's encoder is another one, it reads them here."""
    for _ in range(PATIENCE):
        try:
            return stage()
        except (KeyError, VectorsMissing):
            embed()
    return stage()


def demand_readable(database: Database, manifest: BuildManifest, embeddings: Embeddings, after: int) -> None:
    """Raises VectorsMissing when the build's encoder never read a product that was changed live behind `after`."""
    from indexer.builds.pages import entries_of

    while True:
        with database.session() as session:
            changes = ChangeRepository(session).since(manifest.catalog, after, TOGETHER)
        if not changes:
            return
        ids = list(dict.fromkeys(change.product_id for change in changes))
        readable_points(entries_of(database, manifest.catalog, manifest.generation, ids), manifest, embeddings)
        after = changes[-1].sequence


def readable_points(page: "Page", manifest: BuildManifest, embeddings: Embeddings) -> list[Point]:
    """The points of changed products. Raises VectorsMissing when the build's encoder never read one of them."""
    from indexer.builds.tagging import Tagger
    from indexer.builds.write import points_of

    try:
        return points_of(page, manifest.catalog, manifest.fields, embeddings, Tagger.of(manifest, embeddings))
    except KeyError as error:
        named = ", ".join(repr(entry.product.id) for entry in page[:NAMED])
        raise VectorsMissing(
            f"The embeddings that build {manifest.build} of catalog {manifest.catalog} needs for products changed live "
            f"({named}{', …' if len(page) > NAMED else ''}) are gone or of another encoder. Build the catalogue again."
        ) from error
