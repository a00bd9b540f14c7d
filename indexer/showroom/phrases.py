"""Noun phrases about a look: which attributes are said, in which words and in which order."""

from collections.abc import Callable
from random import Random

from indexer.showroom.claims import Claim
from indexer.showroom.look import COLOURS, Look
from indexer.showroom.wordlists import (
    COLOUR_WORDS,
    GROUP_WORDS,
    KIND_WORDS,
    MATERIAL_WORDS,
    PATTERN_MARKS,
    PATTERN_NOUNS,
    PATTERN_WORDS,
    PLURAL,
)

SAYABLE = ("kind", "colour", "pattern", "material", "second")
Said = frozenset[str]
Form = tuple[list[str], list[str]]
"""Words before the noun and phrases after it."""


def shop_colour(name: str, rng: Random) -> str:
    """A word for the colour that contains no other colour's canonical name ("navy blue" would name blue)."""
    return rng.choice([w for w in COLOUR_WORDS[name] if not _names_another_colour(w, name)])


def shopper_colour(name: str, rng: Random) -> str:
    """Any word for the colour; the canonical one half of the time."""
    return name if rng.random() < 0.5 else rng.choice(COLOUR_WORDS[name])


def claim_of(look: Look, said: Said, kinds: frozenset[str] | None = None) -> Claim:
    """The claim made by saying `said` of the look; `kinds` widens the noun."""
    return Claim(
        kinds=kinds or (frozenset({look.kind}) if "kind" in said else None),
        colour=look.colour if "colour" in said else None,
        second=look.second if "second" in said else None,
        pattern=look.pattern if "pattern" in said else None,
        material=look.material if "material" in said else None,
    )


def sayable(look: Look, said: Said) -> Said:
    """`said` without what does not show; a second colour is always said together with the pattern that carries it."""
    if look.pattern == "plain":
        return said - {"second"}
    return said | {"pattern"} if "second" in said else said


def noun_phrase(look: Look, said: Said, rng: Random, colour_word: Callable[[str, Random], str] = shopper_colour) -> str:
    """The look in words, without an article: exactly the attributes in `said` (see `sayable`) are stated."""
    before, after = _attributes(look, said, rng, colour_word)
    noun = [rng.choice(KIND_WORDS[look.kind])] if "kind" in said else []
    return " ".join([*before, *noun, *after])


def group_phrase(look: Look, said: Said, rng: Random) -> tuple[str, frozenset[str]] | None:
    """A phrase whose noun means several kinds, and those kinds; None when the kind belongs to no group."""
    groups = [word for word, kinds in GROUP_WORDS.items() if look.kind in kinds]
    if not groups:
        return None
    word = rng.choice(groups)
    before, after = _attributes(look, said - {"kind"}, rng, shopper_colour)
    return " ".join([*before, word, *after]), GROUP_WORDS[word]


def with_article(phrase: str, kind_word: bool = True) -> str:
    """ "a"/"an" in front, unless the phrase holds a plural."""
    words = f" {phrase} "
    if not kind_word or any(f" {plural} " in words for plural in PLURAL):
        return phrase
    return f"{'an' if phrase[:1].lower() in 'aeio' else 'a'} {phrase}"


def _attributes(look: Look, said: Said, rng: Random, colour_word: Callable[[str, Random], str]) -> Form:
    before: list[str] = []
    after: list[str] = []
    parts = [part for part in ("colour", "pattern", "material") if part in said]
    rng.shuffle(parts)
    for part in parts:
        if part == "colour":
            _colour(look, rng, colour_word, (before, after))
        elif part == "pattern":
            _pattern(look, said, rng, (before, after))
        else:
            _material(look, rng, (before, after))
    if "second" in said:
        after.append(f"with {colour_word(look.second, rng)} {rng.choice(PATTERN_MARKS[look.pattern])}")
    return before, after


def _colour(look: Look, rng: Random, colour_word: Callable[[str, Random], str], form: Form) -> None:
    word = colour_word(look.colour, rng)
    if rng.random() < 0.7:
        form[0].append(word)
    else:
        form[1].insert(0, f"in {word}")


def _pattern(look: Look, said: Said, rng: Random, form: Form) -> None:
    if look.pattern == "plain":
        _plain(rng, form)
    elif "second" in said and look.pattern != "two-tone" and rng.random() < 0.5:
        return
    elif rng.random() < 0.65:
        form[0].append(look.pattern if rng.random() < 0.5 else rng.choice(PATTERN_WORDS[look.pattern]))
    else:
        form[1].append(f"with {rng.choice(PATTERN_NOUNS[look.pattern])}")


def _plain(rng: Random, form: Form) -> None:
    if rng.random() < 0.8:
        form[0].append("plain" if rng.random() < 0.5 else rng.choice(PATTERN_WORDS["plain"]))
    else:
        form[1].append(rng.choice(("without a pattern", "without any print", "with no pattern")))


def _material(look: Look, rng: Random, form: Form) -> None:
    if rng.random() < 0.6:
        form[0].append(rng.choice(MATERIAL_WORDS[look.material]))
    else:
        form[1].append(f"{rng.choice(('in', 'made of'))} {look.material}")


def _names_another_colour(word: str, name: str) -> bool:
    return any(token in COLOURS and token != name for token in word.replace("-", " ").split())
