"""The database or the vector store is away: for a moment, for good, and under a running service."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from indexer.builds.listing import list_builds
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import BuildReport, Progress
from indexer.catalog.engine import Database
from indexer.errors import CatalogueUnavailable, StoreUnavailable, UnavailableError
from indexer.settings import DatabaseSettings
from indexer.sources import open_source
from indexer.store_settings import QdrantSettings, StoreSettings
from tests.fakes import FakeEncoder
from tests.faults.faulty import Faulty, faulty_way, to
from tests.faults.served import PATIENCE, search, serving
from tests.indexer.builds.shop import Shop, catalogue, sell_mugs
from tests.indexer.catalog.databases import empty_database
from tests.qdrant_server.wire import serving as qdrant

AWAY = 0.8
"""Seconds."""
PAUSES = (0.5, 0.5, 1.0, 1.0, 2.0, 4.0, 8.0)
PHOTOS = 5


@dataclass(frozen=True)
class Connected:
    """A shop of which a part is far away."""

    shop: Shop
    way: Faulty
    error: type[UnavailableError]
    stage: str
    """In which nobody is there any more."""

    def build(
        self, encoder: FakeEncoder, database: Database, pauses: tuple[float, ...], watch: Callable[[Progress], None]
    ) -> BuildReport:
        pipeline = Pipeline(database, self.shop.settings, encoder, gates={}, pauses=pauses)
        return pipeline.run(open_source(self.shop.file), "shop", watch)

    def cutting(self, then: Callable[[], None]) -> Callable[[Progress], None]:
        """Cuts the way once."""
        whole = threading.Event()
        whole.set()

        def watch(progress: Progress) -> None:
            if whole.is_set() and f"{progress.stage} {progress.unit}" == self.stage:
                whole.clear()
                self.way.go("refused")
                then()

        return watch


@contextmanager
def far_database(path: Path) -> Iterator[Connected]:
    with empty_database("postgresql", path) as url:
        server = sa.make_url(url)
        with faulty_way(lambda: reached(server)) as way:
            query = {name: given for name, given in server.query.items() if name != "host"}
            near = server.set(host="127.0.0.1", port=way.port, query={**query, "sslmode": "disable"})
            settings = DatabaseSettings(url=SecretStr(near.render_as_string(hide_password=False)))
            shop = Shop.at(path, "memory")
            changed = shop.settings.model_copy(update={"database": settings})
            yield Connected(Shop(shop.folder, changed), way, CatalogueUnavailable, "embedding images")


@contextmanager
def far_store(path: Path) -> Iterator[Connected]:
    with qdrant() as wire, faulty_way(to(wire.port)) as way:
        settings = QdrantSettings(url="http://127.0.0.1:1", grpc_port=way.port, retries=1, timeout=5)
        shop = Shop.at(path, "qdrant")
        store = StoreSettings(kind="qdrant", qdrant=settings)
        changed = shop.settings.model_copy(update={"store": store})
        yield Connected(Shop(shop.folder, changed), way, StoreUnavailable, "writing points")


def reached(server: sa.URL) -> socket.socket:
    """A connection to PostgreSQL, whose URL may name the folder of its socket."""
    folder = server.query.get("host")
    if folder is None:
        return socket.create_connection((server.host or "localhost", server.port or 5432))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{folder}/.s.PGSQL.{server.port or 5432}")
    return connection


FAR = {"database": far_database, "store": far_store}


@pytest.fixture(params=sorted(FAR))
def connected(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connected]:
    with FAR[request.param](tmp_path) as one:
        sell_mugs(one.shop)
        yield one


def test_a_build_waits_for_what_is_away_for_a_moment(connected: Connected) -> None:
    encoder = FakeEncoder()
    back = threading.Timer(AWAY, connected.way.mend)
    with catalogue(connected.shop.settings) as database:
        report = connected.build(encoder, database, PAUSES, connected.cutting(back.start))
        (row,) = list_builds(database, "shop")
    assert back.finished.is_set()
    assert report.state == row["state"] == "published"
    assert report.points == PHOTOS + 1
    assert encoder.photos <= 2 * PHOTOS


def test_a_build_that_waited_in_vain_says_so_and_the_next_goes_on_from_there(connected: Connected) -> None:
    encoder = FakeEncoder()
    with catalogue(connected.shop.settings) as database:
        with pytest.raises(connected.error, match=r"127\.0\.0\.1") as failed:
            connected.build(encoder, database, (0.05, 0.05), connected.cutting(lambda: None))
        connected.way.mend()
        (row,) = list_builds(database, "shop")
        if connected.error is StoreUnavailable:
            assert (row["state"], row["error"]) == ("failed", str(failed.value))
        else:
            assert (row["state"], row["error"]) == ("embedding", None), "a dead database cannot be told"
        encoded = encoder.photos
        report = connected.build(encoder, database, PAUSES, lambda progress: None)
    assert report.state == "published"
    assert report.points == PHOTOS + 1
    assert encoder.photos - encoded <= (PHOTOS if connected.error is CatalogueUnavailable else 0)


def test_a_service_answers_503_while_it_is_away_and_is_well_when_it_is_back(connected: Connected) -> None:
    with catalogue(connected.shop.settings) as database:
        connected.build(FakeEncoder(), database, (), lambda progress: None)
    with (
        serving(connected.shop.settings) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client,
    ):
        status, answer = search(client, "red mug")
        assert status == 200
        connected.way.go("refused")
        away = client.post("/v1/search", json={"text": "red mug"})
        assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
        connected.way.mend()
        end = time.monotonic() + PATIENCE
        while search(client, "red mug")[0] == 503:
            assert time.monotonic() < end
            time.sleep(0.2)
        status, again = search(client, "red mug")
        assert status == 200
        assert again["results"] == answer["results"]
