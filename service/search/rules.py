"""Business rules as a search applies them: which of them a query meets, and what they do to its results.

A rule's query pattern is empty (every query), words that the whole query must be, or `contains:` with words that must
occur in it together. Case, accents and punctuation do not count. The pattern of a synonym rule is the phrase that is
also read as the rule's words.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from indexer.catalog.rules import Rule, RuleContent
from indexer.catalog.states import RuleKind
from indexer.domain import FieldType
from indexer.errors import BadExpression, BadRule
from service.search.boosts import Lift
from service.search.expression_reading import parse_expression
from service.search.fusion import Fused

CONTAINS = "contains:"
MAX_PLACE = 200
_STEM = 3
"""Letters in which two forms of a word agree: what the stemmer then decides on."""
_WORD = re.compile(r"\w+")

_NEEDED: Final = {
    RuleKind.PIN: ("products",),
    RuleKind.BURY: ("products",),
    RuleKind.SYNONYM: ("query", "words"),
    RuleKind.BOOST: ("expression",),
}
_ALLOWED: Final = {kind: {"query", *needed} for kind, needed in _NEEDED.items()} | {
    RuleKind.PIN: {"query", "products", "place"}
}


@dataclass(frozen=True)
class Pattern:
    words: tuple[str, ...]
    within: bool
    """Whether the query may say more."""

    def meets(self, said: tuple[str, ...]) -> bool:
        if not self.words or self.words == said:
            return True
        size = len(self.words)
        return self.within and any(said[at : at + size] == self.words for at in range(len(said) - size + 1))

    def may_mean(self, said: tuple[str, ...]) -> bool:
        """Whether each word has one beside it in the query that begins alike."""
        begun = {word[:_STEM] for word in said}
        return all(word[:_STEM] in begun for word in self.words)


@dataclass(frozen=True)
class Pin:
    product: str
    place: int
    """From 1."""
    rule: str


@dataclass(frozen=True)
class Ruling:
    """What the rules say about one query; where two contradict each other, the newer one counts."""

    pins: tuple[Pin, ...] = ()
    """Each product once, the MAX_PLACE newest; of equal places the first is served first."""
    buried: Mapping[str, str] = field(default_factory=dict)
    """Product → the rule that puts it last."""
    synonyms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Phrases that may be in the query, with the words they are also read as."""
    lifts: tuple[Lift, ...] = ()
    """Each named `rule ID`."""
    rules: tuple[str, ...] = ()
    """The pins, buries and boosts that the query meets."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Those of them that the build cannot apply → why."""


@dataclass(frozen=True)
class _Prepared:
    rule: Rule
    pattern: Pattern
    lift: Lift | None
    fault: str | None


class RuleBook:
    """The rules of a catalog, read once for a build's fields."""

    def __init__(self, prepared: Sequence[_Prepared]) -> None:
        self._prepared = prepared

    @classmethod
    def of(cls, rules: Sequence[Rule], fields: Mapping[str, FieldType]) -> "RuleBook":
        """`rules`: oldest first. One that the fields do not allow any more is told by every ruling it belongs to."""
        return cls([_prepared(rule, fields) for rule in reversed(rules)])

    def for_query(self, words: str) -> Ruling:
        """`words` as they were typed; '' for a search without words, which meets the rules for every query."""
        said = words_of(words)
        met = [one for one in self._prepared if one.rule.content.kind is not RuleKind.SYNONYM]
        met = [one for one in met if one.pattern.meets(said)]
        pins: dict[str, Pin] = {}
        buried: dict[str, str] = {}
        for one in met:
            for number, product in enumerate(one.rule.content.products):
                if product in pins or product in buried:
                    continue
                if one.rule.content.kind is RuleKind.PIN:
                    pins[product] = Pin(product, (one.rule.content.place or 1) + number, one.rule.id)
                else:
                    buried[product] = one.rule.id
        return Ruling(
            pins=tuple(islice(pins.values(), MAX_PLACE)),
            buried=buried,
            synonyms=tuple(
                (one.rule.content.query, one.rule.content.words)
                for one in self._prepared
                if one.rule.content.kind is RuleKind.SYNONYM and one.pattern.may_mean(said)
            ),
            lifts=tuple(one.lift for one in met if one.lift is not None),
            rules=tuple(one.rule.id for one in met),
            broken={one.rule.id: one.fault for one in met if one.fault is not None},
        )


def pinned(fused: Sequence[Fused], ruling: Ruling) -> tuple[list[Fused], dict[str, str]]:
    """The products in their new order, and which rule moved each of those that one pinned or buried.

    A pinned product that is not among them is left out. A taken place gives the next one; the scores stay.
    """
    found = {one.hit.product_id: one for one in fused}
    places: dict[int, Fused] = {}
    for pin in ruling.pins:
        if pin.product in found:
            place = pin.place
            while place in places:
                place += 1
            places[place] = found[pin.product]
    moved = {pin.product: pin.rule for pin in ruling.pins if pin.product in found}
    left = [one for one in fused if one.hit.product_id not in moved]
    moved |= {product: rule for product, rule in ruling.buried.items() if product in found}
    ordered = [one for one in left if one.hit.product_id not in moved]
    for place in sorted(places):
        ordered.insert(place - 1, places[place])
    return ordered + [one for one in left if one.hit.product_id in moved], moved


def words_of(text: str) -> tuple[str, ...]:
    """As patterns and queries are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return tuple(_WORD.findall("".join(char for char in plain if not unicodedata.combining(char))))


def checked(content: RuleContent, fields: Mapping[str, FieldType]) -> RuleContent:
    """With the place that a pin has by default. Raises BadRule naming the part, BadExpression."""
    given = {
        name: getattr(content, name)
        for name in ("query", "products", "words", "expression", "place")
        if getattr(content, name) not in ("", (), None)
    }
    allowed = ", ".join(sorted(_ALLOWED[content.kind]))
    for name in _NEEDED[content.kind]:
        if name not in given:
            raise BadRule(f"{name}: a {content.kind} rule needs it; it takes {allowed}.")
    for name in given:
        if name not in _ALLOWED[content.kind]:
            raise BadRule(f"{name}: a {content.kind} rule does not take it, only {allowed}.")
    if content.query and not _pattern(content).words:
        raise BadRule(f"query: {content.query!r} has no word; leave it out for every query.")
    if content.kind is RuleKind.SYNONYM and _pattern(content).within:
        raise BadRule(f"query: {content.query!r} of a synonym rule is the phrase alone; it may be anywhere in a query.")
    if content.place is not None and not 1 <= content.place <= MAX_PLACE:
        raise BadRule(f"place: {content.place} is not from 1 to {MAX_PLACE}.")
    if content.kind is RuleKind.BOOST:
        parse_expression(content.expression, fields)
    return replace(content, place=content.place or 1) if content.kind is RuleKind.PIN else content


def _pattern(content: RuleContent) -> Pattern:
    within = content.query.casefold().startswith(CONTAINS)
    return Pattern(words_of(content.query[len(CONTAINS) :] if within else content.query), within)


def _prepared(rule: Rule, fields: Mapping[str, FieldType]) -> _Prepared:
    lift, fault = None, None
    if rule.content.kind is RuleKind.BOOST:
        try:
            lift = Lift(f"rule {rule.id}", parse_expression(rule.content.expression, fields))
        except BadExpression as error:
            fault = str(error)
    return _Prepared(rule, _pattern(rule.content), lift, fault)
