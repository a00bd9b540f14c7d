"""A made-up catalogue that is the same on every machine, and the questions that shoppers put to it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from indexer.domain import Pixels
from service.search.query import Query
from tests.fakes import COLOURS

WARES: Final = 1_500
PHOTOGRAPHED: Final = 800
"""Products that have a photo; a tenth of these has two."""
KINDS: Final = {
    "mug": ("Kitchen", ("ceramic", "glass", "enamel")),
    "towel": ("Bath", ("linen", "cotton", "terry")),
    "jacket": ("Clothing", ("wool", "nylon", "cotton")),
    "shoe": ("Clothing", ("leather", "canvas", "suede")),
    "lamp": ("Lighting", ("brass", "glass", "paper")),
    "chair": ("Furniture", ("oak", "steel", "beech")),
}
STYLES: Final = ("classic", "slim", "rustic", "modern", "folding", "large", "small", "striped")
BRANDS: Final = ("Orbit", "Acme", "Northwind", "Lumen", "Halden")
DIM: Final = 48
SIDE: Final = 24


def write_wares(folder: Path) -> Path:
    """The catalogue file; its photos lie beside it."""
    rng = random.Random(4)
    path = folder / "products.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(WARES):
            row = _row(rng, number)
            photos = [f"{number}-{place}.png" for place in range(_photos(number))]
            for place, name in enumerate(photos):
                Image.fromarray(photo(row["colour"], number * 2 + place)).save(folder / name)
            file.write(json.dumps({**row, "images": photos}) + "\n")
    return path


def photo(colour: str, seed: int) -> Pixels:
    """A square of the colour before a wall, with a few pixels of its own."""
    pixels = np.full((SIDE, SIDE, 3), 250, np.uint8)
    pixels[3:-3, 3:-3] = COLOURS[colour]
    pixels[0] = np.random.default_rng(seed).integers(200, 255, (SIDE, 3))
    return pixels


def questions() -> Iterator[Query]:
    """200: words, filtered words, photos, products that are alike, and edits of both."""
    rng = random.Random(5)
    for _ in range(60):
        yield Query(words=_asked(rng))
    for _ in range(50):
        yield Query(words=_asked(rng), where=tuple(rng.sample(_filters(rng), rng.randint(1, 2))))
    for number in range(30):
        colour = rng.choice(list(COLOURS))
        yield Query(photo=photo(colour, 10_000 + number), photo_colours=(colour,))
    for _ in range(20):
        yield Query(like=f"W{rng.randrange(WARES):04d}", where=tuple(rng.sample(_filters(rng), rng.randint(0, 1))))
    for number in range(40):
        colour, other = rng.sample(list(COLOURS), 2)
        if number % 2:
            yield Query(photo=photo(colour, 20_000 + number), photo_colours=(colour,), change=f"but in {other}")
        else:
            yield Query(like=f"W{rng.randrange(WARES):04d}", change=f"but in {other}")


def _photos(number: int) -> int:
    return (2 if number % 10 == 0 else 1) if number < PHOTOGRAPHED else 0


def _row(rng: random.Random, number: int) -> dict[str, str]:
    kind = rng.choice(list(KINDS))
    category, materials = KINDS[kind]
    colour, style, material, brand = (rng.choice(x) for x in (list(COLOURS), STYLES, materials, BRANDS))
    return {
        "id": f"W{number:04d}",
        "title": f"{style.title()} {material} {kind} in {colour}",
        "description": f"A {style} {kind} of {material}, made by {brand} for every day.",
        "brand": brand,
        "category": f"{category} > {kind}",
        "price": f"{rng.randrange(400, 20_000) / 100:.2f} EUR" if rng.random() < 0.95 else "",
        "availability": rng.choice(("in stock", "in stock", "out of stock")),
        "colour": colour,
        "material": material,
    }


def _asked(rng: random.Random) -> str:
    kind = rng.choice(list(KINDS))
    parts = (rng.choice(STYLES), rng.choice(list(COLOURS)), rng.choice(KINDS[kind][1]), kind, rng.choice(BRANDS))
    chosen = rng.sample(parts, rng.randint(1, 3))
    return f"W{rng.randrange(WARES):04d}" if rng.random() < 0.1 else " ".join(chosen)


def _filters(rng: random.Random) -> list[str]:
    return [
        f"price<{rng.randrange(10, 200)}",
        f"colour={rng.choice(list(COLOURS))}",
        f"brand!={rng.choice(BRANDS)}",
        f"category={rng.choice(list(KINDS))}|{rng.choice(list(KINDS))}",
        "in_stock=true",
    ]
