"""What of a product a shopper would say: the fields whose values are words, and how the values are spelt."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from indexer.builds.texts import values_of
from indexer.domain import Product
from indexer.images.names import COLOUR_NAMES, SYNONYMS

COLOUR, PATTERN, MATERIAL, BRAND, CATEGORY, AUDIENCE = "colour", "pattern", "material", "brand", "category", "audience"
LOOKS = (COLOUR, PATTERN, MATERIAL)
"""Attributes that can be seen on a photo and asked for in a few words."""
ALSO_VISIBLE = ("second_colour",)
"""Seen too, compared between variants, never asked for."""
ENGLISH = "en"

Term = tuple[str, str]
"""A field and one of its values, folded."""

_SAYABLE = re.compile(r"[^\W\d_]+(?:(?: & |[ '-])[^\W\d_]+){0,2}")
_UNTELLING = frozenset({"yes", "no", "true", "false", "none", "other", "others", "misc", "default", "n-a", "unknown"})
_AUDIENCES: Mapping[str, str] = MappingProxyType(
    {
        word: name
        for name, words in {
            "men": "men mens men's male man gents gentlemen",
            "women": "women womens women's female woman ladies",
            "boys": "boys boy boy's",
            "girls": "girls girl girl's",
            "kids": "kids kid children child",
            "babies": "baby babies infant infants",
        }.items()
        for word in words.split()
    }
)
_WORD = re.compile(r"[^\W_]+")


def folded(field: str, value: str) -> str:
    """How two values of a field are compared: casefolded, single spaces; a colour's other names are that colour."""
    plain = " ".join(value.casefold().split())
    if field != COLOUR:
        return plain
    spoken = plain.replace("-", " ")
    return SYNONYMS.get(spoken, spoken if spoken in COLOUR_NAMES else plain)


def looks_of(product: Product) -> dict[str, frozenset[str]]:
    """Visible field → its values, folded; absent fields are absent."""
    return looks_among(product.attributes)


def looks_among(attributes: Mapping[str, str | tuple[str, ...]]) -> dict[str, frozenset[str]]:
    found = {
        field: frozenset(folded(field, one) for one in values_of(attributes[field]) if one.strip())
        for field in (*LOOKS, *ALSO_VISIBLE)
        if field in attributes
    }
    return {field: values for field, values in found.items() if values}


def terms_of(product: Product) -> list[Term]:
    """Everything of the product that can be said; of its category path every level, those for whom it is apart."""
    looks = looks_of(product)
    terms = [(field, value) for field in LOOKS for value in sorted(looks.get(field, ()))]
    if product.brand:
        terms.append((BRAND, folded(BRAND, product.brand)))
    for level in product.category:
        audience = _AUDIENCES.get(folded(AUDIENCE, level))
        terms.append((AUDIENCE, audience) if audience else (CATEGORY, folded(CATEGORY, level)))
    return [(field, value) for field, value in dict.fromkeys(terms) if is_sayable(value)]


def is_sayable(value: str) -> bool:
    """Words a person would type: one to three, letters only."""
    return _SAYABLE.fullmatch(value) is not None and value not in _UNTELLING


def kind_of(product: Product) -> str:
    """What sort of thing it is: its own category, '' when it has none."""
    return folded(CATEGORY, product.category[-1]) if product.category else ""


def family_of(product: Product) -> str:
    return product.parent or product.id


def singulars(text: str) -> list[str]:
    """The words of a text without accents and English plural endings, in order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    stripped = "".join(one for one in plain if not unicodedata.combining(one))
    return [_singular(word) for word in _WORD.findall(stripped)]


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
