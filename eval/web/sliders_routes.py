"""Weight sliders: what other weights would make of a suite, from scores that were stored, without asking anything."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from eval.bootstrap import leased_bench
from eval.measured import measured
from eval.runs.runner import Watch
from eval.suites.groups import ALL
from eval.suites.suite import Suite
from eval.tuning.fragment import fragment
from eval.tuning.sweeps import channels_of
from eval.web.archive import suite_named, suites_of
from eval.web.runs_routes import workbench_of
from eval.web.sliders_ranking import Kept, ranked, ranking_run
from eval.web.sliders_scores import (
    QUERIES,
    SuiteScores,
    drawn_queries,
    read_scores,
    scores_path,
    suite_scores,
    write_scores,
)
from indexer.builds.live import published_build
from indexer.domain import Channel, Product, QueryKind
from indexer.errors import BadWeights
from indexer.settings import SearchSettings
from service.search.weights import Weights
from service.shop import CatalogProducts, Shop
from service.web.media import Picture, first_pictures
from service.web.routing import Analyst, PageRoute, is_part
from service.web.site import shop_of, site_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = "/bench/sliders"
MEASURES = ("nDCG@10", "Success@1")
SHOWN = 10
"""Products of the chosen query that are seen at once."""
MOVERS = 5
_UNSEEN: Final = {"queries": {"__all__": {"candidates": {"products"}}}}
Key = Annotated[str, Query(max_length=200)]
Name = Annotated[str, Query(max_length=1_000)]


@dataclass(frozen=True)
class Slider:
    name: str
    """As the address has it: `text.image`."""
    channel: str
    value: float
    present: float


@dataclass(frozen=True)
class Row:
    """Means of a group of queries: by the weights that are tried, and by the present ones."""

    group: str
    queries: int
    now: Mapping[str, float]
    present: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """`at` is the product's place among the stored ones, `before` its rank by the present weights."""

    at: int
    product: Product | None
    picture: Picture | None
    grade: int | None
    before: int


@router.get(PAGE)
def sliders(request: Request, who: Analyst, suite: Key = "", query: Name = "") -> Response:
    shop, site = shop_of(request), site_of(request)
    if not suite:
        return site.render(request, "bench_sliders_suites.html", {"found": suites_of(shop.settings)})
    asked = suite_named(shop.settings, suite)
    scores = _stored(shop, asked)
    if scores is None or not scores.queries:
        context: dict[str, object] = {"key": suite, "suite": asked, "scores": scores, "most": QUERIES}
        context["work"] = workbench_of(request).current
        return site.render(request, "bench_sliders_scoring.html", context)
    weights = _weights(request, scores)
    chosen = _chosen(scores, query)
    context = {
        "key": suite,
        "chosen": chosen,
        "asked": {one.id: one for one in asked.queries}[chosen.id],
        "cards": _cards(shop, asked, scores, chosen, weights),
        "shown": SHOWN,
    }
    if is_part(request):
        return site.render(request, "bench_sliders_query.html", context)
    return site.render(request, "bench_sliders.html", context | _told(asked, scores, weights))


@router.post(PAGE)
def score(request: Request, who: Analyst, suite: Annotated[str, Form(max_length=200)]) -> Response:
    """Work the scores out, in the background. Raises ConflictError while something else is under way."""
    shop = shop_of(request)
    asked = suite_named(shop.settings, suite)
    address = f"{PAGE}?{urlencode({'suite': suite})}"
    work = partial(_score, shop, asked, address)
    workbench_of(request).start(f"Channel scores of {asked.card.name}", who.name, work)
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


@router.get(f"{PAGE}/scores")
def stored(request: Request, who: Analyst, suite: Key) -> Response:
    """What the page's script ranks by; products are told by their places."""
    shop = shop_of(request)
    asked = suite_named(shop.settings, suite)
    scores = _stored(shop, asked)
    if scores is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    content = scores.model_dump_json(include={"queries"}, exclude=_UNSEEN).encode()
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        content, headers["Content-Encoding"] = gzip.compress(content, 5, mtime=0), "gzip"
    return Response(content, media_type="application/json", headers=headers)


def _stored(shop: Shop, suite: Suite) -> SuiteScores | None:
    build = published_build(shop.database, suite.card.catalog)[1]
    return read_scores(scores_path(shop.settings.home, suite, build, shop.settings.search))


def _score(shop: Shop, suite: Suite, address: str, watch: Watch) -> str:
    search = shop.settings.search
    with leased_bench(suite, shop, suite.card.catalog) as bench:
        scores = suite_scores(suite, bench, search, watch)
    write_scores(scores, scores_path(shop.settings.home, suite, scores.build, search))
    return address


