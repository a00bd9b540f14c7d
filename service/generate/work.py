"""One job that this process draws."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue, TypeAdapter

from indexer.builds.lease import BEAT_SECONDS
from indexer.catalog.drawing_jobs import DrawingJob, TakenJob
from indexer.catalog.states import DrawingState
from indexer.errors import VitrineError
from indexer.sources.text import clean_line
from service.generate.seam import Watch

LOOK_SECONDS = 0.5
"""Between two looks at the queue, and between two steps that are written down."""
MOST_ERROR: Final = 1_000
"""Characters."""

LOG = logging.getLogger(__name__)

Result = dict[str, JsonValue]
Run = Callable[[str, bytes | None, Watch], str]
"""Draws what a request's JSON says, after the photo, and returns a JSON object. Whoever asked is told a VitrineError;
once the watch says that it is cancelled, whatever is raised means that it stopped. Thread-safe."""

_RESULT: Final = TypeAdapter(Result)
_BROKEN: Final = "Something is broken inside; the log of the service says what."


@dataclass(frozen=True)
class Ending:
    state: DrawingState
    result: str | None = None
    error: str | None = None


@dataclass(eq=False)
class Work:
    job: TakenJob
    stop: threading.Event = field(default_factory=threading.Event)
    """It was cancelled or lost, or the process ends."""
    progress: tuple[int, int] = (0, 0)
    """Steps done, and their number; written by whoever draws."""
    _told: tuple[int, int] = (0, 0)
    _told_at: float = field(default_factory=time.monotonic)

    def drawn(self, run: Run, seconds: float) -> Ending | None:
        """How it ended within that time, if whoever draws keeps to it; None where it was given up."""
        watch = Watch(time.monotonic() + seconds, self.job.caller, self._step, self.stop.is_set)
        try:
            result = run(self.job.request, self.job.photo, watch)
            read_result(result)
        except Exception as error:  # one job's fault must not keep the others waiting
            if self.stop.is_set():
                return None
            if isinstance(error, VitrineError):
                return Ending(DrawingState.FAILED, error=_plain(str(error)))
            LOG.exception("Job %s broke.", self.job.id)
            return Ending(DrawingState.FAILED, error=_BROKEN)
        return Ending(DrawingState.DONE, result=result)

    def heed(self, kept: DrawingJob | None) -> None:
        """Stop where the database says that somebody wants it cancelled, or that it is somebody else's."""
        if kept is None or not self.is_of(kept) or kept.cancel_wanted:
            self.stop.set()

    def is_of(self, kept: DrawingJob) -> bool:
        """Whether the job is still in these hands."""
        return (kept.id, kept.takes) == (self.job.id, self.job.takes)

    def untold(self) -> tuple[int, int] | None:
        """The progress that is to be written down now: new, but not every step, else as a sign of life."""
        progress = self.progress
        patience = BEAT_SECONDS if progress == self._told else LOOK_SECONDS
        return progress if time.monotonic() - self._told_at >= patience else None

    def told(self, progress: tuple[int, int]) -> None:
        self._told, self._told_at = progress, time.monotonic()

    def _step(self, done: int, number: int) -> None:
        self.progress = (done, number)


def read_result(written: str) -> Result:
    """Raises ValueError for what is no JSON object."""
    return _RESULT.validate_json(written)


def _plain(text: str) -> str:
    """As every database takes it: without NUL and halves of surrogate pairs."""
    return clean_line(text).encode("utf-8", "replace").decode()[:MOST_ERROR]
