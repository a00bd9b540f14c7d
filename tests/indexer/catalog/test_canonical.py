from dataclasses import replace
from decimal import Decimal

import pytest

from indexer.catalog.canonical import content_hash
from indexer.domain import Availability, ImageRef, Product
from tests.indexer.catalog.samples import COAT


def test_the_hash_is_pinned() -> None:
    """It is stored: a change of the canonical form makes every catalogue look changed."""
    assert content_hash(COAT) == "e2a3ca01e9bbfab32fc0bc6790b9073518678faaa000d5216e54bc356e202a73"


def test_the_order_of_attributes_and_the_spelling_of_a_price_do_not_matter() -> None:
    attributes = dict(sorted(COAT.attributes.items(), reverse=True))
    assert content_hash(replace(COAT, attributes=attributes, price=Decimal("129.9"))) == content_hash(COAT)


@pytest.mark.parametrize(
    "changed",
    [
        replace(COAT, title="Rain coat!"),
        replace(COAT, parent=None),
        replace(COAT, description=""),
        replace(COAT, brand="DAYBIRD"),
        replace(COAT, category=("Jackets", "Women")),
        replace(COAT, price=None),
        replace(COAT, currency="USD"),
        replace(COAT, availability=Availability.UNKNOWN),
        replace(COAT, attributes={**COAT.attributes, "sizes": ("M", "S", "L")}),
        replace(COAT, url=None),
        replace(COAT, images=(ImageRef("images/coat.jpg"),)),
    ],
)
def test_every_field_counts(changed: Product) -> None:
    assert content_hash(changed) != content_hash(COAT)
