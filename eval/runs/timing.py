"""How long searches took."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from eval.runs.document import RunAnswer


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one stage over the answered queries."""

    p50: float
    p95: float


def latencies(answers: Iterable[RunAnswer]) -> dict[str, Latency]:
    """By stage."""
    stages: dict[str, list[float]] = {}
    for answer in answers:
        for stage, spent in answer.timings_ms.items():
            stages.setdefault(stage, []).append(spent)
    return {
        stage: Latency(*(round(float(value), 3) for value in np.percentile(spent, (50, 95))))
        for stage, spent in stages.items()
    }
