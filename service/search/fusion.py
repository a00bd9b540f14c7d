"""From raw scores per channel to one order: calibrate, weigh, sum, group.

The vectors' part of the sum is the dot product the store already ranked by (concatenated halves, DESIGN: one vector,
exact fusion); here it is taken apart again so that every channel can be shown and the lexical channel can join.

Four methods score the same candidates. `calibrated` sums weighted standard scores, `raw` weighted cosines; both are
`fuse`. `rrf` and `dbsf` score the products that `fuse` grouped anew, each product by the photo the sum chose.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel, Hit, PayloadValue, Spread, Vector
from indexer.errors import StoreMismatch
from service.search.weights import Weights

Scores = npt.NDArray[np.float64]
"""Shape (n,), one per candidate."""

RAW = Spread(mean=0.0, deviation=1.0)
DECIMALS = 12
"""Scores of `rrf` and `dbsf` are rounded to: the last bits depend on the order of summing, ties must not."""


NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Fused(NamedTuple):
    """One product: its best photo, its final score, and each channel's raw and calibrated score and rank.

    `boosts` are the conditions it satisfies with what each added to the score; `payload` are the filterable fields of
    the photo's point; `routes` are the routes of an edit that found it, with its rank in each. A search makes hundreds,
    and tuples are made in a fifth of the time of frozen dataclasses.
    """

    hit: Hit
    score: float
    raw: Mapping[Channel, float]
    calibrated: Mapping[Channel, float]
    ranks: Mapping[Channel, int]
    boosts: tuple[tuple[str, float], ...] = ()
    payload: Mapping[str, PayloadValue] = NOTHING
    routes: Mapping[str, int] = NOTHING

    def lifted(self, score: float, boosts: tuple[tuple[str, float], ...]) -> "Fused":
        """With another score and these boosts. What `_replace` does, at a third of its price."""
        return Fused(self.hit, score, self.raw, self.calibrated, self.ranks, boosts, self.payload, self.routes)

    def described(self, payload: Mapping[str, PayloadValue], routes: Mapping[str, int]) -> "Fused":
        """With the fields and the routes of its photo."""
        return Fused(self.hit, self.score, self.raw, self.calibrated, self.ranks, self.boosts, payload, routes)


def weighted_vectors(
    vectors: Mapping[Channel, Vector], weights: Weights, spreads: Mapping[Channel, Spread]
) -> dict[Channel, Vector]:
    """Query halves whose dot product with a point is the calibrated weighted sum, but for a constant."""
    return {
        channel: vector * np.float32(weights[channel] / spreads.get(channel, RAW).deviation)
        for channel, vector in vectors.items()
        if channel in weights
    }


def calibrate(raw: Scores, spread: Spread) -> Scores:
    """Standard score (raw − mean) / deviation of a cosine among those of its channel and kind of query."""
    return (raw - spread.mean) / spread.deviation


def calibrate_all(raw: Mapping[Channel, Scores], spreads: Mapping[Channel, Spread]) -> dict[Channel, Scores]:
    """Of all candidates in every channel; lexical scores are divided by their maximum over the candidates before."""
    relative = {channel: _relative(channel, scores) for channel, scores in raw.items()}
    return {channel: calibrate(scores, spreads.get(channel, RAW)) for channel, scores in relative.items()}


def fuse(
    hits: Sequence[Hit], raw: Mapping[Channel, Scores], weights: Weights, spreads: Mapping[Channel, Spread]
) -> list[Fused]:
    """Products by score descending, then product id; a product stands where its best photo stands.

    Raises StoreMismatch for a score that is no number, which no order could hold.
    """
    calibrated = calibrate_all(raw, spreads)
    summed = sum((weights[channel] * scores for channel, scores in calibrated.items()), np.zeros(len(hits)))
    if not np.isfinite(summed).all():
        raise _not_a_number(hits, raw)
    total = summed.tolist()
    order = sorted(range(len(hits)), key=lambda at: (-total[at], hits[at].product_id, hits[at].image_id))
    best = {hits[at].product_id: at for at in reversed(order)}
    chosen = [at for at in order if best[hits[at].product_id] == at]
    scored, standard = ({name: scores[chosen] for name, scores in each.items()} for each in (raw, calibrated))
    ranks = {channel: _ranks(scores) for channel, scores in scored.items()}
    rows = zip(chosen, _rows(scored), _rows(standard), _rows(ranks), strict=True)
    return [Fused(hits[at], total[at], of_product, relative, places) for at, of_product, relative, places in rows]


def by_ranks(fused: Sequence[Fused], weights: Weights, k: int) -> list[Fused]:
    """Reciprocal rank fusion, Σ weight / (k + rank), the ranks those among all products (Cormack, Clarke and Büttcher
    2009, who have k = 60 and no weights).

    Equal scores share the better rank. A product without any of the words is not in that ranking and gets nothing
    from it; one without a photo or a text is ranked by the mean one, as everywhere.
    """
    return in_order(
        one._replace(score=round(sum(w / (k + one.ranks[c]) for c, w in weights.items() if _found(one, c)), DECIMALS))
        for one in fused
    )


def by_distributions(fused: Sequence[Fused], weights: Weights) -> list[Fused]:
    """Distribution-based score fusion: each channel's raw scores from mean − 3σ … mean + 3σ over all products to 0 … 1,
    clipped, then weighed and summed (Mazzeschi 2023, "Distribution-Based Score Fusion (DBSF)").

    A channel in which all products score alike says nothing and counts one half of its weight for each.
    """
    total = np.zeros(len(fused))
    for channel, weight in weights.items():
        total += weight * _within_three_deviations(np.array([one.raw[channel] for one in fused]))
    scores = total.round(DECIMALS).tolist()
    return in_order(one._replace(score=score) for one, score in zip(fused, scores, strict=True))


def in_order(fused: Iterable[Fused]) -> list[Fused]:
    """By score descending, then product id."""
    return sorted(fused, key=lambda one: (-one.score, one.hit.product_id))


def _found(one: Fused, channel: Channel) -> bool:
    return channel is not Channel.LEXICAL or one.raw[channel] > 0


def _within_three_deviations(scores: Scores) -> Scores:
    """In [0, 1] (n,)."""
    deviation = scores.std() if len(scores) else 0.0
    if deviation < 1e-9:
        return np.full(len(scores), 0.5)
    shares: Scores = np.clip((scores - scores.mean()) / (6 * deviation) + 0.5, 0.0, 1.0)
    return shares


def _not_a_number(hits: Sequence[Hit], raw: Mapping[Channel, Scores]) -> StoreMismatch:
    channel, at = next((name, int(np.argmin(np.isfinite(s)))) for name, s in raw.items() if not np.isfinite(s).all())
    return StoreMismatch(
        f"The {channel} score of product {hits[at].product_id} is {raw[channel][at]}: its stored vector is damaged; "
        "build the catalogue again."
    )


def _relative(channel: Channel, scores: Scores) -> Scores:
    top = scores.max(initial=0.0)
    return scores / top if channel is Channel.LEXICAL and top > 0 else scores


def _rows(columns: Mapping[Channel, npt.NDArray[Any]]) -> list[dict[Channel, Any]]:
    """Each product's values by channel."""
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def _ranks(scores: Scores) -> npt.NDArray[np.int64]:
    """Rank of each score, 1 the highest; equal scores share the better rank (n,)."""
    ascending = np.sort(scores)
    return len(scores) - np.searchsorted(ascending, scores, side="right") + 1
