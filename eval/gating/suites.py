"""What suites say of a new build: canaries, a floor, what it loses against the build it would replace, what changed."""

from collections.abc import Collection

from eval.errors import MeasureError
from eval.gating.findings import Findings, figure, label, listed, signed
from eval.measured import Measured, measured, scored
from eval.measures import Run, ranking
from eval.statistics import Interval, mean_interval
from eval.suites.suite import Suite, SuiteQuery

FIRST = 10
"""Products of an answer that a shopper is taken to look at."""
CHANGED = 0.5
"""A query whose old and new first products have less than this in common is named."""


def relevant_products(suite: Suite) -> list[str]:
    """Every product that is a right answer, each once."""
    return list(dict.fromkeys(doc for grades in suite.qrels.values() for doc, grade in grades.items() if grade > 0))


def check_canaries(suite: Suite, run: Run, gone: Collection[str]) -> Findings:
    """Every query has a right product among its first ones. `gone` are products that the catalogue does not have."""
    kept = scored(suite, run)
    lost = [query for query in suite.judged if _right(query, suite).isdisjoint(ranking(kept[query.id])[:FIRST])]
    figures = {f"canaries {suite.card.name}": 1 - len(lost) / max(len(suite.judged), 1)}
    if not lost:
        return Findings(figures=figures)
    named = listed([_canary(query, suite, gone) for query in lost])
    told = f"{len(lost):,} of {len(suite.judged):,} canaries have no right product among their first {FIRST}: {named}."
    return Findings([told], figures=figures)


def check_floor(suite: Suite, run: Run, name: str, minimum: float | None) -> Findings:
    """The measure's mean is `minimum` or more. Raises MeasureError."""
    found = _measured(name, suite, run)
    figures = {f"{suite.card.name} {name}": found.mean}
    if minimum is None or (found.higher_is_better and found.mean >= minimum):
        return Findings(figures=figures)
    if not found.higher_is_better:
        return Findings(notices=[f"gate.minimum says nothing of {name}, of which less is better."], figures=figures)
    told = f"{name} on suite {suite.card.name} is {figure(found.mean)}, less than the minimum {figure(minimum)}."
    return Findings([told], figures=figures)


def compare(suite: Suite, before: Run, after: Run, name: str, tolerance: float) -> Findings:
    """Refuses a mean loss of more than `tolerance` whose 95 % interval leaves zero out. Raises MeasureError."""
    old, new = _measured(name, suite, before), _measured(name, suite, after)
    queries = [query for query in old.values if query in new.values]
    sign = 1.0 if new.higher_is_better else -1.0
    changes = [sign * (new.values[query] - old.values[query]) for query in queries]
    gain = mean_interval(changes, new.questions(queries))
    figures = {f"{suite.card.name} {name} published": old.mean, f"{suite.card.name} {name} gain": gain.mean}
    if not (gain.high < 0 and -gain.mean > tolerance):
        return Findings(figures=figures)
    told = (
        f"{name} on suite {suite.card.name} went from {figure(old.mean)} to {figure(new.mean)} "
        f"({_spelled(gain, new.higher_is_better)}); most lost: {listed(_losses(suite, old, new))}."
    )
    return Findings([told], figures=figures)


def overlap(suite: Suite, before: Run, after: Run) -> Findings:
    """How much the first products of old and new answers have in common; never a refusal."""
    shares: dict[str, float] = {}
    for query in suite.queries:
        old, new = (set(ranking(run.get(query.id, {}))[:FIRST]) for run in (before, after))
        if old or new:
            shares[query.id] = len(old & new) / max(len(old), len(new))
    if not shares:
        return Findings()
    mean = sum(shares.values()) / len(shares)
    changed = sorted((share, label(query)) for query in suite.queries if (share := shares.get(query.id, 1.0)) < CHANGED)
    figures = {f"{suite.card.name} overlap@{FIRST}": mean}
    if not changed:
        return Findings(figures=figures)
    named = listed([f"{name} {figure(share)}" for share, name in changed])
    told = f"Most changed on suite {suite.card.name}, by overlap of the first {FIRST} products: {named}."
    return Findings(notices=[told], figures=figures)


def _measured(name: str, suite: Suite, run: Run) -> Measured:
    found = measured(name, suite, run)
    if not found.values:
        raise MeasureError(f"Suite {suite.card.name} holds nothing that {name} is about; name another in gate.measure.")
    return found


def _losses(suite: Suite, old: Measured, new: Measured) -> list[str]:
    """The queries that got worse, worst first: `'red mug' 1.00 → .00`. Range has questions for queries."""
    sign = 1 if new.higher_is_better else -1
    change = {name: sign * (new.values[name] - value) for name, value in old.values.items() if name in new.values}
    labels = {query.id: label(query) for query in suite.queries}
    lost = sorted((name for name in change if change[name] < 0), key=lambda name: (change[name], name))
    return [f"{labels.get(name, name)} {figure(old.values[name])} → {figure(new.values[name])}" for name in lost]


def _spelled(gain: Interval, higher_is_better: bool) -> str:
    """The change of the measure itself: `−.19 [−.25, −.13]`."""
    ends = (gain.low, gain.high) if higher_is_better else (-gain.high, -gain.low)
    mean = gain.mean if higher_is_better else -gain.mean
    return f"{signed(mean)} [{signed(ends[0])}, {signed(ends[1])}]"


def _right(query: SuiteQuery, suite: Suite) -> set[str]:
    return {doc for doc, grade in suite.qrels[query.id].items() if grade > 0}


def _canary(query: SuiteQuery, suite: Suite, gone: Collection[str]) -> str:
    right = sorted(_right(query, suite))
    if all(product in gone for product in right):
        return f"{label(query)} (the catalogue no longer has {listed(right)})"
    return f"{label(query)} (wants {listed([product for product in right if product not in gone])})"
