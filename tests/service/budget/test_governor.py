import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database, open_database
from indexer.catalog.spending import SpendingRepository
from indexer.settings import BudgetSettings
from service.budget.governor import Governor, Refused, Reservation
from tests.faults.extents import extents
from tests.schema import write_schema
from tests.service.budget.conftest import Calendar

BUDGET = BudgetSettings(per_request=0.05, per_key=0.06, per_day=0.10)


def granted(answer: Reservation | Refused) -> Reservation:
    assert isinstance(answer, Reservation), answer
    return answer


@pytest.fixture
def governor(database: Database, calendar: Calendar) -> Governor:
    return Governor(database, BUDGET, calendar)


@contextmanager
def busy(database: Database, reservation: Reservation | None = None) -> Iterator[None]:
    """Somebody else is writing, on PostgreSQL to the rows of a reservation."""
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/", source="/")
        if reservation is not None:
            for scope in reservation.scopes:
                SpendingRepository(session).correct(reservation.day, scope, 0)
        yield


def together(work: Callable[[int], None], threads: int) -> None:
    started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def test_what_is_reserved_counts_until_it_is_settled(governor: Governor) -> None:
    reservation = granted(governor.reserve(0.04, "ann"))
    assert (governor.spent(), governor.spent("ann"), governor.spent("bob")) == (0.04, 0.04, 0.0)
    governor.settle(reservation, 0.011)
    assert (governor.spent(), governor.spent("ann")) == (0.011, 0.011)


def test_more_than_was_reserved_is_counted_too(governor: Governor) -> None:
    governor.settle(granted(governor.reserve(0.04, "ann")), 0.30)
    assert governor.spent() == governor.spent("ann") == 0.30
    assert governor.reserve(0.000001) == Refused("today's budget is used up")


def test_each_limit_refuses_and_tells_what_is_left(governor: Governor) -> None:
    assert governor.reserve(0.051, "ann") == Refused("it would cost more than one request may", 0.05)
    granted(governor.reserve(0.05, "ann"))
    assert governor.reserve(0.02, "ann") == Refused("the caller's budget for today is used up", 0.01)
    granted(governor.reserve(0.01, "ann"))
    assert governor.reserve(0.05, "bob") == Refused("today's budget is used up", 0.04)
    granted(governor.reserve(0.04, "bob"))
    assert governor.reserve(0.000001) == Refused("today's budget is used up", 0.0)


def test_requests_without_a_key_share_the_days_budget_only(governor: Governor) -> None:
    granted(governor.reserve(0.05))
    granted(governor.reserve(0.05))
    assert governor.spent() == 0.10


def test_a_new_day_has_a_budget_of_its_own(governor: Governor, calendar: Calendar) -> None:
    late = [granted(governor.reserve(0.05)) for _ in range(2)]
    calendar.turn()
    granted(governor.reserve(0.05))
    governor.settle(late[0], 0.01)
    assert governor.spent() == 0.05, "what was reserved before midnight is settled there"
    calendar.turn(-1)
    assert governor.spent() == pytest.approx(0.06)


def test_sums_of_a_quarter_ago_are_forgotten(governor: Governor, calendar: Calendar) -> None:
    granted(governor.reserve(0.01))
    calendar.turn(91)
    granted(governor.reserve(0.01))
    calendar.turn(-91)
    assert governor.spent() == 0.0


@pytest.mark.parametrize("requests", extents((50,), (1_000,)))
def test_many_requests_against_an_exhausted_budget_are_all_refused(governor: Governor, requests: int) -> None:
    granted(governor.reserve(0.05))
    granted(governor.reserve(0.05))
    answers = [governor.reserve(0.001, f"caller {number % 7}") for number in range(requests)]
    assert {type(answer) for answer in answers} == {Refused}
    assert governor.spent() == 0.10


def test_threads_and_replicas_are_granted_a_budget_to_the_last_cent_and_no_further(
    database: Database, calendar: Calendar
) -> None:
    replicas = [Governor(database, BUDGET, calendar) for _ in range(2)]
    given: list[Reservation] = []

    def spend(number: int) -> None:
        answer: Reservation | Refused = Refused("the budget cannot be read")
        while isinstance(answer, Reservation) or answer.reason == "the budget cannot be read":
            answer = replicas[number % 2].reserve(0.0025, f"caller {number % 3}")
            if isinstance(answer, Reservation):
                given.append(answer)

    together(spend, 6)
    assert len(given) == 40
    assert replicas[0].spent() == 0.10


