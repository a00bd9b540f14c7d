"""What a search makes of stored scores under any weights: `bench-ranking.js` does the same, to the last product."""

from collections.abc import Mapping, Sequence

from indexer.domain import Channel, Frozen, QueryKind
from service.search.ranking import VERIFY_WINDOW
from service.search.weights import Weights, usable


class Candidates(Frozen):
    """Products by id, and their photos, which are what has scores: by product, then image id, as ties are broken."""

    products: tuple[str, ...]
    gains: tuple[int, ...]
    """Of each product, as nDCG has them; 0 for one that nobody judged."""
    relevant: tuple[bool, ...]
    left_out: tuple[int, ...] = ()
    """Products that do not count, whatever their place."""
    points: tuple[int, ...]
    """The product of each photo."""
    scores: dict[Channel, tuple[float, ...]]
    """Calibrated, of each photo."""
    boosts: tuple[float, ...]
    """What is added to a product that stands by this photo."""
    contradicted: tuple[bool, ...] | None = None
    """Whether the product is known not to have the change that is wanted; None where nothing is checked."""
    pins: tuple[tuple[int, int], ...] = ()
    """Products whose article numbers were typed, and the places they get."""


class Kept(Frozen):
    """A query of a suite: as what kind it is `weighed` may differ from what it was asked as."""

    id: str
    kind: QueryKind
    weighed: QueryKind
    factors: dict[Channel, float]
    """What the query multiplies weights with: words that name a product, texts that do not agree with photos."""
    ideal: float
    """DCG of the best possible order."""
    candidates: Candidates


def shares(query: Kept, weights: Weights) -> Weights:
    """Channel → what it counts, summing to 1. Raises BadWeights where none of the query's channels has a weight."""
    kept = usable(weights, {*query.candidates.scores})
    if len(kept) == 1:
        return kept
    return usable({channel: weight * query.factors.get(channel, 1.0) for channel, weight in kept.items()}, kept)


def ranked(query: Kept, weights: Weights) -> list[int]:
    """Places of the products in `candidates.products`, best first."""
    found = query.candidates
    counts = shares(query, weights)
    totals = [0.0] * len(found.points)
    for channel, share in counts.items():
        totals = [total + share * score for total, score in zip(totals, found.scores[channel], strict=True)]
    best: dict[int, int] = {}
    for point, product in enumerate(found.points):
        if product not in best or totals[point] > totals[best[product]]:
            best[product] = point
    scores = {product: totals[point] + found.boosts[point] for product, point in best.items()}
    order = sorted(scores, key=lambda product: (-scores[product], product))
    if found.contradicted is not None:
        behind = found.contradicted
        window = sorted(order[:VERIFY_WINDOW], key=lambda one: behind[best[one]] or scores[one] <= 0)
        order = [*window, *order[VERIFY_WINDOW:]]
    return _pinned(order, found.pins)


def ranking_run(queries: Sequence[Kept], weights: Mapping[QueryKind, Weights]) -> dict[str, dict[str, float]]:
    """As measures take it: query → product → score, which says the place alone."""
    run = {}
    for query in queries:
        order = ranked(query, weights[query.weighed])
        run[query.id] = {query.candidates.products[one]: float(-place) for place, one in enumerate(order)}
    return run


def _pinned(order: list[int], pins: Sequence[tuple[int, int]]) -> list[int]:
    named = {product for product, _ in pins}
    left = [one for one in order if one not in named]
    for product, place in sorted(pins, key=lambda pin: pin[1]):
        left.insert(place - 1, product)
    return left
