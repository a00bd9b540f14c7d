from random import Random

import pytest

from eval.suites.making.phrases import wordings
from eval.suites.making.sayings import folded, is_sayable, singulars, terms_of
from tests.eval.suites.making.shelves import product


@pytest.mark.parametrize(
    ("field", "value", "same"),
    [
        ("colour", "Gray", "grey"),
        ("colour", "Navy-Blue", "navy"),
        ("colour", "Multi", "multi"),
        ("material", "Organic  Cotton", "organic cotton"),
        ("brand", "Navy Blue", "navy blue"),
    ],
)
def test_values_are_compared_without_case_and_colours_by_their_name(field: str, value: str, same: str) -> None:
    assert folded(field, value) == same


@pytest.mark.parametrize("value", ["red", "hoodies & sweatshirts", "two-tone", "crème brûlée", "men's"])
def test_words_can_be_said(value: str) -> None:
    assert is_sayable(value)


@pytest.mark.parametrize("value", ["xl 42", "men/tops", "coolmax™", "a b c d", "", "yes", "#ff0000"])
def test_codes_paths_and_untelling_words_cannot(value: str) -> None:
    assert not is_sayable(value)


def test_for_whom_is_apart_from_what_it_is() -> None:
    shoe = product("1", "Shoe", "Women", "Shoes", "X-99", brand="Acme", colour="Gray", size="38")
    assert terms_of(shoe) == [("colour", "grey"), ("brand", "acme"), ("audience", "women"), ("category", "shoes")]


def test_plurals_and_accents_do_not_matter() -> None:
    assert singulars("Dresses, Watches & Crèmes: bodies glass bus") == [
        "dress",
        "watch",
        "creme",
        "body",
        "glass",
        "bus",
    ]


def test_a_noun_is_described_and_a_place_stands_first() -> None:
    said = {"colour": "red", "pattern": "striped", "material": "wool", "brand": "acme", "category": "hats"}
    first, bare, sentence = wordings({**said, "audience": "men"}, noun=True, english=True, rng=Random(3))
    assert first == "acme red striped wool hats for men"
    assert sorted(bare.split()) == sorted(["acme", "red", "striped", "wool", "hats", "men"])
    assert "striped hats in red made of wool by acme for men" in sentence
    placed = wordings({**said, "category": "kitchen"}, noun=False, english=True, rng=Random(3))
    assert placed == (
        "kitchen acme red striped wool",
        "something red and striped made of wool by acme from the kitchen department",
    )


def test_other_languages_get_bare_words() -> None:
    said = {"colour": "rot", "category": "hüte", "audience": "herren"}
    for words in wordings(said, noun=True, english=False, rng=Random(1)):
        assert sorted(words.split()) == ["herren", "hüte", "rot"]