def test_what_threads_and_replicas_settle_adds_up(database: Database, calendar: Calendar) -> None:
    replicas = [Governor(database, BudgetSettings(per_key=0.004, per_day=0.01), calendar) for _ in range(2)]
    kept: list[tuple[str, int]] = []

    def spend(number: int) -> None:
        draw = random.Random(number)
        governor, caller = replicas[number % 2], f"caller {number % 3}"
        for _ in range(12):
            reservation = governor.reserve(draw.randint(1, 900) / 1e6, caller)
            if isinstance(reservation, Reservation):
                actual = draw.randint(0, reservation.micros)
                governor.settle(reservation, actual / 1e6)
                kept.append((caller, actual))

    together(spend, 6)
    for replica in replicas:  # what could not be written for others' locks is written now
        replica.settle(granted(Governor(database, BudgetSettings(), calendar).reserve(0.001, "last")), 0.0)

    assert sum(micros for _, micros in kept) == round(replicas[0].spent() * 1e6) <= 10_000
    for caller in {caller for caller, _ in kept}:
        assert sum(micros for who, micros in kept if who == caller) == round(replicas[0].spent(caller) * 1e6) <= 4_000


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(["", "ann", "bob"]), st.none() | st.integers(0, 90)), max_size=12
    )
)
def test_it_grants_exactly_what_a_plain_sum_would(database: Database, steps: list[tuple[int, str, int | None]]) -> None:
    """Reservations in millionths, some settled right away, against sums kept in a dictionary."""
    today = random.SystemRandom().randint(1, 700_000)
    limited = BudgetSettings(per_request=50e-6, per_key=80e-6, per_day=120e-6)
    governor = Governor(database, limited, lambda: date.fromordinal(today))
    sums = {"": 0, "ann": 0, "bob": 0}
    for micros, caller, actual in steps:
        answer = governor.reserve(micros / 1e6, caller)
        within = micros <= 50 and sums[""] + micros <= 120 and (not caller or sums[caller] + micros <= 80)
        assert isinstance(answer, Reservation) == (within or micros == 0)
        if isinstance(answer, Reservation):
            counted = micros if actual is None else actual
            if actual is not None:
                governor.settle(answer, actual / 1e6)
            for scope in {"", caller}:
                sums[scope] += counted
    assert round(governor.spent() * 1e6) == sums[""]
    assert [round(governor.spent(caller) * 1e6) for caller in ("ann", "bob")] == [sums["ann"], sums["bob"]]


RESERVE_AND_DIE = """
import os, signal, sys
from datetime import date
from indexer.catalog.engine import open_database
from indexer.settings import BudgetSettings
from service.budget.governor import Governor
governor = Governor(open_database(sys.argv[1]), BudgetSettings(), lambda: date.fromordinal(int(sys.argv[2])))
governor.reserve(0.04, "ann")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_before_it_settles_leaves_what_it_reserved(
    database: Database, governor: Governor, calendar: Calendar
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    child = subprocess.run(
        [sys.executable, "-c", RESERVE_AND_DIE, url, str(calendar.day.toordinal())],
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert child.returncode == -9
    assert governor.spent() == governor.spent("ann") == 0.04
    assert governor.reserve(0.03, "ann") == Refused("the caller's budget for today is used up", 0.02)


def test_a_settlement_that_has_to_wait_too_long_is_made_with_the_next(database: Database, governor: Governor) -> None:
    first, second = granted(governor.reserve(0.04, "ann")), granted(governor.reserve(0.01, "bob"))
    with busy(database, first):
        began = time.monotonic()
        governor.settle(first, 0.002)
        assert time.monotonic() - began < 10
    assert governor.spent() == 0.05
    governor.settle(second, 0.001)
    assert (governor.spent(), governor.spent("ann"), governor.spent("bob")) == (0.003, 0.002, 0.001)


def test_a_database_that_is_down_or_busy_grants_nothing_and_raises_nothing(
    database: Database, governor: Governor, tmp_path: Path
) -> None:
    down = Governor(open_database(f"sqlite:///{tmp_path}/nowhere/c.db"), BUDGET)
    assert down.reserve(0.01, "ann") == Refused("the budget cannot be read")
    down.settle(Reservation(10, date(2026, 11, 21), ("everybody",)), 0.0)
    with busy(database, granted(governor.reserve(0.01))):
        assert governor.reserve(0.01) == Refused("the budget cannot be read")
    granted(governor.reserve(0.01))


def test_what_costs_nothing_needs_no_budget(tmp_path: Path) -> None:
    nowhere = open_database(f"sqlite:///{tmp_path}/nowhere/c.db")
    governor = Governor(nowhere, BudgetSettings(per_request=0, per_key=0, per_day=0))
    reservation = granted(governor.reserve(0.0, "ann"))
    governor.settle(reservation, 0.0)
    assert isinstance(governor.reserve(1e-9), Refused), "the least sum is a millionth"


@pytest.mark.parametrize("dollars", [1e300, float("inf")])
def test_absurd_sums_are_refused_and_absurd_limits_hold(database: Database, calendar: Calendar, dollars: float) -> None:
    limitless = Governor(database, BudgetSettings(per_request=1e300, per_key=1e300, per_day=1e300), calendar)
    assert isinstance(Governor(database, BUDGET, calendar).reserve(dollars), Refused)
    granted(limitless.reserve(1_000_000.0, "ann"))
    assert limitless.spent() == 1_000_000


def test_callers_are_not_written_down(tmp_path: Path) -> None:
    write_schema(tmp_path / "c.db")
    database = open_database(f"sqlite:///{tmp_path}/c.db")
    granted(Governor(database, BUDGET).reserve(0.01, "sk-secret-\udc80"))
    database.dispose()
    assert all(b"sk-secret" not in file.read_bytes() for file in tmp_path.iterdir())
