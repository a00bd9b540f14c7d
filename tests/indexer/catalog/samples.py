"""Products and moments to test with."""

from datetime import UTC, datetime
from decimal import Decimal

from indexer.domain import Availability, ImageRef, Product

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

COAT = Product(
    id="coat-blue",
    title="Rain coat",
    parent="coat",
    description="Keeps the rain out.\nTwo pockets.",
    brand="Daybird",
    category=("Women", "Jackets"),
    price=Decimal("129.90"),
    currency="EUR",
    availability=Availability.IN_STOCK,
    attributes={"colour": "blue", "sizes": ("S", "M", "L"), "größe": "ß"},
    url="https://shop.example/coat?colour=blue",
    images=(ImageRef("images/coat.jpg"), ImageRef("https://shop.example/coat,back.jpg")),
)
CAP = Product(id="cap", title="Cap", images=(ImageRef("images/cap.jpg"),))


def numbered(count: int) -> list[Product]:
    return [Product(id=f"p{number:05}", title=f"Product {number}") for number in range(count)]
