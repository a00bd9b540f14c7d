"""Why a product is not in the answer, or where it is: the first stage that kept it back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID

from pydantic import Field

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Frozen, Not, PayloadValue, Product, Where, point_id
from service.rerank.verdicts import Mark
from service.search.conditions import holds
from service.search.fusion import Fused
from service.search.paging import Page
from service.search.planning import Plan, Products
from service.search.ranking import Ranking
from service.search.sorting import SORTABLE
from service.search.verification import Outcome
from service.search.where import EPOCH

Reason = Literal[
    "shown",
    "unknown",
    "not_indexed",
    "reference",
    "filtered",
    "not_retrieved",
    "outranked",
    "earlier",
    "grouped",
    "duplicate",
    "contradicted",
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
    """Over one answered search and the page that it answered with."""

    def __init__(self, plan: Plan, ranking: Ranking, page: Page, checked: Outcome, products: Products) -> None:
        """`checked` is what verification made of the page."""
        self._plan = plan
        self._checked = checked
        self._ranking = ranking
        self._page = page
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
        for place, group in enumerate(self._checked.page.groups, start=self._page.place + 1):
            if group.shown.hit.product_id == name:
                return _of(found, "shown", f"It is result {place}, on this page.", place)
        if self._checked.verification is not None and name in self._checked.verification.dropped:
            wrong = ", ".join(one.field for one in self._checked.verdicts[name].checks if one.mark is Mark.NO)
            return _of(found, "contradicted", f"It was verified, and is not what was asked for: {wrong}.")
        for group in self._page.listed:
            first = group.shown.hit.product_id
            if name in group.ids[1:]:
                detail = f"It is a variant of {first}, which answers better{self._lowered(found)}."
                return _of(found, "grouped", detail)
            if name in group.duplicates:
                return _of(found, "duplicate", f"It has the photo and the text of {first}, which is shown for both.")
        places = {group.shown.hit.product_id: at for at, group in enumerate(self._page.listed, start=1)}
        if name not in places:
            return _of(found, "outranked", f"Sorted are the {SORTABLE} best that are half as near as the first.")
        last = self._page.groups[-1].shown.hit.product_id if self._page.groups else None
        if last is not None and places[name] < places[last]:
            return _of(found, "earlier", "It comes before this page.")
        behind = places[name] - places[last] if last is not None else places[name]
        place = self._page.place + len(self._page.groups) + behind
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
        """Not among the candidates."""
        plan = self._plan
        stored = plan.index.store.read(self._points(product))
        if not stored:
            return WhyNot(id=product.id, reason="not_indexed", detail="The build that is searched does not hold it.")
        failed = _failed(plan.question.where, list(stored.values()), plan.index.manifest.fields)
        if failed is not None:
            return WhyNot(id=product.id, reason="filtered", detail=f"It does not satisfy {failed}.")
        places = {one.hit.product_id: place for place, one in enumerate(self._deepest, start=1)}
        if product.id not in places:
            return WhyNot(id=product.id, reason="reference", detail="Its photo is the one that the search starts from.")
        rank = places[product.id]
        searched = f"It is not among the {len(self._ranking.lifted)} products that were nearest in any way looked for"
        among = f"among the {len(places)} of the deepest search it would be at {rank}."
        return _of(self._deepest[rank - 1], "not_retrieved", f"{searched}; {among}", rank)

    @cached_property
    def _deepest(self) -> Sequence[Fused]:
        """With all products that are asked about."""
        asked = self._products.get_many(self._plan.index.manifest, list(dict.fromkeys(self._plan.query.why_not)))
        return self._ranking.with_points([point for product in asked.values() for point in self._points(product)])

    def _points(self, product: Product) -> list[UUID]:
        image_ids = (*(image.image_id for image in product.images), "")
        return [point_id(self._plan.index.manifest.catalog, product.id, image_id) for image_id in image_ids]


def _of(found: Fused, reason: Reason, detail: str, rank: int | None = None) -> WhyNot:
    return WhyNot(id=found.hit.product_id, reason=reason, detail=detail, rank=rank, score=round(found.score, 6))


def _failed(
    where: Where | None, payloads: Sequence[Mapping[str, PayloadValue]], fields: Mapping[str, FieldType]
) -> str | None:
    """The first of the conditions that no photo of the product satisfies; all of them, where only different ones do."""
    if where is None or any(holds(where, payload) for payload in payloads):
        return None
    alone = (term for term in _terms(where) if not any(holds(term, payload) for payload in payloads))
    failed = next(alone, None)
    return f"{spelt(where, fields)} with one photo" if failed is None else spelt(failed, fields)


def _terms(where: Where) -> Iterator[Where]:
    """What must hold, each by itself."""
    if isinstance(where, AllOf):
        for term in where.terms:
            yield from _terms(term)
    else:
        yield where


def spelt(where: Where, fields: Mapping[str, FieldType]) -> str:
    """A condition for people, much as a filter is written."""
    match where:
        case Condition(field, op, value):
            return f"{field}{op}{_written(value, fields.get(field))}"
        case Not(term):
            return f"not ({spelt(term, fields)})"
        case AllOf(terms):
            return " and ".join(f"({spelt(term, fields)})" for term in terms)
        case AnyOf(terms):
            return " or ".join(f"({spelt(term, fields)})" for term in terms)


def _written(value: str | float | bool, kind: FieldType | None) -> str:
    if kind is FieldType.DATE:
        return (EPOCH + timedelta(days=float(value))).isoformat()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value).casefold()
