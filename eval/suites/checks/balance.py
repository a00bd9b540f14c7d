"""How a suite's queries and judgements are spread."""

from collections import Counter
from collections.abc import Mapping
from statistics import median

from eval.suites.checks.report import Finding, Range, Severity, found
from eval.suites.suite import Suite

MOST_RELEVANT = 100
"""A query with more right products cannot reach a recall of 1 within the 100 answers that runs keep."""
MOST_OF_A_TAG, MOST_OF_A_CATEGORY = 0.8, 0.5
"""A tag or category of more queries than this share decides the mean alone; a query has several tags."""


def tags(suite: Suite) -> dict[str, int]:
    """Tag → queries, most first."""
    return dict(Counter(tag for query in suite.queries for tag in dict.fromkeys(query.tags)).most_common())


def relevant(suite: Suite) -> dict[str, int]:
    """Judged query → its right products."""
    return {query.id: sum(grade > 0 for grade in suite.qrels.get(query.id, {}).values()) for query in suite.judged}


def range_of(counts: Mapping[str, int]) -> Range | None:
    values = list(counts.values())
    return Range(least=min(values), median=float(median(values)), most=max(values)) if values else None


def check_balance(suite: Suite, categories: Mapping[str, int]) -> list[Finding]:
    """`categories` as `products.categories` counts them."""
    counts = relevant(suite)
    many = sorted((name for name, count in counts.items() if count > MOST_RELEVANT), key=lambda name: -counts[name])
    shown = [f"{name} ({counts[name]:,})" for name in many]
    return [
        *found(
            "many-relevant",
            Severity.WARNING,
            f"queries have more than {MOST_RELEVANT} right products, more than a run keeps",
            shown,
        ),
        *_largest("one-tag", "tag covers most of the queries", tags(suite), MOST_OF_A_TAG * len(suite.queries)),
        *_largest(
            "one-category",
            "category covers more than half of the queries",
            categories,
            MOST_OF_A_CATEGORY * sum(categories.values()),
        ),
    ]


def _largest(check: str, what: str, counts: Mapping[str, int], most: float) -> list[Finding]:
    """Where there are several to choose from."""
    large = [f"{name} ({count})" for name, count in counts.items() if count > most]
    return found(check, Severity.NOTE, what, large if len(counts) > 1 else [])
