"""Dry runs beside the requests: what a build would change, found out without writing any of it.

A run is a file under `home/dry-runs`, so that every process of the service knows it; taking the file away stops it.
"""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from indexer.builds.difference import DryRun, dry_run
from indexer.builds.progress import Progress
from indexer.catalog.engine import Database
from indexer.domain import Frozen, Pixels
from indexer.errors import ConflictError, StoreOwned, UnknownJob, VitrineError
from indexer.images.webp import data_uri
from indexer.settings import Settings
from indexer.stores.owner import Ownership
from indexer.stores.pointer import write_atomically
from service.desk.choosing import Choice

KEPT: Final = 20
NOTED_EVERY: Final = 0.5
"""Seconds."""
_SILENT: Final = timedelta(seconds=120)
"""Without a word for so long, its process is gone: no photo takes longer."""
_GIVING_UP: Final = 5.0
"""Seconds in which one that was stopped comes to its end, with the photo it is at."""
_ID: Final = 16


class Rehearsal(Frozen):
    """A dry run. `pictures`: product id → the first photo as a data URI, of those that are named."""

    id: str
    choice: Choice
    by: str
    state: Literal["running", "done", "failed"]
    began: datetime
    updated: datetime
    read: int = 0
    """Rows so far."""
    rejected: int = 0
    result: DryRun | None = None
    error: str | None = None
    pictures: dict[str, str] = Field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.state == "running" and datetime.now(UTC) - self.updated < _SILENT

    @property
    def lost(self) -> bool:
        """Whether its process ended before it did."""
        return self.state == "running" and not self.running


class _GivenUpError(Exception):
    """Somebody took the file away."""


class Rehearsals:
    """Thread-safe; one at a time, of all processes: it owns the folder while it runs."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._folder = settings.home / "dry-runs"

    def begin(self, choice: Choice, by: str) -> str:
        """Its id. Raises ConflictError while another runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        alone = self._claimed()
        now = datetime.now(UTC)
        begun = Rehearsal(id=secrets.token_hex(_ID // 2), choice=choice, by=by, state="running", began=now, updated=now)
        try:
            self._write(begun)
            for path in self._paths()[KEPT:]:
                path.unlink(missing_ok=True)
            threading.Thread(target=self._run, args=(begun, alone), name=f"dry-run-{begun.id}", daemon=True).start()
        except BaseException:
            alone.release()
            raise
        return begun.id

    def _claimed(self) -> Ownership:
        until = time.monotonic() + _GIVING_UP
        while True:
            try:
                return Ownership(self._folder)
            except StoreOwned:
                busy = next((one.choice for one in self.recent() if one.running), None)
                if busy is not None or time.monotonic() > until:
                    told = f" of {busy.file} for catalog {busy.catalog!r}" if busy is not None else ""
                    raise ConflictError(f"A dry run{told} is under way; wait for its end, or stop it.") from None
            time.sleep(0.05)

    def get(self, rehearsal: str) -> Rehearsal:
        """Raises UnknownJob for one that is not, or no longer, kept."""
        path = self._path(rehearsal)
        try:
            return Rehearsal.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            raise UnknownJob("This dry run is not, or no longer, kept: start another one.") from None

    def recent(self) -> list[Rehearsal]:
        """Newest first."""
        found = []
        for path in self._paths():
            try:
                found.append(self.get(path.stem))
            except UnknownJob:
                continue
        return found

    def stop(self, rehearsal: str) -> Rehearsal:
        """Forget it, and end it if it still runs. Raises UnknownJob."""
        found = self.get(rehearsal)
        self._path(rehearsal).unlink(missing_ok=True)
        return found

    def _run(self, begun: Rehearsal, alone: Ownership) -> None:
        try:
            self._compare(begun)
        finally:
            alone.release()

    def _compare(self, begun: Rehearsal) -> None:
        pictures: dict[str, str] = {}
        watch = _Watching(begun, self._note)

        def see(product_id: str, photo: Pixels) -> None:
            pictures[product_id] = data_uri(photo)

        try:
            source = begun.choice.open()
            result = dry_run(self._database, self._settings, source, begun.choice.catalog, watch, see)
        except _GivenUpError:
            return
        except VitrineError as error:
            self._end(watch.latest, {"state": "failed", "error": begun.choice.told(error)})
        except Exception as error:  # the thread's outermost edge: whoever waits must learn of it
            self._end(watch.latest, {"state": "failed", "error": f"{type(error).__name__}: {error}"})
            raise
        else:
            self._end(watch.latest, {"state": "done", "result": result, "pictures": pictures})

    def _end(self, latest: Rehearsal, changes: dict[str, object]) -> None:
        if self._path(latest.id).exists():
            self._write(latest.model_copy(update={**changes, "updated": datetime.now(UTC)}))

    def _note(self, latest: Rehearsal) -> None:
        if not self._path(latest.id).exists():
            raise _GivenUpError
        self._write(latest)

    def _write(self, rehearsal: Rehearsal) -> None:
        write_atomically(self._path(rehearsal.id), rehearsal.model_dump_json().encode())

    def _paths(self) -> list[Path]:
        def changed(path: Path) -> float:
            try:
                return path.stat().st_mtime
            except FileNotFoundError:
                return 0.0

        return sorted(self._folder.glob("*.json"), key=changed, reverse=True)

    def _path(self, rehearsal: str) -> Path:
        """Raises UnknownJob for what can be no id."""
        if len(rehearsal) != _ID or not set(rehearsal) <= set("0123456789abcdef"):
            raise UnknownJob("There is no such dry run.")
        return self._folder / f"{rehearsal}.json"


class _Watching:
    def __init__(self, begun: Rehearsal, note: Callable[[Rehearsal], None]) -> None:
        self.latest = begun
        self._note = note
        self._noted = 0.0

    def __call__(self, progress: Progress) -> None:
        told = {"read": progress.done, "rejected": progress.rejected, "updated": datetime.now(UTC)}
        self.latest = self.latest.model_copy(update=told)
        if time.monotonic() - self._noted >= NOTED_EVERY:
            self._note(self.latest)
            self._noted = time.monotonic()
