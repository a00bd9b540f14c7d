"""How much each channel counts: defaults by kind of query, overridden per request, normalised to sum 1."""

import math
from collections.abc import Collection, Mapping

from indexer.domain import VECTOR_CHANNELS, Channel, QueryKind
from indexer.errors import BadWeights

Weights = Mapping[Channel, float]


def parse_weights(text: str) -> dict[Channel, float]:
    """`image=0.6,text=0.4` → weights. Raises BadWeights naming the word or number that is wrong."""
    parsed: dict[Channel, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = part.partition("=")
        try:
            parsed[_channel(name.strip())] = float(number)
        except ValueError:
            raise BadWeights(f"weights: {part!r} is not CHANNEL=NUMBER, e.g. image=0.6,text=0.4.") from None
    _check(parsed)
    return parsed


def named_weights(weights: Mapping[str, float]) -> dict[Channel, float]:
    """Raises BadWeights for a name that is no channel."""
    return {_channel(name): value for name, value in weights.items()}


def resolve(kind: QueryKind, given: Weights | None, defaults: Mapping[QueryKind, Weights], has_words: bool) -> Weights:
    """The weights a query is answered with: all channels that count, summing to 1.

    Weights that are given replace the defaults whole. Without words there is no lexical channel.
    """
    chosen = dict(defaults.get(kind, {}) if given is None else given)
    _check(chosen)
    return usable(chosen, tuple(Channel) if has_words else VECTOR_CHANNELS)


def usable(weights: Weights, channels: Collection[Channel]) -> Weights:
    """The weights of those channels alone, summing to 1. Raises BadWeights when none of them has one."""
    kept = {channel: weight for channel, weight in weights.items() if channel in channels}
    top = max(kept.values(), default=0.0)
    if top <= 0:
        raise BadWeights("weights: all are zero; give at least one channel that this query can use a positive weight.")
    total = sum(weight / top for weight in kept.values())
    shares = {channel: weight / top / total for channel, weight in kept.items()}
    return {channel: share for channel, share in shares.items() if share > 0}


def _check(weights: Weights) -> None:
    for channel, weight in weights.items():
        if not math.isfinite(weight) or weight < 0:
            raise BadWeights(f"weights: {channel.value} is {weight}; a weight is a number of 0 or more.")


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        raise BadWeights(f"weights: no channel {name!r}; channels are {', '.join(Channel)}.") from None
