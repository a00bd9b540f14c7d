"""What is known of the request that is under way, for whoever writes a log line on its behalf, in whatever thread."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Note:
    """`request` is an id for people who look for what happened; `build` the one that was searched, '' for none."""

    request: str = field(default_factory=lambda: secrets.token_hex(8))
    build: str = ""


_UNDER_WAY: ContextVar[Note | None] = ContextVar("request_under_way", default=None)


def under_way() -> Note | None:
    """None outside of requests."""
    return _UNDER_WAY.get()


def request_id() -> str:
    """'' outside of requests."""
    note = _UNDER_WAY.get()
    return "" if note is None else note.request


def searched(build: str) -> None:
    """Note the build that the request under way searches, if there is a request."""
    note = _UNDER_WAY.get()
    if note is not None:
        note.build = build


@contextmanager
def noting(note: Note) -> Iterator[Note]:
    token = _UNDER_WAY.set(note)
    try:
        yield note
    finally:
        _UNDER_WAY.reset(token)
