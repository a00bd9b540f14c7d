"""Two runs of one suite, side by side: which is better, by how much, how surely, and at which queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.comparing.configuration import Changed, differing
from eval.comparing.differences import MeasureDifference, by_group
from eval.comparing.queries import OVERLAP_AT, QueryChange, losses, overlap, query_changes, tally, wins
from eval.errors import EmptySuite, MeasureError, RunError
from eval.measured import measured
from eval.runs.document import RunDocument
from eval.suites.groups import ALL
from eval.suites.suite import Split, Suite

MOST_SHOWN = 10
"""Wins, and losses, that a comparison names."""


@dataclass(frozen=True)
class Comparison:
    """`before` and `after` are A and B; every difference is B − A. `suite` is the part that was compared.

    `figures` by group: `all`, the kinds of query, then tags. Holm's family is the measures for `all`, and every measure
    of every other group for those.
    """

    before: RunDocument
    after: RunDocument
    suite: Suite
    split: Split | None
    """None: both halves."""
    figures: Mapping[str, Sequence[MeasureDifference]]
    changes: Sequence[QueryChange]
    overlap: float
    """Mean share of the first ten products that both runs have; NaN when neither answers."""
    configuration: Sequence[Changed]
    unmeasured: Sequence[str]
    """Measures that the suite holds nothing for, such as NegRecall without hard negatives."""

    @property
    def headline(self) -> MeasureDifference:
        """The first measure over all queries."""
        return self.figures[ALL][0]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Queries that B is better at, worse at, and equal at, by the headline measure."""
        return tally(self.changes)

    @property
    def wins(self) -> Sequence[QueryChange]:
        return wins(self.changes)[:MOST_SHOWN]

    @property
    def losses(self) -> Sequence[QueryChange]:
        return losses(self.changes)[:MOST_SHOWN]

    @property
    def names(self) -> tuple[str, str]:
        """What the two runs are called, told apart even when they carry one name."""
        a, b = self.before.name, self.after.name
        return (a, b) if a != b else (f"{a} (A)", f"{b} (B)")


def compare(
    suite: Suite,
    before: RunDocument,
    after: RunDocument,
    measures: Sequence[str] | None = None,
    split: Split | None = None,
) -> Comparison:
    """By the suite's measures or the named, the first being the headline; over one half where `split` is given.

    Raises RunError when the runs answered different suites, EmptySuite for a half without judged queries,
    UnknownMeasure, EmptyRun, EmptyQrels, and MeasureError's other kinds.
    """
    same_suite(before, after)
    part = suite if split is None else suite.part(split)
    if not part.judged:
        raise EmptySuite(f"Suite {suite.card.name} has no judged queries{f' in its half {split}' if split else ''}.")
    a, b = before.scores, after.scores
    names = list(dict.fromkeys(measures or suite.card.measures))
    pairs = [(measured(name, part, a), measured(name, part, b)) for name in names]
    figures = by_group(part, pairs)
    found = [one.measure for one in figures[ALL]]
    if names[0] not in found:
        raise MeasureError(f"Suite {suite.card.name} holds nothing that {names[0]} is about; compare by another first.")
    return Comparison(
        before=before,
        after=after,
        suite=part,
        split=split,
        figures=figures,
        changes=query_changes(part, a, b, pairs[0]),
        overlap=_mean(list(overlap(part, a, b, OVERLAP_AT).values())),
        configuration=differing(before, after),
        unmeasured=[name for name in names if name not in found],
    )


def same_suite(before: RunDocument, after: RunDocument) -> None:
    """Raises RunError when the runs are of different suites, or of different states of one."""
    a, b = before.suite, after.suite
    if a.digest != b.digest:
        what = f"suites {a.name} and {b.name}" if a.name != b.name else f"different states of suite {a.name}"
        raise RunError(
            f"Runs {before.name} and {after.name} answer {what}, so their figures cannot be compared; "
            "run the same suite on both."
        )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
