"""The runs there are, starting one, and what one comes to."""

from collections import Counter
from datetime import UTC, datetime
from http import HTTPStatus
from math import isfinite
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from eval.comparing.configuration import configuration
from eval.comparing.words import effect_cost
from eval.figures import chance
from eval.report.charts import heatmap, histogram, interval_chart, line_chart
from eval.report.run import FEWEST, MOST_ROWS, RunReport
from eval.runs.settings import named
from eval.suites.groups import ALL
from eval.web.archive import key_of_suite, run_path, runs_of, suites_of
from eval.web.asking import RunWish, run_work
from eval.web.exports import EXPORTS, Source, exported
from eval.web.reporting import kept_figures, reports_of
from eval.web.showing import gallery
from indexer.catalog.builds import BuildRepository
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.errors import VitrineError
from service.api.problems import status_of
from service.shop import Shop
from service.web.routing import Analyst, PageRoute
from service.web.site import shop_of, site_of
from service.working import Workplace

router = APIRouter(route_class=PageRoute, include_in_schema=False)

BUILDS = 30
"""The newest, to choose from."""


def workbench_of(request: Request) -> Workplace:
    workbench: Workplace = request.app.state.workbench
    return workbench


@router.get("/bench")
def runs(
    request: Request,
    who: Analyst,
    suite: Annotated[str, Query(max_length=100)] = "",
    settings: Annotated[str, Query(max_length=10_000)] = "",
    unchosen: bool = False,
) -> Response:
    """`suite` and `settings` are filled in; `unchosen`: two runs were to be compared, and none were named."""
    return _overview(request, RunWish(suite=suite, settings=settings), unchosen=unchosen)


@router.post("/bench/runs")
def start(request: Request, who: Analyst, wish: Annotated[RunWish, Form()]) -> Response:
    try:
        name, work = run_work(wish, shop_of(request), reports_of(request))
        workbench_of(request).start(name, who.name, work)
    except VitrineError as error:
        return _overview(request, wish, error)
    return RedirectResponse("/bench", HTTPStatus.SEE_OTHER)


@router.get("/bench/work")
def work(request: Request, who: Analyst) -> Response:
    """A part of a page: how far that is which is done in the background."""
    return site_of(request).render(request, "bench_work.html", working_of(request))


@router.post("/bench/work/{work_id}/cancel")
def cancel(request: Request, who: Analyst, work_id: str) -> Response:
    workbench_of(request).cancel(work_id)
    return RedirectResponse("/bench", HTTPStatus.SEE_OTHER)


@router.get("/bench/runs/{key}")
def run(request: Request, who: Analyst, key: str) -> Response:
    shop, report = shop_of(request), reports_of(request).of(key)
    document, cases = report.document, [*report.worst, *report.best]
    build = None if document.build is None else document.build.build
    shown = [product for case in cases for product in case.products]
    others = [one for one in runs_of(shop.settings) if one.key != key and one.of(document.suite.digest)]
    context: dict[str, object] = {
        "key": key,
        "report": report,
        "suite_key": key_of_suite(shop.settings, report.suite.directory),
        "gallery": gallery(shop, report.suite, build, shown, [case.query.photo for case in cases]),
        "others": others,
        "exports": EXPORTS,
        "configuration": configuration(document),
        "slowest": max((one.p95 for one in report.summary.latencies.values()), default=0.0),
        "hits": dict(report.curves["Success@k"].points),
        "groups": _groups(report),
        "table": _table(report),
        "leads": {kind: values for kind, values in report.leads.items() if len(values) >= FEWEST},
        "effect_cost": None if report.summary.effect is None else effect_cost(report.summary.effect),
        **CHARTS,
    }
    return site_of(request).render(request, "bench_run.html", context)


@router.get("/bench/runs/{key}/{kind}")
def export(request: Request, who: Analyst, key: str, kind: str) -> Response:
    """The run in another form, to be kept."""
    shop, report = shop_of(request), reports_of(request).of(key)
    return exported(kind, key, Source(report, run_path(shop.settings, key), shop))


CHARTS: dict[str, object] = {
    "line_chart": line_chart,
    "interval_chart": interval_chart,
    "heatmap": heatmap,
    "histogram": histogram,
    "chance": chance,
    "isfinite": isfinite,
}
"""What templates draw with, as they know the words."""


def working_of(request: Request) -> dict[str, object]:
    current, now = workbench_of(request).current, datetime.now(UTC)
    left = current.seconds_left(now) if current is not None and current.running else None
    return {"working": current, "seconds_left": left}


def _overview(
    request: Request, wish: RunWish, error: VitrineError | None = None, *, unchosen: bool = False
) -> Response:
    shop = shop_of(request)
    found = runs_of(shop.settings)
    context: dict[str, object] = {
        "runs": [(one, kept_figures(one)) for one in found],
        "suites": suites_of(shop.settings),
        "builds": _builds(shop),
        "wish": wish,
        "error": error,
        "unchosen": unchosen,
        "names": named(shop.settings.search),
        **working_of(request),
    }
    status = HTTPStatus.OK if error is None else status_of(type(error))
    return site_of(request).render(request, "bench.html", context, status)


def _builds(shop: Shop) -> list[tuple[str, str]]:
    """(build, catalog) of those that can be asked."""
    with shop.database.session() as session:
        recent = BuildRepository(session).recent(limit=BUILDS)
    return [(one.id, one.catalog) for one in recent if one.state in PUBLISHABLE_STATES]


def _groups(report: RunReport) -> list[tuple[str, float, float, float]]:
    """A row of the headline measure for each group, as `interval_chart` takes them."""
    firsts = [(group, figures[0]) for group, figures in report.summary.figures.items() if figures]
    headline = report.summary.figures[ALL][0].measure
    return [
        (f"{group} ({one.queries})", one.interval.mean, one.interval.low, one.interval.high)
        for group, one in firsts
        if one.measure == headline
    ][:MOST_ROWS]


def _table(report: RunReport) -> dict[str, object]:
    """Of groups by the measures that several groups have, NaN where one lacks it: as `heatmap` takes it."""
    groups = dict(list(report.summary.figures.items())[:MOST_ROWS])
    counted = Counter(figure.measure for figures in groups.values() for figure in figures)
    columns = [name for name, count in counted.items() if count > 1]
    values = [
        [next((one.interval.mean for one in figures if one.measure == name), float("nan")) for name in columns]
        for figures in groups.values()
    ]
    return {"rows": list(groups), "columns": columns, "values": values}
