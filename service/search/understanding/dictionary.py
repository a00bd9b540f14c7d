"""English words, so that one the catalogue happens not to have is not taken for a misspelling of one it has.

`english.txt.gz` holds the 20,000 commonest whole words of four letters or more among the merges of CLIP's tokenizer
(`bpe_simple_vocab_16e6`, MIT licence, Copyright 2021 OpenAI), which were counted in the captions of photos on the web.
"""

import gzip
from functools import cache
from importlib.resources import files
from typing import Final

from indexer.images.names import COLOUR_NAMES, SYNONYMS

ENGLISH: Final = "en"
COLOURS: Final = frozenset(word for name in (*COLOUR_NAMES, *SYNONYMS) for word in name.split())
"""The words that colours are made of."""


@cache
def right_words(language: str) -> frozenset[str]:
    """Words that are spelt right in any catalogue of the language; for one without a list, the colours alone."""
    if language != ENGLISH:
        return COLOURS
    packed = files("service.search.understanding").joinpath("english.txt.gz").read_bytes()
    return COLOURS | frozenset(gzip.decompress(packed).decode().split())
