"""One half of a suite asked under many settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from eval.errors import MeasureError, SuiteError
from eval.measured import Measured, measured
from eval.runs.runner import DEPTH, Bench, decoded_photos, run_suite
from eval.suites.suite import Split, Suite
from eval.tuning.remembering import RememberedPhotos, RememberedProducts, RememberingStore
from indexer.domain import QueryKind
from indexer.settings import SearchSettings
from service.search.boosts import parse_boosts

_CUT = re.compile(r"@(\d+)")


@dataclass(frozen=True)
class Trial:
    """The measure of every query under one setting of the search; `p50` is the median search in milliseconds."""

    search: SearchSettings
    found: Measured
    p50: float
    unanswered: int

    @property
    def values(self) -> Mapping[str, float]:
        return self.found.values

    @property
    def mean(self) -> float:
        """Rounded to 9 decimals, so that the order of summing decides no tie."""
        return round(float(np.mean(list(self.values.values()))), 9)


class Half:
    """Asks its queries under any settings, each settings once, and as many products as the measure looks at.

    So many are also what shoppers see: a measure at 10 judges searches for 10. What several settings ask of the store
    alike is asked once with `remember`, exactly as if it were asked again; times then say nothing.
    """

    def __init__(self, suite: Suite, bench: Bench, measure: str, *, remember: bool) -> None:
        self.suite = suite
        self.measure = measure
        self.top_k = products_looked_at(measure, suite)
        self._bench = _remembering(bench) if remember else bench
        self._photos = decoded_photos(suite, bench)
        self._trials: dict[str, Trial] = {}

    @property
    def questions(self) -> int:
        """Queries that are not wordings of the same thing."""
        return len({query.paraphrases or f"query {query.id}" for query in self.suite.queries})

    @property
    def settings_tried(self) -> int:
        return len(self._trials)

    def ask(self, search: SearchSettings) -> Trial:
        """Raises BadFilter for a boost on a field that the build does not have, and what measures raise."""
        key = search.model_dump_json()
        if key not in self._trials:
            parse_boosts(search.boosts, self._bench.index.manifest.fields)
            self._trials[key] = self._asked(search)
        return self._trials[key]

    def _asked(self, search: SearchSettings) -> Trial:
        run = run_suite(
            self.suite, self._bench, search, depth=self.top_k, photos=self._photos, watch=lambda done, total: None
        )
        found = measured(self.measure, self.suite, run.scores)
        if len(found.values) < 2:
            raise MeasureError(
                f"{self.measure} has {len(found.values)} values here; settings are compared query by query."
            )
        spent = [answer.timings_ms["whole"] for answer in run.answers.values()]
        return Trial(search, found, round(float(np.median(spent)), 3), len(run.unanswered))


def halves(suite: Suite, kind: QueryKind | None) -> tuple[QueryKind, Suite, Suite]:
    """The judged queries of the kind (or the only kind there is) to choose on, and those to report on.

    Raises SuiteError when the kind is left open or missing, or a half is empty.
    """
    counts: dict[QueryKind, int] = {}
    for query in suite.judged:
        counts[query.kind] = counts.get(query.kind, 0) + 1
    asked = ", ".join(f"{found} ({number} queries)" for found, number in counts.items())
    if kind is None and len(counts) > 1:
        raise SuiteError(f"Suite {suite.card.name} asks in several ways: {asked}; choose one with --kind.")
    chosen = kind or next(iter(counts), QueryKind.TEXT)
    if chosen not in counts:
        raise SuiteError(f"Suite {suite.card.name} has no {chosen} queries; it has {asked or 'none with an answer'}.")
    parts = []
    for split in (Split.TUNE, Split.REPORT):
        part = suite.part(split)
        parts.append(part.only([query for query in part.judged if query.kind is chosen]))
        if not parts[-1].queries:
            raise SuiteError(
                f"Suite {suite.card.name} has no {chosen} queries in its {split} half; settings are chosen on one half "
                'and reported on the other: give about half of the queries "split": "tune", the others "report".'
            )
    return chosen, parts[0], parts[1]


def _remembering(bench: Bench) -> Bench:
    index = replace(bench.index, store=RememberingStore(bench.index.store))
    photos = None if bench.photos is None else RememberedPhotos(bench.photos)
    return replace(bench, index=index, products=RememberedProducts(bench.products), photos=photos)


def products_looked_at(measure: str, suite: Suite) -> int:
    """The measure's cut-off, and as many more as a query leaves out."""
    cuts = [int(cut) for cut in _CUT.findall(measure)]
    return max(cuts, default=DEPTH) + max((len(set(query.exclude)) for query in suite.queries), default=0)
