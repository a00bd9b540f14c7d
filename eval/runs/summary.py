"""What a run comes to: every measure with its interval, over all queries, by kind and by tag; and its speed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.measured import Measured, measured
from eval.runs.document import RunDocument
from eval.statistics import Interval, mean_interval
from eval.suites.groups import ALL, groups_of
from eval.suites.suite import Suite, SuiteQuery


@dataclass(frozen=True)
class Figure:
    measure: str
    interval: Interval
    queries: int


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one stage over the answered queries."""

    p50: float
    p95: float


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

    def as_row(self) -> dict[str, object]:
        """Plain values; undefined figures are null."""
        return {
            "name": self.name,
            "suite": self.suite,
            "build": self.build,
            "queries": self.queries,
            "unanswered": dict(self.unanswered),
            "figures": {group: [_figure_row(one) for one in figures] for group, figures in self.figures.items()},
            "latencies_ms": {stage: {"p50": one.p50, "p95": one.p95} for stage, one in self.latencies.items()},
        }


def summarise(suite: Suite, document: RunDocument, measures: Sequence[str] | None = None) -> Summary:
    """Raises UnknownMeasure, EmptyRun, EmptyQrels."""
    found = [measured(name, suite, document.scores) for name in measures or suite.card.measures]
    return Summary(
        name=document.name,
        suite=suite.card.name,
        build=None if document.build is None else document.build.build,
        queries=len(suite.queries),
        unanswered=document.unanswered,
        figures={group: _figures(found, queries, group) for group, queries in groups_of(suite).items()},
        latencies=_latencies(document),
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


def _latencies(document: RunDocument) -> dict[str, Latency]:
    stages: dict[str, list[float]] = {}
    for answer in document.answers.values():
        for stage, spent in answer.timings_ms.items():
            stages.setdefault(stage, []).append(spent)
    return {
        stage: Latency(*(round(float(value), 3) for value in np.percentile(spent, (50, 95))))
        for stage, spent in stages.items()
    }


def _figure_row(figure: Figure) -> dict[str, object]:
    ends = [None if np.isnan(end) else end for end in (figure.interval.low, figure.interval.high)]
    return {"measure": figure.measure, "mean": figure.interval.mean, "interval": ends, "queries": figure.queries}
