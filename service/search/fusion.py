"""From raw scores per channel to one order: calibrate, weigh, sum, group.

The vectors' part of the sum is the dot product the store already ranked by (concatenated halves, DESIGN: one vector,
exact fusion); here it is taken apart again so that every channel can be shown and the lexical channel can join.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel, Hit, Spread, Vector
from service.search.weights import Weights

Scores = npt.NDArray[np.float64]
"""Shape (n,), one per candidate."""

RAW = Spread(mean=0.0, deviation=1.0)


@dataclass(frozen=True)
class Fused:
    """One product: its best photo, its final score, and each channel's raw and calibrated score and rank."""

    hit: Hit
    score: float
    raw: Mapping[Channel, float]
    calibrated: Mapping[Channel, float]
    ranks: Mapping[Channel, int]


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


def fuse(
    hits: Sequence[Hit], raw: Mapping[Channel, Scores], weights: Weights, spreads: Mapping[Channel, Spread]
) -> list[Fused]:
    """Products by score descending, then product id; a product stands where its best photo stands.

    Lexical scores are divided by their maximum over the candidates before they are calibrated.
    """
    calibrated = {
        channel: calibrate(_relative(channel, scores), spreads.get(channel, RAW)) for channel, scores in raw.items()
    }
    summed = sum((weights[channel] * scores for channel, scores in calibrated.items()), np.zeros(len(hits)))
    total = summed.tolist()
    order = sorted(range(len(hits)), key=lambda at: (-total[at], hits[at].product_id, hits[at].image_id))
    best = {hits[at].product_id: at for at in reversed(order)}
    chosen = [at for at in order if best[hits[at].product_id] == at]
    raw_of, calibrated_of = _lists(raw, chosen), _lists(calibrated, chosen)
    ranks_of = {channel: _ranks(scores[chosen]).tolist() for channel, scores in raw.items()}
    return [
        Fused(
            hit=hits[at],
            score=total[at],
            raw={channel: scores[place] for channel, scores in raw_of.items()},
            calibrated={channel: scores[place] for channel, scores in calibrated_of.items()},
            ranks={channel: ranks[place] for channel, ranks in ranks_of.items()},
        )
        for place, at in enumerate(chosen)
    ]


def _relative(channel: Channel, scores: Scores) -> Scores:
    top = scores.max(initial=0.0)
    return scores / top if channel is Channel.LEXICAL and top > 0 else scores


def _lists(scores: Mapping[Channel, Scores], chosen: Sequence[int]) -> dict[Channel, list[float]]:
    return {channel: column[chosen].tolist() for channel, column in scores.items()}


def _ranks(scores: Scores) -> npt.NDArray[np.int64]:
    """Rank of each score, 1 the highest; equal scores share the better rank (n,)."""
    ascending = np.sort(scores)
    return len(scores) - np.searchsorted(ascending, scores, side="right") + 1
