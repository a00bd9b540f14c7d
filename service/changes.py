"""What the words of an edit change ("like this but blue"), read from the catalogue's own vocabulary."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from indexer.errors import ContradictoryEdit
from indexer.images.colour import srgb_to_lab
from indexer.images.names import COLOUR_NAMES, SYNONYMS, name_of

COLOUR = "colour"
_WORD = re.compile(r"\w+(?:['-]\w+)*")
UNTELLING = frozenset({"yes", "no", "true", "false", "none", "other"})
"""Values of fields that say nothing without the field's name."""
NUMBER = re.compile(r"(?<![\w#&])#(?:[0-9a-f]{6}|[0-9a-f]{3})(?![\w-])", re.IGNORECASE)
"""A colour as #rrggbb or #rgb."""
_ARTICLE = re.compile(r"\b(?:(?:order|item|article|sku|model|ref(?:erence)?)[\s.:]*|n[or]\.\s*)$")
"""What stands before a number that is no colour."""
_UNWANTED = re.compile(
    r"\b(?:not|no|without|never|isn['’]t|(?:don['’]t|do\s+not)\s+(?:want|like|need)|neither|nor|avoid(?:ing)?|excluding|"
    r"than|instead\s+of|(?:any|every|all)(?:thing|\s*one)?(?:\s+other)?(?:\s+(?:colou?r|shade)s?)?"
    r"\s+(?:but|except(?:ing)?(?:\s+for)?|(?:apart|aside)\s+from))"
    r"(?:\s+(?:in|a|an|the|(?:light|dark|bright|pale|deep)(?:er)?))*\s*$"
)
"""What stands before a value that is not wanted."""
_FROM, _TO = re.compile(r"(?<!made )\bfrom(?:\s+(?:a|an|the))*\s*$"), re.compile(r"(?:\s+\w+){0,2}?\s+(?:in)?to\b")
"""What stands on either side of a value that another takes the place of."""
_NEITHER = re.compile(r"\s*(?:,?\s*n?or\b|/)(?:\s+(?:in|a|an|the))*\s*")
"""What stands between two values of which neither is wanted if the first is not."""
_EXACTLY = re.compile(r"[\s(:=]*")
"""What stands between a colour and the number that says which shade of it."""
_APART = re.compile(r"[,;.!?]|\b(?:but|in|make|instead)\b")
_TOGETHER = re.compile(r"[&+/]|\b(?:and|or|with|on|mixed|to)\b")
"""Two values of a field with a word of these between them are one wish ("blue and white"), with others two."""


@dataclass(frozen=True)
class Change:
    """One attribute that the shopper wants changed: `field` from `source` (None: not known) to `target`."""

    field: str
    source: str | None
    target: str


@dataclass(frozen=True)
class Colour:
    """One that is wanted: its name, and as it was `said`, in lower case. `number` is #rrggbb where one was given."""

    name: str
    said: str
    number: str | None


@dataclass(frozen=True)
class _Mention:
    """`number` is that of a colour, #rrggbb; `value` is then the name of what it looks like."""

    field: str
    value: str
    start: int
    end: int
    wanted: bool
    number: str | None = None

    def differs(self, other: "_Mention") -> bool:
        numbers = {self.number, other.number}
        return self.value != other.value or (None not in numbers and len(numbers) == 2)


