import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.verdicts import VerdictRepository
from service.rerank.cache import VerdictCache
from tests.schema import write_schema


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    write_schema(tmp_path / "c.db")
    database = open_database(f"sqlite:///{tmp_path}/c.db")
    yield database
    database.dispose()


def keys(first: int, last: int) -> list[str]:
    return [f"{number:064x}" for number in range(first, last)]


def test_what_one_replica_puts_another_gets(database: Database) -> None:
    one, other = (VerdictCache(database, 30, 100) for _ in range(2))
    one.put({"a": '{"c1": "A"}', "b": "2"})
    assert other.get(["a", "b", "c"]) == {"a": '{"c1": "A"}', "b": "2"}
    other.put({"b": "3"})
    assert one.get(["b"]) == {"b": "3"}


def test_nothing_asked_and_nothing_put_is_nothing_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = VerdictCache(open_database(f"sqlite:///{tmp_path}/nowhere/c.db"), 30, 100)
    assert nowhere.get([]) == {}
    nowhere.put({})
    assert caplog.records == []


def test_a_verdict_is_too_old_after_its_days(database: Database) -> None:
    with database.begin() as session:
        put = VerdictRepository(session).put_many
        put({"old": "1"}, datetime.now(UTC) - timedelta(days=7, minutes=1))
        put({"young": "1"}, datetime.now(UTC) - timedelta(days=6))
    cache = VerdictCache(database, 7, 100)
    assert cache.get(["old", "young"]) == {"young": "1"}
    cache.put({"new": "1"})
    with database.session() as session:
        left = VerdictRepository(session).get_many(["old", "young", "new"], datetime(2000, 1, 1, tzinfo=UTC))
    assert set(left) == {"young", "new"}, "the first put of a process tidies"


def test_there_are_at_most_a_twentieth_more_than_may_be_kept_and_the_newest_among_them(database: Database) -> None:
    cache = VerdictCache(database, 30, 100)
    for first in range(0, 240, 4):
        cache.put(dict.fromkeys(keys(first, first + 4), "1"))
        assert len(cache.get(keys(0, 240))) <= 105
        assert len(cache.get(keys(first, first + 4))) == 4


def test_a_database_that_is_down_remembers_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = VerdictCache(open_database(f"sqlite:///{tmp_path}/nowhere/c.db"), 30, 100)
    with caplog.at_level(logging.WARNING):
        nowhere.put({"a": "1"})
        assert nowhere.get(["a"]) == {}
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_database_that_is_busy_is_not_waited_for(database: Database) -> None:
    cache = VerdictCache(database, 30, 100)
    cache.put({"a": "1"})
    with database.begin() as session:
        CatalogRepository(session).ensure("shop", root="/", source="/")
        began = time.monotonic()
        cache.put({"b": "1"})
        assert cache.get(["a", "b"]) == {"a": "1"}
        assert time.monotonic() - began < 10
    cache.put({"b": "1"})
    assert cache.get(["b"]) == {"b": "1"}
