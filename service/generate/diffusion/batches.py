"""Drawings that wait are drawn together where one call can draw them, by as many threads as may draw at once."""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from service.generate.diffusion.drawing import LEFT_OUT, Drawing
from service.generate.seam import Cancelled, Generated, GenerationFailed, Watch

LOG = logging.getLogger(__name__)

_LOOK: Final = 0.05
"""Seconds between two looks whether somebody still wants what he waits for."""
_FAREWELL: Final = 10.0
"""Seconds that are waited at the end for calls to come to their next step."""


class Unwanted(Exception):
    """Nobody waits any more for any of the pictures that are being drawn."""


@dataclass(eq=False)
class _Order:
    """What one caller waits for."""

    watch: Watch
    batch: int
    steps: list[int]
    """Done, of each picture."""
    left: bool = False
    asked: float = field(default_factory=monotonic)
    begun: float | None = None
    """When the first of them was taken."""

    def wanted(self) -> bool:
        return not self.left and monotonic() < self.watch.until and not self.watch.cancelled()

    def refusal(self) -> Cancelled | GenerationFailed:
        if self.watch.cancelled():
            return Cancelled()
        now = monotonic()
        if now < self.watch.until:
            return GenerationFailed("diffusion: it is shutting down.")
        waited = (now if self.begun is None else self.begun) - self.asked
        return GenerationFailed("diffusion: there was not enough time.", waited)


@dataclass(eq=False)
class _Ticket:
    """One picture of an order."""

    order: _Order
    place: int
    drawing: Drawing
    answer: Future[Generated] = field(default_factory=Future)


@dataclass(frozen=True)
class Company:
    """Those for whom pictures are drawn together."""

    tickets: Sequence[_Ticket]

    def check(self) -> None:
        """Raises Unwanted."""
        if not any(ticket.order.wanted() for ticket in self.tickets):
            raise Unwanted

    def stepped(self, done: int, number: int) -> None:
        """To be called after each step. Raises Unwanted."""
        self.check()
        for ticket in self.tickets:
            ticket.order.steps[ticket.place] = done
        for order in {ticket.order for ticket in self.tickets if not ticket.order.left}:
            order.watch.step(sum(order.steps) // len(order.steps), number)


Paint = Callable[[Sequence[Drawing], Company], Sequence[Generated | GenerationFailed]]


class Batches:
    """Threads start with the first drawing. Pictures of the same weights are not drawn by two calls at once.

    No timer: an idle thread starts at once with what is there.
    """

    def __init__(self, paint: Paint, at_once: int) -> None:
        self._paint = paint
        self._at_once = at_once
        self._changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._running: dict[Hashable, Sequence[_Ticket]] = {}
        """By what is busy with it."""
        self._threads: list[threading.Thread] = []
        self._closed = False

    def draw(self, drawings: Sequence[Drawing], watch: Watch, batch: int) -> list[Generated]:
        """In the order of the drawings, all or none, at most `batch` in one call.

        Raises GenerationFailed, Cancelled.
        """
        order = _Order(watch, batch, [0] * len(drawings))
        tickets = [_Ticket(order, place, drawing) for place, drawing in enumerate(drawings)]
        with self._changed:
            if self._closed:
                raise GenerationFailed("diffusion: it is shutting down.")
            self._waiting += tickets
            self._start()
            self._changed.notify_all()
        try:
            return self._awaited(order, tickets)
        finally:
            order.left = True
            with self._changed:
                self._waiting = [ticket for ticket in self._waiting if ticket.order is not order]

    def close(self) -> None:
        """What is being drawn ends at its next step."""
        with self._changed:
            self._closed = True
            for ticket in (*self._waiting, *(ticket for tickets in self._running.values() for ticket in tickets)):
                ticket.order.left = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_FAREWELL)

    def _awaited(self, order: _Order, tickets: Sequence[_Ticket]) -> list[Generated]:
        while True:
            done, missing = wait([ticket.answer for ticket in tickets], _LOOK, FIRST_EXCEPTION)
            failure = next((error for answer in done if (error := answer.exception()) is not None), None)
            if failure is not None:
                raise failure
            if not missing:
                return [ticket.answer.result() for ticket in tickets]
            if not order.wanted():
                raise order.refusal()

    def _start(self) -> None:
        for number in range(len(self._threads), self._at_once):
            thread = threading.Thread(target=self._work, name=f"diffusion-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        for tickets in self._taken():
            for ticket, answer in zip(tickets, self._painted(tickets), strict=True):
                if isinstance(answer, Exception):
                    ticket.answer.set_exception(answer)
                else:
                    ticket.answer.set_result(answer)

    def _taken(self) -> Iterator[Sequence[_Ticket]]:
        """What is to be drawn next, together; ends when all is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next() is not None)
                first = self._next()
                if self._closed or first is None:
                    return
                tickets = [one for one in self._waiting if together(one.drawing) == together(first.drawing)]
                tickets = tickets[: first.order.batch]
                self._waiting = [one for one in self._waiting if one not in tickets]
                self._running[first.drawing.weights] = tickets
                for ticket in tickets:
                    ticket.order.begun = ticket.order.begun or monotonic()
            yield tickets
            with self._changed:
                del self._running[first.drawing.weights]
                self._changed.notify_all()

    def _next(self) -> _Ticket | None:
        """The one that has waited longest for something that is not busy."""
        return next((one for one in self._waiting if one.drawing.weights not in self._running), None)

    def _painted(self, tickets: Sequence[_Ticket]) -> Sequence[Generated | Cancelled | GenerationFailed]:
        """An error belongs to the callers, not to the thread."""
        company = Company(tickets)
        try:
            company.check()
            return self._paint([ticket.drawing for ticket in tickets], company)
        except Unwanted:
            return [ticket.order.refusal() for ticket in tickets]
        except GenerationFailed as failure:
            return [failure] * len(tickets)
        except Exception:
            LOG.exception("a drawing broke off")
            return [GenerationFailed("diffusion: it broke off by an error, which is in the log.")] * len(tickets)


def together(drawing: Drawing) -> Hashable:
    """Equal for drawings that one call can draw: all that differs are words, pictures and seeds.

    Control networks and adapters are shown the same for all pictures of a call.
    """
    recipe = drawing.recipe
    return (
        drawing.weights,
        recipe.pipeline,
        drawing.way,
        recipe.size,
        recipe.scheduler,
        recipe.steps,
        recipe.guidance,
        recipe.strength,
        tuple(sorted(item for item in recipe.options.items() if item[0] != LEFT_OUT)),
        tuple(sorted(recipe.inputs.items())) if drawing.row.extras == "control" else (),
    )
