"""A comparison said in words, and as plain values."""

from dataclasses import asdict
from math import isfinite

from eval.comparing.compare import Comparison
from eval.comparing.differences import MeasureDifference, Verdict
from eval.comparing.queries import QueryChange
from eval.comparing.verification import Effect, Usage, effects
from eval.figures import between, dollars, short

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
    return _sentence(comparison.headline, comparison.counts)


def effect_sentence(effect: Effect) -> str:
    """The same of what verification changed."""
    return _sentence(effect.headline, effect.queries)


def effect_words(effect: Effect) -> dict[str, str]:
    """For reports: `sentence` and `cost`."""
    return {"sentence": effect_sentence(effect), "cost": effect_cost(effect)}


def _sentence(headline: MeasureDifference, counts: tuple[int, int, int]) -> str:
    better, worse, same = counts
    total = better + worse + same
    if not total:
        return f"{spelled(headline)}."
    queries = "query" if total == 1 else "queries"
    return f"{spelled(headline)}; {better} of {total:,} {queries} better, {worse} worse, {same} equal."


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
        "verification": {name: effect_row(effect) for name, effect in effects(comparison).items()},
        "unmeasured": list(comparison.unmeasured),
        "overlap@10": _known(comparison.overlap),
        "wins": [_change(one) for one in comparison.wins],
        "losses": [_change(one) for one in comparison.losses],
        "unanswered": {"a": dict(comparison.before.unanswered), "b": dict(comparison.after.unanswered)},
        "configuration": [{"name": one.name, "a": one.before, "b": one.after} for one in comparison.configuration],
    }


def effect_cost(effect: Effect) -> str:
    """`724 of 724 queries verified; whole search 12.0 → 14.1 ms p50, 20.3 → 25.2 p95; 8.0 calls …, $0.0021 a query`."""
    parts = [f"{effect.verified:,} of {effect.answered:,} queries verified"]
    if effect.unjudged:
        parts.append(f"{effect.unjudged:,} products not judged in time or at all")
    if effect.without is not None and effect.latency is not None:
        a, b = effect.without, effect.latency
        parts.append(f"whole search {a.p50:.1f} → {b.p50:.1f} ms p50, {a.p95:.1f} → {b.p95:.1f} p95")
    return "; ".join([*parts, _spelled_usage(effect.usage)])


def _spelled_usage(usage: Usage) -> str:
    """What verification took for one query, and for all."""
    if not (usage.calls or usage.cached):
        return "no calls, $0"
    tokens = f"{usage.tokens_in:,.0f} + {usage.tokens_out:,.0f} tokens"
    calls = f"{usage.calls:.1f} calls, {usage.cached:.1f} verdicts remembered, {tokens}"
    return f"{calls}, {dollars(usage.dollars)} a query; {dollars(usage.dollars_in_all)} in all"


def effect_row(effect: Effect) -> dict[str, object]:
    """Plain values for JSON; undefined figures are null."""
    better, worse, same = effect.queries
    spent = {"without": effect.without, "with": effect.latency}
    return {
        "by": list(effect.by),
        "sentence": effect_sentence(effect),
        "verified": effect.verified,
        "answered": effect.answered,
        "unjudged": effect.unjudged,
        "queries": {"better": better, "worse": worse, "equal": same},
        "figures": {
            group: [_figure(one, ("without", "with")) for one in found] for group, found in effect.figures.items()
        },
        "whole_ms": {name: None if one is None else asdict(one) for name, one in spent.items()},
        "usage": asdict(effect.usage),
    }


def _figure(one: MeasureDifference, names: tuple[str, str] = ("a", "b")) -> dict[str, object]:
    interval = one.difference.interval
    before, after = names
    return {
        "measure": one.measure,
        "higher_is_better": one.higher_is_better,
        before: _known(one.before),
        after: _known(one.after),
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
