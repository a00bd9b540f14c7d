"""One pass over a catalog: who carries which value, which words are used, and small samples of the rest.

What grows with the catalogue is a number per product and value it carries; texts are read and let go.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from types import MappingProxyType

from eval.suites.making.nouns import ABSENT_CANDIDATES, GOODS
from eval.suites.making.sampling import Sample
from eval.suites.making.sayings import (
    AUDIENCE,
    BRAND,
    CATEGORY,
    COLOUR,
    ENGLISH,
    Term,
    family_of,
    folded,
    kind_of,
    looks_of,
    singulars,
    terms_of,
)
from indexer.builds.texts import values_of, words
from indexer.domain import Product
from indexer.sources.columns import key_of

CODE_FIELDS = frozenset({"sku", "ean", "gtin", "upc", "mpn", "isbn", "asin", "model", "modelnumber", "articlenumber"})
SHORTEST_CODE = 4
_PLURAL_EVIDENCE, _EVIDENCE = 0.05, 0.5
"""A category is a noun when this share of its titles holds it: in the plural, or else."""
_AMERICAN = MappingProxyType({"grey": "gray"})


@dataclass(frozen=True, slots=True)
class Variant:
    """What suites need to know of one product of a sampled family."""

    id: str
    family: str
    kind: str
    looks: Mapping[str, frozenset[str]]
    terms: tuple[Term, ...]
    photo: str | None
    """Content hash of its first photo that can be searched."""


class Census:
    """`add` every page, then ask. `wanted` is how many questions of a kind will be made, `vocabulary` a manifest's."""

    def __init__(self, vocabulary: Mapping[str, Sequence[str]], language: str, wanted: int, seed: int) -> None:
        self.language = language
        self._vocabulary = vocabulary
        self.ids: list[str] = []
        self.carriers: dict[Term, array[int]] = {}
        """Ascending numbers in `ids` of the products that carry the value."""
        self._titled = Counter[str]()
        self._families = Sample[Variant](4 * wanted, f"families {seed}")
        self._parents = Sample[Variant](4 * wanted, f"parents {seed}")
        self._codes = Sample[Variant](wanted, f"codes {seed}")
        self._unheard = {noun: frozenset(singulars(noun)) for noun in ABSENT_CANDIDATES}

    def add(self, products: Iterable[tuple[Product, str | None]]) -> None:
        """In the order of ids, each with the content hash of its first photo that can be searched."""
        for product, photo in products:
            number = len(self.ids)
            self.ids.append(product.id)
            terms = tuple(terms_of(product))
            for term in terms:
                if term[0] in (BRAND, CATEGORY, AUDIENCE) or term[0] in self._vocabulary:
                    self.carriers.setdefault(term, array("I")).append(number)
            variant = Variant(
                product.id,
                family_of(product),
                intern(kind_of(product)),
                looks_of(product),
                terms,
                photo,
            )
            self._families.add(variant.family, variant)
            if product.parent is not None:
                self._parents.add(variant.family, variant)
            for code in codes_of(product):
                self._codes.add(code, variant)
            self._read(product)

    def _read(self, product: Product) -> None:
        title = set(singulars(product.title))
        for level in dict.fromkeys(folded(CATEGORY, level) for level in product.category):
            self._titled[level] += not title.isdisjoint(singulars(level))
        spoken = title | set(singulars(words(product)))
        self._unheard = {noun: parts for noun, parts in self._unheard.items() if parts.isdisjoint(spoken)}

    @property
    def english(self) -> bool:
        """Whether sentences can be made; in other languages questions are bare words."""
        return self.language == ENGLISH

    def carrying(self, terms: Iterable[Term]) -> list[str]:
        """Ids of the products that carry all the values, in the order of ids."""
        numbers = sorted((self.carriers[term] for term in terms), key=len)
        common = set(numbers[0]).intersection(*numbers[1:])
        return [self.ids[number] for number in sorted(common)]

    def families(self) -> list[tuple[str, list[Variant]]]:
        """A sample of all families, a product without a parent being one by itself."""
        return self._families.groups()

    def parents(self) -> list[tuple[str, list[Variant]]]:
        """A sample of the families that the catalogue names."""
        return self._parents.groups()

    def codes(self) -> list[tuple[str, list[Variant]]]:
        """Sampled codes a shopper may type, with the products that carry them."""
        return self._codes.groups()

    def absent_nouns(self) -> list[str]:
        """Those of which no product mentions any word."""
        return list(self._unheard)

    def vocabulary_words(self) -> frozenset[str]:
        """Single words of all values that are said."""
        return frozenset(word for _, value in self.carriers for word in value.split())

    def is_noun(self, category: str) -> bool:
        """Whether `red {category}` is what people say; `kitchen` is no thing but where things are."""
        last = category.rsplit(maxsplit=1)[-1]
        carriers = len(self.carriers.get((CATEGORY, category), ()))
        if last in GOODS or not carriers:
            return last in GOODS
        plural = singulars(last) != [last]
        return self._titled[category] >= (_PLURAL_EVIDENCE if plural else _EVIDENCE) * carriers

    def said(self, term: Term) -> str:
        """The value as a shopper of this catalogue would type it."""
        field, value = term
        known = self._vocabulary.get(field, [])
        american = _AMERICAN.get(value, "") if field == COLOUR else ""
        if american in known and value not in known:
            return american
        return value.replace(" & ", " or ") if field == CATEGORY else value


def codes_of(product: Product) -> Sequence[str]:
    """The product's id, or else its article numbers, where they look like something copied from a label."""
    if _is_code(product.id):
        return (product.id,)
    fields = (value for name, value in product.attributes.items() if key_of(name) in CODE_FIELDS)
    return tuple(dict.fromkeys(code for values in fields for code in values_of(values) if _is_code(code)))


def _is_code(value: str) -> bool:
    return len(value) >= SHORTEST_CODE and any(one.isdigit() for one in value) and not any(map(str.isspace, value))
