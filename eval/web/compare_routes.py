"""Two runs side by side."""

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from eval.comparing.compare import Comparison
from eval.comparing.queries import QueryChange
from eval.measured import scored
from eval.measures import ranking
from eval.report.cases import Case, change_case
from eval.report.comparison import write_comparison_report
from eval.suites.groups import ALL
from eval.suites.suite import Split
from eval.web.archive import runs_of
from eval.web.exports import page_to_keep
from eval.web.reporting import reports_of
from eval.web.runs_routes import CHARTS
from eval.web.showing import gallery
from service.web.routing import Analyst, PageRoute
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Key = Annotated[str, Query(max_length=200)]
Half = Annotated[Literal["all", "tune", "report"], Query()]


@router.get("/bench/compare")
def compare(request: Request, who: Analyst, a: Key = "", b: Key = "", split: Half = "all") -> Response:
    """Which of the two finds better, by how much, how surely, and at which queries."""
    if not (a and b):
        return RedirectResponse("/bench?unchosen=1#runs", HTTPStatus.SEE_OTHER)
    shop, comparison = shop_of(request), reports_of(request).comparison(a, b, _half(split))
    won, lost = _changed(comparison, comparison.wins), _changed(comparison, comparison.losses)
    cases = [case for case, _ in (*won, *lost)]
    build = comparison.after.build or comparison.before.build
    shown = [product for case in cases for product in case.products]
    shown += [rank.product for _, change in (*won, *lost) for rank in change.ranks]
    parts = [(group, one) for group, found in comparison.figures.items() if group != ALL for one in found]
    context: dict[str, object] = {
        "a": a,
        "b": b,
        "split": split,
        "comparison": comparison,
        "won": won,
        "lost": lost,
        "gallery": gallery(
            shop, comparison.suite, build.build if build else None, shown, [case.query.photo for case in cases]
        ),
        "figures": comparison.figures[ALL],
        "parts_found": parts,
        "runs": [one for one in runs_of(shop.settings) if one.of(comparison.before.suite.digest)],
        **CHARTS,
    }
    return site_of(request).render(request, "bench_compare.html", context)


@router.get("/bench/compare/report.html")
def report(request: Request, who: Analyst, a: Key, b: Key, split: Half = "all") -> Response:
    """The same as one file, to be kept."""
    comparison = reports_of(request).comparison(a, b, _half(split))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        write_comparison_report(comparison, shop_of(request).settings, path)
        return page_to_keep(path.read_bytes(), f"{a}-{b}.html")


def _half(split: str) -> Split | None:
    return None if split == "all" else Split(split)


def _changed(comparison: Comparison, changes: Sequence[QueryChange]) -> list[tuple[Case, QueryChange]]:
    a, b = (scored(comparison.suite, run.scores) for run in (comparison.before, comparison.after))
    return [
        (
            change_case(
                comparison.suite,
                change,
                comparison.names,
                (ranking(a[change.query.id]), ranking(b[change.query.id])),
                "",
            ),
            change,
        )
        for change in changes
    ]
