"""A drawing asked of a generator, and what comes of it."""

import time
from collections.abc import Callable, Sequence

import pytest

from service.budget.governor import Governor
from service.generate.seam import Generated, GenerationFailed, ImageGenerator, Request, Watch
from tests.picture_server import plain

REFERENCE = plain((200, 30, 30), 96, 64)
EDIT = Request("but blue", REFERENCE, caption="a blue mug")
LATE = "the endpoint did not answer in time"
SLACK = 10.0
"""Seconds past a deadline in which a generator has given up, on a busy machine too."""


def drawn(
    generator: ImageGenerator, request: Request = EDIT, seconds: float = 30.0, caller: str = ""
) -> Sequence[Generated]:
    return generator.make(request, generator.plan(request), Watch(time.monotonic() + seconds, caller))


def failure(generator: ImageGenerator, request: Request = EDIT, seconds: float = 30.0) -> str:
    """What it says went wrong, by the deadline."""
    until = time.monotonic() + seconds
    with pytest.raises(GenerationFailed) as raised:
        generator.make(request, generator.plan(request), Watch(until))
    assert time.monotonic() < until + SLACK
    assert "leaked" not in f"{raised.value} {raised.value.__cause__}"
    return str(raised.value)


def failing_within(generator: ImageGenerator, governor: Governor) -> Callable[[float], tuple[str, float]]:
    """Seconds → what it says went wrong, and the dollars that were spent on it."""

    def attempt(seconds: float) -> tuple[str, float]:
        before = governor.spent()
        return failure(generator, seconds=seconds), governor.spent() - before

    return attempt
