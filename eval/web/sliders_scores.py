"""Every channel's score of the products that may answer a suite's queries, so that weights can be tried without asking.

What a search does with its weights is simple: it multiplies standard scores, adds, and sorts. What it looks at depends
on them too, so kept are the nearest by the present weights and by each channel alone.
"""

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from math import log2
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from eval.runs.runner import Bench, Watch, check_products, decoded_photos, query_of
from eval.suites.suite import Suite, SuiteQuery
from eval.tuning.remembering import RememberingStore
from eval.web.sliders_ranking import Candidates, Kept
from indexer.domain import Channel, Frozen, Hit, Product, QueryKind, Vector
from indexer.errors import ImageRejected, InputError
from indexer.settings import SearchSettings
from indexer.stores.pointer import write_atomically
from service.photos import refused
from service.search.boosts import lift
from service.search.fusion import Fused, Scores, calibrate_all
from service.search.planning import Plan, Planner
from service.search.pool import pool
from service.search.rarity import GAIN, rare_share
from service.search.retrieve import Question, retrieve
from service.search.trail import Trail
from service.search.verify import Checked, check
from service.search.weights import Weights, usable

QUERIES = 500
CANDIDATES = 100
"""Points of a query."""
CUT = 10
"""Of nDCG."""
DIGITS = 5
"""Of scores, which have a deviation of 1: neither a reader nor an order misses the others."""
FILES = 12
"""Kept in a home, the newest."""


class SuiteScores(Frozen):
    """`unanswered`: query → why it has no candidates; it counts zero."""

    suite: str
    """Its digest."""
    build: str
    search: SearchSettings
    created: datetime
    asked: int
    """Judged queries that the suite has; of more than QUERIES some are drawn."""
    queries: tuple[Kept, ...]
    unanswered: dict[str, str]


def scores_path(home: Path, suite: Suite, build: str, search: SearchSettings) -> Path:
    named = "\n".join((suite.digest, build, search.model_dump_json()))
    return home / "eval" / "sliders" / f"{sha256(named.encode()).hexdigest()[:20]}.json.gz"


def read_scores(path: Path) -> SuiteScores | None:
    """None where there are none, or only those of another version."""
    try:
        return SuiteScores.model_validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValidationError):
        return None


