"""The log: one line per thing that happened, for people on a terminal and as JSON elsewhere.

Modules log as ever, through the standard library. A line that belongs to a request names it, and the build that was
searched. Of an error that nobody expected its class and where it came from are told, and not its message, which may
hold what a shopper typed.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from indexer.noting import under_way
from indexer.operating_settings import TelemetrySettings

MOST: Final = 2_000
"""Characters of one value."""
OURS: Final = ("eval", "indexer", "migrations", "service")
"""Whose lines are written as the level says, beside the server's; of others, which log each of their steps, addresses
and bodies too, only warnings are."""
_ENDS: Final = "\x85\u2028\u2029"
"""What some readers take for the end of a line, beside those that are controls."""

_NOT_GIVEN: Final = {*vars(logging.makeLogRecord({})), "color_message"}
"""What every record has, and uvicorn's second wording, for terminals."""

Told = dict[str, Any]
"""What a line tells, by name and in order."""


def install_logs(settings: TelemetrySettings, stream: TextIO | None = None) -> None:
    """Everything that is logged in this process goes to `stream`, standard error if none is given, from here on."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(settings, people=_for_people(settings, stream)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(max(level, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(level)
    logging.getLogger("uvicorn.error").addFilter(_untold)


def _untold(record: logging.LogRecord) -> bool:
    """What breaks in a request is told with the request's id before uvicorn hears of it."""
    return not str(record.msg).startswith("Exception in ASGI application")


def _for_people(settings: TelemetrySettings, stream: TextIO) -> bool:
    return stream.isatty() if settings.format == "auto" else settings.format == "console"


def _formatter(settings: TelemetrySettings, *, people: bool) -> logging.Formatter:
    return _Lines(_console() if people else json.dumps, messages=settings.level == "debug")


def _console() -> Callable[[Told], str]:
    """Laid out by structlog, which brings rich; a log for machines does without both."""
    from structlog.dev import ConsoleRenderer

    renderer = ConsoleRenderer(colors=False)

    def written(told: Told) -> str:
        told["timestamp"] = f"{datetime.now():%H:%M:%S}"
        if "trace" in told:
            told["exception"] = "\n".join(told.pop("trace"))  # on lines of their own, below what is told
        return renderer(None, "", told)

    return written


class _Lines(logging.Formatter):
    """A record with what was given beside it, whose request it belongs to, and where its error came from."""

    def __init__(self, written: Callable[[Told], str], *, messages: bool) -> None:
        super().__init__()
        self._written = written
        self._messages = messages

    def format(self, record: logging.LogRecord) -> str:
        told: Told = {"event": record.getMessage()}
        if record.stack_info:
            told["stack_info"] = record.stack_info
        told |= {"level": record.levelname.lower(), "logger": record.name}
        told |= {name: value for name, value in vars(record).items() if name not in _NOT_GIVEN}
        told["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        _add_request(told)
        self._add_error(told, record.exc_info[1] if record.exc_info else None)
        return self._written({name: _plain(value) for name, value in told.items()})

    def _add_error(self, told: Told, error: BaseException | None) -> None:
        """As lines of where it came from."""
        if error is not None:
            told["error"] = type(error).__name__
            told["trace"] = [line for one in _causes(error) for line in self._lines(one)]

    def _lines(self, error: BaseException) -> Iterator[str]:
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"{frame.filename}:{frame.lineno} in {frame.name}"
        said = str(error) if self._messages else (error.strerror or "") if isinstance(error, OSError) else ""
        yield f"{type(error).__module__}.{type(error).__qualname__}{': ' if said else ''}{said}"


def _add_request(told: Told) -> None:
    note = under_way()
    if note is not None:
        told.setdefault("request", note.request)
        if note.build:
            told.setdefault("build", note.build)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The first one first; each once."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from reversed(chain)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(str(name)): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (int, float, bool, type(None))) else inert(str(value))


def inert(text: str) -> str:
    """Controls, halves of characters and marks that turn the direction of writing as escapes; bounded in length."""
    kept = text if len(text) <= MOST else f"{text[:MOST]}…"
    return "".join(one if one.isprintable() and one not in _ENDS else _escaped(one) for one in kept)


def _escaped(one: str) -> str:
    return one.encode("unicode_escape", "surrogatepass").decode("ascii") if one != " " else one
