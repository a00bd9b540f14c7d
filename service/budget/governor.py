"""What endpoints may cost: money is set aside before a call is made, and what was not needed put back after it.

The sum is kept in the catalogue's database, in whole millionths of a dollar, and one statement compares and adds, so
that limits hold over threads and processes. Who dies between reserving and settling leaves the whole reservation
counted: the budget may be used up early, but is never exceeded by what was estimated.
"""

import hashlib
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from indexer.catalog.engine import Database
from indexer.catalog.spending import OverLimit, SpendingRepository
from indexer.errors import CatalogueUnavailable
from indexer.settings import BudgetSettings

EVERYBODY = "everybody"
"""The scope of all that is spent on a day; each caller has one of their own."""

RESERVE_SECONDS = 0.5
SETTLE_SECONDS = 0.1
"""How long another's write to the database is waited for: shoppers wait meanwhile."""
KEPT = timedelta(days=90)
"""How long sums of days are kept."""
_MOST = 2.0**52
"""Millionths beyond which nothing is told apart, and far below what a database's column holds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money that may be spent, in millionths of a dollar, counted on the day it was granted."""

    micros: int
    day: date
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason` is for people; `left` are the dollars that would have been granted, 0 where that cannot be told."""

    reason: str
    left: float = 0.0


def _today() -> date:
    return datetime.now(UTC).date()


class Governor:
    """Thread-safe. Any number of them may share a database."""

    def __init__(self, database: Database, settings: BudgetSettings, today: Callable[[], date] = _today) -> None:
        """`today` tells the day of UTC."""
        self._database = database
        self._settings = settings
        self._today = today
        self._lock = threading.Lock()
        self._owed: Counter[tuple[date, str]] = Counter()
        """Corrections by day and scope that could not be written yet, in millionths."""
        self._tidied: date | None = None

    @property
    def per_request(self) -> float:
        """Dollars that one reservation may be of."""
        return self._settings.per_request

    def reserve(self, dollars: float, caller: str = "") -> Reservation | Refused:
        """Count that much as spent, before it is. `caller` has a budget of their own, '' none. Never raises.

        What costs nothing is granted without a look at the database.
        """
        micros, day, limits = _micros(dollars), self._today(), self._limits(caller)
        if micros == 0:
            return Reservation(0, day, tuple(limits))
        if micros > _micros(self._settings.per_request):
            return Refused("it would cost more than one request may", self._settings.per_request)
        try:
            with self._database.begin(RESERVE_SECONDS) as session:
                self._add(SpendingRepository(session), day, limits, micros)
            return Reservation(micros, day, tuple(limits))
        except OverLimit:
            return self._refusal(day, limits)
        except CatalogueUnavailable as error:
            _log.warning("Nothing is spent: %s", error)
            return Refused("the budget cannot be read")

    def settle(self, reservation: Reservation, dollars: float) -> None:
        """Count what was spent instead of what was reserved, also where that is more. Once per reservation.

        Never raises: what cannot be written now is written with the next settlement.
        """
        difference = _micros(dollars) - reservation.micros
        if difference == 0:
            return
        with self._lock:
            self._owed.update({(reservation.day, scope): difference for scope in reservation.scopes})
            owed = self._owed.copy()
            self._owed.clear()
        try:
            with self._database.begin(SETTLE_SECONDS) as session:
                for (day, scope), micros in sorted(owed.items()):
                    SpendingRepository(session).correct(day, scope, micros)
        except CatalogueUnavailable as error:
            _log.warning("What was set aside stays so for now: %s", error)
            with self._lock:
                self._owed.update(owed)

    def spent(self, caller: str = "") -> float:
        """Dollars spent and set aside today, by everybody, or by one caller. Raises CatalogueUnavailable."""
        with self._database.session() as session:
            scope = _scope(caller) if caller else EVERYBODY
            return SpendingRepository(session).spent(self._today(), scope) / 1e6

    def _limits(self, caller: str) -> dict[str, int]:
        limits = {EVERYBODY: _micros(self._settings.per_day)}
        return {**limits, _scope(caller): _micros(self._settings.per_key)} if caller else limits

    def _add(self, spending: SpendingRepository, day: date, limits: Mapping[str, int], micros: int) -> None:
        """Raises OverLimit."""
        spending.add_if_within(day, limits, micros)
        if self._tidied != day:
            spending.forget(before=day - KEPT)
            self._tidied = day

    def _refusal(self, day: date, limits: Mapping[str, int]) -> Refused:
        """Tells the scope that has least left."""
        try:
            with self._database.session() as session:
                spending = SpendingRepository(session)
                left = {scope: max(0, limit - spending.spent(day, scope)) for scope, limit in limits.items()}
        except CatalogueUnavailable as error:
            _log.warning("Nothing is spent: %s", error)
            return Refused("the budget cannot be read")
        scope = min(left, key=left.__getitem__)
        reason = "today's budget is used up" if scope == EVERYBODY else "the caller's budget for today is used up"
        return Refused(reason, left[scope] / 1e6)


def _scope(caller: str) -> str:
    """Hashed, as a caller may be known by a secret, or by a name of any length."""
    return hashlib.sha256(caller.encode("utf-8", "surrogatepass")).hexdigest()


def _micros(dollars: float) -> int:
    """Millionths, rounded up past the noise of binary fractions."""
    return math.ceil(round(min(dollars * 1e6, _MOST), 3))
