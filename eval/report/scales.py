"""Values on a drawing: round axis ends, round ticks, and where a value lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

TICKS = 5
"""Steps an axis has, about."""


@dataclass(frozen=True)
class Scale:
    """The values from `low` to `high` on the pixels from `start` to `end`; `step` apart are the ticks."""

    low: float
    high: float
    step: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, *, rounded: bool = True) -> "Scale":
        """All finite values with room to the next tick, or just to the outermost value where not `rounded`."""
        finite = [value for value in values if isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        if low == high:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        step = _round_step((high - low) / TICKS)
        if rounded:
            low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
        return cls(low, high, step, start, end)

    def at(self, value: float) -> float:
        """The value's pixel."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Whole multiples of the step from `low` to `high`."""
        first, last = ceil(self.low / self.step - 1e-9), floor(self.high / self.step + 1e-9)
        return [number * self.step for number in range(first, last + 1)]

    def label(self, tick: float) -> str:
        """With the decimals that the step needs, and no sign before zero."""
        decimals = max(0, -floor(log10(self.step)))
        return f"{tick:.{decimals}f}" if abs(tick) > self.step / 2 else "0"


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, the smallest that is not below `least`."""
    power: float = 10.0 ** floor(log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
