"""The builds that are being searched: opened on first use, switched when another one is published, closed when idle."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.settings import Settings

FRESH_SECONDS = 0.5
"""For so long the ledger is not asked again which build is published."""

OpenEncoder = Callable[[BuildManifest], Encoder]


@dataclass(eq=False)
class _Open:
    index: LiveIndex
    encoder: Encoder
    users: int = 0


class LiveBuilds:
    """Thread-safe. A request leases one build for its whole life, so no answer mixes two."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        open_encoder: OpenEncoder,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._database = database
        self._settings = settings
        self._open_encoder = open_encoder
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}
        """By build. A build that was replaced stays until its last request has ended."""
        self._current: dict[str, str] = {}
        """The build that new requests of a catalog get."""
        self._encoders: dict[str, Encoder] = {}
        self._published: dict[str | None, tuple[float, str, str]] = {}

    @contextmanager
    def lease(self, catalog: str | None) -> Iterator[tuple[LiveIndex, Encoder]]:
        """The published build of the catalog (default: the setting, else the only one published) and its encoder.

        Raises UnknownCatalog, NothingPublished, StoreMismatch, StoreOwned, EncoderMismatch, UnavailableError.
        """
        held = self._acquire(catalog or self._settings.catalog)
        try:
            yield held.index, held.encoder
        finally:
            with self._lock:
                held.users -= 1
                self._close_left()

    def close(self) -> None:
        with self._lock:
            self._current.clear()
            self._close_left()

    def _acquire(self, wanted: str | None) -> _Open:
        with self._lock:
            catalog, build = self._resolve(wanted)
            held = self._open.get(build) or self._opened(build)
            held.users += 1
            self._current[catalog] = build
            self._close_left()
            return held

    def _resolve(self, wanted: str | None) -> tuple[str, str]:
        now = time.monotonic()
        known = self._published.get(wanted)
        if known is None or now - known[0] >= self._fresh_seconds:
            known = (now, *published_build(self._database, wanted))
            if self._current.get(known[1]) != known[2]:
                self._published.clear()  # the same catalog may be known by its name and as the only one
            self._published[wanted] = known
        return known[1], known[2]

    def _opened(self, build: str) -> _Open:
        index = open_live(self._database, self._settings, build)
        fingerprint = index.manifest.encoder.fingerprint
        try:
            encoder = self._encoders.get(fingerprint) or self._open_encoder(index.manifest)
        except Exception:
            index.close()
            raise
        self._encoders[fingerprint] = encoder
        held = self._open[build] = _Open(index, encoder)
        return held

    def _close_left(self) -> None:
        """Close the builds that no request uses and that no new one will get."""
        current = set(self._current.values())
        for build in [build for build, held in self._open.items() if not held.users and build not in current]:
            self._open.pop(build).index.close()
