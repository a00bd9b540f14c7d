"""Money that is set aside for requests, and put back."""

import time
from collections.abc import Iterator
from itertools import count

import pytest

from indexer.breaker import Breaker
from indexer.catalog.engine import Database
from indexer.settings import BudgetSettings
from service.budget.governor import Governor
from service.endpoint import Endpoint
from service.rerank.calling import Till
from tests.service.rerank.judging import PRICE

_CALLERS = count()


@pytest.fixture
def caller() -> str:
    """Who has spent nothing yet."""
    return f"caller {next(_CALLERS)}"


@pytest.fixture
def till(ledger: Database) -> Iterator[Till]:
    endpoint = Endpoint("http://models.example/v1", None, "small", setting="rerank")
    yield Till(endpoint, Governor(ledger, BudgetSettings(per_key=0.01)), Breaker(), PRICE)
    endpoint.close()


def later() -> float:
    return time.monotonic() + 60


def test_as_many_requests_are_granted_from_the_first_as_there_is_money_for(till: Till, caller: str) -> None:
    tab = till.open([0.004, 0.004, 0.004], caller, later())
    assert (tab.granted, tab.refused) == (2, "the caller's budget for today is used up")
    assert till.governor.spent(caller) == pytest.approx(0.008)
    none = till.open([0.004], caller, later())
    assert (none.granted, none.refused) == (0, tab.refused)


def test_what_was_not_spent_is_put_back(till: Till, caller: str) -> None:
    tab = till.open([0.004], caller, later())
    tab.spent = 0.001
    tab.settle()
    assert till.governor.spent(caller) == pytest.approx(0.001)


def test_what_is_granted_too_late_is_put_back_at_once(till: Till, caller: str) -> None:
    assert till.open([0.004], caller, time.monotonic() - 1).granted == 0
    assert till.governor.spent(caller) == 0
