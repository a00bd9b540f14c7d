"""A product's own text with what it says of the changed attribute replaced: to search texts by, and to draw by."""

import re
from collections.abc import Sequence
from dataclasses import replace

from indexer.builds.texts import describe
from indexer.domain import Product
from indexer.images.names import SYNONYMS
from service.changes import COLOUR, Change


def rewritten(product: Product, changes: Sequence[Change], wanted: str) -> str:
    """As the text encoder read the product when the build was made, were it what is wanted.

    Where the text does not say what is to change, the new value goes behind the title; so do the words of an edit of
    which no attribute was understood.
    """
    if not changes:
        return describe(replace(product, title=f"{product.title}, {wanted}"))
    for change in changes:
        attributes = {**product.attributes, change.field: change.target}
        title, description = _exchanged(product.title, change), _exchanged(product.description, change)
        product = replace(product, title=title, description=description, attributes=attributes)
    text = describe(product)
    unsaid = [change.target for change in changes if change.target not in text.casefold()]
    return describe(replace(product, title=", ".join([product.title, *unsaid]))) if unsaid else text


def depicted(product: Product | None, changes: Sequence[Change], wanted: str) -> str:
    """What is to be seen on a picture of it, short enough for the text encoders of those who draw: its title, as it
    would be, or of a photo the wanted values alone."""
    if product is None:
        return ", ".join(change.target for change in changes) or wanted
    title = product.title
    for change in changes:
        title = _exchanged(title, change)
    unsaid = [change.target for change in changes if change.target not in title.casefold()]
    return ", ".join([title, *(unsaid if changes else [wanted])])


def _exchanged(text: str, change: Change) -> str:
    if change.source is None:
        return text
    words = [change.source]
    if change.field == COLOUR:
        words += [word for word, name in SYNONYMS.items() if name == change.source]
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in longest)
    return re.sub(rf"\b(?:{pattern})\b", lambda _: change.target, text, flags=re.IGNORECASE)
