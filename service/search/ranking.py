"""The order of a search's results at whatever depth: found, fused, lifted, diversified, checked, ruled, grouped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from indexer.domain import Product
from indexer.settings import SearchSettings
from service.search.boosts import lift
from service.search.diversity import diversify
from service.search.duplicates import collapse
from service.search.fusion import Fused, by_distributions, by_ranks, fuse
from service.search.grouping import Group, grouped, ungrouped
from service.search.paging import Layer, Order
from service.search.planning import Plan, Products
from service.search.pool import Pooled, pool
from service.search.retrieve import MAX_DEPTH, Question, retrieve
from service.search.rules import pinned
from service.search.sorting import SORTABLE, sort_groups
from service.search.trail import Trail
from service.search.verify import Checked, by_verdict, check
from service.search.watched import Watched

VERIFY_WINDOW = 50
"""Products whose wanted change is checked; a contradicted one goes to the end of the window, never out of it."""

RELEVANT = 0.5
"""Of the best score, from that of an average product on, or of the worst where none is better: what a sorted list
holds."""


class Ranking:
    """One search's. What it came to is that of the depth asked for last."""

    def __init__(self, plan: Plan, products: Products, settings: SearchSettings, trail: Trail) -> None:
        self._plan = plan
        self._products = products
        self._settings = settings
        self._trail = trail
        self.weights = plan.question.weights
        """As they were used; an edit's depend on how far texts agree with photos."""
        self.candidates = 0
        """Points that came into question."""
        self.fused: Sequence[Fused] = ()
        """Every product found, by the fused score alone."""
        self.lifted: Sequence[Fused] = ()
        """The same with their boosts."""
        self.groups: Sequence[Group] = ()
        self.checked: Mapping[str, Checked] = {}
        """Products of an edit that were checked."""
        self.moved: Mapping[str, str] = {}
        """Product → the rule that pinned or buried it."""

    @property
    def order(self) -> Order:
        """Whether a product's place is decided by its own score, or by what else was found too."""
        plan = self._plan
        fixed = (
            plan.fusion in ("rrf", "dbsf")
            or plan.diversity > 0
            or plan.encoded.edit is not None
            or plan.ruling.pins
            or plan.ruling.buried
            or plan.sort
        )
        return Order.FIXED if fixed else Order.SCORE

    def layer(self, depth: int) -> Layer:
        """All groups that a search of `depth` points finds; of a sorted search, all that will ever be shown."""
        exhausted = self._search(depth)
        if self._plan.sort is None:
            return Layer(self.groups, "none" if exhausted else "cursor")
        while len(self.groups) < SORTABLE and not exhausted and depth < MAX_DEPTH:
            depth = min(2 * depth, MAX_DEPTH)
            exhausted = self._search(depth)
        relevant = self._relevant()
        kept_back = (len(relevant) == len(self.groups) and not exhausted) or len(relevant) > SORTABLE
        self.groups = sort_groups(relevant[:SORTABLE], self._plan.sort)
        self._trail.left("sorted", [group.shown for group in self.groups])
        return Layer(self.groups, "limit" if kept_back else "none")

    def with_points(self, points: Sequence[UUID]) -> Sequence[Fused]:
        """What the deepest search comes to, boosts included, with these points as candidates too, whatever finds them;
        only those are missing that the filters, or an edit, leave out."""
        question = self._plan.question
        found = self._found(replace(question, depth=MAX_DEPTH, also=(*question.also, *points)))
        return lift(self._fused(found), self._plan.lifts)

    def _search(self, depth: int) -> bool:
        """Whether the stores have no more to give."""
        plan, trail = self._plan, self._trail
        store = plan.index.store
        with trail.stage("search"):
            found = self._found(replace(plan.question, depth=depth))
            self.candidates = len(found.candidates.hits)
            self.weights = found.weights
        with trail.stage("fuse"):
            self.fused = self._fused(found)
            trail.left("fused", self.fused)
            self.lifted = self._left("boosted", lift(self.fused, plan.lifts)) if plan.lifts else self.fused
        ranked = self.lifted
        if plan.diversity > 0:
            with trail.stage("diversify"):
                ranked = self._left("diversified", diversify(ranked, plan.diversity, store))
        ranked = self._verified(ranked)
        with trail.stage("group"):
            ranked = self._ruled(ranked)
            self.groups = collapse(grouped(ranked), store) if plan.query.group else ungrouped(ranked)
            trail.left("grouped", [group.shown for group in self.groups])
        return found.candidates.exhausted

    def _found(self, question: Question) -> Pooled:
        """An edit's by all its routes."""
        plan = self._plan
        store = Watched(plan.index.store, self._trail)
        if plan.encoded.edit is not None:
            fill = {channel: np.asarray(mean, np.float32) for channel, mean in plan.index.manifest.fill.items()}
            return pool(store, question, plan.encoded, fill, as_weighed=plan.query.weights is not None)
        return Pooled(retrieve(store, question), question.weights, {}, 1.0)

    def _fused(self, found: Pooled) -> list[Fused]:
        """By the method that is asked for, each with its payload."""
        spreads, fusion = self._plan.question.spreads, self._plan.fusion
        fused = fuse(found.candidates.hits, found.candidates.raw, found.weights, spreads)
        if fusion == "rrf":
            fused = by_ranks(fused, found.weights, self._settings.rrf_k)
        elif fusion == "dbsf":
            fused = by_distributions(fused, found.weights)
        return self._with_payload(fused, found)

    def _with_payload(self, fused: Sequence[Fused], found: Pooled) -> list[Fused]:
        payloads = Watched(self._plan.index.store, self._trail).read([one.hit.point_id for one in fused])
        return [
            one.described(
                payloads.get(one.hit.point_id, {}), found.routes_of(one.hit.product_id) if found.ranks else {}
            )
            for one in fused
        ]

    def _verified(self, ranked: Sequence[Fused]) -> Sequence[Fused]:
        """Those of an edit by whether they have what it wants; behind the window nothing is looked at."""
        changes = self._plan.encoded.changes
        if not changes:
            return ranked
        with self._trail.stage("verify"):
            window = ranked[:VERIFY_WINDOW]
            products = self._known([one.hit.product_id for one in window])
            checked = [
                Checked(
                    one, rank, products[name], {change.field: check(change, products[name], one) for change in changes}
                )
                for rank, one in enumerate(window, start=1)
                if (name := one.hit.product_id) in products
            ]
            self.checked = {one.product.id: one for one in checked}
            ordered = [one.fused for one in by_verdict(checked)]
            return self._left("verified", [*ordered, *ranked[VERIFY_WINDOW:]])

    def _ruled(self, ranked: Sequence[Fused]) -> Sequence[Fused]:
        ruling = self._plan.ruling
        if not ruling.pins and not ruling.buried:
            return ranked
        ordered, self.moved = pinned(ranked, ruling)
        return self._left("ruled", ordered)

    def _relevant(self) -> Sequence[Group]:
        """The groups that come at least half as near as the best: a cheap mug is no answer to "red boots"."""
        scores = [one.score for one in self.lifted]
        best = max(scores, default=0.0)
        nothing = 0.0 if self._plan.fusion == "calibrated" and best > 0 else min(scores, default=0.0)
        least = nothing + RELEVANT * (best - nothing)
        return [group for group in self.groups if group.shown.score >= least]

    def _left(self, stage: str, ranked: Sequence[Fused]) -> Sequence[Fused]:
        self._trail.left(stage, ranked)
        return ranked

    def _known(self, ids: Sequence[str]) -> Mapping[str, Product]:
        return self._products.get_many(self._plan.index.manifest, ids)
