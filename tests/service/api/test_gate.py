"""Who is let in, who waits, and who is told to come again."""

import asyncio
from collections.abc import Awaitable, Callable

from service.api.gate import ROUNDS, Gate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_as_many_as_there_are_places_are_let_in_at_once() -> None:
    async def story() -> None:
        gate = Gate(2, 10, 1.0)
        turns = [gate.turn() for _ in range(4)]
        assert [turn.done() for turn in turns] == [True, True, False, False]
        assert gate.waiting == 2

    run(story)


def test_a_place_that_is_given_back_goes_to_who_waited_longest() -> None:
    async def story() -> None:
        gate = Gate(1, 10, 1.0)
        first, second, third = gate.turn(), gate.turn(), gate.turn()
        gate.give_back(first)
        assert (second.done(), third.done()) == (True, False)

    run(story)


def test_once_many_wait_the_newest_is_next() -> None:
    async def story() -> None:
        gate = Gate(1, 100, 1.0)
        first, *waiting = (gate.turn() for _ in range(2 + ROUNDS))
        gate.give_back(first)
        assert [turn.done() for turn in waiting] == [*[False] * ROUNDS, True]
        gate.give_back(waiting[-1])
        assert waiting[0].done()

    run(story)


def test_who_waits_longest_makes_room_for_one_too_many() -> None:
    async def story() -> None:
        gate = Gate(1, 2, 1.0)
        _, second, third, fourth = (gate.turn() for _ in range(4))
        assert second.cancelled()
        assert not third.cancelled()
        assert not fourth.done()

    run(story)


def test_without_waiting_one_too_many_is_sent_away() -> None:
    async def story() -> None:
        gate = Gate(1, 0, 1.0)
        first, second = gate.turn(), gate.turn()
        assert second.cancelled()
        gate.give_back(second)
        gate.give_back(first)
        assert gate.turn().done()

    run(story)


def test_who_leaves_the_queue_is_not_let_in_later() -> None:
    async def story() -> None:
        gate = Gate(1, 10, 1.0)
        first, second, third = gate.turn(), gate.turn(), gate.turn()
        gate.give_back(second)
        gate.give_back(first)
        assert third.done()
        assert not second.done()

    run(story)


def test_giving_back_twice_makes_no_second_place() -> None:
    async def story() -> None:
        gate = Gate(1, 10, 1.0)
        first, second, third = gate.turn(), gate.turn(), gate.turn()
        gate.give_back(first)
        gate.give_back(first)
        assert second.done()
        assert not third.done()

    run(story)


def test_it_says_when_those_who_are_here_will_have_been_served() -> None:
    async def story() -> None:
        clock = Clock()
        gate = Gate(2, 10, 1.0, clock)
        assert gate.overloaded().seconds == 1
        turn = gate.turn()
        clock.now = 3.0
        gate.give_back(turn)
        for _ in range(6):
            gate.turn()
        assert gate.overloaded().seconds == 3.0 * 6 / 2
        assert "try again in 9 s" in str(gate.overloaded())

    run(story)


def test_a_turn_is_worth_waiting_for_so_long() -> None:
    async def story() -> None:
        clock = Clock()
        gate = Gate(1, 10, 1.0, clock)
        first, second = gate.turn(), gate.turn()
        assert (gate.patience(first), gate.patience(second)) == (0.0, 1.0)
        clock.now = 1.5
        assert gate.patience(second) == -0.5

    run(story)


def test_while_no_more_wait_than_there_are_places_none_has_waited_too_long() -> None:
    async def story() -> None:
        clock = Clock()
        gate = Gate(2, 10, 1.0, clock, at_ease=15.0)
        _, _, third, fourth = (gate.turn() for _ in range(4))
        clock.now = 5.0
        assert (gate.patience(third), gate.patience(fourth)) == (1.0, 1.0)
        fifth = gate.turn()
        assert (gate.patience(third), gate.patience(fifth)) == (-4.0, 1.0)
        gate.give_back(third)
        assert gate.patience(fourth) == 1.0
        clock.now = 15.0
        assert gate.patience(fourth) == 0.0

    run(story)
