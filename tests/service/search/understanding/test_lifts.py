"""However many fields say what one word names, a product is lifted, or lowered, once: by the surest of them."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.builds.words import Words
from indexer.domain import FieldType
from service.search.conditions import holds
from service.search.understanding import SoftBoost, understand
from service.search.understanding.lifts import GIVEN, GUESSED, SEEN, UNWANTED, UNWANTED_GUESS
from service.search.where import parse_where
from tests.service.search.understanding.shop import manifest

VOCABULARY = {
    "category": ["hoodies & sweatshirts", "heather"],
    "style": ["hoodie", "sweatshirt", "pullover"],
    "kind": ["hoodie", "heather"],
    "colour": ["heather"],
}
FIELDS = dict.fromkeys([*VOCABULARY, "guessed"], FieldType.KEYWORD)
SHOP = manifest(VOCABULARY, FIELDS, guessed=["style", "kind", "colour"])
HOODIE: dict[str, str | list[str]] = {"category": ["hoodies & sweatshirts"], "style": "hoodie", "kind": "hoodie"}


def boosts(text: str) -> tuple[SoftBoost, ...]:
    return understand(text, SHOP, Words()).boosts


def amounts(text: str, payload: Mapping[str, str | list[str]]) -> list[float]:
    """Of the boosts that the product gets."""
    return [boost.amount for boost in boosts(text) if holds(boost.where, payload)]


@pytest.mark.parametrize(
    ("payload", "amount"),
    [
        (HOODIE, [GIVEN]),
        ({**HOODIE, "guessed": ["style", "kind"]}, [GIVEN]),
        ({"style": "hoodie", "kind": "hoodie", "guessed": ["kind"]}, [GIVEN]),
        ({"style": "hoodie", "kind": "hoodie", "guessed": ["style", "kind"]}, [GUESSED]),
        ({"category": ["mugs"], "style": "pullover"}, []),
    ],
)
def test_a_product_is_lifted_once_by_the_surest_field(payload: dict[str, str | list[str]], amount: list[float]) -> None:
    assert amounts("hoodie", payload) == amount


def test_a_colour_that_is_seen_counts_only_where_nothing_surer_does() -> None:
    assert amounts("heather", {"colour": "heather", "guessed": ["colour"]}) == [SEEN]
    assert amounts("heather", {"colour": "heather", "kind": "heather", "guessed": ["colour", "kind"]}) == [GUESSED]
    assert amounts("heather", {"colour": "heather", "category": ["heather"], "guessed": ["colour"]}) == [GIVEN]


def test_what_is_not_wanted_lowers_once() -> None:
    assert amounts("not hoodie", HOODIE) == [UNWANTED]
    assert amounts("not hoodie", {"style": "hoodie", "guessed": ["style"]}) == [UNWANTED_GUESS]


@pytest.mark.parametrize("text", ["hoodie hoodies", "hoodie or sweatshirt", "hoodies & sweatshirts hoodie"])
def test_two_words_for_one_value_lift_it_once(text: str) -> None:
    assert amounts(text, {"category": ["hoodies & sweatshirts"]}) == [GIVEN]


def test_two_words_for_two_values_lift_both() -> None:
    assert amounts("hoodie pullover", {**HOODIE, "style": "pullover"}) == [GIVEN, GIVEN]


def test_words_that_share_a_value_lift_it_once_when_one_is_taken_back() -> None:
    known = {"article": ["hoodie"], "category": ["hoodies & sweatshirts"]}
    shop = manifest(known, dict.fromkeys(known, FieldType.KEYWORD))
    product = {"category": ["hoodies & sweatshirts"]}
    for ignored in ([], ["article:hoodie"], ["category:hoodies & sweatshirts"]):
        found = understand("hoodie or sweatshirt", shop, Words(), ignore=ignored)
        assert [boost.amount for boost in found.boosts if holds(boost.where, product)] == [GIVEN]


VALUES = {field: st.sampled_from([*known, "other"]) for field, known in VOCABULARY.items()}


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(["hoodie", "heather", "not hoodie", "sweatshirt"]),
    st.fixed_dictionaries({}, optional=VALUES),
    st.lists(st.sampled_from(["style", "kind", "colour"])),
)
def test_a_word_never_moves_a_product_twice(text: str, payload: dict[str, str | list[str]], guessed: list[str]) -> None:
    assert len(amounts(text, {**payload, "guessed": guessed})) <= 1
    for boost in boosts(text):
        assert parse_where([boost.condition], FIELDS) == boost.where
