"""The frozen values."""

from dataclasses import FrozenInstanceError
from uuid import UUID

import pytest
from pydantic import ValidationError

from indexer.domain import EncoderIdentity, ImageRef, Product, point_id


def test_a_points_id_is_the_same_for_ever() -> None:
    """Stores hold these: another value here means that every index must be built again."""
    assert point_id("shop", "mug", "c3009a289844782f") == UUID("2a018ccb-f7d9-5c43-8487-a999e0add83a")


def test_points_of_other_catalogs_products_and_images_have_other_ids() -> None:
    keys = [("a", "b", "c"), ("a", "b", ""), ("a", "bc", ""), ("ab", "c", ""), ("b", "a", "c")]

    assert len({point_id(*key) for key in keys}) == len(keys)


def test_an_images_id_is_of_its_uri() -> None:
    assert ImageRef("photos/red.png").image_id == "87337b30b62df7ae"
    assert ImageRef("photos/red.png").image_id != ImageRef("photos/Red.png").image_id


def test_values_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Product(id="1", title="Mug").title = "Cup"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        EncoderIdentity(name="x", fingerprint="y", dim=1).dim = 2


def test_a_manifest_with_an_unknown_entry_is_not_read_as_if_it_had_none() -> None:
    with pytest.raises(ValidationError, match="extra"):
        EncoderIdentity.model_validate({"name": "x", "fingerprint": "y", "dim": 1, "colour": "red"})
