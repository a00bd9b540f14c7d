"""A worker takes builds from the ledger; what is wrong with one is its reason there, and the others are built."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from indexer.builds.jobs import BuildRequest, enqueue
from indexer.builds.life import cancel
from indexer.builds.listing import list_builds
from indexer.builds.live import published_build
from indexer.builds.worker import Worker
from indexer.catalog.engine import Database
from indexer.domain import Matrix
from indexer.encoders import Encoder
from indexer.errors import NothingPublished, UnknownModel
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop.at(tmp_path)
    shop.write([{"id": "hat", "title": "Straw hat"}, {"id": "scarf", "title": "Woollen scarf"}])
    return shop


@pytest.fixture
def database(shop: Shop) -> Iterator[Database]:
    with catalogue(shop.settings) as opened:
        yield opened


def queue(shop: Shop, database: Database, catalog: str = "shop", encoder: str = "fake") -> str:
    request = BuildRequest(source=str(shop.file), root=str(shop.folder), encoder=encoder, skip_gates=True)
    return enqueue(database, catalog, None, request, "memory").id


class Encoders:
    """Those that are known by name; `opened` are the names asked for."""

    def __init__(self, **known: Encoder) -> None:
        self._known = known
        self.opened: list[str] = []

    def __call__(self, name: str) -> Encoder:
        self.opened.append(name)
        if name not in self._known:
            raise UnknownModel(f"No encoder named {name!r}.")
        return self._known[name]


def ended(database: Database, build: str) -> tuple[object, object]:
    (row,) = [row for row in list_builds(database, None) if row["build"] == build]
    return row["state"], row["error"]


def test_without_anything_to_build_it_says_so(shop: Shop, database: Database) -> None:
    assert Worker(database, shop.settings, Encoders()).once() is None


def test_builds_are_built_one_after_the_other_with_the_encoder_each_names(shop: Shop, database: Database) -> None:
    encoders = Encoders(fake=FakeEncoder(), other=FakeEncoder("other"))
    queued = [
        queue(shop, database, catalog, encoder)
        for catalog, encoder in (("a", "fake"), ("b", "fake"), ("c", "other"), ("d", "fake"))
    ]
    worker = Worker(database, shop.settings, encoders)

    reports = [worker.once() for _ in range(5)]
    assert [report and (report.build, report.state) for report in reports] == [
        *((build, "published") for build in queued),
        None,
    ]
    assert encoders.opened == ["fake", "other", "fake"], "an encoder stays open while it is the one asked for"
    assert published_build(database, "c")[1] == queued[2]


def test_a_build_whose_source_is_gone_fails_by_its_reason_and_is_not_tried_for_ever(
    shop: Shop, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    build = queue(shop, database)
    shop.file.unlink()
    worker = Worker(database, shop.settings, Encoders(fake=FakeEncoder()))

    assert worker.once() is None
    state, error = ended(database, build)
    assert (state, str(shop.file) in str(error)) == ("failed", True)
    assert str(error) in caplog.text
    assert worker.once() is None
    assert len(list_builds(database, "shop")) == 1


def test_a_build_whose_encoder_cannot_be_opened_fails_by_its_reason(shop: Shop, database: Database) -> None:
    build = queue(shop, database, encoder="nothing")

    assert Worker(database, shop.settings, Encoders()).once() is None
    assert ended(database, build) == ("failed", "No encoder named 'nothing'.")


class Breaking(FakeEncoder):
    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        raise RuntimeError("device ran out of memory")


def test_a_build_that_breaks_fails_by_its_reason_and_the_next_one_is_built(
    shop: Shop, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    broken = queue(shop, database, "a", "breaking")
    queue(shop, database, "b")
    worker = Worker(database, shop.settings, Encoders(breaking=Breaking(), fake=FakeEncoder()))

    assert worker.once() is None
    assert ended(database, broken) == ("failed", "RuntimeError: device ran out of memory")
    assert "Traceback" in caplog.text
    report = worker.once()
    assert report is not None
    assert (report.catalog, report.state) == ("b", "published")


class Stopped(FakeEncoder):
    """While it reads texts, somebody cancels the build by a connection of their own."""

    def __init__(self, shop: Shop, build: str) -> None:
        super().__init__()
        self._shop = shop
        self._build = build

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        if not self.texts:
            with catalogue(self._shop.settings) as another:
                cancel(another, self._build)
        return super().encode_texts(texts)


def test_a_build_that_is_cancelled_while_it_runs_ends_there_and_the_next_takes_over_what_it_did(
    any_ledger: Shop, ledger: Database, caplog: pytest.LogCaptureFixture
) -> None:
    shop = any_ledger
    shop.write([{"id": "hat", "title": "Straw hat"}, {"id": "scarf", "title": "Woollen scarf"}])
    build = queue(shop, ledger)

    assert Worker(ledger, shop.settings, Encoders(fake=Stopped(shop, build))).once() is None
    assert ended(ledger, build) == ("cancelled", None)
    assert f"Build {build} was cancelled" in caplog.text
    with pytest.raises(NothingPublished):
        published_build(ledger, "shop")

    again = FakeEncoder()
    queue(shop, ledger)
    report = Worker(ledger, shop.settings, Encoders(fake=again)).once()
    assert report is not None
    assert (report.state, report.products, report.added) == ("published", 2, 0), "its rows were in the ledger already"
    assert again.texts == []
