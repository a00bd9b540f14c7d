"""Settings are chosen on the tune half of a suite, one after the other, and judged on the report half, once.

Weights come first, then each other setting at the best of what was chosen before it (a coordinate search: settings that
only help together are not found). Every value that was tried is kept, so that nothing is picked in silence. The chosen
settings are compared with the present ones on queries that had no part in the choice; unless that interval leaves zero
out, nothing is recommended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from eval.figures import between, short
from eval.measured import Measured
from eval.statistics import Difference, Interval, difference, mean_interval
from eval.tuning.sweeps import (
    COARSE_STEPS,
    STEPS,
    Shares,
    Sweep,
    applied,
    around,
    channels_of,
    distance,
    shares_of,
    simplex,
    value_of,
)
from eval.tuning.trials import Half, Trial
from indexer.domain import QueryKind
from indexer.settings import SearchSettings

FEWEST = 20
"""Queries in each half; with 25 the 95 % interval of a paired nDCG@10 is about ±.05 already."""

Watch = Callable[[str, int, int], None]
"""Called with the setting that is swept, how many of its values were tried, and how many there are."""


@dataclass(frozen=True)
class Tried:
    """One value of a swept setting; `change` is the paired difference from the stage's first trial."""

    value: object
    trial: Trial
    change: Interval


@dataclass(frozen=True)
class Stage:
    """A sweep of one setting; the first trial is the value it had before."""

    name: str
    tried: tuple[Tried, ...]
    best: Tried


@dataclass(frozen=True)
class Verdict:
    """Whether the chosen settings are recommended, and why (not) in words."""

    recommended: bool
    words: str


@dataclass(frozen=True)
class Tuning:
    """`before` and `after` are the present and the chosen settings on the report half, `difference` between them."""

    kind: QueryKind
    measure: str
    top_k: int
    present: SearchSettings
    chosen: SearchSettings
    stages: tuple[Stage, ...]
    settings_tried: int
    tune_queries: int
    tuned: Difference
    report_queries: int
    before: Trial
    after: Trial
    difference: Difference
    notes: tuple[str, ...]
    verdict: Verdict


def tune(
    kind: QueryKind,
    halves: tuple[Half, Half],
    present: SearchSettings,
    sweeps: Sequence[Sweep],
    watch: Watch,
    *,
    full: bool = False,
) -> Tuning:
    """`full` tries the whole grid of three weights, not only what is near the best of the coarse one."""
    choosing, reporting = halves
    first = choosing.ask(present)
    best = first
    stages = []
    for sweep in sweeps:
        if sweep.only_with is None or best.search.fusion == sweep.only_with:
            stages.append(_stage(sweep, kind, choosing, best, watch, full=full))
            best = stages[-1].best.trial
    before, after = reporting.ask(present), reporting.ask(best.search)
    shown = _difference(before, after)
    sizes = len(choosing.suite.queries), len(reporting.suite.queries)
    better = Measured(choosing.measure, {}).higher_is_better
    return Tuning(
        kind=kind,
        measure=choosing.measure,
        top_k=choosing.top_k,
        present=present,
        chosen=best.search,
        stages=tuple(stages),
        settings_tried=choosing.settings_tried,
        tune_queries=sizes[0],
        tuned=_difference(first, best),
        report_queries=sizes[1],
        before=before,
        after=after,
        difference=shown,
        notes=_notes(choosing, reporting),
        verdict=_verdict(
            choosing.measure,
            shown,
            (choosing.questions, reporting.questions),
            choosing.settings_tried,
            best is not first,
            better=better,
        ),
    )


