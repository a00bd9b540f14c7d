"""The report of one run: what it was made with, what it comes to, and how its best and worst answers look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from eval.comparing.configuration import configuration
from eval.comparing.words import effect_words
from eval.figures import short
from eval.measured import measured, scored
from eval.measures import ranking
from eval.report.cases import FIRST, Case, answer_case, extremes
from eval.report.charts import histogram, interval_chart, line_chart
from eval.report.curves import Curve, by_depth, leads, precision_recall
from eval.report.gallery import open_gallery
from eval.report.html import render
from eval.runs.document import RunDocument
from eval.runs.summary import Figure, Summary, summarise
from eval.suites.checks.report import SuiteReport
from eval.suites.groups import ALL
from eval.suites.suite import Suite
from indexer.settings import Settings
from indexer.stores.pointer import write_atomically

SHOWN = 6
"""Worst, and best, queries shown with pictures."""
DEEPEST = 100
FEWEST = 10
"""Values from which a histogram is worth drawing."""
MOST_ROWS = 40
"""Groups in a chart; a table has them all."""


@dataclass(frozen=True)
class Headroom:
    """What the candidates in their best order would reach."""

    measure: str
    now: float
    best: float


@dataclass(frozen=True)
class RunReport:
    """`curves` by name over the number of products looked at; `leads` by kind of query."""

    document: RunDocument
    suite: Suite
    summary: Summary
    curves: Mapping[str, Curve]
    precision_recall: Curve
    leads: Mapping[str, Sequence[float]]
    headroom: Sequence[Headroom]
    worst: Sequence[Case]
    best: Sequence[Case]
    checks: SuiteReport | None
    """None when the suite was not checked."""


def report_of(
    suite: Suite,
    document: RunDocument,
    measures: Sequence[str] | None = None,
    checks: SuiteReport | None = None,
) -> RunReport:
    """Raises UnknownMeasure, EmptyRun, EmptyQrels."""
    names = list(dict.fromkeys(measures or suite.card.measures))
    summary = summarise(suite, document, names)
    worst, best = _cases(suite, document, names[0])
    return RunReport(
        document=document,
        suite=suite,
        summary=summary,
        curves=by_depth(suite, document.scores, min(DEEPEST, document.depth)),
        precision_recall=precision_recall(suite, document.scores),
        leads=leads(suite, document.scores),
        headroom=_headroom(summary),
        worst=worst,
        best=best,
        checks=checks,
    )


def write_run_report(report: RunReport, settings: Settings, path: Path) -> None:
    """One HTML file. Raises OSError when it cannot be written."""
    cases = [*report.worst, *report.best]
    gallery = open_gallery(report.suite, report.document, cases, settings)
    values = {
        "report": report,
        "title": title(report),
        "configuration": configuration(report.document),
        "figures": report.summary.figures[ALL],
        "measures": [figure.measure for figure in report.summary.figures[ALL]],
        "gallery": gallery,
        "charts": _charts(report),
        "effect": {} if report.summary.effect is None else effect_words(report.summary.effect),
        "slowest": max((one.p95 for one in report.summary.latencies.values()), default=0.0),
    }
    write_atomically(path, render("run.html", values).encode())


def title(report: RunReport) -> str:
    """The one sentence to remember: hit rates among the first product and the first ten."""
    hits = dict(report.curves["Success@k"].points)
    deep = float(min(FIRST, len(hits)))
    among = f", among the first {deep:.0f} for {_share(hits[deep])}" if deep > 1 else ""
    return f"A right product comes first for {_share(hits[1.0])} of the questions{among}"


def as_row(report: RunReport) -> dict[str, object]:
    """Plain values for JSON."""
    curves = {**report.curves, "interpolated precision at recall": report.precision_recall}
    return {
        **report.summary.as_row(),
        "sentence": f"{title(report)}.",
        "created": report.document.created.isoformat(),
        "configuration": dict(configuration(report.document)),
        "card": report.suite.card.model_dump(mode="json"),
        "headroom": [{"measure": one.measure, "now": one.now, "best": one.best} for one in report.headroom],
        "curves": {name: {"points": curve.points, "band": curve.band} for name, curve in curves.items()},
        "worst": [{"query": case.query.id, "figure": case.score} for case in report.worst],
        "best": [{"query": case.query.id, "figure": case.score} for case in report.best],
        "checks": None if report.checks is None else report.checks.model_dump(mode="json"),
    }


def _share(value: float) -> str:
    """Whole per cent, but none and all only where it is none and all."""
    if 0 < value < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def _cases(suite: Suite, document: RunDocument, name: str) -> tuple[list[Case], list[Case]]:
    measure = measured(name, suite, document.scores)
    answers = scored(suite, document.scores)
    worst, best = (
        [
            answer_case(
                suite,
                query,
                ranking(answers[query.id]),
                f"{name} {short(measure.values[query.id])}",
                document.unanswered.get(query.id),
            )
            for query in queries
        ]
        for queries in extremes(suite, measure, SHOWN)
    )
    return worst, best


def _headroom(summary: Summary) -> list[Headroom]:
    """For every Oracle(measure) that stands beside its measure."""
    means = {figure.measure: figure.interval.mean for figure in summary.figures[ALL]}
    return [
        Headroom(name, mean, means[f"Oracle({name})"]) for name, mean in means.items() if f"Oracle({name})" in means
    ]


def _charts(report: RunReport) -> Mapping[str, Sequence[Markup]]:
    depth = line_chart(
        {name: curve.points for name, curve in report.curves.items()},
        title="Found among the first k",
        x_label="k, products looked at",
        y_label="mean over questions",
        bands={name: curve.band for name, curve in report.curves.items()},
    )
    precision = line_chart(
        {"precision": report.precision_recall.points},
        title="Precision and recall (interpolated at 11 levels)",
        x_label="recall",
        y_label="precision",
        bands={"precision": report.precision_recall.band},
    )
    drawn = [
        histogram(
            values,
            title=f"Lead of the best right product, {kind} questions",
            x_label="score above the best other",
            zero=True,
        )
        for kind, values in report.leads.items()
        if len(values) >= FEWEST
    ]
    return {"curves": [depth, precision], "leads": drawn, "groups": _group_charts(report.summary)}


def _group_charts(summary: Summary) -> list[Markup]:
    """The headline measure by group, where there are groups."""
    firsts = [(group, figures[0]) for group, figures in summary.figures.items() if figures]
    headline = summary.figures[ALL][0].measure
    rows = [_row(group, figure) for group, figure in firsts if figure.measure == headline][: MOST_ROWS + 1]
    return (
        [interval_chart(rows, title=f"{headline} by kind of question and tag, 95 % intervals")] if len(rows) > 1 else []
    )


def _row(group: str, figure: Figure) -> tuple[str, float, float, float]:
    interval = figure.interval
    return f"{group} ({figure.queries})", interval.mean, interval.low, interval.high
