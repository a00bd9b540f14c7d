"""What a run, or two, come to, as pages show it. Computing that takes seconds: the last ones are remembered, and the
figures of every run that was looked at are kept beside it."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Final

from fastapi import Request
from pydantic import ValidationError

from eval.comparing.compare import Comparison, compare, same_suite
from eval.report.run import RunReport, report_of
from eval.runs.document import RunDocument
from eval.runs.runner import suite_of
from eval.statistics import Interval
from eval.suites.groups import ALL
from eval.suites.suite import Split, Suite
from eval.web.archive import FoundRun, Stamp, run_named, run_path, stamp_of, suites_of
from indexer.domain import Frozen
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically

FOLDER: Final = "figures"
"""Beside the runs."""


class KeptFigure(Frozen):
    """`low` and `high` are None where there is no interval."""

    measure: str
    mean: float
    low: float | None
    high: float | None


class KeptFigures(Frozen):
    """Over all queries of a run, the headline first."""

    stamp: Stamp
    figures: tuple[KeptFigure, ...]


class Reports:
    """Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._report = lru_cache(maxsize=8)(self._new_report)
        self._comparison = lru_cache(maxsize=4)(self._new_comparison)

    def of(self, key: str) -> RunReport:
        """Raises UnknownRun, RunError for a run whose suite changed, SuiteError where that is gone, MeasureError."""
        return self._report(key, stamp_of(run_path(self._settings, key)))

    def comparison(self, before: str, after: str, split: Split | None) -> Comparison:
        """Raises as `of`, RunError for runs of two suites, EmptySuite for a half without queries."""
        stamps = stamp_of(run_path(self._settings, before), run_path(self._settings, after))
        return self._comparison(before, after, split, stamps)

    def _new_report(self, key: str, stamp: Stamp) -> RunReport:
        document = run_named(self._settings, key)
        report = report_of(suite_asked(self._settings, document), document)
        _keep(report, run_path(self._settings, key), stamp)
        return report

    def _new_comparison(self, before: str, after: str, split: Split | None, stamps: Stamp) -> Comparison:
        a, b = run_named(self._settings, before), run_named(self._settings, after)
        same_suite(a, b)
        return compare(suite_asked(self._settings, a), a, b, split=split)


def reports_of(request: Request) -> Reports:
    reports: Reports = request.app.state.reports
    return reports


def kept_figures(run: FoundRun) -> Sequence[KeptFigure]:
    """Of a run that somebody looked at; of others none."""
    try:
        kept = KeptFigures.model_validate_json(_kept_at(run.path).read_bytes())
    except (OSError, ValidationError):
        return ()
    return kept.figures if kept.stamp == stamp_of(run.path) else ()


def suite_asked(settings: Settings, document: RunDocument) -> Suite:
    """The suite as it was asked, wherever it is now. Raises SuiteError, RunError."""
    listed = (found.suite for found in suites_of(settings) if found.suite is not None)
    same = next((suite for suite in listed if suite.digest == document.suite.digest), None)
    return same or suite_of(document)


def _keep(report: RunReport, path: Path, stamp: Stamp) -> None:
    """Where the home cannot be written in, they are computed again."""
    figures = tuple(_kept(one.measure, one.interval) for one in report.summary.figures[ALL])
    with suppress(OSError):
        _kept_at(path).parent.mkdir(exist_ok=True)
        write_atomically(_kept_at(path), KeptFigures(stamp=stamp, figures=figures).model_dump_json().encode())


def _kept_at(run: Path) -> Path:
    return run.parent / FOLDER / f"{run.name}.json"


def _kept(measure: str, interval: Interval) -> KeptFigure:
    low, high = (end if isfinite(end) else None for end in (interval.low, interval.high))
    return KeptFigure(measure=measure, mean=interval.mean, low=low, high=high)
