"""Values of a product put the way shoppers put them."""

from collections.abc import Mapping
from random import Random

from eval.suites.making.sayings import AUDIENCE, BRAND, CATEGORY, COLOUR, MATERIAL, PATTERN

_BEFORE_NOUN = (BRAND, COLOUR, PATTERN, MATERIAL)
_OPENINGS = ("{}", "do you have any {}?", "I am looking for {}", "show me {}")

Said = Mapping[str, str]
"""Field → value as it is typed."""


def wordings(said: Said, noun: bool, english: bool, rng: Random) -> tuple[str, ...]:
    """Two or three: as a noun phrase, as bare words in another order and, in English, as a sentence.

    `noun`: the category names things; otherwise it is where in the shop they are, and stands first.
    """
    looks = [said[field] for field in _BEFORE_NOUN if field in said]
    kind, audience = ([said[field]] if field in said else [] for field in (CATEGORY, AUDIENCE))
    if not noun:
        first = " ".join([*kind, *looks, *audience])
        return tuple(dict.fromkeys([first, _something(said)] if english else [first]))
    bare = [*looks, *kind, *audience]
    rng.shuffle(bare)
    first = " ".join([*looks, *kind, *(f"for {one}" if english else one for one in audience)])
    return tuple(dict.fromkeys([first, " ".join(bare), *([_things(said, rng)] if english else [])]))


def _things(said: Said, rng: Random) -> str:
    """`striped dresses in red made of cotton by okabe for women`"""
    words = [said[PATTERN]] if PATTERN in said else []
    words.append(said[CATEGORY])
    for field, before in ((COLOUR, "in"), (MATERIAL, "made of"), (BRAND, "by"), (AUDIENCE, "for")):
        if field in said:
            words += [before, said[field]]
    return rng.choice(_OPENINGS).format(" ".join(words))


def _something(said: Said) -> str:
    """`something red and striped made of metal by okabe from the kitchen department`"""
    looks = [said[field] for field in (COLOUR, PATTERN) if field in said]
    words = ["something", *([" and ".join(looks)] if looks else [])]
    for field, before, after in (
        (MATERIAL, "made of", ""),
        (BRAND, "by", ""),
        (AUDIENCE, "for", ""),
        (CATEGORY, "from the", " department"),
    ):
        if field in said:
            words += [before, said[field] + after]
    return " ".join(words)
