"""One question put to a model, within a budget and a deadline, and its answer listened to."""

import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from indexer.breaker import RESTING
from indexer.settings import Price, RerankSettings
from service.ask.documents import Sentence
from service.ask.reading import AnswerReader
from service.budget.governor import Refused, Reservation
from service.budget.prices import cost, estimate
from service.endpoint import UNBILLED, Asked, EndpointFailed, Picture
from service.rerank.calling import Till
from service.rerank.seam import Usage

LATE: Final = "the endpoint did not answer in time"
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Hearing:
    """`say` is called with each sentence as it comes, on another thread than `hear`, which ends once `stopped` is set.

    `trouble` is why the answer is missing or incomplete, '' where it is whole; `used` what it took.
    """

    reader: AnswerReader
    say: Callable[[Sentence], None]
    stopped: Event
    trouble: str = ""
    used: Usage = field(default_factory=Usage)
    _tokens: tuple[int, int] | None = None
    _begun: bool = False

    def hear(self, till: Till, asked: Callable[[], Asked], dollars: float, caller: str, until: float) -> None:
        """Until a time of the monotonic clock. What is `asked`, `dollars` dear at most, is made once it may be.

        Blocks; raises nothing that an endpoint or a budget is behind.
        """
        granted = till.governor.reserve(dollars, caller)
        if isinstance(granted, Refused):
            self.trouble = granted.reason
        elif not till.breaker.allows():
            self.trouble = RESTING
            till.governor.settle(granted, 0.0)
        else:
            failure = self._failure(till, asked(), until)
            self._settle(till, granted, dollars, failure)
        if self.trouble:
            _log.warning("A question was not answered, or not to the end: %s", self.trouble)

    def _failure(self, till: Till, asked: Asked, until: float) -> EndpointFailed | None:
        """None where the answer is whole, or what is missing of it would not be told."""
        try:
            till.endpoint.run(self._listen(till, asked, until), until)
        except EndpointFailed as failed:
            failure = failed
        except TimeoutError:
            failure = EndpointFailed("late", LATE, counts=True)
        else:
            till.breaker.succeeded()
            return None
        if failure.counts:
            till.breaker.failed(failure.reason)
        self.trouble = "" if self.reader.done else failure.detail.rstrip(".")
        return failure

    def _settle(self, till: Till, granted: Reservation, dollars: float, failure: EndpointFailed | None) -> None:
        """What is not known by its tokens, as estimated."""
        tokens_in, tokens_out = self._tokens or (0, 0)
        if self._tokens is not None:
            dollars = cost(till.price, tokens_in, tokens_out)
        elif failure is not None and failure.reason in UNBILLED and not self._begun:
            dollars = 0.0
        late = int(failure is not None and failure.reason == "late")
        self.used = Usage(calls=1, tokens_in=tokens_in, tokens_out=tokens_out, dollars=dollars, late=late)
        till.governor.settle(granted, dollars)

    async def _listen(self, till: Till, asked: Asked, until: float) -> None:
        async with aclosing(till.endpoint.stream(asked, until, self._bill)) as pieces:
            async for piece in pieces:
                self._begun = True
                for sentence in self.reader.read(piece):
                    self.say(sentence)
                if self.reader.full or self.stopped.is_set():
                    return
        for sentence in self.reader.end():
            self.say(sentence)

    def _bill(self, tokens_in: int, tokens_out: int) -> None:
        self._tokens = (tokens_in, tokens_out)


def price_at_most(asked: Asked, price: Price, settings: RerankSettings) -> float:
    """Dollars; of the photos, only how many there are counts."""
    texts = [asked.system, *(part for part in asked.parts if isinstance(part, str))]
    photos = sum(isinstance(part, Picture) for part in asked.parts)
    size = sum(len(text.encode()) for text in texts)
    return estimate(price, size, photos, settings.detail, asked.max_tokens, settings.side)