def wanted_values(text: str, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field → value for each attribute value the words name and do not refuse; the first of a field counts.

    Longer values win, of up to three words, and use their words up: "stone beige" is a colour and no stone. Colour
    words are understood with their synonyms whether or not the catalogue has a colour field.
    """
    return _first_of_each(one for one in _mentions(text, vocabulary) if one.wanted)


def asked_changes(text: str, vocabulary: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Field → value that is wanted, and field → value that is to go ("blue instead of red"); of a colour by its number
    the name.

    Raises ContradictoryEdit for a value that is both, and for two that are wanted of one field, one after the other.
    """
    said, mentions = text.casefold(), _mentions(text, vocabulary)
    wanted = _first_of_each(one for one in mentions if one.wanted)
    refused = [one for one in mentions if not one.wanted]
    for field, value in wanted.items():
        same = [one for one in mentions if one.wanted and one.field == field]
        if any(_is_refused(same[0], one) and not _FROM.search(said[: one.start]) for one in refused):
            raise ContradictoryEdit(f"{field}: {value} is both wanted and refused in {text!r}; say which.")
        for one, other in pairwise(same):
            between = said[one.end : other.start]
            if one.differs(other) and _APART.search(between) and not _TOGETHER.search(between):
                raise ContradictoryEdit(
                    f"{field}: {text!r} asks for {one.number or one.value} and for {other.number or other.value}; "
                    "a change is to one of them."
                )
    return wanted, _first_of_each(one for one in refused if wanted.get(one.field) != one.value)


def wanted_colours(text: str) -> tuple[Colour, ...]:
    """In the order of the text; the first is the one that a change of colour is to."""
    text = text.casefold()
    return tuple(Colour(one.value, text[one.start : one.end], one.number) for one in _mentions(text, {}) if one.wanted)


def _is_refused(wanted: _Mention, refused: _Mention) -> bool:
    """A shade that is refused by its number leaves the other shades of its name."""
    return (wanted.field, wanted.value) == (refused.field, refused.value) and refused.number in (None, wanted.number)


def _first_of_each(mentions: Iterable[_Mention]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in mentions:
        found.setdefault(one.field, one.value)
    return found


def _mentions(text: str, vocabulary: Mapping[str, Sequence[str]]) -> list[_Mention]:
    """Every value named, in the order of the text; a phrase may name one of several fields."""
    text = text.casefold()
    found = [*_numbers(text)]
    spoken = list(_WORD.finditer(NUMBER.sub(lambda number: " " * len(number[0]), text)))
    unread = set(range(len(spoken)))
    for size in (3, 2, 1):
        for at in range(len(spoken) - size + 1):
            places = range(at, at + size)
            if not unread.issuperset(places):
                continue
            named = _named(" ".join(spoken[place][0] for place in places), vocabulary)
            if not named:
                continue
            start, end = spoken[at].start(), spoken[at + size - 1].end()
            wanted = _is_wanted(text, start, end)
            found += [_Mention(field, value, start, end, wanted) for field, value in named.items()]
            unread.difference_update(places)
    return _together(text, sorted(found, key=lambda one: one.start))


def _numbers(text: str) -> Iterator[_Mention]:
    for number in NUMBER.finditer(text):
        start, end = number.span()
        if _ARTICLE.search(text[:start]):
            continue
        digits = number[0][1:] if end - start == 7 else "".join(2 * digit for digit in number[0][1:])
        lightness, a, b = srgb_to_lab(np.frombuffer(bytes.fromhex(digits), np.uint8)).tolist()
        yield _Mention(COLOUR, name_of((lightness, a, b)), start, end, _is_wanted(text, start, end), f"#{digits}")


def _is_wanted(text: str, start: int, end: int) -> bool:
    before = text[:start]
    return not (_UNWANTED.search(before) or (_FROM.search(before) and _TO.match(text, end)))


def _together(text: str, mentions: Sequence[_Mention]) -> list[_Mention]:
    """The mentions with what they mean beside each other: a number may be that of the colour before it, or, of digits
    alone, of something else; of two values between which an "or" stands both are refused or none."""
    names = {one.value for one in mentions if one.field == COLOUR and one.wanted and one.number is None}
    found: list[_Mention] = []
    for one in mentions:
        if one.wanted and one.number and one.number[1:].isdecimal() and names and one.value not in names:
            continue
        last = found[-1] if found else None
        between = text[last.end : one.start] if last is not None and last.field == one.field else None
        if last is None or between is None:
            found.append(one)
        elif one.number and last.number is None and _EXACTLY.fullmatch(between):
            found[-1] = replace(last, end=one.end, number=one.number)
        else:
            found.append(replace(one, wanted=one.wanted and (last.wanted or not _NEITHER.fullmatch(between))))
    return found


def _named(phrase: str, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field → value of what the whole phrase names."""
    plain = phrase.replace("-", " ")
    colour = SYNONYMS.get(plain, plain if plain in COLOUR_NAMES else None)
    if colour is not None:
        return {COLOUR: colour}
    if phrase in UNTELLING:
        return {}
    return {
        field: phrase for field, values in vocabulary.items() if field not in ("category", "brand") and phrase in values
    }
