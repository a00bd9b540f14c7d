"""Names of products: words that the catalogue knows and hardly uses.

What a name looks like no encoder knows: its vector is noise, which carries the answer off to other products. Products
that hold the very word are then worth more than likeness. Colour words are left out: photos show colours.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.domain import Channel
from indexer.images.names import COLOUR_NAMES, SYNONYMS
from indexer.stores.lexical import Lexicon
from service.search.weights import Weights, usable

RARE: Final = 0.25
"""Of the square root of the catalogue's size, the most products that share a rare word: 2 of 100, 5 of 469, 79 of
100,000. A name is its variants', whose number grows slower than the catalogue does."""
GAIN: Final = 4.0
"""The default lexical weight, 0.2 beside 1 of the vectors, becomes as much as theirs when all words are rare."""

_WORD = re.compile(r"\w+")
_COLOURS = frozenset(word for name in (*COLOUR_NAMES, *SYNONYMS) for word in name.split())


def rare_share(words: str, lexicon: Lexicon) -> float:
    """Of the sum of the words' inverse document frequencies, what words have that are known and rare; in [0, 1].

    Stop words and colour words do not count; 0 when nothing is left.
    """
    weights, frequencies = content(words, lexicon)
    total = float(weights.sum())
    if total <= 0:
        return 0.0
    rare = (frequencies > 0) & (frequencies <= RARE * lexicon.documents**0.5)
    return float(weights[rare].sum()) / total


def content(words: str, lexicon: Lexicon) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint32]]:
    """Inverse document frequencies (n,) and document frequencies (n,), 0 of unknown ones, of the distinct words.

    Without stop words and colour words.
    """
    asked = lexicon.query(" ".join(word for word in _WORD.findall(words) if word.casefold() not in _COLOURS))
    known, at_asked, at_known = np.intersect1d(
        asked.indices, lexicon.tokens, assume_unique=True, return_indices=True
    )
    frequencies = np.zeros(len(asked.indices), np.uint32)
    frequencies[at_asked] = lexicon.frequencies[at_known]
    return asked.values, frequencies


def with_rarity(weights: Weights, share: float) -> Weights:
    """The lexical channel counts the more, the larger the `share` of rare words in [0, 1]; they sum to 1."""
    raised = {
        channel: weight * (1 + GAIN * share) if channel is Channel.LEXICAL else weight
        for channel, weight in weights.items()
    }
    return usable(raised, raised)
