"""When training ends, and how fast it learns until then."""

import time
from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True)
class Clock:
    """How far training is: by steps, or by time when `steps` is None. `started` is of the monotonic clock, seconds."""

    minutes: float
    steps: int | None
    started: float

    def progress(self, step: int) -> float:
        """Share of the training that is done, in [0, 1]."""
        done = step / self.steps if self.steps else (time.monotonic() - self.started) / (60 * self.minutes)
        return min(1.0, done)


def learning_rate(peak: float, warm_up: float, progress: float) -> float:
    """Linear warm-up to `peak`, then a cosine to zero (Loshchilov and Hutter 2017, arXiv:1608.03983)."""
    if progress < warm_up:
        return peak * max(progress, 1e-3) / warm_up
    return peak * 0.5 * (1 + cos(pi * (progress - warm_up) / (1 - warm_up)))
