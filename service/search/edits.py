""" "Like this but blue": what the words of an edit change, read from the catalogue's own vocabulary."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from indexer.domain import Matrix, Product, Vector
from indexer.encoders import Encoder
from indexer.errors import ContradictoryEdit
from indexer.images.names import COLOUR_NAMES, SYNONYMS

COLOUR = "colour"
_WORD = re.compile(r"\w+(?:['-]\w+)*")
_UNTELLING = frozenset({"yes", "no", "true", "false", "none", "other"})
"""Values of fields that say nothing without the field's name."""
_UNWANTED = re.compile(
    r"\b(?:not|no|without|never|isn't|instead\s+of|rather\s+than|other\s+than|than)(?:\s+(?:in|a|an|the))*\s*$"
)
"""What stands before a value that is not wanted."""
_APART = re.compile(r"[,;.!?]|\b(?:but|in|make|instead)\b")
_TOGETHER = re.compile(r"[&+/]|\b(?:and|or|with|on|mixed|to)\b")
"""Two values of a field with a word of these between them are one wish ("blue and white"), with others two."""
WORDS_OF_A_FIELD = 40
"""Values of a field, most frequent first, whose differences are what a change of it may change; each is encoded."""


@dataclass(frozen=True)
class Change:
    """One attribute that the shopper wants changed: `field` from `source` (None: not known) to `target`."""

    field: str
    source: str | None
    target: str


@dataclass(frozen=True)
class _Mention:
    field: str
    value: str
    start: int
    end: int
    wanted: bool


def wanted_values(text: str, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field → value for each attribute value the words name and do not refuse; the first of a field counts.

    Longer values win, of up to three words, and use their words up: "stone beige" is a colour and no stone. Colour
    words are understood with their synonyms whether or not the catalogue has a colour field.
    """
    return _first_of_each(one for one in _mentions(text, vocabulary) if one.wanted)


def asked_changes(text: str, vocabulary: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Field → value that is wanted, and field → value that is to go ("blue instead of red").

    Raises ContradictoryEdit for a value that is both, and for two that are wanted of one field, one after the other.
    """
    mentions = _mentions(text, vocabulary)
    wanted = _first_of_each(one for one in mentions if one.wanted)
    refused = {(one.field, one.value) for one in mentions if not one.wanted}
    for field, value in wanted.items():
        if (field, value) in refused:
            raise ContradictoryEdit(f"{field}: {value} is both wanted and refused in {text!r}; say which.")
        same = [one for one in mentions if one.wanted and one.field == field]
        for one, other in pairwise(same):
            between = text[one.end : other.start]
            if one.value != other.value and _APART.search(between) and not _TOGETHER.search(between):
                raise ContradictoryEdit(
                    f"{field}: {text!r} asks for {one.value} and for {other.value}; a change is to one of them."
                )
    return wanted, _first_of_each(one for one in mentions if not one.wanted)


def _first_of_each(mentions: Iterable[_Mention]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in mentions:
        found.setdefault(one.field, one.value)
    return found


def _mentions(text: str, vocabulary: Mapping[str, Sequence[str]]) -> list[_Mention]:
    """Every value named, in the order of the text; a phrase may name one of several fields."""
    text = text.casefold()
    spoken = list(_WORD.finditer(text))
    found: list[_Mention] = []
    unread = set(range(len(spoken)))
    for size in (3, 2, 1):
        for at in range(len(spoken) - size + 1):
            places = range(at, at + size)
            if not unread.issuperset(places):
                continue
            named = _named(" ".join(spoken[place][0] for place in places), vocabulary)
            start, end = spoken[at].start(), spoken[at + size - 1].end()
            wanted = _UNWANTED.search(text[:start]) is None
            found += [_Mention(field, value, start, end, wanted) for field, value in named.items()]
            unread.difference_update(places if named else ())
    return sorted(found, key=lambda one: one.start)


def _named(phrase: str, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field → value of what the whole phrase names."""
    plain = phrase.replace("-", " ")
    colour = SYNONYMS.get(plain, plain if plain in COLOUR_NAMES else None)
    if colour is not None:
        return {COLOUR: colour}
    if phrase in _UNTELLING:
        return {}
    return {
        field: phrase for field, values in vocabulary.items() if field not in ("category", "brand") and phrase in values
    }


def source_of_product(field: str, product: Product) -> str | None:
    value = product.attributes.get(field)
    if not value:
        return None
    first = (value if isinstance(value, str) else value[0]).casefold()
    return SYNONYMS.get(first, first) if field == COLOUR else first


def nearest_value(photo: Vector, values: Sequence[str], encoder: Encoder) -> str:
    """Zero-shot classification: the value whose words are nearest to the photo (Radford et al. 2021, §3.1)."""
    return values[int(np.argmax(encoder.encode_texts(values) @ photo))]


def direction(changes: Sequence[Change], encoder: Encoder) -> Vector:
    """Sum over the changes of text(target) − text(source), shape (dim,); an unknown source leaves text(target)."""
    pairs = [(change.target, 1.0) for change in changes]
    pairs += [(change.source, -1.0) for change in changes if change.source is not None]
    vectors = encoder.encode_texts([words for words, _ in pairs])
    summed: Vector = np.asarray([sign for _, sign in pairs], np.float32) @ vectors
    return summed


def changed_directions(
    changes: Sequence[Change], vocabulary: Mapping[str, Sequence[str]], encoder: Encoder, dim: int
) -> Matrix:
    """Orthonormal rows (k, dim), k ≥ 0, of what changing those fields may change of a vector.

    They span the differences between the vectors of a field's values, as concept erasure has it for a probe's
    directions (Ravfogel et al. 2020, "Null It Out"): with them taken out, a blue shirt and a red one are one shirt.
    """
    parts = []
    for change in changes:
        words = _values_of_field(change, vocabulary)
        vectors = encoder.encode_texts(words)
        parts.append(vectors - vectors.mean(axis=0))
    if not parts:
        return np.empty((0, dim), np.float32)
    _, lengths, rows = np.linalg.svd(np.concatenate(parts), full_matrices=False)
    kept = rows[lengths > 1e-3 * max(float(lengths[0]), 1e-12)][: dim // 2]
    return np.asarray(kept, np.float32)


def without(vectors: Matrix, directions: Matrix) -> Matrix:
    """Unit rows (n, dim) with the orthonormal directions (k, dim) taken out; what lies wholly in them becomes 0."""
    rest = vectors - (vectors @ directions.T) @ directions
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    return np.asarray(rest / np.where(lengths > 1e-6, lengths, np.inf), np.float32)


def _values_of_field(change: Change, vocabulary: Mapping[str, Sequence[str]]) -> list[str]:
    named = COLOUR_NAMES if change.field == COLOUR else ()
    own = [value for value in vocabulary.get(change.field, ()) if value not in _UNTELLING]
    source = () if change.source is None else (change.source,)
    return list(dict.fromkeys([change.target, *source, *named, *own]))[:WORDS_OF_A_FIELD]
