"""English words, so that one the catalogue happens not to have is not taken for a misspelling of one it has.

They are the commonest whole words among the merges of CLIP's tokenizer, which were counted in the captions of photos on
the web and come with open_clip.
"""

import gzip
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Final

from indexer.images.names import COLOUR_NAMES, SYNONYMS

ENGLISH: Final = "en"
COLOURS: Final = frozenset(word for name in (*COLOUR_NAMES, *SYNONYMS) for word in name.split())
"""The words that colours are made of."""
MERGES: Final = "bpe_simple_vocab_16e6.txt.gz"
COMMONEST: Final = 20_000
"""Words; rarer ones are names and slips."""
SHORTEST: Final = 4
"""Letters; shorter words are never corrected."""
_END = "</w>"


@cache
def right_words(language: str) -> frozenset[str]:
    """Words that are spelt right in any catalogue of the language; for one without a list, the colours alone."""
    if language != ENGLISH:
        return COLOURS
    spec = find_spec("open_clip")  # located, not imported: that loads torch
    if spec is None or spec.origin is None:
        return COLOURS
    with gzip.open(Path(spec.origin).parent / MERGES, "rt", encoding="utf-8") as merges:
        joined = ("".join(line.split()) for line in merges)
        whole = (word.removesuffix(_END) for word in joined if word.endswith(_END))
        return COLOURS | frozenset(
            islice((word for word in whole if len(word) >= SHORTEST and word.isalpha()), COMMONEST)
        )
