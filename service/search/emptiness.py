"""Honest emptiness: best answers that are not close are still shown, and said not to be.

A question in words is out of the catalogue when much of what it asks for is words that no product mentions, and no
product's text, or no product's photo, is nearly as close to it as they are to what shoppers type for them. Synonyms
that the catalogue never wrote itself are told apart by the second, names and codes by the first. Colour words are left
out: photos show colours that no text names. A photo is out of the catalogue when no photo of it is close.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from indexer.domain import BuildManifest, Channel, Frozen, QueryKind
from indexer.images.names import COLOUR_NAMES, SYNONYMS
from indexer.stores.lexical import Lexicon
from service.search.fusion import Fused

UNKNOWN: Final = 1 / 3
"""Share of the weight of a question's words from which photos are asked whether it is out of the catalogue."""
WHOLLY: Final = 0.9
"""From which texts are asked too: terse ones are far from any question that they do not spell out, such as whom a
product is for."""

_WORD = re.compile(r"\w+")
_COLOURS = frozenset(word for name in (*COLOUR_NAMES, *SYNONYMS) for word in name.split())


class Emptiness(Frozen):
    """Why nothing is close: the best cosine of the channel, and the one that an answer would need.

    `unknown` is the share of the words' weight that no product mentions; None for photos.
    """

    channel: Channel
    best: float
    needed: float
    unknown: float | None = None


def nothing_close(
    kind: QueryKind, fused: Sequence[Fused], words: str, manifest: BuildManifest, lexicon: Lexicon
) -> Emptiness | None:
    """None where something is close, where the build has no measure of it, or no product was ranked by the channel.

    `fused` are all candidates, `words` what was searched after misspellings were put right.
    """
    closeness = manifest.closeness.get(kind)
    if closeness is None:
        return None
    unknown = unknown_share(words, lexicon) if kind is QueryKind.TEXT else None
    if unknown is not None and unknown < UNKNOWN:
        return None
    for channel, least in closeness.least.items():
        if channel is Channel.TEXT and unknown is not None and unknown < WHOLLY:
            continue
        best = max((one.raw[channel] for one in fused if _has(one, channel)), default=least)
        if best < least:
            return Emptiness(channel=channel, best=best, needed=least, unknown=unknown)
    return None


def unknown_share(words: str, lexicon: Lexicon) -> float:
    """Of the sum of the words' inverse document frequencies, what words have that the catalogue lacks; in [0, 1].

    Stop words and colour words do not count; 0 when nothing is left.
    """
    told = " ".join(word for word in _WORD.findall(words) if word.casefold() not in _COLOURS)
    asked = lexicon.query(told)
    weight = float(asked.values.sum())
    if weight <= 0:
        return 0.0
    places = np.searchsorted(lexicon.tokens, asked.indices)
    lacking = [
        place == len(lexicon.tokens) or lexicon.tokens[place] != token
        for place, token in zip(places, asked.indices, strict=True)
    ]
    return float(asked.values[lacking].sum()) / weight


def _has(one: Fused, channel: Channel) -> bool:
    """A product without photos is ranked by the mean photo, which is close to nothing and to everything."""
    return channel in one.raw and (channel is not Channel.IMAGE or bool(one.hit.image_id))
