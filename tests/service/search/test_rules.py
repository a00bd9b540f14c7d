from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.catalog.rules import Rule, RuleContent
from indexer.catalog.states import RuleKind, RuleState
from indexer.domain import FieldType, Hit
from indexer.errors import BadExpression, BadRule, InputError
from service.search.boosts import lift
from service.search.fusion import Fused
from service.search.rules import CONTAINS, RuleBook, Ruling, checked, pinned

FIELDS = {"in_stock": FieldType.FLAG, "brand": FieldType.KEYWORD}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def pin(query: str, *products: str, place: int = 1) -> RuleContent:
    return RuleContent(RuleKind.PIN, query, products=products, place=place)


def bury(query: str, *products: str) -> RuleContent:
    return RuleContent(RuleKind.BURY, query, products=products)


def boost(query: str, expression: str) -> RuleContent:
    return RuleContent(RuleKind.BOOST, query, expression=expression)


def synonym(phrase: str, *words: str) -> RuleContent:
    return RuleContent(RuleKind.SYNONYM, phrase, words=words)


def book(*contents: RuleContent) -> RuleBook:
    """The oldest first, with the ids r1, r2, …"""
    rules = [
        Rule(f"r{number}", "shop", content, RuleState.LIVE, "ann", NOON, "ann", NOON)
        for number, content in enumerate(contents, start=1)
    ]
    return RuleBook.of(rules, FIELDS)


def found(*products: str) -> list[Fused]:
    """In this order."""
    return [
        Fused(Hit(uuid4(), product, "", 0.0), float(-place), {}, {}, {}, payload={"in_stock": True})
        for place, product in enumerate(products)
    ]


def ids(fused: list[Fused]) -> str:
    return " ".join(one.hit.product_id for one in fused)


@pytest.mark.parametrize(
    ("pattern", "query", "meets"),
    [
        ("", "anything", True),
        ("", "", True),
        ("red mug", "Red  MUG!", True),
        ("café", "cafe", True),
        ("red mug", "red mugs", False),
        ("red mug", "a red mug", False),
        ("red mug", "", False),
        ("contains:red mug", "a red mug, please", True),
        ("Contains: red mug", "red mug", True),
        ("contains:red mug", "mug red", False),
        ("contains:red mug", "red big mug", False),
        ("contains:red", "redder", False),
    ],
)
def test_which_queries_a_pattern_meets(pattern: str, query: str, meets: bool) -> None:
    ruling = book(pin(pattern, "a"), boost(pattern, "in_stock")).for_query(query)
    assert ruling.rules == (("r2", "r1") if meets else ())
    assert (len(ruling.pins), len(ruling.lifts)) == ((1, 1) if meets else (0, 0))


def test_pinned_products_are_at_their_places_and_buried_ones_last() -> None:
    ruling = book(pin("", "e", "c", place=2), bury("", "a", "absent")).for_query("mug")
    ordered, moved = pinned(found("a", "b", "c", "d", "e"), ruling)
    assert ids(ordered) == "b e c d a"
    assert moved == {"e": "r1", "c": "r1", "a": "r2"}


def test_a_taken_place_gives_the_next_and_newer_rules_are_served_first() -> None:
    ruling = book(pin("", "c"), pin("", "d", "e")).for_query("mug")
    assert ids(pinned(found("a", "b", "c", "d", "e"), ruling)[0]) == "d e c a b"


def test_a_place_behind_all_others_is_before_what_is_buried() -> None:
    ruling = book(pin("", "a", place=50), bury("", "b")).for_query("mug")
    assert ids(pinned(found("a", "b", "c"), ruling)[0]) == "c a b"


def test_of_rules_that_contradict_each_other_the_newer_counts() -> None:
    assert ids(pinned(found("a", "b"), book(pin("", "b"), bury("", "b")).for_query(""))[0]) == "a b"
    assert ids(pinned(found("a", "b"), book(bury("", "b"), pin("", "b")).for_query(""))[0]) == "b a"
    assert ids(pinned(found("a", "b", "c"), book(pin("", "c"), pin("", "c", place=2)).for_query(""))[0]) == "a c b"


def test_pinned_products_that_were_not_found_are_told() -> None:
    ruling = book(pin("", "x", "b", "y"), bury("", "z")).for_query("mug")
    fused = found("a", "b")
    ordered, moved = pinned(fused, ruling)
    assert (ids(ordered), moved) == ("a b", {"b": "r1"})


