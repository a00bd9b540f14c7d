"""What a run comes to: every measure with its interval, over all queries, by kind and by tag; and its speed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from eval.comparing.verification import Effect, effect_of
from eval.comparing.words import effect_row
from eval.measured import Measured, measured
from eval.runs.document import RunDocument
from eval.runs.timing import Latency, latencies
from eval.statistics import Interval, mean_interval
from eval.suites.groups import ALL, groups_of
from eval.suites.suite import Suite, SuiteQuery


@dataclass(frozen=True)
class Figure:
    measure: str
    interval: Interval
    queries: int


@dataclass(frozen=True)
class Summary:
    """`figures` by group: `all`, the kinds of query, then tags."""

    name: str
    suite: str
    build: str | None
    queries: int
    unanswered: Mapping[str, str]
    figures: Mapping[str, Sequence[Figure]]
    latencies: Mapping[str, Latency]
    effect: Effect | None = None
    """What verification changed; None where nothing was verified."""
    degraded: Mapping[str, str] = field(default_factory=dict)
    """Query → what its answer went without, and why."""

    def as_row(self) -> dict[str, object]:
        """Plain values; undefined figures are null."""
        return {
            "name": self.name,
            "suite": self.suite,
            "build": self.build,
            "queries": self.queries,
            "unanswered": dict(self.unanswered),
            "figures": {group: [_figure_row(one) for one in figures] for group, figures in self.figures.items()},
            "latencies_ms": {stage: asdict(one) for stage, one in self.latencies.items()},
            "verification": None if self.effect is None else effect_row(self.effect),
            "degraded": dict(self.degraded),
        }


def summarise(suite: Suite, document: RunDocument, measures: Sequence[str] | None = None) -> Summary:
    """Raises UnknownMeasure, EmptyRun, EmptyQrels."""
    names = list(dict.fromkeys(measures or suite.card.measures))
    found = [measured(name, suite, document.scores) for name in names]
    return Summary(
        name=document.name,
        suite=suite.card.name,
        build=None if document.build is None else document.build.build,
        queries=len(suite.queries),
        unanswered=document.unanswered,
        figures={group: _figures(found, queries, group) for group, queries in groups_of(suite).items()},
        latencies=latencies(document.answers.values()),
        effect=effect_of(suite, document, names),
        degraded={query: "; ".join(answer.degraded) for query, answer in document.answers.items() if answer.degraded},
    )


def _figures(found: Sequence[Measured], queries: Sequence[SuiteQuery], group: str) -> list[Figure]:
    names = {query.id for query in queries}
    figures = []
    for one in found:
        values = {name: value for name, value in one.values.items() if group == ALL or name in names}
        if values:
            interval = mean_interval([*values.values()], one.questions(values))
            figures.append(Figure(one.name, interval, len(values)))
    return figures


def _figure_row(figure: Figure) -> dict[str, object]:
    ends = [None if np.isnan(end) else end for end in (figure.interval.low, figure.interval.high)]
    return {"measure": figure.measure, "mean": figure.interval.mean, "interval": ends, "queries": figure.queries}
