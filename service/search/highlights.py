"""Which words of a product are those that were looked for, and where they stand."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

from indexer.builds.texts import values_of
from indexer.domain import Frozen, Product
from indexer.stores.lexical import Lexicon, stemmer

MAX_SNIPPET = 160
"""Characters."""
MAX_HIGHLIGHTS = 12
"""Of one product; the first are the most telling."""
LOOKED_AT = 5_000
"""Characters of a text; what stands behind them is not shown."""
LOOKED_AT_IN_ALL = 10_000
"""Characters of a product's texts from which no further text is looked at."""
MAX_MATCHES = 50
"""Words looked for in a text; the first ones."""
_WORD = re.compile(r"\w+")
_LONGEST = 64
"""Characters of a word that is worth showing."""
_REMEMBERED = 1_000
"""Characters of a text up to which it is remembered what words it has."""
_CUT = "…"


class Highlight(Frozen):
    """`text` is plain text, not HTML: the field's value, or of a long one the part with the most words looked for.

    `spans` are where the words stand in `text`: first character and the one behind the last, in Unicode code points.
    """

    field: str
    text: str
    spans: tuple[tuple[int, int], ...]


class _Match(NamedTuple):
    start: int
    end: int
    terms: frozenset[int]


def highlights(product: Product, words: str, lexicon: Lexicon) -> list[Highlight]:
    """Title first, description last; values without any of the words are left out.

    Words match as they do in the lexical channel: by stem, whatever their case and accents; stop words never.
    """
    wanted = frozenset(_stems(lexicon.language)(words))
    found = (_highlight(field, text, wanted, lexicon.language) for field, text in _first(product)) if wanted else ()
    return list(islice((one for one in found if one is not None), MAX_HIGHLIGHTS))


def _first(product: Product) -> Iterator[tuple[str, str]]:
    seen = 0
    for field, text in _texts(product):
        if seen >= LOOKED_AT_IN_ALL:
            return
        yield field, text
        seen += min(len(text), LOOKED_AT)


def _texts(product: Product) -> Iterator[tuple[str, str]]:
    yield "title", product.title
    yield "id", product.id
    yield "brand", product.brand or ""
    for level in product.category:
        yield "category", level
    for name, value in product.attributes.items():
        for one in values_of(value):
            yield name, one
    yield "description", product.description


def _highlight(field: str, text: str, wanted: frozenset[int], language: str) -> Highlight | None:
    if len(text) <= _REMEMBERED and wanted.isdisjoint(_said(language, text)):
        return None
    text = " ".join(text[: LOOKED_AT + MAX_SNIPPET].split())
    matches = list(islice(_matches(text, wanted, language), MAX_MATCHES))
    if not matches:
        return None
    if len(text) <= MAX_SNIPPET:
        return Highlight(field=field, text=text, spans=tuple((one.start, one.end) for one in matches))
    return _snippet(field, text, _densest(matches))


def _matches(text: str, wanted: frozenset[int], language: str) -> Iterator[_Match]:
    terms_of = _terms_of(language)
    for word in _WORD.finditer(text):
        start, end = word.span()
        if start >= LOOKED_AT:
            return
        if end - start <= _LONGEST and not wanted.isdisjoint(terms := terms_of(word.group())):
            yield _Match(start, end, terms & wanted)


def _densest(matches: Sequence[_Match]) -> Sequence[_Match]:
    """The neighbours that fit into one snippet and have the most different words, then the most; the first of those."""
    width = MAX_SNIPPET - 2 * len(_CUT)
    best, most = range(0), (0, 0)
    held: Counter[int] = Counter()
    behind = 0
    for at, first in enumerate(matches):
        while behind < len(matches) and matches[behind].end - first.start <= width:
            held.update(matches[behind].terms)
            behind += 1
        worth = sum(count > 0 for count in held.values()), behind - at
        if worth > most:
            best, most = range(at, behind), worth
        held.subtract(first.terms)
    return matches[best.start : best.stop]


def _snippet(field: str, text: str, matches: Sequence[_Match]) -> Highlight:
    """The matches in the middle, cut between words where there are any gaps."""
    first, last = matches[0].start, matches[-1].end
    width = MAX_SNIPPET - 2 * len(_CUT)
    start = max(0, min(first - (width - (last - first)) // 2, len(text) - width))
    end = start + width
    if start > 0:
        gap = text.find(" ", start - 1, first)
        start = start if gap < 0 else gap + 1
    if end < len(text):
        gap = text.rfind(" ", last, end + 1)
        end = end if gap < 0 else gap
    before, after = _CUT if start > 0 else "", _CUT if end < len(text) else ""
    moved = len(before) - start
    return Highlight(
        field=field,
        text=f"{before}{text[start:end]}{after}",
        spans=tuple((one.start + moved, one.end + moved) for one in matches),
    )


@lru_cache(maxsize=8_192)
def _said(language: str, text: str) -> frozenset[int]:
    """All its terms: most texts of a page have been looked at before, and most have none of the words (about 2 kB)."""
    return frozenset().union(*map(_terms_of(language), _WORD.findall(text)))


@cache
def _terms_of(language: str) -> Callable[[str], frozenset[int]]:
    """Of a word; those looked at last are remembered."""
    stems = _stems(language)
    return lru_cache(maxsize=20_000)(lambda word: frozenset(stems(word)))


@cache
def _stems(language: str) -> Callable[[str], tuple[int, ...]]:
    return stemmer(language)
