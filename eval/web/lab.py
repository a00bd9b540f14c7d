"""What the query lab shows of one explained answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.domain import Channel
from service.search.answer import Answer, Explanation, Result
from service.web.media import Picture

STAGES = ("fused", "boosted", "diversified", "verified", "ruled", "grouped", "sorted")
"""In the order that a search takes them."""


@dataclass(frozen=True)
class Stage:
    """`start` and `share` are of all the time that the search took, in percent."""

    name: str
    ms: float
    start: float
    share: float


@dataclass(frozen=True)
class Bar:
    """One channel's say. `width` is of the widest on the page, in percent, to the left where `below` zero."""

    channel: Channel
    raw: float | None
    calibrated: float | None
    rank: int | None
    width: float
    below: bool


@dataclass(frozen=True)
class Step:
    """A product's rank after a stage, and how many ranks it gained by it."""

    stage: str
    rank: int | None
    gained: int


@dataclass(frozen=True)
class Row:
    result: Result
    picture: Picture | None
    bars: Sequence[Bar]
    steps: Sequence[Step]


def stages_of(answer: Answer) -> list[Stage]:
    whole = sum(answer.timings_ms.values()) or 1.0
    found, start = [], 0.0
    for name, spent in answer.timings_ms.items():
        found.append(Stage(name, spent, 100 * start / whole, 100 * spent / whole))
        start += spent
    return found


def passed(explanation: Explanation) -> list[str]:
    """The stages that some product came out of."""
    met = {stage for ranks in explanation.stages.values() for stage in ranks}
    return [stage for stage in STAGES if stage in met]


def rows_of(answer: Answer, pictures: Mapping[tuple[str, str], Picture]) -> list[Row]:
    """`answer` is explained; `pictures` by product and image."""
    assert answer.explain is not None
    said = (score.calibrated for result in answer.results for score in result.channels.values())
    widest = max((abs(value) for value in said if value is not None), default=0.0) or 1.0
    stages = passed(answer.explain)
    return [
        Row(
            result,
            None if result.image is None else pictures.get((result.id, result.image.id)),
            _bars(result, widest),
            _steps(answer.explain.stages.get(result.id, {}), stages),
        )
        for result in answer.results
    ]


def _bars(result: Result, widest: float) -> list[Bar]:
    return [
        Bar(
            channel,
            score.raw,
            score.calibrated,
            score.rank,
            100 * abs(score.calibrated or 0.0) / widest,
            (score.calibrated or 0.0) < 0,
        )
        for channel, score in result.channels.items()
    ]


def _steps(ranks: Mapping[str, int], stages: Sequence[str]) -> list[Step]:
    found, before = [], None
    for stage in stages:
        rank = ranks.get(stage)
        found.append(Step(stage, rank, 0 if before is None or rank is None else before - rank))
        before = rank if rank is not None else before
    return found
