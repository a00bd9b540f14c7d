"""The stages of a search: how long each took, and in which order each left the products."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from service.deadline import Deadline
from service.search.fusion import Fused
from service.tracing import span


class Trail:
    """`orders` has the products' ids after each stage that could change the order, as they were last found."""

    def __init__(self, deadline: Deadline | None = None) -> None:
        """A stage raises TooLate instead of beginning when the `deadline` is over."""
        self._deadline = deadline or Deadline()
        self.timings_ms: dict[str, float] = {}
        """In the order the stages were entered; a stage that was entered again counts together."""
        self.parts_ms: dict[str, float] = {}
        """Of what takes place within stages."""
        self.orders: dict[str, list[str]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._deadline.demand(name)
        start = time.perf_counter()
        with span(name):
            yield
        self.timings_ms[name] = self.timings_ms.get(name, 0.0) + (time.perf_counter() - start) * 1_000

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Of the stage under way; counted also where it fails, as a store that answers late does."""
        start = time.perf_counter()
        try:
            with span(name):
                yield
        finally:
            self.parts_ms[name] = self.parts_ms.get(name, 0.0) + (time.perf_counter() - start) * 1_000

    def left(self, name: str, products: Iterable[Fused]) -> None:
        self.orders[name] = [one.hit.product_id for one in products]

    def ranks(self, product_id: str) -> dict[str, int]:
        """Stage → rank after it, of the stages that had the product."""
        return {name: order.index(product_id) + 1 for name, order in self.orders.items() if product_id in order}
