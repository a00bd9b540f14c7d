"""Windows that slide, with a clock of their own."""

import asyncio

import pytest

from service.api.counting import OwnCounts, Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Counting:
    def __init__(self, written: str) -> None:
        self.clock = Clock()
        self._counts, self._rate = OwnCounts(self.clock), Rate.parse(written)

    def take(self, who: str = "ann") -> float | None:
        return asyncio.run(self._counts.take(self._rate, who))

    def through(self, times: int) -> int:
        return sum(self.take() is None for _ in range(times))


@pytest.mark.parametrize(("unit", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)])
def test_so_many_are_let_through_in_a_window(unit: str, seconds: int) -> None:
    counting = Counting(f"3/{unit}")
    assert counting.through(5) == 3
    counting.clock.now = 2 * seconds
    assert counting.through(5) == 3


def test_everybody_has_a_share_of_their_own() -> None:
    counting = Counting("1/minute")
    assert [counting.take("ann"), counting.take("ben")] == [None, None]
    assert counting.take("ann") == 60


def test_the_window_before_weighs_less_the_older_it_is() -> None:
    """Ten in the first minute count as five in the middle of the second one, and as none in the third."""
    counting = Counting("10/minute")
    assert counting.through(10) == 10
    counting.clock.now = 90.0
    assert counting.through(10) == 5
    counting.clock.now = 120.0
    assert counting.through(10) == 5
    counting.clock.now = 240.0
    assert counting.through(11) == 10


def test_when_there_is_room_again_there_is() -> None:
    counting = Counting("10/minute")
    counting.clock.now = 30.0
    assert counting.through(10) == 10
    assert counting.take() == 30.0
    counting.clock.now = 61.0
    assert counting.take() is None
    assert counting.take() == pytest.approx(5.0)
    counting.clock.now = 66.001
    assert counting.take() is None
