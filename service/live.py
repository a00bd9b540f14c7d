"""The builds that are being searched: opened, kept up with live changes, switched when another one is published."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.errors import UnknownCatalog, VitrineError
from indexer.settings import Settings
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores

FOLLOW_SECONDS = 0.5
"""Between two looks at the ledger: what is published, and what was changed live."""

IDLE_SECONDS = 120.0
"""After which a build that is looked at without being published is closed."""

LOG = logging.getLogger(__name__)

OpenEncoder = Callable[[BuildManifest], Encoder]


@dataclass(eq=False)
class _Open:
    index: LiveIndex
    encoder: Encoder
    users: int = 0


class LiveBuilds:
    """Thread-safe. A request leases one build for its whole life, so no answer mixes two.

    With `follow` a thread of its own looks at the ledger: requests take the build that is open, go on with it while a
    newly published one is opened, and keep it when that cannot be opened. Without, each request looks first.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        open_encoder: OpenEncoder,
        follow: bool = False,
        stores: Stores | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """`stores`; absent: those that the settings name."""
        self._database = database
        self._settings = settings
        self._stores = stores or open_stores(settings)
        self._open_encoder = open_encoder
        self._lock = threading.Lock()
        """Of everything below; never held while something is opened."""
        self._open: dict[str, _Open] = {}
        """By build. A build that was replaced stays until its last request has ended."""
        self._current: dict[str, str] = {}
        """The build that new requests of a catalog get."""
        self._names: dict[str | None, str] = {}
        """The catalog that is meant by what requests name; nothing means the only one published."""
        self._idle = idle_seconds
        self._looked_at: dict[str, float] = {}
        """Build that is leased by its own name → the moment, of the monotonic clock, until which it stays open."""
        self._encoders: dict[str, Encoder] = {}
        self._looking = threading.Lock()
        """Held by the one thread that looks at the ledger and goes over to what is published."""
        self._opening: dict[str, threading.Lock] = {}
        """By build or encoder: held by the one thread that opens it, so that the others wait for that one alone."""
        self._closed = threading.Event()
        self._faults: dict[str, str] = {}
        self._follower = threading.Thread(target=self._follow, name="follow", daemon=True) if follow else None
        if self._follower is not None:
            self._follower.start()

    @contextmanager
    def lease(self, catalog: str | None) -> Iterator[tuple[LiveIndex, Encoder]]:
        """The published build of the catalog (default: the setting, else the only one published) and its encoder.

        Raises UnknownCatalog, NothingPublished, StoreMismatch, StoreOwned, EncoderMismatch, UnavailableError.
        """
        wanted = catalog or self._settings.catalog
        held = self._held(wanted) if self._follower is not None else None
        if held is None:
            with self._looking:
                held = self._looked(wanted)
        try:
            yield held.index, held.encoder
        finally:
            self._let_go(held)

    @contextmanager
    def lease_build(self, build: str) -> Iterator[tuple[LiveIndex, Encoder]]:
        """Any finished build, published or not, up to date, and its encoder.

        With `follow` it stays open for a while, as it is looked at again. Raises UnknownBuild, and as `lease`.
        """
        held = self._taken(build)
        with self._lock:
            if self._follower is not None and not self._closed.is_set():
                self._looked_at[build] = time.monotonic() + self._idle
        try:
            yield held.index, held.encoder
        finally:
            self._let_go(held)

    def close(self) -> None:
        """Waits for nothing but the follower; a build in use is closed by its last request."""
        self._closed.set()
        if self._follower is not None:
            self._follower.join()
        with self._lock:
            self._current.clear()
            self._names.clear()
            self._looked_at.clear()
            self._close_left()

    def _held(self, wanted: str | None) -> _Open | None:
        """What is open for these requests, taken for one more."""
        with self._lock:
            held = self._open.get(self._current.get(self._names.get(wanted, ""), ""))
            if held is not None:
                held.users += 1
            return held

    def _looked(self, wanted: str | None) -> _Open:
        """What the ledger says is published, opened if need be, up to date, and taken for one more request."""
        catalog, build = published_build(self._database, wanted)
        held = self._taken(build)
        with self._lock:
            self._names[wanted] = catalog
            self._current[catalog] = build
            self._close_left()
        return held

    def _taken(self, build: str) -> _Open:
        """Opened if need be, up to date, and taken for one more request."""
        with self._alone(build):
            with self._lock:
                held = self._open.get(build)
                if held is not None:
                    held.users += 1
            if held is None:
                held = self._opened(build)
                with self._lock:
                    self._open[build] = held
        self._caught_up(held)
        return held

    def _alone(self, what: str) -> threading.Lock:
        with self._lock:
            return self._opening.setdefault(what, threading.Lock())

    def _caught_up(self, held: _Open) -> None:
        try:
            held.index.catch_up()
        except Exception:
            self._let_go(held)
            raise

    def _let_go(self, held: _Open) -> None:
        with self._lock:
            held.users -= 1
            self._close_left()

    def _opened(self, build: str) -> _Open:
        index = open_live(self._database, self._settings, build, self._stores)
        fingerprint = index.manifest.encoder.fingerprint
        try:
            with self._alone(fingerprint):
                encoder = self._encoders.get(fingerprint) or self._open_encoder(index.manifest)
                self._encoders[fingerprint] = encoder
        except Exception:
            index.close()
            raise
        return _Open(index, encoder, users=1)

    def _follow(self) -> None:
        while not self._closed.wait(FOLLOW_SECONDS):
            with self._lock:
                wanted = list(self._names)
            for name in wanted:
                try:
                    self._look_again(name)
                except Exception:  # a fault in here must not stop the following for good
                    LOG.exception("Looking at the ledger failed; it is tried again.")
            with self._lock:
                self._close_left()

    def _look_again(self, wanted: str | None) -> None:
        """What cannot be opened is told once; whatever is open goes on answering."""
        try:
            with self._looking:
                held = self._looked(wanted)
        except UnknownCatalog:
            with self._lock:
                self._names.pop(wanted, None)  # a second catalog was published: who names none is told so
            return
        except VitrineError as error:
            if self._faults.get(wanted or "") != str(error):
                LOG.warning("%s The build that was searched so far goes on.", error)
            self._faults[wanted or ""] = str(error)
            return
        self._faults.pop(wanted or "", None)
        self._let_go(held)

    def _close_left(self) -> None:
        """Close the builds that no request uses and that no new one will get."""
        now = time.monotonic()
        self._looked_at = {build: until for build, until in self._looked_at.items() if until > now}
        current = {*self._current.values(), *self._looked_at}
        for build in [build for build, held in self._open.items() if not held.users and build not in current]:
            self._open.pop(build).index.close()
