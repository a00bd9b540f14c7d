"""Searches that took long, in the log: where the time went and how the order came about, without the query's words."""

import logging

from service.metrics import Metrics, part_of
from service.search.answer import Answer

LOG = logging.getLogger(__name__)


class Slow:
    def __init__(self, milliseconds: int, metrics: Metrics) -> None:
        """`milliseconds` beyond which a search is slow."""
        self._milliseconds = milliseconds
        self._metrics = metrics

    def look(self, answer: Answer, seconds: float) -> None:
        """Tell of this search if it was slow."""
        if seconds * 1_000 <= self._milliseconds:
            return
        self._metrics.slow(answer)
        LOG.warning("slow search", extra={"ms": round(seconds * 1_000, 1), **_told(answer)})


def _told(answer: Answer) -> dict[str, object]:
    explained = answer.explain
    return {
        "kind": answer.kind.value,
        "catalog": answer.catalog,
        "build": answer.build,
        "stages": answer.timings_ms,
        "parts": answer.parts_ms,
        "weights": {channel.value: round(weight, 4) for channel, weight in answer.weights.items()},
        "results": len(answer.results),
        "chips": len(answer.chips),
        "facets": len(answer.facets),
        "pictures": len(answer.generated),
        "verified": 0 if answer.verification is None else len(answer.verification.first_stage),
        "without": sorted({part_of(one) for one in answer.degraded}),
        **({} if explained is None else {"depth": explained.depth, "candidates": explained.candidates}),
    }
