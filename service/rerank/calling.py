"""Requests to an endpoint that are paid for before they are made, and none to an endpoint that keeps failing."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from indexer.breaker import RESTING, Breaker
from indexer.settings import Price
from service.budget.governor import Governor, Refused, Reservation
from service.budget.prices import cost
from service.endpoint import UNBILLED, Asked, Endpoint, EndpointFailed, Said
from service.rerank.seam import Usage


class Unanswered(Exception):
    """`reason` is for people; None where it came too late."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Till:
    endpoint: Endpoint
    governor: Governor
    breaker: Breaker
    price: Price

    def allows(self) -> bool:
        """Whether the endpoint may be asked; whoever may goes on to `open`."""
        return self.breaker.allows()

    def open(self, estimates: Sequence[float], caller: str, until: float) -> "Tab":
        """For as many requests of these prices, in dollars, as the budget has left, from the first. Blocks.

        Nobody waits for it after a time of the monotonic clock: then it is for none, and nothing stays set aside.
        """
        granted, refused = self.governor.reserve(sum(estimates), caller), ""
        number = len(estimates)
        if isinstance(granted, Refused):
            left, refused = granted.left, granted.reason
            number = sum(total <= left for total in accumulate(estimates))
            granted = self.governor.reserve(sum(estimates[:number]), caller) if number else granted
        if isinstance(granted, Refused):
            return Tab(self, None, 0, granted.reason)
        tab = Tab(self, granted, number, refused)
        if time.monotonic() < until:
            return tab
        tab.settle()
        return Tab(self, None, 0)


@dataclass(eq=False)
class Tab:
    """What the requests of one search cost. It belongs to the endpoint's event loop, but for `settle`."""

    till: Till
    reservation: Reservation | None
    granted: int
    """Requests that may be made."""
    refused: str = ""
    """Why the others may not."""
    spent: float = 0.0
    """Dollars; a request whose use is not known counts as estimated."""
    usage: Usage = field(default_factory=Usage)
    allowed: bool = True
    """Whether the next request may be made for sure, as the till was asked already."""

    async def ask(self, asked: Asked, estimate: float, until: float) -> Said:
        """One of the requests granted, `estimate` dollars dear. Raises Unanswered."""
        if not self.allowed and not self.till.allows():
            raise Unanswered(RESTING)
        self.allowed = False
        self._book(estimate, calls=1)
        try:
            said = await self.till.endpoint.ask(asked, until)
        except EndpointFailed as failed:
            if failed.counts:
                self.till.breaker.failed(failed.reason)
            self._book(0.0, late=int(failed.reason == "late"))
            self._pay(estimate, (0, 0) if failed.reason in UNBILLED else failed.spent)
            raise Unanswered(None if failed.reason == "late" else failed.detail.rstrip(".")) from failed
        except asyncio.CancelledError:
            self._book(0.0, late=1)
            raise
        self.till.breaker.succeeded()
        known = said.tokens_in is not None and said.tokens_out is not None
        self._pay(estimate, (said.tokens_in or 0, said.tokens_out or 0) if known else None)
        return said

    def settle(self) -> None:
        """Put back what was not needed. Blocks."""
        if self.reservation is not None:
            self.till.governor.settle(self.reservation, max(0.0, self.spent))

    def _pay(self, estimate: float, tokens: tuple[int, int] | None) -> None:
        """Tokens in and out instead of what was estimated, where they are known."""
        if tokens is not None:
            self._book(cost(self.till.price, *tokens) - estimate, tokens_in=tokens[0], tokens_out=tokens[1])

    def _book(self, dollars: float, *, calls: int = 0, tokens_in: int = 0, tokens_out: int = 0, late: int = 0) -> None:
        self.spent += dollars
        used = self.usage + Usage(calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, late=late)
        self.usage = replace(used, dollars=max(0.0, self.spent))
