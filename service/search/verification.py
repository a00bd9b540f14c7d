"""The first results of a page, verified: one by one, and put into the order that their verdicts give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.domain import Channel, Frozen, Product
from service.rerank.seam import Candidate, Case
from service.rerank.verdicts import Verdict
from service.rerank.verifier import Verified, Verifier
from service.search.checklist import checklist_of
from service.search.grouping import Group
from service.search.paging import Page
from service.search.planning import Plan
from service.search.ranking import Ranking
from service.search.trail import Trail

RERANKED = "reranked"
"""The stage's name where ranks are told."""


class Verification(Frozen):
    """How the first results were verified, and what it took."""

    by: tuple[str, ...]
    """Who judged: `zero_shot`, the model's name."""
    first_stage: tuple[str, ...]
    """Ids of the verified results in the order that they had."""
    unjudged: int = 0
    """Results that the model was to judge and did not, in time or at all."""
    dropped: tuple[str, ...] = ()
    """Ids that a strict search leaves out."""
    calls: int = 0
    cached: int = 0
    """Verdicts that were remembered."""
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    late: int = 0
    """Requests that were not answered in time."""


@dataclass(frozen=True)
class Outcome:
    """The page in its new order, the verdicts by product, and what was not done, and why."""

    page: Page
    verification: Verification | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


def verified(
    page: Page, plan: Plan, ranking: Ranking, products: Mapping[str, Product], verifier: Verifier | None, trail: Trail
) -> Outcome:
    """Only a first page is verified, in a search that asks for it, or whose kind the settings name; of a strict search
    every page is, and the local witness looks at all of it.

    Products that a merchandiser's rule moved keep their places, all do in a search that is sorted.
    """
    query = plan.query
    if query.cursor is not None and not query.strict:
        return Outcome(page)
    if verifier is None:
        asked = query.verify or query.strict
        return Outcome(page, skipped=("verification: rerank.backend is none",) if asked else ())
    if not verifier.wanted(query.kind, query.verify, query.strict):
        return Outcome(page)
    with trail.stage("rerank"):
        known = [group for group in page.groups if group.shown.hit.product_id in products]
        window, rest = known[: verifier.top_n], known[verifier.top_n :]
        case = _case(plan)
        fixed = [plan.sort is not None or group.shown.hit.product_id in ranking.moved for group in window]
        whole = verifier.whole(query.verify, query.strict)
        left = query.deadline.left()
        said = verifier.verify(
            case, _candidates(window, plan, products), fixed, whole=whole, told=query.told, seconds=left
        )
        shown = [window[place] for place in said.order]
        dropped: tuple[str, ...] = ()
        if query.strict:
            behind = verifier.verify(case, _candidates(rest, plan, products), [True] * len(rest), whole=False)
            dropped = (*_contradicted(window, said), *_contradicted(rest, behind))
        kept = [group for group in (*shown, *rest) if group.shown.hit.product_id not in dropped]
        trail.left(RERANKED, [group.shown for group in kept])
    ids = [group.shown.hit.product_id for group in window]
    verdicts = dict(zip(ids, said.verdicts, strict=True))
    return Outcome(replace(page, groups=tuple(kept)), _told(ids, said, dropped), verdicts, said.skipped)


def _case(plan: Plan) -> Case:
    query = plan.query
    return Case(
        kind=query.kind,
        words=query.wanted,
        checklist=checklist_of(plan),
        manifest=plan.index.manifest,
        encoder=plan.encoder,
        view=query.view,
        reference=plan.reference,
        caller=query.caller,
    )


def _candidates(window: Sequence[Group], plan: Plan, products: Mapping[str, Product]) -> list[Candidate]:
    stored = plan.index.store.fetch([group.shown.hit.point_id for group in window])
    return [
        Candidate(
            product=products[hit.product_id],
            image_id=hit.image_id,
            vector=stored.get(hit.point_id, {}).get(Channel.IMAGE),
            payload=group.shown.payload,
        )
        for group in window
        for hit in (group.shown.hit,)
    ]


def _contradicted(window: Sequence[Group], said: Verified) -> tuple[str, ...]:
    pairs = zip(window, said.verdicts, strict=True)
    return tuple(group.shown.hit.product_id for group, one in pairs if one.contradicted)


def _told(ids: Sequence[str], said: Verified, dropped: tuple[str, ...]) -> Verification:
    return Verification(
        by=said.by,
        first_stage=tuple(ids),
        unjudged=said.unjudged,
        dropped=dropped,
        calls=said.usage.calls,
        cached=said.usage.cached,
        tokens_in=said.usage.tokens_in,
        tokens_out=said.usage.tokens_out,
        dollars=round(said.usage.dollars, 6),
        late=said.usage.late,
    )
