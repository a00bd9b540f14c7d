import numpy as np
import pytest

from indexer.domain import Product
from service.changes import Change
from service.search.edits import changed_directions, direction, nearest_value, source_of_product
from service.vectors import without
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


def test_without_the_changed_directions_values_of_the_field_are_one() -> None:
    encoder = FakeEncoder()
    directions = changed_directions([Change("colour", "red", "blue")], VOCABULARY, encoder, 64)
    assert np.allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-5)
    mug = encoder.word("mug")
    things = np.array([mug + encoder.word(colour) for colour in ("red", "blue", "heather")])
    left = without(things, directions)
    assert np.allclose(left @ left.T, 1, atol=1e-5)
    assert (things @ things.T)[0, 1] / np.linalg.norm(things[0]) / np.linalg.norm(things[1]) < 0.9


def test_no_change_has_no_directions() -> None:
    assert changed_directions([], VOCABULARY, FakeEncoder(), 64).shape == (0, 64)
