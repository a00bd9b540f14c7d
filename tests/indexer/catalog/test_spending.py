from datetime import timedelta

import pytest

from indexer.catalog.engine import Database
from indexer.catalog.spending import OverLimit, SpendingRepository
from tests.indexer.catalog.samples import NOON

DAY = NOON.date()


def add(database: Database, micros: int, **limits: int) -> bool:
    try:
        with database.begin() as session:
            SpendingRepository(session).add_if_within(DAY, limits, micros)
    except OverLimit:
        return False
    return True


def spent(database: Database, *scopes: str) -> list[int]:
    with database.session() as session:
        return [SpendingRepository(session).spent(DAY, scope) for scope in scopes]


def test_a_sum_may_reach_its_limit_and_not_pass_it(database: Database) -> None:
    assert [add(database, 40, all=100) for _ in range(3)] == [True, True, False]
    assert [add(database, micros, all=100) for micros in (21, 20, 1)] == [False, True, False]
    assert spent(database, "all") == [100]


def test_what_one_scope_cannot_pay_no_scope_pays(database: Database) -> None:
    assert add(database, 10, all=100, ann=30)
    assert not add(database, 25, all=100, ann=30)
    assert not add(database, 31, all=100, zoe=30), "the first sum of a day has a limit too"
    assert add(database, 25, all=100, zoe=30)
    assert spent(database, "all", "ann", "zoe") == [35, 10, 25]


def test_a_correction_knows_no_limit_but_zero(database: Database) -> None:
    add(database, 10, all=10)
    with database.begin() as session:
        SpendingRepository(session).correct(DAY, "all", 5)
        SpendingRepository(session).correct(DAY, "ann", 7)
        SpendingRepository(session).correct(DAY, "zoe", -7)
    assert spent(database, "all", "ann", "zoe") == [15, 7, 0]
    with database.begin() as session:
        SpendingRepository(session).correct(DAY, "all", -100)
    assert spent(database, "all") == [0]


def test_days_are_apart_and_old_ones_forgotten(database: Database) -> None:
    days = [DAY + timedelta(days=number) for number in range(3)]
    with database.begin() as session:
        spending = SpendingRepository(session)
        for day in days:
            spending.add_if_within(day, {"all": 1}, 1)
        spending.forget(before=days[1])
        assert [spending.spent(day, "all") for day in days] == [0, 1, 1]


@pytest.mark.parametrize("scope", ["f" * 64, "größe"])
def test_sums_are_large_and_scopes_any_text(database: Database, scope: str) -> None:
    assert add(database, 2**60, **{scope: 2**62})
    assert add(database, 2**60, **{scope: 2**62})
    assert spent(database, scope) == [2**61]
