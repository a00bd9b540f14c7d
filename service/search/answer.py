"""The one answer document, for `--json` and the API alike. Later versions only add keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from indexer.catalog.records import Variant
from indexer.domain import Channel, Frozen, Hit, PayloadValue, Product, QueryKind
from indexer.settings import Fusion
from service.rerank.verdicts import Verdict
from service.search.drawing import Picture
from service.search.emptiness import Emptiness
from service.search.facets import Facet
from service.search.fusion import Fused
from service.search.grouping import Group, VariantSummary, summarise
from service.search.highlights import Highlight, highlights
from service.search.paging import Beyond, Page
from service.search.planning import Plan
from service.search.ranking import Ranking
from service.search.trail import Trail
from service.search.understanding import Chip
from service.search.verification import Outcome, Verification
from service.search.why import WhyNot


class ChannelScore(Frozen):
    """`raw` is the cosine (BM25 for lexical), null where the product lacks the channel; `rank` among candidates."""

    raw: float | None
    calibrated: float | None
    rank: int | None


class MatchedImage(Frozen):
    """The photo of the product that matched; `uri` as the catalogue has it."""

    id: str
    uri: str


class Result(Frozen):
    id: str
    title: str
    rank: int
    score: float
    image: MatchedImage | None
    channels: dict[Channel, ChannelScore]
    parent: str | None = None
    brand: str | None = None
    price: float | None = None
    currency: str | None = None
    availability: str = "unknown"
    url: str | None = None
    checks: dict[str, bool | None] = Field(default_factory=dict)
    """What was verified of the wanted change: true, false, or null where it cannot be told."""
    boosts: dict[str, float] = Field(default_factory=dict)
    """What was added to the score, by condition of `search.boosts`, chip, or rule."""
    guessed: dict[str, str] = Field(default_factory=dict)
    """Attributes that the shop does not give and the photos were taken for: field → value."""
    variants: VariantSummary | None = None
    """The other variants of the same product."""
    duplicates: tuple[str, ...] = ()
    """Products of other parents that look and read the same, shown as this one."""
    highlights: tuple[Highlight, ...] = ()
    """Which of the words looked for it has, and where."""
    routes: dict[str, int] = Field(default_factory=dict)
    """The routes of an edit that found it, with its rank in each."""
    verdict: Verdict | None = None
    """What was verified of it, in a search that was to be; null for what nobody looked at."""
    rule: str | None = None
    """The rule that pinned or buried it; `code` for a product whose article number was typed."""


class AppliedChange(Frozen):
    field: str
    source: str | None
    target: str


class Explanation(Frozen):
    """How the order came about; ranks are by product id.

    `score_ranks` are those of the scores, boosts included, `fused_ranks` those after diversity and before verification.
    """

    spreads: dict[Channel, tuple[float, float]]
    """Mean and standard deviation each channel's scores were calibrated with."""
    depth: int
    candidates: int
    products: int
    changes: list[AppliedChange]
    fused_ranks: dict[str, int]
    fusion: Fusion
    score_ranks: dict[str, int]
    stages: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Product shown → its rank after each stage that may change the order."""
    rules: tuple[str, ...] = ()
    """The rules that the query met."""


class Answer(Frozen):
    kind: QueryKind
    catalog: str
    build: str
    weights: dict[Channel, float]
    results: list[Result]
    timings_ms: dict[str, float]
    degraded: list[str]
    parts_ms: dict[str, float] = Field(default_factory=dict, exclude=True)
    """Time within stages, of store calls and the like; for who watches the service, not sent."""
    explain: Explanation | None = None
    words: str = ""
    """What was looked for in words, once the question was understood."""
    chips: tuple[Chip, ...] = ()
    """What the question was understood as; a request that names a chip in `ignore` is answered without it."""
    nothing_close: Emptiness | None = None
    """Given when the catalogue seems to hold nothing of the kind; the results are the nearest there are."""
    facets: tuple[Facet, ...] = ()
    """Counted over the candidates, not over the catalogue."""
    next: str | None = None
    """The cursor of the next page."""
    more: Beyond = "none"
    """What there is behind this page: nothing, a page, or more than is given."""
    why_not: tuple[WhyNot, ...] = ()
    verification: Verification | None = None
    """Given when the first results were verified."""
    generated: tuple[Picture, ...] = ()
    """Pictures of what is wanted, the best first; the first was searched by too if it fits."""


BY_SCORE = ("boosted", "fused")
BEFORE_CHECKS = ("diversified", *BY_SCORE)
"""Stages whose ranks are told: the first of each that took place."""


@dataclass(frozen=True)
class Found:
    """What a search came to. `products` has those of the page, `variants` what their parents have."""

    plan: Plan
    ranking: Ranking
    page: Page
    products: Mapping[str, Product]
    variants: Mapping[str, Sequence[Variant]]
    facets: Sequence[Facet]
    nothing_close: Emptiness | None
    why_not: Sequence[WhyNot]
    next: str | None
    outcome: Outcome


def compose(found: Found, trail: Trail) -> Answer:
    plan = found.plan
    manifest = plan.index.manifest
    return Answer(
        kind=plan.query.kind,
        catalog=manifest.catalog,
        build=manifest.build,
        weights=dict(found.ranking.weights),
        results=[_result(group, place, found) for place, group in enumerate(_known(found), start=found.page.place + 1)],
        timings_ms={stage: round(spent, 3) for stage, spent in trail.timings_ms.items()},
        parts_ms={part: round(spent, 3) for part, spent in trail.parts_ms.items()},
        degraded=[*plan.degraded, *found.outcome.skipped],
        explain=_explanation(found, trail) if plan.query.explain else None,
        words=plan.query.wanted,
        chips=plan.understood.chips,
        nothing_close=found.nothing_close,
        facets=tuple(found.facets),
        next=found.next,
        more=found.page.more,
        why_not=tuple(found.why_not),
        generated=_generated(plan),
        verification=found.outcome.verification,
    )


def _generated(plan: Plan) -> tuple[Picture, ...]:
    drawing = plan.encoded.drawing
    return () if drawing is None else tuple(Picture.of(one) for one in drawing.pictures)


def _known(found: Found) -> list[Group]:
    """The ledger may have lost a product that the store still has."""
    return [group for group in found.page.groups if group.shown.hit.product_id in found.products]


def _result(group: Group, rank: int, found: Found) -> Result:
    fused = group.shown
    product = found.products[fused.hit.product_id]
    checked = found.ranking.checked.get(product.id)
    lexicon = found.plan.index.lexicon
    return Result(
        id=product.id,
        title=product.title,
        rank=rank,
        score=round(fused.score, 6),
        image=_matched(fused.hit, product),
        channels={channel: _channel(fused, channel) for channel in fused.raw},
        parent=product.parent,
        brand=product.brand,
        price=None if product.price is None else float(product.price),
        currency=product.currency,
        availability=product.availability.value,
        url=product.url,
        checks={} if checked is None else dict(checked.checks),
        boosts=_by_name(fused.boosts),
        guessed=_guessed(fused.payload),
        variants=summarise(product, found.variants.get(product.parent or product.id, ())),
        duplicates=group.duplicates,
        highlights=() if lexicon is None else tuple(highlights(product, found.plan.query.wanted, lexicon)),
        routes=dict(fused.routes),
        verdict=found.outcome.verdicts.get(product.id),
        rule=found.ranking.moved.get(product.id),
    )


def _by_name(boosts: Sequence[tuple[str, float]]) -> dict[str, float]:
    """A chip may lift by several conditions."""
    summed: dict[str, float] = {}
    for name, amount in boosts:
        summed[name] = summed.get(name, 0.0) + amount
    return summed


def _guessed(payload: Mapping[str, PayloadValue]) -> dict[str, str]:
    named = payload.get("guessed", [])
    return {name: ", ".join(_listed(payload[name])) for name in _listed(named) if name in payload}


def _listed(value: PayloadValue) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def _matched(hit: Hit, product: Product) -> MatchedImage | None:
    uri = next((image.uri for image in product.images if image.image_id == hit.image_id), None)
    return None if uri is None else MatchedImage(id=hit.image_id, uri=uri)


def _channel(fused: Fused, channel: Channel) -> ChannelScore:
    """A product without photos was ranked by the mean photo, which is not a score of its own."""
    if channel is Channel.IMAGE and not fused.hit.image_id:
        return ChannelScore(raw=None, calibrated=None, rank=None)
    return ChannelScore(
        raw=round(fused.raw[channel], 6),
        calibrated=round(fused.calibrated[channel], 6),
        rank=fused.ranks[channel],
    )


def _explanation(found: Found, trail: Trail) -> Explanation:
    plan, ranking = found.plan, found.ranking
    shown = [group.shown.hit.product_id for group in _known(found)]
    stages = {name: trail.ranks(name) for name in shown}
    return Explanation(
        spreads={channel: (spread.mean, spread.deviation) for channel, spread in plan.question.spreads.items()},
        depth=found.page.depth,
        candidates=ranking.candidates,
        products=len(ranking.fused),
        changes=[AppliedChange(field=one.field, source=one.source, target=one.target) for one in plan.encoded.changes],
        fused_ranks={name: _rank(ranks, BEFORE_CHECKS) for name, ranks in stages.items()},
        fusion=plan.fusion,
        score_ranks={name: _rank(ranks, BY_SCORE) for name, ranks in stages.items()},
        stages=stages,
        rules=plan.ruling.rules,
    )


def _rank(ranks: Mapping[str, int], stages: Sequence[str]) -> int:
    return next(ranks[stage] for stage in stages if stage in ranks)
