""" "Like this but blue": what the words of an edit change, read from the catalogue's own vocabulary."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.domain import Product, Vector
from indexer.encoders import Encoder
from indexer.images.names import COLOUR_NAMES, SYNONYMS

COLOUR = "colour"
_WORD = re.compile(r"\w+(?:['-]\w+)*")
_UNTELLING = frozenset({"yes", "no", "true", "false", "none", "other"})
"""Values of fields that say nothing without the field's name."""


@dataclass(frozen=True)
class Change:
    """One attribute that the shopper wants changed: `field` from `source` (None: not known) to `target`."""

    field: str
    source: str | None
    target: str


def wanted_values(text: str, vocabulary: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field → value for each attribute value the words name; the first of a field counts.

    Longer values win, of up to three words, and use their words up: "stone beige" is a colour and no stone. Colour
    words are understood with their synonyms whether or not the catalogue has a colour field.
    """
    spoken = [word.casefold() for word in _WORD.findall(text)]
    found: dict[str, str] = {}
    unread = set(range(len(spoken)))
    phrases = [range(at, at + size) for size in (3, 2, 1) for at in range(len(spoken) - size + 1)]
    for places in phrases:
        named = _named(" ".join(spoken[place] for place in places), vocabulary) if unread.issuperset(places) else {}
        if named:
            unread.difference_update(places)
            found = {**named, **found}
    return found


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
