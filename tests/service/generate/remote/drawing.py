"""A drawing asked of a generator, and what comes of it."""

import time
from collections.abc import Sequence

import pytest

from service.generate.seam import Generated, GenerationFailed, ImageGenerator, Request, Watch
from tests.picture_server import plain

REFERENCE = plain((200, 30, 30), 96, 64)
EDIT = Request("but blue", REFERENCE, caption="a blue mug")
SLACK = 2.0
"""Seconds past a deadline in which a generator has given up."""


def drawn(
    generator: ImageGenerator, request: Request = EDIT, seconds: float = 10.0, caller: str = ""
) -> Sequence[Generated]:
    return generator.make(request, generator.plan(request), Watch(time.monotonic() + seconds, caller))


def failure(generator: ImageGenerator, request: Request = EDIT, seconds: float = 10.0) -> str:
    """What it says went wrong, by the deadline."""
    until = time.monotonic() + seconds
    with pytest.raises(GenerationFailed) as raised:
        generator.make(request, generator.plan(request), Watch(until))
    assert time.monotonic() < until + SLACK
    assert "leaked" not in f"{raised.value} {raised.value.__cause__}"
    return str(raised.value)