def _stage(sweep: Sweep, kind: QueryKind, half: Half, base: Trial, watch: Watch, *, full: bool) -> Stage:
    present = value_of(base.search, sweep.name)
    tried = {repr(present): Tried(present, base, Interval(0.0, 0.0, 0.0))}

    def ask(values: Sequence[object]) -> None:
        for number, value in enumerate(values, start=1):
            trial = half.ask(applied(base.search, sweep.name, value))
            tried.setdefault(repr(value), Tried(value, trial, _change(base, trial)))
            watch(sweep.name, number, len(values))

    better = Measured(half.measure, {}).higher_is_better
    ask(_first_values(sweep, kind, full=full))
    if sweep.is_grid and not _is_small(kind, full=full):
        centre = _best(list(tried.values()), present, better=better).value
        ask(around(_shares(centre), simplex(channels_of(kind), STEPS)))
    everything = tuple(tried.values())
    return Stage(sweep.name, everything, _best(everything, present, better=better))


def _first_values(sweep: Sweep, kind: QueryKind, *, full: bool) -> Sequence[object]:
    if not sweep.is_grid:
        return sweep.values
    return simplex(channels_of(kind), STEPS if _is_small(kind, full=full) else COARSE_STEPS)


def _is_small(kind: QueryKind, *, full: bool) -> bool:
    return full or len(channels_of(kind)) < 3


def _shares(value: object) -> Shares:
    return shares_of(value) if isinstance(value, Mapping) else {}


def _best(tried: Sequence[Tried], present: object, *, better: bool) -> Tried:
    """Of equal means the nearest to the present value, then the first tried."""
    return min(tried, key=lambda one: (-one.trial.mean if better else one.trial.mean, distance(one.value, present)))


def _difference(before: Trial, after: Trial) -> Difference:
    questions = before.found.questions(before.values)
    return difference(list(before.values.values()), [after.values[query] for query in before.values], questions)


def _change(before: Trial, after: Trial) -> Interval:
    changes = [after.values[query] - value for query, value in before.values.items()]
    return mean_interval(changes, before.found.questions(before.values))


def _notes(choosing: Half, reporting: Half) -> tuple[str, ...]:
    """What makes the two halves less independent than they look."""
    questions = [{query.paraphrases for query in half.suite.queries} - {None} for half in (choosing, reporting)]
    wordings = [
        {query.words.casefold() for query in half.suite.queries if query.text} for half in (choosing, reporting)
    ]
    notes = []
    if questions[0] & questions[1]:
        notes.append(f"{len(questions[0] & questions[1])} questions are asked in both halves, in other words.")
    if wordings[0] & wordings[1]:
        notes.append(f"{len(wordings[0] & wordings[1])} queries are in both halves, word for word.")
    return tuple(notes)


def _verdict(
    measure: str, shown: Difference, sizes: tuple[int, int], tried: int, changed: bool, *, better: bool
) -> Verdict:
    interval = shown.interval if better else _negated(shown.interval)
    figure = f"{short(shown.interval.mean, signed=True)} {_ends(shown.interval)}"
    on = f"on the {sizes[1]} questions of the report half"
    if not changed:
        return Verdict(
            False,
            f"No recommendation: of {tried} settings tried none did better than the present ones on the {sizes[0]} "
            "questions of the tune half.",
        )
    if min(sizes) < FEWEST:
        return Verdict(
            False,
            f"No recommendation: the halves have {sizes[0]} and {sizes[1]} questions, and each needs {FEWEST} at "
            "least; try more questions.",
        )
    if interval.crosses_zero:
        return Verdict(
            False,
            f"No recommendation: {measure} differs by {figure} {on}, which may be no difference; "
            f"try more questions{_how_many(interval, shown.questions)}.",
        )
    if interval.high < 0:
        return Verdict(False, f"No recommendation: {measure} is worse, by {figure}, {on}; the present settings stay.")
    return Verdict(True, f"Recommended: {measure} changes by {figure} {on}.")


def _how_many(gain: Interval, questions: int) -> str:
    """The interval narrows with the square root of the questions."""
    if gain.mean <= 0 or gain.half <= gain.mean:
        return ""
    wanted = ceil(questions * (gain.half / gain.mean) ** 2)
    return f" (a gain of this size would show on about {wanted:,} of them)" if wanted < 1_000_000 else ""


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.mean, -interval.high, -interval.low)


def _ends(interval: Interval) -> str:
    return between(interval.low, interval.high, signed=True)
