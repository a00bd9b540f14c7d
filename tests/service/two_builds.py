"""One catalog with two finished builds, either of which can be published."""

from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.settings import Settings
from service.live import LiveBuilds, OpenEncoder
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG


@dataclass(frozen=True)
class TwoBuilds:
    settings: Settings
    database: Database
    first: str
    second: str

    def live(self, open_encoder: OpenEncoder = lambda manifest: FakeEncoder(), follow: bool = False) -> LiveBuilds:
        return LiveBuilds(self.database, self.settings, open_encoder, follow)

    def publish(self, build_id: str) -> None:
        with self.database.begin() as session:
            PublishedRepository(session).set(CATALOG, build_id, datetime.now(UTC))


def leased(builds: LiveBuilds, catalog: str | None = None) -> str:
    with builds.lease(catalog) as (index, _):
        assert index.store.count() == index.manifest.points
        return index.manifest.build
