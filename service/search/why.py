"""Why a product is not in the answer, or where it is: the first stage that kept it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from indexer.domain import AllOf, AnyOf, Condition, Frozen, Not, PayloadValue, Product, Where, point_id
from service.search.boosts import lift
from service.search.conditions import holds
from service.search.fusion import Fused, fuse
from service.search.grouping import Group
from service.search.planning import Plan, Products
from service.search.ranking import Ranking
from service.search.retrieve import retrieve

Reason = Literal[
    "shown", "unknown", "not_indexed", "reference", "filtered", "not_retrieved", "outranked", "grouped", "duplicate"
]


class WhyNot(Frozen):
    """`rank` is where it stands, or would stand, among the products found; `stages` its rank after each stage."""

    id: str
    reason: Reason
    detail: str
    rank: int | None = None
    score: float | None = None
    stages: dict[str, int] = Field(default_factory=dict)


class Inquest:
    """Over one answered search: `shown` are the groups of the page."""

    def __init__(self, plan: Plan, ranking: Ranking, shown: Sequence[Group], products: Products) -> None:
        self._plan = plan
        self._ranking = ranking
        self._shown = shown
        self._products = products

    def of(self, product_id: str, stages: Mapping[str, int]) -> WhyNot:
        """`stages`: the rank it had after each stage, if any."""
        manifest = self._plan.index.manifest
        product = self._products.get_many(manifest, [product_id]).get(product_id)
        if product is None:
            return WhyNot(id=product_id, reason="unknown", detail=f"Catalog {manifest.catalog} has no such product.")
        if product_id == self._plan.question.exclude:
            return WhyNot(id=product_id, reason="reference", detail="It is the product that the search starts from.")
        found = next((one for one in self._ranking.lifted if one.hit.product_id == product_id), None)
        said = self._kept_out(product) if found is None else self._placed(found)
        return said.model_copy(update={"stages": dict(stages)})

    def _placed(self, found: Fused) -> WhyNot:
        """One of the candidates."""
        name = found.hit.product_id
        for place, group in enumerate(self._shown, start=1):
            if group.shown.hit.product_id == name:
                return _of(found, "shown", f"It is result {place} of this page.", place)
        for group in self._ranking.groups:
            first = group.shown.hit.product_id
            if name in group.ids[1:]:
                return _of(found, "grouped", f"It is a variant of {first}, which answers better.")
            if name in group.duplicates:
                return _of(found, "duplicate", f"It has the photo and the text of {first}, which is shown for both.")
        places = [group.shown.hit.product_id for group in self._ranking.groups]
        if name not in places:
            return _of(found, "outranked", "It is less than half as near as the best, and so in no sorted list.")
        place = places.index(name) + 1
        return _of(found, "outranked", f"It stands at {place}{self._lowered(found)}.", place)

    def _lowered(self, found: Fused) -> str:
        name = found.hit.product_id
        reasons = [f"{boost} {amount:+.2f}" for boost, amount in found.boosts if amount < 0]
        checked = self._ranking.checked.get(name)
        if checked is not None and checked.contradicted:
            wrong = (field for field, verdict in checked.checks.items() if verdict is False)
            reasons += [f"{field} is not what is wanted" for field in wrong]
        if name in self._ranking.moved:
            reasons.append(f"moved by rule {self._ranking.moved[name]}")
        return f", demoted: {', '.join(reasons)}" if reasons else ""

    def _kept_out(self, product: Product) -> WhyNot:
        """Not among the candidates: its score is worked out as theirs are."""
        plan = self._plan
        images = (*(image.image_id for image in product.images), "")
        points = tuple(point_id(plan.index.manifest.catalog, product.id, image_id) for image_id in images)
        stored = plan.index.store.read(points)
        if not stored:
            return WhyNot(id=product.id, reason="not_indexed", detail="The build that is searched does not hold it.")
        failed = _failed(plan.question.where, list(stored.values()))
        if failed is not None:
            return WhyNot(id=product.id, reason="filtered", detail=f"It does not satisfy {failed}.")
        alone = retrieve(plan.index.store, replace(plan.question, depth=1, also=points))
        scored = fuse(alone.hits, alone.raw, plan.question.weights, plan.question.spreads)
        own = next(one for one in scored if one.hit.product_id == product.id)
        own = lift([replace(own, payload=stored[own.hit.point_id])], plan.lifts)[0]
        ahead = sum(one.score > own.score for one in self._ranking.lifted)
        return WhyNot(
            id=product.id,
            reason="not_retrieved",
            detail=f"It is not among the {len(self._ranking.lifted)} products that were nearest; it would be behind "
            f"{ahead} of them.",
            rank=ahead + 1,
            score=round(own.score, 6),
        )


def _of(found: Fused, reason: Reason, detail: str, rank: int | None = None) -> WhyNot:
    return WhyNot(id=found.hit.product_id, reason=reason, detail=detail, rank=rank, score=round(found.score, 6))


def _failed(where: Where | None, payloads: Sequence[Mapping[str, PayloadValue]]) -> str | None:
    """The first of the conditions that no photo of the product satisfies."""
    terms = where.terms if isinstance(where, AllOf) else () if where is None else (where,)
    return next((spelt(term) for term in terms if not any(holds(term, payload) for payload in payloads)), None)


def spelt(where: Where) -> str:
    """A condition for people, much as a filter is written."""
    match where:
        case Condition(field, op, value):
            return f"{field}{op}{str(value).casefold() if isinstance(value, bool) else value}"
        case Not(term):
            return f"not ({spelt(term)})"
        case AllOf(terms):
            return " and ".join(f"({spelt(term)})" for term in terms)
        case AnyOf(terms):
            return " or ".join(f"({spelt(term)})" for term in terms)
