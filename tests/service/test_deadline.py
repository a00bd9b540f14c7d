import math

import pytest

from indexer.errors import TooLate
from service.deadline import Deadline, hurried
from tests.fakes import FakeEncoder


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_runs_from_its_making_to_nothing() -> None:
    clock = Clock()
    deadline = Deadline(15, clock)
    clock.now += 4
    assert deadline.left() == 11
    assert not deadline.over
    clock.now += 20
    assert deadline.left() == 0
    assert deadline.over


def test_a_stage_is_not_begun_once_it_is_over() -> None:
    clock = Clock()
    deadline = Deadline(2.5, clock)
    deadline.demand("encode")
    clock.now += 2.5
    with pytest.raises(TooLate, match=r"The 2.5 s that this may take were over at encode; try again"):
        deadline.demand("encode")


def test_without_seconds_there_is_no_end() -> None:
    assert Deadline().left() == math.inf


def test_whoever_goes_away_ends_it() -> None:
    deadline = Deadline(1000)
    deadline.give_up()
    assert deadline.over
    with pytest.raises(TooLate, match="has gone; rerank is left undone"):
        deadline.demand("rerank")


def test_work_with_a_time_of_its_own_gets_it_on_top() -> None:
    clock = Clock()
    deadline = Deadline(15, clock)
    deadline.extend(120)
    assert deadline.left() == 135
    Deadline().extend(120)


def test_an_encoder_that_nothing_waits_for_stays_as_it_is() -> None:
    encoder = FakeEncoder()
    assert hurried(encoder, Deadline(1)) is encoder
