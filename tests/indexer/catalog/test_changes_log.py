import threading
from collections.abc import Sequence

import pytest

from indexer.catalog.catalogs import CatalogRepository, lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.records import Change
from indexer.errors import UnknownCatalog
from tests.indexer.catalog.samples import NOON


def record(database: Database, *products: str, catalog: str = "shop") -> int:
    with database.begin() as session:
        return ChangeRepository(session).record(catalog, {product: [f"{product}-1"] for product in products}, NOON)


def since(database: Database, after: int, limit: int = 500, catalog: str = "shop") -> Sequence[Change]:
    with database.session() as session:
        return ChangeRepository(session).since(catalog, after, limit)


def test_each_product_takes_one_number(database: Database) -> None:
    assert record(database, "cap", "coat") == 2
    assert record(database, "cap") == 3
    assert since(database, 0) == (
        Change(1, "cap", ("cap-1",), NOON),
        Change(2, "coat", ("coat-1",), NOON),
        Change(3, "cap", ("cap-1",), NOON),
    )


def test_changes_are_read_in_pages_behind_a_number(database: Database) -> None:
    record(database, *(f"p{number}" for number in range(7)))
    first = since(database, 1, limit=3)
    assert [change.sequence for change in first] == [2, 3, 4]
    assert [change.sequence for change in since(database, first[-1].sequence)] == [5, 6, 7]


def test_catalogs_count_for_themselves(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other")
    record(database, "cap", "coat")
    assert record(database, "cap", catalog="other") == 1
    with database.session() as session:
        changes = ChangeRepository(session)
        assert (changes.last("shop"), changes.last("other")) == (2, 1)
        assert changes.touched("other", ["cap", "coat"], after=0) == {"cap"}
    assert len(since(database, 0, catalog="other")) == 1


def test_nothing_changed_takes_no_number(database: Database) -> None:
    record(database, "cap")
    assert record(database) == 1


def test_only_products_changed_behind_the_number_are_touched(database: Database) -> None:
    record(database, "cap", "coat", "cap")
    record(database, "cap")
    with database.session() as session:
        changes = ChangeRepository(session)
        assert changes.touched("shop", ["cap", "coat", "hat"], after=0) == {"cap", "coat"}
        assert changes.touched("shop", ["cap", "coat"], after=2) == {"cap"}
        assert changes.touched("shop", ["coat"], after=2) == set()


def test_what_is_forgotten_is_not_counted_again(database: Database) -> None:
    record(database, "cap", "coat", "hat")
    with database.begin() as session:
        ChangeRepository(session).forget("shop", 2)
        assert ChangeRepository(session).last("shop") == 3
    assert [change.sequence for change in since(database, 0)] == [3]
    assert record(database, "cap") == 4


def test_a_change_that_is_rolled_back_leaves_no_gap(database: Database) -> None:
    def broken() -> None:
        with database.begin() as session:
            ChangeRepository(session).record("shop", {"cap": []}, NOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert record(database, "cap") == 1


def test_whoever_sees_a_number_sees_all_before_it(database: Database) -> None:
    """Writers wait for each other, so that no smaller number is committed later."""
    seen: list[int] = []

    def write(thread: int) -> None:
        for number in range(5):
            record(database, f"{thread}-{number}", "cap")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        read = since(database, seen[-1] if seen else 0)
        seen.extend(change.sequence for change in read)
    seen.extend(change.sequence for change in since(database, seen[-1] if seen else 0))
    assert seen == list(range(1, 31))


def test_an_unknown_catalog_is_refused(database: Database) -> None:
    with database.begin() as session:
        changes = ChangeRepository(session)
        for attempt in (
            lambda: changes.record("nowhere", {"cap": []}, NOON),
            lambda: changes.last("nowhere"),
            lambda: lock_catalog(session, "nowhere"),
        ):
            with pytest.raises(UnknownCatalog, match="'nowhere'"):
                attempt()
