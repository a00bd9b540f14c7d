"""What a random shop sells, and what is asked of it."""

import json
import random
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import (
    AllOf,
    AnyOf,
    Availability,
    Channel,
    Condition,
    ImageRef,
    Not,
    Op,
    Product,
    StoreQuery,
    VectorQuery,
    Where,
    WordsQuery,
)
from tests.fakes import COLOURS, FakeEncoder

IDS: Final = [f"p{number}" for number in range(80)]
KINDS: Final = ("mug", "shoe", "lamp", "towel", "jacket")
MATERIALS: Final = ("wool", "glass", "linen")
BRANDS: Final = ("Orbit", "Acme")
WORDS: Final = (*KINDS, *COLOURS, *MATERIALS, *BRANDS, "p7", "bicycle")
PHOTOS: Final = [f"{number}.png" for number in range(18)]
BROKEN: Final = "broken.png"
"""A photo that no decoder can read."""


class Draws:
    def __init__(self, rng: random.Random, encoder: FakeEncoder) -> None:
        self._rng = rng
        self._encoder = encoder

    def product(self, product_id: str, pictured: bool = True) -> Product:
        """With up to three photos that can be read, or without any."""
        rng = self._rng
        colour, kind = rng.choice(list(COLOURS)), rng.choice(KINDS)
        photos = rng.sample(PHOTOS, rng.choices(range(4), (4, 4, 1, 1))[0] if pictured else 0)
        if pictured and rng.random() < 0.05:
            photos.append(BROKEN)
        return Product(
            id=product_id,
            title=f"{colour} {kind}",
            brand=self._or_none(BRANDS),
            category=("Shop", kind),
            price=self._price() if rng.random() < 0.8 else None,
            currency="EUR",
            availability=rng.choice(list(Availability)),
            attributes={"colour": colour, **({"material": rng.choice(MATERIALS)} if rng.random() < 0.5 else {})},
            images=tuple(ImageRef(photo) for photo in photos),
        )

    def changes(self) -> dict[str, Decimal | Availability]:
        """What an update sets, by field; none for one of attributes only."""
        match self._rng.randrange(3):
            case 0:
                return {"price": self._price()}
            case 1:
                return {"availability": self._rng.choice(list(Availability))}
        return {}

    def attributes(self) -> dict[str, str | None]:
        """What an update sets, or takes out."""
        return self._rng.choice([{"colour": self._rng.choice(list(COLOURS))}, {"material": self._or_none(MATERIALS)}])

    def query(self) -> StoreQuery:
        rng = self._rng
        words = " ".join(rng.choices(WORDS, k=rng.randint(1, 3)))
        if rng.random() < 0.3:
            return WordsQuery(words)
        vector = self._encoder.encode_texts([words])[0]
        weights = rng.choice([{Channel.IMAGE: 1.0}, {Channel.TEXT: 1.0}, {Channel.IMAGE: 0.6, Channel.TEXT: 0.4}])
        return VectorQuery({channel: np.float32(weight) * vector for channel, weight in weights.items()})

    def where(self, depth: int = 0) -> Where:
        rng = self._rng
        if depth < 2 and rng.random() < 0.4:
            terms = tuple(self.where(depth + 1) for _ in range(rng.randint(1, 3)))
            either: tuple[Where, ...] = AllOf(terms), AnyOf(terms), Not(terms[0])
            return rng.choice(either)
        match rng.randrange(5):
            case 0:
                return Condition("price", rng.choice(list(Op)), float(self._price()))
            case 1:
                return Condition("in_stock", Op.EQ, rng.random() < 0.5)
            case 2:
                return Condition("material", rng.choice([Op.EQ, Op.NE]), rng.choice(MATERIALS))
            case 3:
                return Condition("palette", Op.EQ, rng.choice(list(COLOURS)))
        return Condition("colour", rng.choice([Op.EQ, Op.NE]), rng.choice(list(COLOURS)))

    def _price(self) -> Decimal:
        """Few enough that some are equal."""
        return Decimal(self._rng.randrange(20, 200)) / 4

    def _or_none(self, values: tuple[str, ...]) -> str | None:
        return self._rng.choice([*values, None])


def draw_photos(folder: Path) -> None:
    """Every photo there is, no two alike, and the broken one."""
    colours = list(COLOURS.values())
    for number, name in enumerate(PHOTOS):
        pixels = np.full((24, 24, 3), 250, np.uint8)
        pixels[3:-3, 3:-3] = colours[number % len(colours)]
        pixels[0, 0] = number
        Image.fromarray(pixels).save(folder / name)
    (folder / BROKEN).write_bytes(b"<html>")


def write_source(path: Path, products: Iterable[Product]) -> None:
    """As a shop exports its products."""
    with path.open("w", encoding="utf-8") as file:
        for product in products:
            row = {
                "id": product.id,
                "title": product.title,
                "brand": product.brand,
                "category": " > ".join(product.category),
                "price": None if product.price is None else f"{product.price} {product.currency or 'EUR'}",
                "availability": product.availability.value,
                "images": [image.uri for image in product.images],
                **product.attributes,
            }
            file.write(json.dumps(row) + "\n")
