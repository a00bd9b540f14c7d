"""Deadlines that are to pass, on a machine that may be busy."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def late(attempt: Callable[[float], T], reached: Callable[[T], bool]) -> T:
    """What comes of an attempt within so many seconds, the first of several that gets as far as `reached` says of it;
    how many seconds that takes is the machine's to say."""
    for seconds in (0.6, 3.0, 12.0, 48.0):
        outcome = attempt(seconds)
        if reached(outcome):
            return outcome
    raise AssertionError("it never gets that far")
