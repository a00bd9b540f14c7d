"""Pictures that others draw: paid for before they are asked for, and not asked of an endpoint that keeps failing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.breaker import RESTING, Breaker
from service.budget.governor import Governor, Refused
from service.endpoint import EndpointFailed, Unwanted
from service.generate.seam import Cancelled, GenerationFailed, Watch


@dataclass
class Bill:
    """`dollars` are what the drawing is taken to have cost, as far as is known."""

    dollars: float


@dataclass(frozen=True)
class Purse:
    governor: Governor
    breaker: Breaker

    @property
    def most(self) -> float:
        """Dollars that one drawing may cost."""
        return self.governor.per_request

    @contextmanager
    def opened(self, estimate: float, watch: Watch) -> Iterator[Bill]:
        """For what costs so many dollars at most; settled as the bill says at the end, however that comes.

        Raises GenerationFailed for whatever the endpoint fails at, and Cancelled.
        """
        if watch.cancelled():
            raise Cancelled
        if not self.breaker.allows():
            raise GenerationFailed(RESTING)
        granted = self.governor.reserve(estimate, watch.caller)
        if isinstance(granted, Refused):
            raise GenerationFailed(granted.reason)
        bill = Bill(estimate)
        try:
            if time.monotonic() >= watch.until:
                bill.dollars = 0.0
                raise GenerationFailed("there was no time to ask the endpoint")
            yield bill
        except EndpointFailed as failed:
            if failed.counts:
                self.breaker.failed(failed.reason)
            raise GenerationFailed(failed.detail) from failed
        except TimeoutError:
            raise GenerationFailed("the endpoint did not answer in time") from None
        except Unwanted:
            raise Cancelled from None
        else:
            self.breaker.succeeded()
        finally:
            self.governor.settle(granted, max(0.0, bill.dollars))
