"""Publishing from the desk: verified and asked about in the background, one build at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from indexer.builds.gates import Gate, installed_gates
from indexer.builds.life import publish_build
from indexer.builds.progress import Progress
from indexer.catalog.builds import BuildRepository
from indexer.errors import BuildCancelled, PublishRefused
from service.shop import Shop
from service.working import Stopped, Tell, Working, Workplace, WorkState

KEPT: Final = 100
"""Attempts that are remembered."""
TOLD_FOR: Final = timedelta(days=1)
"""What came of an older one only the history says."""
BUSY: Final = "Build {label} is being published by {by}; wait for its end."
NOTHING_TO_ASK: Final = 0
"""The number of queries where no gate is asked."""


class Ending(StrEnum):
    PUBLISHED = "published"
    REFUSED = "refused"
    FAILED = "failed"
    LOST = "lost"
    """Its process ended before it did; the ledger says what came of it."""


@dataclass(frozen=True)
class Attempt:
    """To publish a build; `ending` is None until it is over."""

    build: str
    by: str
    began: datetime
    asked: bool
    """Whether the gates are."""
    done: int = 0
    total: int | None = None
    """Queries that the gates ask; None: they have not begun."""
    ending: Ending | None = None
    told: str = ""
    """Why nothing was published."""

    @property
    def reasons(self) -> tuple[str, ...]:
        return reasons_of(self.told)


def reasons_of(refusal: str) -> tuple[str, ...]:
    """The lines with the gates' reasons of what is told when one refuses; all of it where there are none."""
    lines = refusal.splitlines()
    return tuple(line[2:] for line in lines if line.startswith("- ")) or tuple(filter(None, lines))


class Publishing:
    """Thread-safe, and shared by the processes of a service. What came of attempts in the end is in the ledger."""

    def __init__(self, shop: Shop, gates: Mapping[str, Gate] | None = None) -> None:
        """`gates` by name; absent: all that are installed."""
        self._shop = shop
        self._gates = installed_gates() if gates is None else gates
        self._place = Workplace(shop.settings.home, "publishing", BUSY, KEPT)

    def start(self, build: str, by: str, *, skip_gates: bool = False) -> Attempt:
        """Raises UnknownBuild, ConflictError while another one is being published."""
        with self._shop.database.session() as session:
            BuildRepository(session).get(build)

        def work(tell: Tell) -> str:
            return self._publish(build, by, {} if skip_gates else self._gates, tell)

        return _attempt(self._place.start(build, by, work, NOTHING_TO_ASK if skip_gates else None))

    def of(self, build: str) -> Attempt | None:
        """The newest, where it runs or began not long ago."""
        found = next((one for one in self._place.recent() if one.label == build), None)
        if found is None or (not found.running and datetime.now(UTC) - found.started > TOLD_FOR):
            return None
        return _attempt(found)

    def close(self) -> None:
        """Whoever asks the gates in this process stops at their next query."""
        self._place.close()

    def _publish(self, build: str, by: str, gates: Mapping[str, Gate], tell: Tell) -> str:
        """Why a gate refused it, or nothing.

        With the store that this process has open for previews: nobody else could open it.
        """

        def watch(progress: Progress) -> None:
            try:
                tell(progress.done, progress.total)
            except Stopped:
                raise BuildCancelled("The service stopped; nothing was published.") from None

        shop = self._shop
        try:
            with shop.lease(None, build) as (index, encoder):
                publish_build(shop.database, shop.settings, build, lambda _: encoder, gates, watch, by, index)
        except PublishRefused as error:
            return str(error)
        return ""


def _attempt(working: Working) -> Attempt:
    endings = {
        WorkState.DONE: Ending.REFUSED if working.result else Ending.PUBLISHED,
        WorkState.FAILED: Ending.FAILED,
        WorkState.CANCELLED: Ending.FAILED,
        WorkState.LOST: Ending.LOST,
    }
    return Attempt(
        build=working.label,
        by=working.by,
        began=working.started,
        asked=working.total != NOTHING_TO_ASK,
        done=working.done,
        total=working.total,
        ending=endings.get(working.state),
        told=working.result or working.error,
    )