def write_scores(scores: SuiteScores, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, gzip.compress(scores.model_dump_json().encode(), mtime=0))
    newest = sorted(path.parent.glob("*.json.gz"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in newest[FILES:]:
        old.unlink(missing_ok=True)


def suite_scores(suite: Suite, bench: Bench, search: SearchSettings, watch: Watch) -> SuiteScores:
    """Raises SuiteError when judgements name products that the catalog does not have."""
    check_products(suite, bench)
    photos = decoded_photos(suite, bench)
    planner = Planner(bench.products, summed(search), photos=bench.photos)
    drawn = drawn_queries(suite)
    kept, unanswered = list[Kept](), dict[str, str]()
    for number, query in enumerate(drawn, start=1):
        photo = photos.get(query.photo or "")
        try:
            if isinstance(photo, ImageRejected):
                raise refused(photo)
            index = replace(bench.index, store=RememberingStore(bench.index.store))  # all ways find much the same
            plan = planner.plan(query_of(query, photo, None, CANDIDATES), index, bench.encoder, Trail())
            kept.append(_kept(query, plan, suite, bench.known))
        except InputError as error:
            unanswered[query.id] = str(error)
        watch(number, len(drawn))
    return SuiteScores(
        suite=suite.digest,
        build=bench.index.manifest.build,
        search=search,
        created=datetime.now(UTC),
        asked=len(suite.judged),
        queries=tuple(kept),
        unanswered=unanswered,
    )


def summed(search: SearchSettings) -> SearchSettings:
    """With a fusion that weighs scores: ranks and distributions cannot be weighed afterwards."""
    return search if search.fusion == "raw" else search.model_copy(update={"fusion": "calibrated"})


def drawn_queries(suite: Suite) -> Sequence[SuiteQuery]:
    """All judged ones; of more than QUERIES those whose ids have the smallest hashes."""
    lots = {query.id: sha256(query.id.encode()).digest() for query in suite.judged}
    last = sorted(lots.values())[:QUERIES][-1:]
    return [query for query in suite.judged if [lots[query.id]] <= last]


def _kept(query: SuiteQuery, plan: Plan, suite: Suite, known: Callable[[Sequence[str]], Mapping[str, Product]]) -> Kept:
    found = _found(plan)
    chosen = _chosen(found, plan)
    hits = [found.hits[at] for at in chosen]
    products = sorted({hit.product_id for hit in hits})
    place = {product: at for at, product in enumerate(products)}
    grades, gains = suite.qrels[query.id], suite.card.gains or {}
    payloads = plan.index.store.read([hit.point_id for hit in hits])
    singles = [Fused(hit, 0.0, {}, {}, {}, payload=payloads.get(hit.point_id, {})) for hit in hits]
    lifted = {one.hit.point_id: one.score for one in lift(singles, plan.lifts)}
    return Kept(
        id=query.id,
        kind=query.kind,
        weighed=plan.query.kind,
        factors=found.factors,
        ideal=_ideal(gains.get(grade, grade) for grade in grades.values()),
        candidates=Candidates(
            products=tuple(products),
            gains=tuple(gains.get(grades.get(name, 0), grades.get(name, 0)) for name in products),
            relevant=tuple(grades.get(name, 0) > 0 for name in products),
            left_out=tuple(place[name] for name in query.exclude if name in place),
            points=tuple(place[hit.product_id] for hit in hits),
            scores={channel: tuple(scores[chosen].round(DIGITS).tolist()) for channel, scores in found.scores.items()},
            boosts=tuple(round(lifted[hit.point_id], DIGITS) for hit in hits),
            contradicted=_contradicted(singles, plan, known(products)),
            pins=tuple((place[pin.product], pin.place) for pin in plan.ruling.pins if pin.product in place),
        ),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """Everything that the present weights or a channel alone find, each with its calibrated score in every channel."""

    hits: Sequence[Hit]
    scores: Mapping[Channel, Scores]
    factors: dict[Channel, float]


def _found(plan: Plan) -> _Found:
    channels = _channels(plan)
    every = usable({channel: max(plan.question.weights.get(channel, 0.0), 0.1) for channel in channels}, channels)
    ways = [plan.question.weights, *({channel: 1.0} for channel in channels)]
    named = {*plan.question.also}
    for weights in ways:
        named |= {hit.point_id for hit in _searched(replace(plan.question, weights=weights), plan)[0]}
    whole = replace(plan.question, weights=every, also=tuple(named), depth=1)
    hits, raw = _searched(whole, plan)
    return _Found(hits, calibrate_all(raw, plan.question.spreads), _factors(plan, every))


def _channels(plan: Plan) -> list[Channel]:
    edit = plan.encoded.edit
    seen = plan.encoded.vectors if edit is None else {channel for route in edit.routes for channel in route.vectors}
    spoken = plan.query.kind is QueryKind.TEXT
    return [channel for channel in Channel if channel in seen or (spoken and channel is Channel.LEXICAL)]


def _searched(question: Question, plan: Plan) -> tuple[Sequence[Hit], Mapping[Channel, Scores]]:
    if plan.encoded.edit is None:
        found = retrieve(plan.index.store, question)
    else:
        found = pool(plan.index.store, question, plan.encoded, _fill(plan), as_weighed=True).candidates
    return found.hits, found.raw


def _factors(plan: Plan, every: Weights) -> dict[Channel, float]:
    """What ranking multiplies weights with, found by what it makes of some."""
    lexicon = plan.index.lexicon
    if plan.encoded.edit is None:
        if lexicon is None or plan.query.kind is not QueryKind.TEXT:
            return {}
        return {Channel.LEXICAL: 1 + GAIN * rare_share(plan.query.words, lexicon, plan.index.words)}
    given = plan.question.weights
    given = given if {Channel.IMAGE, Channel.TEXT} <= {*given} else every
    if not {Channel.IMAGE, Channel.TEXT} <= {*given}:
        return {}
    made = pool(plan.index.store, replace(plan.question, weights=given), plan.encoded, _fill(plan)).weights
    before, after = given[Channel.TEXT] / given[Channel.IMAGE], made.get(Channel.TEXT, 0.0) / made[Channel.IMAGE]
    return {Channel.TEXT: after / before}


def _fill(plan: Plan) -> dict[Channel, Vector]:
    return {channel: np.asarray(mean, np.float32) for channel, mean in plan.index.manifest.fill.items()}


def _chosen(found: _Found, plan: Plan) -> list[int]:
    """The nearest by the present weights and by each channel alone in turn, every other one by the present ones; in the
    order that ties are broken in."""
    present = np.sum([weight * found.scores[channel] for channel, weight in _present(found, plan).items()], axis=0)
    best_first = np.argsort(-present, kind="stable").tolist()
    lists = [order for scores in found.scores.values() for order in (best_first, np.argsort(-scores, kind="stable"))]
    named = {*plan.question.also}
    chosen = dict.fromkeys(at for at, hit in enumerate(found.hits) if hit.point_id in named)
    for rank in range(len(found.hits)):
        chosen |= dict.fromkeys(int(order[rank]) for order in lists)
        if len(chosen) >= CANDIDATES:
            break
    kept = list(chosen)[:CANDIDATES]
    return sorted(kept, key=lambda at: (found.hits[at].product_id, found.hits[at].image_id))


def _present(found: _Found, plan: Plan) -> Weights:
    weights = plan.question.weights
    if plan.encoded.edit is None or len(weights) == 1:
        return weights
    return usable({channel: weight * found.factors.get(channel, 1.0) for channel, weight in weights.items()}, weights)


def _contradicted(singles: Sequence[Fused], plan: Plan, products: Mapping[str, Product]) -> tuple[bool, ...] | None:
    changes = plan.encoded.changes
    if not changes:
        return None
    said = []
    for one in singles:
        product = products.get(one.hit.product_id)
        checks = {} if product is None else {change.field: check(change, product, one) for change in changes}
        said.append(product is not None and Checked(one, 1, product, checks).contradicted)
    return tuple(said)


def _ideal(gains: Iterable[int]) -> float:
    """DCG of the best order, to CUT."""
    best = sorted(gains, reverse=True)[:CUT]
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(best, start=1))
