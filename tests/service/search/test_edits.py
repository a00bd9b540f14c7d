import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Product
from indexer.images.names import COLOUR_NAMES
from service.search.edits import Change, direction, nearest_value, source_of_product, wanted_values
from tests.fakes import FakeEncoder

VOCABULARY = {
    "colour": ["red", "blue", "heather"],
    "material": ["steel", "stainless steel", "stone", "organic cotton twill"],
    "fit": ["slim", "t-shirt", "no"],
    "washable": ["yes", "no"],
    "category": ["mugs", "shoes"],
    "brand": ["acme"],
}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("but blue", {"colour": "blue"}),
        ("But BLUE, please!", {"colour": "blue"}),
        ("in 'blue'", {"colour": "blue"}),
        ("in crimson", {"colour": "red"}),
        ("in navy blue", {"colour": "navy"}),
        ("in navy-blue", {"colour": "navy"}),
        ("off-white", {"colour": "white"}),
        ("heather", {"colour": "heather"}),
        ("blue, not red", {"colour": "blue"}),
        ("in stainless steel", {"material": "stainless steel"}),
        ("organic cotton twill and slim", {"material": "organic cotton twill", "fit": "slim"}),
        ("blue steel", {"colour": "blue", "material": "steel"}),
        ("a t-shirt", {"fit": "t-shirt"}),
        ("something nicer", {}),
        ("", {}),
    ],
)
def test_words_name_values_of_the_catalogue(words: str, wanted: dict[str, str]) -> None:
    assert wanted_values(words, VOCABULARY) == wanted


def test_a_word_that_is_part_of_a_longer_value_is_not_a_value_of_its_own() -> None:
    assert wanted_values("in stone beige", VOCABULARY) == {"colour": "beige"}


def test_categories_and_brands_are_not_changed() -> None:
    assert wanted_values("acme mugs", VOCABULARY) == {}


def test_yes_and_no_say_nothing_of_a_field() -> None:
    assert wanted_values("with no hood", VOCABULARY) == {}


def test_colours_are_understood_in_a_catalogue_without_any() -> None:
    assert wanted_values("but turquoise", {}) == {"colour": "teal"}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([*"abc", "navy", "blue", "stainless", "steel", "-", "'", "é"]), max_size=8))
def test_whatever_is_named_is_a_value_or_a_colour(words: list[str]) -> None:
    for field, value in wanted_values(" ".join(words), VOCABULARY).items():
        assert value in VOCABULARY[field] or (field == "colour" and value in COLOUR_NAMES)


@pytest.mark.parametrize(
    ("given", "source"), [("Crimson", "red"), (("Blue", "red"), "blue"), ("Heather", "heather"), ((), None)]
)
def test_the_source_of_a_colour_is_the_products_own(given: str | tuple[str, ...], source: str | None) -> None:
    assert source_of_product("colour", Product("p", "Mug", attributes={"colour": given})) == source


def test_other_fields_are_taken_as_they_are_written() -> None:
    product = Product("p", "Mug", attributes={"material": "Stone"})
    assert source_of_product("material", product) == "stone"
    assert source_of_product("pattern", product) is None


def test_zero_shot_names_the_value_nearest_to_the_photo() -> None:
    encoder = FakeEncoder()
    photo = encoder.word("steel") + np.float32(0.3) * encoder.word("stone")
    assert nearest_value(photo, ["stone", "steel", "cotton"], encoder) == "steel"


def test_the_direction_leads_from_the_sources_to_the_targets() -> None:
    encoder = FakeEncoder()
    changes = [Change("colour", "red", "blue"), Change("material", None, "steel")]
    expected = encoder.word("blue") - encoder.word("red") + encoder.word("steel")
    assert np.allclose(direction(changes, encoder), expected, atol=1e-6)


def test_a_direction_costs_one_call_of_the_encoder() -> None:
    encoder = FakeEncoder()
    direction([Change("colour", "red", "blue"), Change("fit", None, "slim")], encoder)
    assert encoder.texts == ["blue", "slim", "red"]