def test_boosts_are_named_after_their_rule() -> None:
    (lifted,) = lift(found("a"), book(boost("", "0.5*in_stock")).for_query("mug").lifts)
    assert lifted.boosts == (("rule r1", 0.5),)


def test_a_boost_on_a_field_that_is_gone_is_told_and_the_others_apply() -> None:
    ruling = book(boost("", "gone * 2"), boost("", "0.5*in_stock")).for_query("mug")
    assert [one.name for one in ruling.lifts] == ["rule r2"]
    assert list(ruling.broken) == ["r1"]
    assert "no field 'gone'" in ruling.broken["r1"]


@pytest.mark.parametrize(("query", "given"), [("red sofas", True), ("red SOFA", True), ("so red", False), ("", False)])
def test_synonyms_are_given_where_their_phrase_may_be(query: str, given: bool) -> None:
    ruling = book(synonym("sofa", "couch", "settee")).for_query(query)
    assert ruling.synonyms == ((("sofa", ("couch", "settee")),) if given else ())
    assert ruling.rules == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pin("mug"), "products: a pin rule needs it; it takes place, products, query"),
        (bury("mug"), "products: a bury rule needs it"),
        (synonym("", "couch"), "query: a synonym rule needs it"),
        (synonym("sofa"), "words: a synonym rule needs it"),
        (synonym("contains:sofa", "couch"), "query: 'contains:sofa' of a synonym rule is the phrase alone"),
        (boost("", ""), "expression: a boost rule needs it"),
        (replace(bury("mug", "a"), place=3), "place: a bury rule does not take it, only products, query"),
        (replace(pin("mug", "a"), expression="1"), "expression: a pin rule does not take it"),
        (replace(boost("", "in_stock"), words=("x",)), "words: a boost rule does not take it"),
        (pin("?!", "a"), "query: '[?]!' has no word; leave it out for every query"),
        (pin("contains:", "a"), "query: 'contains:' has no word"),
        (pin("mug", "a", place=0), "place: 0 is not from 1 to 200"),
        (pin("mug", "a", place=201), "place: 201 is not from 1 to 200"),
    ],
)
def test_a_rule_that_lacks_or_contradicts_something_is_refused(content: RuleContent, why: str) -> None:
    with pytest.raises(BadRule, match=f"^{why}"):
        checked(content, FIELDS)


def test_a_boost_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BadExpression, match="no field 'rating'"):
        checked(boost("", "2*rating"), FIELDS)


def test_a_pin_is_at_the_first_place_unless_it_says_otherwise() -> None:
    assert checked(replace(pin("mug", "a"), place=None), FIELDS).place == 1
    assert checked(pin("mug", "a", place=7), FIELDS).place == 7


PRODUCTS = st.lists(st.sampled_from("abcdef"), max_size=4, unique=True).map(tuple)
RULES = st.lists(
    st.one_of(
        st.builds(lambda products, place: pin("", *products, place=place), PRODUCTS, st.integers(1, 9)),
        st.builds(lambda products: bury("", *products), PRODUCTS),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=50)
@given(RULES, st.permutations("abcde").map(lambda all: all[:4]))
def test_rules_move_products_and_lose_none(contents: list[RuleContent], products: list[str]) -> None:
    ruling = book(*contents).for_query("mug")
    fused = found(*products)
    ordered, moved = pinned(fused, ruling)
    assert sorted(ids(ordered)) == sorted(ids(fused))
    untouched = [one for one in fused if one.hit.product_id not in moved]
    assert [one for one in ordered if one.hit.product_id not in moved] == untouched
    last = [one.hit.product_id in ruling.buried for one in ordered]
    assert last == sorted(last)
    for one in ruling.pins:
        assert one.product not in products or one.product in moved


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_pattern_is_refused_or_meets_itself(pattern: str, query: str) -> None:
    try:
        content = checked(pin(pattern, "a"), FIELDS)
    except InputError:
        return
    rules = book(content)
    assert rules.for_query(pattern.removeprefix(CONTAINS)).pins
    assert rules.for_query(query) == rules.for_query(query.upper()) or query.upper().casefold() != query.casefold()


def test_no_rules_say_nothing() -> None:
    assert book().for_query("mug") == Ruling()
