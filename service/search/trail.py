"""The stages of a search: how long each took, and in which order each left the products."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from service.search.fusion import Fused


class Trail:
    """`orders` has the products' ids after each stage that could change the order, as they were last found."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}
        """In the order the stages were entered; a stage that was entered again counts together."""
        self.orders: dict[str, list[str]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings_ms[name] = self.timings_ms.get(name, 0.0) + (time.perf_counter() - start) * 1_000

    def left(self, name: str, products: Iterable[Fused]) -> None:
        self.orders[name] = [one.hit.product_id for one in products]

    def ranks(self, product_id: str) -> dict[str, int]:
        """Stage → rank after it, of the stages that had the product."""
        return {name: order.index(product_id) + 1 for name, order in self.orders.items() if product_id in order}
