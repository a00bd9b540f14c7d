import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Product
from indexer.errors import ContradictoryEdit
from indexer.images.names import COLOUR_NAMES
from service.search.edits import (
    Change,
    asked_changes,
    changed_directions,
    direction,
    nearest_value,
    source_of_product,
    wanted_values,
    without,
)
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
        ("not in red but in blue", {"colour": "blue"}),
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


@pytest.mark.parametrize(
    ("words", "wanted", "refused"),
    [
        ("blue instead of red", {"colour": "blue"}, {"colour": "red"}),
        ("not the crimson, in blue", {"colour": "blue"}, {"colour": "red"}),
        ("in steel rather than stone", {"material": "steel"}, {"material": "stone"}),
        ("blue and white", {"colour": "blue"}, {}),
        ("red/blue", {"colour": "red"}, {}),
        ("in blue, blue please", {"colour": "blue"}, {}),
        ("red blue", {"colour": "red"}, {}),
        ("without stone", {}, {"material": "stone"}),
    ],
)
def test_what_is_wanted_is_told_apart_from_what_is_to_go(
    words: str, wanted: dict[str, str], refused: dict[str, str]
) -> None:
    assert asked_changes(words, VOCABULARY) == (wanted, refused)


@pytest.mark.parametrize("words", ["but blue and not blue", "in red, in blue", "in red but blue", "azure, not in blue"])
def test_contradictory_edits_are_refused_with_the_field(words: str) -> None:
    with pytest.raises(ContradictoryEdit, match=r"^colour: "):
        asked_changes(words, VOCABULARY)


def test_without_the_changed_directions_values_of_the_field_are_one() -> None:
    encoder = FakeEncoder()
    directions = changed_directions([Change("colour", "red", "blue")], VOCABULARY, encoder, 64)
    assert np.allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-5)
    mug = encoder.word("mug")
    things = np.array([mug + encoder.word(colour) for colour in ("red", "blue", "heather")])
    left = without(things, directions)
    assert np.allclose(left @ left.T, 1, atol=1e-5)
    assert (things @ things.T)[0, 1] / np.linalg.norm(things[0]) / np.linalg.norm(things[1]) < 0.9


def test_what_is_nothing_but_the_changed_attribute_becomes_nothing() -> None:
    axes = np.eye(4, dtype=np.float32)
    assert np.array_equal(without(axes[:2], axes[:1]), [[0, 0, 0, 0], [0, 1, 0, 0]])


def test_no_change_has_no_directions() -> None:
    assert changed_directions([], VOCABULARY, FakeEncoder(), 64).shape == (0, 64)
