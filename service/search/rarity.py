"""Names of products: words that titles, brands or attributes have, and hardly any product shares.

What a name looks like no encoder knows: its vector is noise, which carries the answer off to other products. Products
that hold the very word are then worth more than likeness. Colour words are left out: photos show colours. So are words
of descriptions alone: "jackets" is rare in prose and names nothing.
"""

import math
import re
from typing import Final

from indexer.builds.words import Words
from indexer.domain import Channel
from indexer.images.names import COLOUR_NAMES, SYNONYMS
from indexer.stores.lexical import Lexicon
from service.search.weights import Weights, usable

RARE: Final = 0.25
"""Of the square root of the catalogue's size, the most products that share a rare word: 2 of 100, 5 of 469, 79 of
100,000. A name is its variants', whose number grows slower than the catalogue does."""
GAIN: Final = 10.0
"""The default lexical weight, 0.1 beside 1 of the vectors, becomes as much as theirs when all words are rare."""

_WORD = re.compile(r"\w+")
_COLOURS = frozenset(word for name in (*COLOUR_NAMES, *SYNONYMS) for word in name.split())


def rare_share(words: str, lexicon: Lexicon, written: Words) -> float:
    """Of the sum of the words' inverse document frequencies, what rare words have; in [0, 1].

    A rare word is rare in titles, brands and attributes, which have it, and in all text. Stop words and colour words do
    not count; 0 when nothing is left.
    """
    said = dict.fromkeys(word.casefold() for word in _WORD.findall(words))
    weights = {word: float(lexicon.query(word).values.sum()) for word in said if word not in _COLOURS}
    total = sum(weights.values())
    most = RARE * lexicon.documents**0.5
    least = math.log1p((lexicon.documents - most + 0.5) / (most + 0.5))
    rare = sum(weight for word, weight in weights.items() if weight >= least and 0 < written.count(word) <= most)
    return rare / total if total > 0 else 0.0


def with_rarity(weights: Weights, share: float) -> Weights:
    """The lexical channel counts the more, the larger the `share` of rare words in [0, 1]; they sum to 1."""
    raised = {
        channel: weight * (1 + GAIN * share) if channel is Channel.LEXICAL else weight
        for channel, weight in weights.items()
    }
    return usable(raised, raised)
