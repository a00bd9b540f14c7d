"""Verdicts that were paid for, kept in the catalogue's database and so shared by all who use it."""

import logging
import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from indexer.catalog.engine import Database
from indexer.catalog.verdicts import VerdictRepository
from indexer.errors import CatalogueUnavailable

PUT_SECONDS = 0.1
"""How long another's write to the database is waited for: shoppers wait meanwhile."""
_TIDY_SHARE = 0.05
"""Of the verdicts that may be kept: so many are put between two tidyings, and may be there beyond."""

_log = logging.getLogger(__name__)


class VerdictCache:
    """JSON by key, a hash in hexadecimal of all that the JSON depends on. Thread-safe.

    A database that is down or busy is one that remembers nothing: it is logged, and never raised.
    """

    def __init__(self, database: Database, keep_days: int, keep_verdicts: int) -> None:
        self._database = database
        self._keep = timedelta(days=keep_days)
        self._keep_verdicts = keep_verdicts
        self._lock = threading.Lock()
        self._until_tidying = 0

    def get(self, keys: Collection[str]) -> dict[str, str]:
        """Those that are known and no older than `keep_days`."""
        if not keys:
            return {}
        try:
            with self._database.session() as session:
                return VerdictRepository(session).get_many(keys, datetime.now(UTC) - self._keep)
        except CatalogueUnavailable as error:
            _log.warning("No verdict is remembered: %s", error)
            return {}

    def put(self, entries: Mapping[str, str]) -> None:
        """Replaces those that are known. Now and then, the old and the oldest of too many are deleted."""
        if not entries:
            return
        now = datetime.now(UTC)
        tidy = self._tidies(len(entries))
        try:
            with self._database.begin(PUT_SECONDS) as session:
                verdicts = VerdictRepository(session)
                verdicts.put_many(entries, now)
                if tidy:
                    verdicts.prune(self._keep_verdicts, now - self._keep)
        except CatalogueUnavailable as error:
            _log.warning("%d verdicts are not kept: %s", len(entries), error)

    def _tidies(self, entries: int) -> bool:
        with self._lock:
            self._until_tidying -= entries
            if self._until_tidying > 0:
                return False
            self._until_tidying = round(self._keep_verdicts * _TIDY_SHARE)
            return True
