"""What the ledger and the disk say to whoever scrapes the metrics: builds, drawing queue, money, backups, room."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from indexer.catalog.builds import BuildRepository
from indexer.catalog.drawing_jobs import DrawingJobRepository
from indexer.catalog.engine import Database
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import BuildRecord
from indexer.catalog.spending import SpendingRepository
from indexer.catalog.states import ACTIVE_STATES, DrawingState
from indexer.errors import VitrineError
from indexer.settings import Settings
from service.budget.governor import EVERYBODY
from service.metrics import Reading

AGAIN_AFTER: Final = 5.0
"""Seconds before the ledger is asked again, however often somebody scrapes."""
BACKUPS_AGAIN_AFTER: Final = 600.0
"""The same of the place where backups are, which may be far away: they are listed beside the scrape, not in it."""
MOST_BUILDS: Final = 100
"""Builds that are looked at, the newest; and published catalogs that are told."""

LOG = logging.getLogger(__name__)


class Ledger:
    """Thread-safe, and never raises: what cannot be read is missing until it can be read again."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._read: Sequence[Reading] = ()
        self._until = -1.0
        self._newest_backup: datetime | None = None
        self._backups_until = -1.0

    def readings(self) -> Sequence[Reading]:
        """Whoever comes while another one reads gets what was read before."""
        if self._clock() >= self._until and self._lock.acquire(blocking=False):
            try:
                self._look_at_backups()
                self._read = tuple(self._all())
                self._until = self._clock() + AGAIN_AFTER
            finally:
                self._lock.release()
        return self._read

    def _all(self) -> Iterator[Reading]:
        now = datetime.now(UTC)
        try:
            yield from self._of_database(now)
        except VitrineError as error:
            LOG.warning("What the ledger says is missing from the metrics: %s", error)
        with suppress(OSError):
            yield "vitrine_disk_free_bytes", (), shutil.disk_usage(self._settings.home).free
        if self._newest_backup is not None:
            yield "vitrine_backup_age_seconds", (), (now - self._newest_backup).total_seconds()
        yield "vitrine_budget_dollars", (), self._settings.budget.per_day

    def _of_database(self, now: datetime) -> Iterator[Reading]:
        with self._database.session() as session:
            newest = {one.catalog: one for one in reversed(BuildRepository(session).recent(limit=MOST_BUILDS))}
            repository = PublishedRepository(session)
            published = [repository.get(name) for name in repository.names()[:MOST_BUILDS]]
            jobs = DrawingJobRepository(session)
            waiting, running = jobs.waiting(), len(jobs.running())
            micros = SpendingRepository(session).spent(now.date(), EVERYBODY)
        for build in newest.values():
            yield from _of_build(build, now)
        for one in published:
            yield "vitrine_published_age_seconds", (one.catalog,), (now - one.published_at).total_seconds()
        yield "vitrine_jobs", (DrawingState.QUEUED,), waiting
        yield "vitrine_jobs", (DrawingState.RUNNING,), running
        yield "vitrine_spent_dollars", (), micros / 1e6

    def _look_at_backups(self) -> None:
        if self._clock() >= self._backups_until:
            self._backups_until = self._clock() + BACKUPS_AGAIN_AFTER
            threading.Thread(target=self._list_backups, name="backups", daemon=True).start()

    def _list_backups(self) -> None:
        from indexer.backup.keeping import list_backups
        from indexer.backup.vaults import open_vault, vault_place

        try:
            vault = open_vault(vault_place(self._settings))
            made = [one.created for one in list_backups(vault) if one.created is not None and not one.fault]
        except VitrineError as error:
            LOG.warning("How old the newest backup is cannot be told: %s", error)
            return
        self._newest_backup = max(made, default=None)


def _of_build(build: BuildRecord, now: datetime) -> Iterator[Reading]:
    yield "vitrine_build_state", (build.catalog, build.state), 1
    if build.state not in ACTIVE_STATES:
        return
    if total := build.counts.get("total"):
        yield "vitrine_build_progress", (build.catalog,), build.counts.get("done", 0) / total
    heard = build.heartbeat_at or build.updated_at
    yield "vitrine_build_heartbeat_seconds", (build.catalog,), (now - heard).total_seconds()
