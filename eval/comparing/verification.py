"""What verification changed in a run: the order that was found beside the one that was shown, and what that took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.comparing.compare import Comparison
from eval.comparing.differences import MeasureDifference, by_group
from eval.comparing.queries import query_changes, tally
from eval.measured import measured
from eval.runs.document import WHOLE, RunDocument, VerifiedWindow
from eval.runs.timing import Latency, latencies
from eval.suites.groups import ALL
from eval.suites.suite import Suite


@dataclass(frozen=True)
class Usage:
    """What verification took: means over the verified queries, and the dollars of all of them."""

    calls: float
    cached: float
    tokens_in: float
    tokens_out: float
    dollars: float
    dollars_in_all: float


@dataclass(frozen=True)
class Effect:
    """Of every difference `before` is the order without verification, `after` the one with it.

    `verified` queries of `answered` were verified, at least in part; of the products looked at, a model was to judge
    `unjudged` ones and did not. `queries` are those better with verification, worse and equal, by the first measure.
    `without` and `latency` are milliseconds of the whole search.
    """

    by: tuple[str, ...]
    verified: int
    answered: int
    unjudged: int
    figures: Mapping[str, Sequence[MeasureDifference]]
    queries: tuple[int, int, int]
    without: Latency | None
    latency: Latency | None
    usage: Usage

    @property
    def headline(self) -> MeasureDifference:
        """The first measure over all queries."""
        return self.figures[ALL][0]


def effect_of(suite: Suite, document: RunDocument, measures: Sequence[str]) -> Effect | None:
    """Over the suite's queries; None for a run that verified nothing, or a suite that the measures say nothing of.

    Raises UnknownMeasure, EmptyRun, EmptyQrels.
    """
    asked = {query.id for query in suite.queries}
    answers = {query: answer for query, answer in document.answers.items() if query in asked}
    windows = [answer.window for answer in answers.values() if answer.window is not None]
    if not windows:
        return None
    before, after = document.unverified_scores, document.scores
    pairs = [(measured(name, suite, before), measured(name, suite, after)) for name in measures]
    figures = by_group(suite, pairs)
    if not figures[ALL]:
        return None
    headline = next(pair for pair in pairs if pair[0].name == figures[ALL][0].measure)
    return Effect(
        by=tuple(dict.fromkeys(name for window in windows for name in window.by)),
        verified=len(windows),
        answered=len(answers),
        unjudged=sum(window.unjudged for window in windows),
        figures=figures,
        queries=tally(query_changes(suite, before, after, headline)),
        without=latencies(answer.unverified for answer in answers.values()).get(WHOLE),
        latency=latencies(answers.values()).get(WHOLE),
        usage=_usage(windows),
    )


def effects(comparison: Comparison) -> dict[str, Effect]:
    """Of the compared runs that verified, by name, over the compared queries and measures."""
    measures = [one.measure for one in comparison.figures[ALL]]
    found = {
        name: effect_of(comparison.suite, run, measures)
        for name, run in zip(comparison.names, (comparison.before, comparison.after), strict=True)
    }
    return {name: effect for name, effect in found.items() if effect is not None}


def _usage(windows: Sequence[VerifiedWindow]) -> Usage:
    number, dollars = len(windows), sum(window.dollars for window in windows)
    return Usage(
        calls=sum(window.calls for window in windows) / number,
        cached=sum(window.cached for window in windows) / number,
        tokens_in=sum(window.tokens_in for window in windows) / number,
        tokens_out=sum(window.tokens_out for window in windows) / number,
        dollars=dollars / number,
        dollars_in_all=dollars,
    )
