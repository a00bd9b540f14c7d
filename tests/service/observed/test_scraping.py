from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import open_database
from indexer.catalog.spending import SpendingRepository
from indexer.catalog.states import BuildState
from indexer.settings import Settings
from service.budget.governor import EVERYBODY
from service.metrics import Metrics
from service.scraping import AGAIN_AFTER, Ledger
from tests.service.worlds import CATALOG, settings_of


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def told(ledger: Ledger) -> dict[tuple[str, ...], float]:
    return {(name, *labels): value for name, labels, value in ledger.readings()}


def test_a_published_build_is_told_with_the_room_that_is_left(memory: Settings) -> None:
    found = told(Ledger(open_catalogue(memory), memory))
    assert found["vitrine_build_state", CATALOG, "published"] == 1
    assert 0 <= found["vitrine_published_age_seconds", CATALOG] < 3_600
    assert found["vitrine_budget_dollars",] == memory.budget.per_day
    assert found["vitrine_jobs", "queued"] == found["vitrine_jobs", "running"] == 0
    assert found["vitrine_disk_free_bytes",] > 0


def test_a_build_under_way_is_told_with_how_far_it_is_and_when_it_was_heard_of(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    database, earlier = open_catalogue(settings), datetime.now(UTC) - timedelta(minutes=5)
    with database.begin() as session:
        CatalogRepository(session).ensure("shoes", root=str(tmp_path), source="s")
        SpendingRepository(session).correct(datetime.now(UTC).date(), EVERYBODY, 250_000)
        builds = BuildRepository(session)
        builds.create("b1", "shoes", owner="w", store="memory", source="s", settings={}, now=earlier)
        builds.set_state("b1", BuildState.EMBEDDING, earlier)
        builds.save_counts("b1", {"done": 30, "total": 120}, earlier)
    found = told(Ledger(database, settings))
    assert found["vitrine_build_state", "shoes", "embedding"] == 1
    assert found["vitrine_build_progress", "shoes"] == 0.25
    assert found["vitrine_spent_dollars",] == 0.25
    assert found["vitrine_build_heartbeat_seconds", "shoes"] == pytest.approx(300, abs=30)


def test_the_ledger_is_asked_every_few_seconds_however_often_somebody_scrapes(memory: Settings) -> None:
    clock = Clock()
    ledger = Ledger(open_catalogue(memory), memory, clock)
    first = ledger.readings()
    assert ledger.readings() is first
    clock.now += AGAIN_AFTER
    assert ledger.readings() is not first


def test_a_database_that_is_away_costs_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"this is no database" * 100)
    found = told(Ledger(open_database(f"sqlite:///{tmp_path / 'no.db'}"), settings_of(tmp_path)))
    assert {name for name, *_ in found} == {"vitrine_disk_free_bytes", "vitrine_budget_dollars"}


def test_every_reading_is_of_a_metric_that_there_is(memory: Settings) -> None:
    metrics = Metrics()
    metrics.at_scrape(Ledger(open_catalogue(memory), memory).readings)
    assert "vitrine_published_age_seconds{" in metrics.exposition("")[0].decode()
