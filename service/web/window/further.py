"""Changes that add up: a further one joins those in force, and takes the place of what was said of the same thing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from indexer.errors import ContradictoryEdit
from service.changes import asked_changes
from service.web.window.address import Address

ALSO: Final = "also"
"""What a form calls a change to what is asked already."""
_BETWEEN: Final = re.compile(r"\s*[,;]\s*(?=but\b)", re.IGNORECASE)
_LOOSE: Final = re.compile(r"^((?:but\s+)?)(?:(?:and|or)\s+)+|(?:\s+(?:and|or))+$", re.IGNORECASE)
"""What holds nothing together any more at either end of a change."""
_UNTELLING: Final = frozenset(
    [
        *("a", "an", "and", "any", "as", "be", "but", "from", "in", "instead", "is", "it", "make", "more", "no", "not"),
        *("of", "one", "or", "than", "that", "the", "this", "to", "with", "without"),
    ]
)
"""Words that say nothing by themselves."""

Vocabulary = Mapping[str, Sequence[str]]


def changed_further(address: Address, also: str, vocabulary: Vocabulary) -> Address:
    """The search of the address with one more change, from its first page."""
    if address.photo:
        return address.saying(added(address.q, also, vocabulary))
    return replace(address.first(), change=added(address.change, also, vocabulary), generated=None)


def added(said: str, also: str, vocabulary: Vocabulary) -> str:
    """Of one field the later change counts: "but blue, but striped" and then "but red" is "but striped, but red"."""
    also = " ".join(also.split())
    fresh = frozenset(field for field, _ in _values(also, vocabulary))
    kept = [left for one in parts_of(said) if (left := _left(one, fresh, vocabulary))]
    if not kept or not also:
        return ", ".join(kept) or also
    return ", ".join([*kept, also if also.casefold().startswith("but ") else f"but {also}"])


def parts_of(said: str) -> list[str]:
    """The single changes of what is said, in their order."""
    return [one for one in _BETWEEN.split(said.strip(" ,;")) if one]


def single_changes(address: Address) -> list[tuple[str, str]]:
    """Each change in force, with the address that takes it back."""
    said = address.q if address.photo else address.change
    parts = parts_of(said) if address.edits else []
    rests = [", ".join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
    if address.photo:
        return [(one, address.saying(rest).url) for one, rest in zip(parts, rests, strict=True)]
    without = (replace(address.first(), change=rest, generated=None).url for rest in rests)
    return list(zip(parts, without, strict=True))


def _left(part: str, fresh: frozenset[str], vocabulary: Vocabulary) -> str:
    """Of a change, what a later one says nothing of; '' where that is nothing that tells."""
    over = [value for field, value in _values(part, vocabulary) if field in fresh]
    if not over:
        return part
    left = part
    for value in over:
        left = re.sub(rf"\b{re.escape(value)}\b", " ", left, flags=re.IGNORECASE)
    left = _LOOSE.sub(r"\1", " ".join(left.split()))
    telling = [one for one in re.findall(r"[\w-]+", left.casefold()) if one not in _UNTELLING]
    return left if telling and left != part else ""


def _values(said: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """(field, value) of what is wanted and what is to go; none where it contradicts itself, which the search says."""
    try:
        wanted, refused = asked_changes(said, vocabulary)
    except ContradictoryEdit:
        return []
    return [*wanted.items(), *refused.items()]
