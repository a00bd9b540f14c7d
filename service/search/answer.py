"""The one answer document, for `--json` and the API alike. Later versions only add keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from indexer.domain import BuildManifest, Channel, Frozen, Hit, Product, QueryKind
from indexer.settings import Fusion
from service.search.edits import Change
from service.search.fusion import Fused
from service.search.query import Query
from service.search.retrieve import Question
from service.search.verify import Checked


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
    """The conditions of `search.boosts` it satisfies, with what each added to the score."""


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


class Answer(Frozen):
    kind: QueryKind
    catalog: str
    build: str
    weights: dict[Channel, float]
    results: list[Result]
    timings_ms: dict[str, float]
    degraded: list[str]
    explain: Explanation | None = None


@dataclass(frozen=True)
class Found:
    """What a search came to: the first `checked` products, out of so many candidate points, `fused` by score."""

    question: Question
    fusion: Fusion
    changes: Sequence[Change]
    candidates: int
    fused: Sequence[Fused]
    checked: Sequence[Checked]


def compose(query: Query, manifest: BuildManifest, found: Found, timings_ms: Mapping[str, float]) -> Answer:
    return Answer(
        kind=query.kind,
        catalog=manifest.catalog,
        build=manifest.build,
        weights=dict(found.question.weights),
        results=[_result(one, rank) for rank, one in enumerate(found.checked, start=1)],
        timings_ms={stage: round(spent, 3) for stage, spent in timings_ms.items()},
        degraded=[],
        explain=_explanation(found) if query.explain else None,
    )


def _result(one: Checked, rank: int) -> Result:
    product, fused = one.product, one.fused
    return Result(
        id=product.id,
        title=product.title,
        rank=rank,
        score=round(fused.score, 6),
        image=_matched(fused.hit, product),
        channels={channel: _channel(one, channel) for channel in fused.raw},
        parent=product.parent,
        brand=product.brand,
        price=None if product.price is None else float(product.price),
        currency=product.currency,
        availability=product.availability.value,
        url=product.url,
        checks=dict(one.checks),
        boosts=dict(fused.boosts),
    )


def _matched(hit: Hit, product: Product) -> MatchedImage | None:
    uri = next((image.uri for image in product.images if image.image_id == hit.image_id), None)
    return None if uri is None else MatchedImage(id=hit.image_id, uri=uri)


def _channel(one: Checked, channel: Channel) -> ChannelScore:
    """A product without photos was ranked by the mean photo, which is not a score of its own."""
    if channel is Channel.IMAGE and not one.fused.hit.image_id:
        return ChannelScore(raw=None, calibrated=None, rank=None)
    return ChannelScore(
        raw=round(one.fused.raw[channel], 6),
        calibrated=round(one.fused.calibrated[channel], 6),
        rank=one.fused.ranks[channel],
    )


def _explanation(found: Found) -> Explanation:
    spreads = found.question.spreads
    by_score = {one.hit.product_id: rank for rank, one in enumerate(found.fused, start=1)}
    return Explanation(
        spreads={channel: (spread.mean, spread.deviation) for channel, spread in spreads.items()},
        depth=found.question.depth,
        candidates=found.candidates,
        products=len(found.fused),
        changes=[AppliedChange(field=one.field, source=one.source, target=one.target) for one in found.changes],
        fused_ranks={one.product.id: one.fused_rank for one in found.checked},
        fusion=found.fusion,
        score_ranks={one.product.id: by_score[one.product.id] for one in found.checked},
    )
