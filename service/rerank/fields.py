"""What the shop's own fields say of a constraint, by whatever words shops and shoppers have for one thing."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from indexer.builds.languages import LANGUAGES
from indexer.builds.texts import values_of
from indexer.domain import Product
from indexer.encoders.attributes import COLOUR
from indexer.images.names import COLOUR_NAMES, colours_named_in
from indexer.stores.lexical import stemmer
from service.rerank.verdicts import Way

BRAND: Final = "brand"
CATEGORY: Final = "category"

ALIKE: Final = 4
"""Letters by which words that begin alike are taken for akin: wool and woollen; shorter ones by all they have,"""
LEAST: Final = 3
"""and that must be so many."""

NEIGHBOURS: Final[Mapping[str, frozenset[str]]] = {
    "blue": frozenset({"navy", "teal"}),
    "navy": frozenset({"blue"}),
    "teal": frozenset({"blue", "green"}),
    "green": frozenset({"teal"}),
    "beige": frozenset({"white", "brown"}),
    "white": frozenset({"beige"}),
    "brown": frozenset({"beige"}),
}
"""Colours that shops and shoppers call by each other's names: of these the photo is asked."""

_WORD = re.compile(r"\w+")
_SILENT: Final = "n/a none unknown other others various mixed multi multicolour multicolor default"
_UNTELLING: Final = frozenset(("", *_SILENT.split()))
"""Values by which a shop says nothing of a field."""


def given_by(product: Product, field: str) -> tuple[str, ...]:
    """What the shop says of the field, casefolded."""
    if field == CATEGORY:
        values: Sequence[str] = product.category
    elif field == BRAND:
        values = () if product.brand is None else (product.brand,)
    else:
        values = values_of(product.attributes.get(field, ()))
    folded = (value.strip().casefold() for value in values)
    return tuple(value for value in folded if value not in _UNTELLING)


def holds(way: Way, given: Sequence[str], language: str) -> bool | None:
    """Whether the product has the value, by what the shop gives for the field; None where that does not tell.

    Of a colour the name counts: azure is blue; a shop's blue may be what a shopper calls navy. Of anything else the
    words: organic cotton is cotton, what is given as cotton may be organic, and woollen may be wool.
    """
    if not given or way.value in given:
        return True if given else None
    if way.field == COLOUR and way.value in COLOUR_NAMES:
        named = {name for one in given for name in colours_named_in(one)}
        if way.value in named:
            return True
        return None if not named or named & NEIGHBOURS.get(way.value, frozenset()) else False
    stems = _stems(language)
    wanted = stems(way.value)
    if wanted and any(wanted <= stems(one) for one in given):
        return True
    said = [word for one in given for word in _WORD.findall(one)]
    return None if any(_akin(word, other) for word in _WORD.findall(way.value) for other in said) else False


def says(way: Way, given: Sequence[str], language: str) -> bool:
    """Whether one of the given values is the wanted one itself, in whatever form; a colour is its name. What only has
    the words in it may be something else: faux leather."""
    if way.value in given or (way.field == COLOUR and way.value in COLOUR_NAMES):
        return True
    wanted = _stems(language)(way.value)
    return bool(wanted) and any(_stems(language)(one) == wanted for one in given)


@cache
def _stems(language: str) -> Callable[[str], frozenset[int]]:
    """Text → the stems of its words."""
    stemmed = stemmer(LANGUAGES.get(language, "english"))
    return lru_cache(maxsize=10_000)(lambda text: frozenset(stemmed(text)))


def _akin(one: str, other: str) -> bool:
    """Words of which one begins like the other."""
    shared = min(len(one), len(other), ALIKE)
    return one == other or (shared >= LEAST and one[:shared] == other[:shared])
