"""What each route's work is like, which decides what it waits for and what it may keep waiting."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Work(StrEnum):
    SEARCH = "search"
    """Takes a core for a moment: searches, and pages that search."""
    SLOW = "slow"
    """Takes seconds, or an endpoint's time, for a shopper: drawing, answering, verifying on a page."""
    STAFF = "staff"
    """Takes seconds for the shop's own people and programs, who do not wait behind shoppers: putting products, dry
    runs, the bench's comparisons."""
    CHEAP = "cheap"
    """Takes milliseconds."""
    UNASKED = "unasked"
    """Let in however much is under way: a look at the process, and uploads with a size limit of their own."""


SEARCHES: Final = (
    "POST /v1/search",
    "POST /v1/search/photo",
    "POST /v1/regions",
    "GET /v1/products/{product_id:path}/similar",
    "GET /",
    "GET /p/{product_id:path}",
    "POST /photo",
    "GET /photo/{photo_id}/regions",
    "GET /desk/preview",
    "GET /desk/products",
)
SLOW: Final = (
    "POST /v1/generate",
    "POST /v1/generate/photo",
    "POST /v1/ask",
    "GET /marks",
)
STAFF: Final = (
    "PUT /v1/products",
    "POST /desk/dry-runs",
    "POST /desk/builds",
    "POST /desk/rules",
    "GET /bench/lab",
    "GET /bench/compare",
    "GET /bench/compare/report.html",
    "GET /bench/sliders",
    "POST /bench/sliders",
    "GET /bench/sliders/scores",
)
UNASKED: Final = ("GET /v1/health", "POST /desk/new")
WORK: Final[dict[str, Work]] = {
    **dict.fromkeys(SEARCHES, Work.SEARCH),
    **dict.fromkeys(SLOW, Work.SLOW),
    **dict.fromkeys(STAFF, Work.STAFF),
    **dict.fromkeys(UNASKED, Work.UNASKED),
}
"""By method and template of the route."""


def work_of(methods: Iterable[str], path: str) -> Work:
    """Of a route, by its methods and its template; what the table does not name is cheap."""
    named = (WORK.get(f"{method} {path}") for method in sorted(methods))
    return next((work for work in named if work is not None), Work.CHEAP)