def _weights(request: Request, scores: SuiteScores) -> dict[QueryKind, Weights]:
    """The present ones, with those that the address names in their place. Raises BadWeights."""
    weights = {kind: dict(given) for kind, given in scores.search.weights.items()}
    for kind in _kinds(scores):
        for channel in channels_of(kind):
            given = request.query_params.get(f"{kind}.{channel}")
            if given is not None:
                weights[kind][channel] = _share(f"{kind}.{channel}", given)
        present = scores.search.weights[kind]
        weights[kind] = {one: weights[kind][one] for one in Channel if weights[kind].get(one) or one in present}
    return dict(weights)


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadWeights(f"{name}: {text[:40]!r} is no weight from 0 to 1.")
    return value


def _kinds(scores: SuiteScores) -> list[QueryKind]:
    """Those whose weights make a difference."""
    met = {query.weighed for query in scores.queries}
    return [kind for kind in QueryKind if kind in met]


def _told(suite: Suite, scores: SuiteScores, weights: Mapping[QueryKind, Weights]) -> dict[str, object]:
    """What the page says of all queries together."""
    part = suite.only(drawn_queries(suite))
    runs = [ranking_run(scores.queries, by) for by in (weights, scores.search.weights)]
    now, present = ({name: measured(name, part, run).values for name in MEASURES} for run in runs)
    groups = {ALL: [query.id for query in part.queries]}
    for query in part.queries:
        groups.setdefault(query.kind.value, []).append(query.id)
    changes = {name: value - present[MEASURES[0]][name] for name, value in now[MEASURES[0]].items()}
    moved = sorted((name for name in changes if changes[name]), key=lambda name: (changes[name], name))
    unanswered: dict[str, int] = {}
    for query in part.queries:
        if query.id in scores.unanswered:
            unanswered[query.kind.value] = unanswered.get(query.kind.value, 0) + 1
    fields = {kind: _sliders(kind, scores.search, weights[kind]) for kind in _kinds(scores)}
    moved_sliders = [one for sliders in fields.values() for one in sliders if one.value != one.present]
    return {
        "suite": suite,
        "scores": scores,
        "rows": [_row(name, ids, now, present) for name, ids in groups.items() if len(groups) > 2 or name == ALL],
        "fields": fields,
        "lines": "\n".join(f"weights.{one.name}={one.value}" for one in moved_sliders),
        "queries": {query.id: query for query in part.queries if query.id not in scores.unanswered},
        "changes": changes,
        "worse": [name for name in moved if changes[name] < 0][:MOVERS],
        "better": [name for name in reversed(moved) if changes[name] > 0][:MOVERS],
        "unanswered": unanswered,
        "fragment": fragment(scores.search, scores.search.model_copy(update={"weights": dict(weights)})),
        "measures": MEASURES,
    }


def _row(
    group: str, ids: list[str], now: Mapping[str, Mapping[str, float]], present: Mapping[str, Mapping[str, float]]
) -> Row:
    def means(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        return {name: sum(of[query] for query in ids) / len(ids) for name, of in values.items()}

    return Row(group, len(ids), means(now), means(present))


def _sliders(kind: QueryKind, search: SearchSettings, weights: Weights) -> list[Slider]:
    present = search.weights[kind]
    return [
        Slider(f"{kind}.{channel}", channel.value, weights.get(channel, 0.0), present.get(channel, 0.0))
        for channel in channels_of(kind)
    ]


def _chosen(scores: SuiteScores, name: str) -> Kept:
    return next((query for query in scores.queries if query.id == name), scores.queries[0])


def _cards(
    shop: Shop, suite: Suite, scores: SuiteScores, query: Kept, weights: Mapping[QueryKind, Weights]
) -> list[Card]:
    """Best first by the weights that are tried."""
    names = query.candidates.products
    order = ranked(query, weights[query.weighed])
    before = {at: rank for rank, at in enumerate(ranked(query, scores.search.weights[query.weighed]), start=1)}
    pictures = first_pictures(shop, scores.build, names)
    with shop.lease(suite.card.catalog) as (index, _):
        known = CatalogProducts(shop.database).get_many(index.manifest, names)
    grades = suite.qrels[query.id]
    return [
        Card(at, known.get(names[at]), pictures.get(names[at]), grades.get(names[at]), before[at])
        for at in order
        if at not in query.candidates.left_out
    ]
