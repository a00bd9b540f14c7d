from datetime import datetime, timedelta

from indexer.catalog.engine import Database
from indexer.catalog.verdicts import VerdictRepository
from tests.indexer.catalog.samples import NOON

LONG_AGO = NOON - timedelta(days=1_000)


def put(database: Database, entries: dict[str, str], now: datetime = NOON) -> None:
    with database.begin() as session:
        VerdictRepository(session).put_many(entries, now)


def known(database: Database, *keys: str, since: datetime = LONG_AGO) -> dict[str, str]:
    with database.session() as session:
        return VerdictRepository(session).get_many(keys, since)


def test_verdicts_are_found_by_their_keys(database: Database) -> None:
    put(database, {"a": '{"c1": "A"}', "b": '"größe 🧥"', "c": ""})
    assert known(database, "a", "b", "nowhere") == {"a": '{"c1": "A"}', "b": '"größe 🧥"'}
    assert known(database) == {}


def test_the_newest_verdict_stays(database: Database) -> None:
    put(database, {"a": "1", "b": "1"})
    put(database, {"b": "2", "c": "2"}, NOON + timedelta(hours=1))
    put(database, {})
    assert known(database, "a", "b", "c") == {"a": "1", "b": "2", "c": "2"}
    assert known(database, "a", "b", "c", since=NOON + timedelta(minutes=1)) == {"b": "2", "c": "2"}


def test_a_verdict_expires(database: Database) -> None:
    put(database, {"a": "1"})
    assert known(database, "a", since=NOON) == {"a": "1"}
    assert known(database, "a", since=NOON + timedelta(microseconds=1)) == {}


def test_pruning_deletes_the_old_and_the_oldest_of_too_many(database: Database) -> None:
    for hour in range(10):
        put(database, {f"{hour}{letter}": "1" for letter in "abc"}, NOON + timedelta(hours=hour))
    every = [f"{hour}{letter}" for hour in range(10) for letter in "abc"]
    with database.begin() as session:
        VerdictRepository(session).prune(keep=100, since=NOON + timedelta(hours=2))
    assert sorted(known(database, *every)) == every[6:]
    with database.begin() as session:
        VerdictRepository(session).prune(keep=7, since=LONG_AGO)
    kept = sorted(known(database, *every))
    assert len(kept) == 7, "also when several are of one moment"
    assert kept[1:] == every[-6:]


def test_thousands_are_put_and_found_at_once(database: Database) -> None:
    entries = {f"{number:064x}": f"{number}" for number in range(5_000)}
    put(database, entries)
    assert known(database, *entries) == entries
