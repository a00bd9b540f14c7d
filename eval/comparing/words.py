"""A comparison said in words, and as plain values."""

from math import isfinite

from eval.comparing.compare import Comparison
from eval.comparing.differences import MeasureDifference, Verdict
from eval.comparing.queries import QueryChange
from eval.figures import between, short

MOST_RANKS = 10
"""Relevant products whose places are written out for one query."""


def title(comparison: Comparison) -> str:
    """The one sentence to remember."""
    a, b = comparison.names
    return {
        Verdict.BETTER: f"{b} finds better than {a}",
        Verdict.WORSE: f"{b} finds worse than {a}",
        Verdict.NOT_SHOWN: f"No difference shown between {a} and {b}",
        Verdict.UNKNOWN: f"Whether {a} or {b} finds better cannot be told",
    }[comparison.headline.verdict]


def sentence(comparison: Comparison) -> str:
    """The headline figure: `nDCG@10 .812 → .842, +.030 [.012, .048]; 31 of 200 queries better, 12 worse.`"""
    better, worse, same = comparison.counts
    figure = spelled(comparison.headline)
    if not comparison.changes:
        return f"{figure}."
    total = better + worse + same
    return (
        f"{figure}; {better} of {total:,} {'query' if total == 1 else 'queries'} better, {worse} worse, {same} equal."
    )


def spelled(one: MeasureDifference) -> str:
    """A measure's two means and their difference with its interval."""
    interval = one.difference.interval
    ends = between(interval.low, interval.high, signed=True)
    lower = "" if one.higher_is_better else " (lower is better)"
    change = short(interval.mean, signed=True)
    return f"{one.measure}{lower} {short(one.before)} → {short(one.after)}, {change}{' ' if ends else ''}{ends}"


def part(comparison: Comparison) -> str:
    """Which queries were compared."""
    both = "all queries, those that settings are tuned on included"
    return both if comparison.split is None else f"the {comparison.split.value} half of the queries"


def as_row(comparison: Comparison) -> dict[str, object]:
    """Plain values for JSON; undefined figures are null."""
    better, worse, same = comparison.counts
    a, b = comparison.names
    return {
        "a": a,
        "b": b,
        "suite": comparison.suite.card.name,
        "split": "all" if comparison.split is None else comparison.split.value,
        "verdict": comparison.headline.verdict.value,
        "sentence": f"{title(comparison)}. {sentence(comparison)}",
        "queries": {"better": better, "worse": worse, "equal": same},
        "figures": {group: [_figure(one) for one in found] for group, found in comparison.figures.items()},
        "unmeasured": list(comparison.unmeasured),
        "overlap@10": _known(comparison.overlap),
        "wins": [_change(one) for one in comparison.wins],
        "losses": [_change(one) for one in comparison.losses],
        "unanswered": {"a": dict(comparison.before.unanswered), "b": dict(comparison.after.unanswered)},
        "configuration": [{"name": one.name, "a": one.before, "b": one.after} for one in comparison.configuration],
    }


def _figure(one: MeasureDifference) -> dict[str, object]:
    interval = one.difference.interval
    return {
        "measure": one.measure,
        "higher_is_better": one.higher_is_better,
        "a": _known(one.before),
        "b": _known(one.after),
        "difference": _known(interval.mean),
        "interval": [_known(interval.low), _known(interval.high)],
        "p": one.difference.p_value,
        "p_holm": one.adjusted_p,
        "queries": one.difference.queries,
        "verdict": one.verdict.value,
    }


def _change(one: QueryChange) -> dict[str, object]:
    ranks = one.ranks[:MOST_RANKS]
    return {
        "query": one.query.id,
        "kind": one.query.kind.value,
        "words": one.query.words,
        "a": one.before,
        "b": one.after,
        "ranks": [{"product": at.product, "grade": at.grade, "a": at.before, "b": at.after} for at in ranks],
    }


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
